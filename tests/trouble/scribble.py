"""Does to a running system what a mad process could do: random bytes over its files, random messages into its sockets.

   scribble.py file PATH SEED      a few hundred writes of random bytes, most of them where the head of the file is
   scribble.py sockets FOLDER SEED random bytes, broken greetings, frames that claim to be huge, floods
"""
import os
import random
import socket
import stat
import sys

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)


def ready(kind):
    name = b"Socket-Type"
    body = b"\x05READY" + bytes([len(name)]) + name + len(kind).to_bytes(4, "big") + kind
    size = b"\x06" + len(body).to_bytes(8, "big") if len(body) > 255 else b"\x04" + bytes([len(body)])
    return size + body


def frame(body, more=False):
    flags = (1 if more else 0) | (2 if len(body) > 255 else 0)
    size = len(body).to_bytes(8, "big") if len(body) > 255 else bytes([len(body)])
    return bytes([flags]) + size + body


def attacks(rng):
    """What one connection sends."""
    for _ in range(20):
        yield rng.randbytes(rng.randrange(1, 5000))
        yield GREETING + rng.randbytes(rng.randrange(1, 5000))
    for kind in (b"PUB", b"SUB", b"DEALER", b"XPUB", b"nonsense" * 100):
        hello = GREETING + ready(kind)
        yield hello + b"\x02" + (1 << 62).to_bytes(8, "big") + b"x" * 1000
        yield hello + b"\x02" + (64 << 20).to_bytes(8, "big") + b"x" * 100000
        yield hello + b"".join(frame(rng.randbytes(rng.randrange(300)), rng.random() < 0.5) for _ in range(3000))
        topic = b"supervisor.trouble.internal"
        yield hello + b"".join(frame(topic, True) + frame(rng.randbytes(rng.randrange(2000))) for _ in range(500))
        yield hello + b"".join(frame(topic, True) for _ in range(5000))
        yield hello + frame(topic, True) + frame(b"\x96" * 100000)
        yield hello + frame(b"\x01" + b"a" * 100000) + b"".join(frame(b"\x01" + rng.randbytes(20)) for _ in range(5000))


def attack_sockets(folder, rng):
    count = 0
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            continue
        count += 1
        for data in attacks(rng):
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(2)
            try:
                peer.connect(path)
                peer.sendall(data)
                peer.recv(100)
            except OSError:
                pass  # to hang up on us is the right answer
            peer.close()
    if not count:
        sys.exit("no socket in " + folder)


def scribble(path, rng):
    length = os.path.getsize(path)
    with open(path, "r+b", buffering=0) as file:
        for _ in range(300):
            at = rng.randrange(min(length, 65536)) if rng.random() < 0.7 else rng.randrange(length)
            file.seek(at)
            file.write(rng.randbytes(min(rng.choice([1, 8, 64, 4096]), length - at)))
        file.seek(0)
        file.write(rng.randbytes(64))


verb, target, seed = sys.argv[1:]
{"file": scribble, "sockets": attack_sockets}[verb](target, random.Random(int(seed)))
