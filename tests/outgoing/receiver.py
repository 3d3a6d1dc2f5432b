#!/usr/bin/env python3
"""A receiver on a free port of 127.0.0.1 that does as the file `mode` of its folder says at the time: receiver.py FOLDER.
Each request is a line of JSON in FOLDER/requests before it is answered. FOLDER/port appears when it listens.

  ok, 500, 400, 404, 429   that status     redirect  302 to /elsewhere      hang   reads, and never answers
  close                    no answer       lie       an answer that is none  early  status 200, then cut
  late                     ok, a moment later
  taken                    takes it, and never answers
  poison                   500 to what has poison in it, ok to others"""
import json
import os
import socket
import sys
import threading
import time

folder = sys.argv[1]
lock = threading.Lock()
ANSWERS = {
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    "429": b"HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
    "close": b"",
    "lie": b"\x00\xff this is no HTTP\r\n\r\n",
    "early": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ncut",
}


def mode():
    with open(os.path.join(folder, "mode")) as file:
        return file.read().strip()


def read_request(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        body += peer.recv(65536)
    return {"line": lines[0], "headers": headers, "body": body.decode()}


def serve(peer):
    with peer:
        request = read_request(peer)
        if request is None:
            return
        now = mode()
        request["mode"] = now
        with lock, open(os.path.join(folder, "requests"), "a") as file:
            file.write(json.dumps(request) + "\n")
        if now == "hang":
            while mode() == "hang":
                time.sleep(0.02)
            return
        if now == "taken":
            while mode() == "taken":
                time.sleep(0.02)
            return
        if now == "poison":
            now = "500" if "poison" in request["body"] else "ok"
        if now == "late":
            time.sleep(0.15)
        status = "200 OK" if now in ("ok", "late") else now + " No"
        peer.sendall(ANSWERS.get(now, f"HTTP/1.1 {status}\r\nContent-Length: 6\r\n\r\nanswer".encode()))


with open(os.path.join(folder, "requests"), "a"):
    pass
listener = socket.create_server(("127.0.0.1", 0))
with open(os.path.join(folder, "port.new"), "w") as file:
    file.write(str(listener.getsockname()[1]))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
