#!/usr/bin/env python3
"""WebSockets of web/http by a client that others wrote (Debian: python3-websockets): `websocket.py PROGRAM`."""
import asyncio
import contextlib
import os
import socket
import ssl
import subprocess
import sys
import tempfile

try:
    import websockets
except ImportError:
    print("skipped: no websockets for Python here (Debian: python3-websockets)")
    sys.exit(77)

PATIENCE = 60


@contextlib.contextmanager
def server(*arguments):
    program = subprocess.Popen([sys.argv[1], *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield int(program.stdout.readline())
    finally:
        program.stdin.close()
        opened, closed = [int(part.split()[0]) for part in program.stdout.read().split(",")]
        program.wait(PATIENCE)
        assert program.returncode == 0 and opened == closed > 0, (program.returncode, opened, closed)


async def closed_with(link):
    try:
        while True:
            await asyncio.wait_for(link.recv(), PATIENCE)
    except websockets.ConnectionClosed:
        return link.close_code, link.close_reason


async def talk(url, **how):
    link = await websockets.connect(url, max_size=None, subprotocols=["other", "test.1"], **how)
    assert link.subprotocol == "test.1"
    for message in "", "Köln", "x" * 126, b"\0" * 125, b"\xff" * 65535, os.urandom(65536):
        await link.send(message)
        assert await asyncio.wait_for(link.recv(), PATIENCE) == message
    await link.send(["a" * 1000, "b" * 70, "c"])
    assert await asyncio.wait_for(link.recv(), PATIENCE) == "a" * 1000 + "b" * 70 + "c"
    for i in range(100):
        await link.send(str(i))
    for i in range(100):
        assert await asyncio.wait_for(link.recv(), PATIENCE) == str(i)
    await asyncio.wait_for(await link.ping(b"here"), PATIENCE)
    await link.close(1000, "enough")
    assert link.close_code == 1000
    link = await websockets.connect(url, max_size=None, subprotocols=["test.1"], **how)
    await link.send("quit")
    assert await closed_with(link) == (4001, "as you wish")


async def send_too_much(url):
    link = await websockets.connect(url, subprotocols=["test.1"])
    await link.send(b"\0" * 65537)
    assert (await closed_with(link))[0] == 1009


async def refusal(url):
    try:
        await websockets.connect(url)
    except websockets.InvalidHandshake as error:
        assert "200" in str(error), error
        return
    raise AssertionError("the upgrade was not refused")


async def flood(url):
    """Whoever does not read what he asked for is closed, and the server holds no more than 4 MiB and a message for him."""
    link = await websockets.connect(url, max_size=None, max_queue=1, subprotocols=["test.1"])
    await link.send("flood")
    assert (await closed_with(link))[0] == 1013


def stay_silent(port):
    """Who answers no ping is dropped."""
    with socket.create_connection(("localhost", port), timeout=PATIENCE) as link:
        link.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        received = b""
        while part := link.recv(4096):
            received += part
    head, frames = received.split(b"\r\n\r\n", 1)
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head, head
    assert frames == b"\x89\x00", frames


def over_tls(folder):
    certificate, key = f"{folder}/certificate.pem", f"{folder}/key.pem"
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost"], stderr=subprocess.DEVNULL)
    if made.returncode:
        return
    context = ssl.create_default_context(cafile=certificate)
    with server("0", certificate, key) as port:
        asyncio.run(talk(f"wss://localhost:{port}/ws", ssl=context))


with server("0") as port:
    asyncio.run(talk(f"ws://localhost:{port}/ws"))
    asyncio.run(send_too_much(f"ws://localhost:{port}/ws"))
    asyncio.run(refusal(f"ws://localhost:{port}/no"))
    asyncio.run(flood(f"ws://localhost:{port}/ws"))
with server("100") as port:
    stay_silent(port)
with tempfile.TemporaryDirectory() as folder:
    over_tls(folder)
print(f"websockets {websockets.__version__}: all as it should be")
