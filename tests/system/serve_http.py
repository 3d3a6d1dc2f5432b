"""Clients of DAQJobServeHTTP: serve_http.py PORT files FOLDER | hostile PROCESS | get URL TEXT | status URL CODE."""
import datetime
import os
import re
import socket
import sys
import threading
import time

port = int(sys.argv[1])


def send(raw, wait=10):
    """All that comes back for these bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as s:
        s.sendall(raw)
        return receive(s)


def receive(s):
    got = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece
    except (ConnectionResetError, BrokenPipeError):
        return got


def request(path, *headers, method="GET"):
    """Status, headers, body of one request on a connection of its own."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}", "Connection: close", *headers]
    answer = send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    fields = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in rest}
    return int(first.split()[1]), fields, body


def expect(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}: expected {wanted!r}, found {found!r}")


def files(folder):
    with open(f"{folder}/large.bin", "rb") as file:
        large = file.read()
    code, fields, body = request("/large.bin")
    expect((code, body == large, int(fields["content-length"])), (200, True, len(large)), "a large file")
    expect(fields["x-content-type-options"], "nosniff", "nosniff")
    etag = fields["etag"]
    if etag.startswith("W/"):  # changed a moment ago
        time.sleep(2.1)
        etag = request("/large.bin")[1]["etag"]
    for asked, first, last in (("0-0", 0, 1), ("5-104", 5, 105), ("2999990-", 2999990, 3000000), ("-7", 2999993, 3000000), ("10-9999999", 10, 3000000)):
        code, fields, body = request("/large.bin", f"Range: bytes={asked}")
        expect((code, body == large[first:last]), (206, True), f"range {asked}")
        expect(fields["content-range"], f"bytes {first}-{last - 1}/3000000", f"range {asked}")
    code, fields, body = request("/large.bin", "Range: bytes=3000000-")
    expect((code, fields["content-range"]), (416, "bytes */3000000"), "a range outside")
    expect(request("/large.bin", "Range: bytes=1-2,5-6")[0], 200, "several ranges")
    expect(request("/large.bin", "Range: bytes=1-2", f"If-Range: {etag}")[0], 206, "the same file")
    expect(request("/large.bin", "Range: bytes=1-2", 'If-Range: "other"')[0], 200, "another file")
    code, fields, body = request("/large.bin", f"If-None-Match: {etag}")
    expect((code, body), (304, b""), "known by its tag")
    expect(request("/large.bin", f"If-Modified-Since: {fields['last-modified']}")[0], 304, "known by its time")
    expect(request("/large.bin", "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT")[0], 200, "changed since")
    code, fields, body = request("/large.bin", method="HEAD")
    expect((code, body, fields["content-length"]), (200, b"", "3000000"), "HEAD")
    expect(request("/TODAY_a.csv")[2], b"today\n", "TODAY")
    expect(request("/YESTERDAY_a.csv")[2], b"yesterday\n", "YESTERDAY")
    expect(request("/%3Cb%3E&.txt")[2], b"<b>", "an odd name")
    expect(request("/none.csv")[0], 404, "no such file")
    code, fields, body = request("/")
    expect((code, fields["content-type"]), (200, "text/html; charset=utf-8"), "the list")
    for wanted in (b'<a href="/deep%20folder/">deep folder/</a>', b'<a href="/%3Cb%3E%26.txt">&lt;b&gt;&amp;.txt</a>', b">3.0 MB<"):
        expect(wanted in body, True, f"the list has {wanted}")
    expect(request("/deep%20folder")[0], 200, "a folder")
    # The file of a store that writes: what was there when it was asked for, and more the next time.
    sizes = [len(request("/dice.csv")[2])]
    while sizes[-1] < sizes[0] + 200:
        body = request("/dice.csv")[2]
        expect(body.startswith(b"timestamp,A,B,C\n") and body.endswith(b"\n"), True, "whole lines")
        sizes.append(len(body))
    shrinking(folder)
    # Two requests on one connection, and both at once.
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        one = f"GET /TODAY_a.csv HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
        s.sendall(one + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        expect(receive(s).count(b"today\n"), 2, "two requests")


def shrinking(folder):
    """A file that is cut while it is fetched: the answer must not look whole."""
    path = f"{folder}/cut.bin"
    with open(path, "wb") as file:
        file.truncate(200_000_000)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(f"GET /cut.bin HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
        got = len(s.recv(1000))
        os.truncate(path, 1000)
        try:
            while piece := s.recv(1 << 20):
                got += len(piece)
        except ConnectionResetError:
            pass
        expect(got < 200_000_000, True, "a file that was cut")


def is_fine():
    code, _, body = request("/deep/fine.txt")
    expect((code, body), (200, b"fine"), "the server, afterwards")


def paths():
    secret = re.compile(b"secret|root:|hidden")
    below = ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/deep/../../secret.txt",
             "/deep/%2e%2e/%2e%2e/secret.txt", "/.%2e/secret.txt", "/outside", "/up/secret.txt", "/up/", "//../secret.txt",
             "/../../../../../../etc/passwd", "//etc/passwd", "/%2fetc/passwd", "/.hidden", "/%2ehidden", "/deep/..", "/..",
             "/%00", "/deep%00/fine.txt", "/..\\secret.txt", "/%c0%ae%c0%ae/secret.txt", "/%252e%252e/secret.txt", "/?/../secret.txt/..",
             "/" + "a/" * 3000, "/" + "%2e%2e/" * 1000, "/inside/../../secret.txt", "/;/../secret.txt", "/state", "/state/",
             "/state/lab.slack.outbox", "/stat%65/lab.slack.outbox", "/deep/state/x", "/deep/lab.mail.outbox"]
    for path in below:
        answer = send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1"))
        code = int(answer.split()[1])
        if secret.search(answer) or code not in (400, 404, 414, 431, 200):
            sys.exit(f"{path}: {answer[:300]!r}")
        if code == 200 and path not in ("/?/../secret.txt/..",):
            sys.exit(f"{path} was served: {answer[:300]!r}")
    listing = request("/")[2]
    for name in (b"outside", b'"/up', b"hidden"):
        expect(name in listing, False, f"{name} in the list")
    for path in ("/", "/deep/"):
        listing = request(path)[2]
        for name in (b"state", b"outbox"):
            expect(name in listing, False, f"{name} in the list of {path}")
    listing = request("/")[2]
    expect(b">inside<" in listing, True, "a link that stays inside")
    expect(request("/inside")[2], b"fine", "a link that stays inside")


def requests():
    host = f"Host: localhost:{port}"
    for raw, wanted in (
        (f"POST /deep/fine.txt HTTP/1.1\r\n{host}\r\nContent-Length: 3\r\n\r\nabc", {405}),
        (f"DELETE / HTTP/1.1\r\n{host}\r\n\r\n", {405}),
        (f"OPTIONS / HTTP/1.1\r\n{host}\r\n\r\n", {405}),
        (f"GET / HTTP/1.1\r\n{host}\r\n{host}\r\n\r\n", {400}),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", {400, 403}),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", {403}),
        (f"GET / HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
        (f"GET / HTTP/1.1\r\n{host}\r\nContent-Length: -5\r\n\r\n", {400, 413}),
        (f"GET / HTTP/1.1\r\n{host}\r\nContent-Length: 3\r\n\r\nabc", {400}),
        (f"GET / HTTP/1.1\r\n{host}\r\nX: {'x' * 100000}\r\n\r\n", {400, 413, 414, 431, 0}),
        (f"GET / HTTP/1.1\r\n{host}\r\n" + "".join(f"X{i}: y\r\n" for i in range(20000)) + "\r\n", {400, 413, 431, 0}),
        ("GET /" + "a" * 200000 + " HTTP/1.1\r\n\r\n", {400, 404, 413, 414, 431, 0}),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 200, {400, 0}),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 405, 505, 0}),
        ("\r\n" * 5000, {400, 0}),
        ("\0" * 5000, {400, 0}),
        ("GET", {0, 400, 408}),
    ):
        try:
            answer = send(raw.encode("latin-1"))
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
        code = int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0
        if code not in wanted:
            sys.exit(f"{raw[:80]!r}: {code}, {answer[:200]!r}")
    is_fine()


def slow():
    """Connections that send nothing, or a byte now and then: more than there may be, and all are closed in time."""
    crowd = []
    for i in range(40):
        try:
            s = socket.create_connection(("127.0.0.1", port), timeout=10)
            s.sendall(b"GET /deep/fine.txt HTT" if i % 2 else b"")
            crowd.append(s)
        except OSError:
            pass
    stop = time.monotonic() + 10
    while crowd and time.monotonic() < stop:
        for s in list(crowd):
            s.setblocking(False)
            try:
                s.sendall(b"P")  # so that it is never idle
                if s.recv(1000) == b"":
                    raise ConnectionResetError
            except BlockingIOError:
                continue
            except OSError:
                s.close()
                crowd.remove(s)
        time.sleep(0.05)
    expect(len(crowd), 0, "slow connections that are still open")
    is_fine()


def unhurried():
    """Who fetches slowly is seen to fetch: what the kernel has for him stays small, so that it asks for more often."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.connect(("127.0.0.1", port))
        ends = f":{port:04X} 0100007F:{s.getsockname()[1]:04X} "
        s.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        most, stop = 0, time.monotonic() + 0.4
        while time.monotonic() < stop:
            with open("/proc/net/tcp") as sockets:
                queued = [int(line.split()[4].split(":")[0], 16) for line in sockets if ends in line]
            most = max([most, *queued])
        expect(0 < most < 700000, True, f"bytes that wait in the kernel: {most}")


def moving():
    """A download that is slow for longer than one may stand still goes on; when it does stand still it is cut off."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(10)
        s.connect(("127.0.0.1", port))
        s.sendall(b"GET /deep/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ends = f":{port:04X} 0100007F:{s.getsockname()[1]:04X} "

        def is_connected():
            with open("/proc/net/tcp") as sockets:
                return any(ends in line and line.split()[3] == "01" for line in sockets)

        stop, got = time.monotonic() + 2.5, 0
        while time.monotonic() < stop:
            piece = s.recv(1500)
            expect(len(piece) > 0, True, f"slow, and cut off behind {got} bytes")
            got += len(piece)
            time.sleep(0.15)
        expect(got < 100000, True, f"bytes in 2.5 s that were to be few: {got}")
        expect(is_connected(), True, "a download that moves is open")
        stop = time.monotonic() + 10
        while is_connected() and time.monotonic() < stop:
            time.sleep(0.05)
        expect(is_connected(), False, "a download that stands still is open")
    is_fine()


def many(process):
    def memory():
        with open(f"/proc/{process}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def descriptors():
        return len(os.listdir(f"/proc/{process}/fd"))

    for _ in range(50):
        is_fine()
    before, open_before = memory(), descriptors()

    def hammer():
        for _ in range(100):
            try:
                send(b"GET /deep/fine.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                send(b"GET /../x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            except OSError:
                pass

    threads = [threading.Thread(target=hammer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    is_fine()
    stop = time.monotonic() + 5
    while descriptors() > open_before + 2 and time.monotonic() < stop:
        time.sleep(0.05)
    expect(descriptors() <= open_before + 2, True, "descriptors stay")
    if "SANITIZED" in os.environ:  # what was freed is kept from use for a while
        return
    expect(memory() < before + 3000, True, f"memory stays: {before} kB, then {memory()} kB")


def main():
    what = sys.argv[2]
    if what == "files":
        files(sys.argv[3])
        unhurried()
    elif what == "hostile":
        paths()
        requests()
        slow()
        moving()
        many(sys.argv[3])
    elif what == "get":
        expect(request(sys.argv[3])[2], sys.argv[4].encode(), sys.argv[3])
    elif what == "status":
        expect(request(sys.argv[3])[0], int(sys.argv[4]), sys.argv[3])


main()
