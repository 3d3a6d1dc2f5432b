"""A peer of CNC that shares nothing with ours: ZMTP 3.0 (NULL) and MessagePack written out, of the standard library."""
import socket
import struct


def pack(value):
    if value is None:
        return b"\xc0"
    if value is True or value is False:
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack("B", value) if 0 <= value < 128 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        return b"\xdb" + struct.pack(">I", len(text)) + text
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack, value))
    return b"\xdf" + struct.pack(">I", len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())


def unpack(data):
    value, rest = _take(memoryview(data))
    assert not len(rest), "something follows"
    return value


def _take(data):
    tag, data = data[0], data[1:]
    if tag < 0x80:
        return tag, data
    if tag >= 0xE0:
        return tag - 256, data
    if tag < 0x90:
        return _map(tag & 15, data)
    if tag < 0xA0:
        return _list(tag & 15, data)
    if tag < 0xC0:
        return _text(tag & 31, data)
    simple = {0xC0: None, 0xC2: False, 0xC3: True}
    if tag in simple:
        return simple[tag], data
    numbers = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
    if tag in numbers:
        return struct.unpack_from(numbers[tag], data)[0], data[struct.calcsize(numbers[tag]):]
    sized = {0xD9: (_text, ">B"), 0xDA: (_text, ">H"), 0xDB: (_text, ">I"), 0xDC: (_list, ">H"), 0xDD: (_list, ">I"), 0xDE: (_map, ">H"), 0xDF: (_map, ">I")}
    take, size = sized[tag]
    return take(struct.unpack_from(size, data)[0], data[struct.calcsize(size):])


def _text(count, data):
    return bytes(data[:count]).decode(), data[count:]


def _list(count, data):
    items = []
    for _ in range(count):
        item, data = _take(data)
        items.append(item)
    return items, data


def _map(count, data):
    items = {}
    for _ in range(count):
        key, data = _take(data)
        items[key], data = _take(data)
    return items, data


class Peer:
    """One connection, either end."""

    def __init__(self, connection, kind, identity=b""):
        self.socket = connection
        self.buffer = b""
        self.identity = None
        connection.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31))
        self._exactly(64)
        ready = b"\x05READY" + _property(b"Socket-Type", kind) + _property(b"Identity", identity)
        connection.sendall(b"\x04" + bytes([len(ready)]) + ready)
        flags, body = self._frame()
        assert flags & 4 and body.startswith(b"\x05READY"), body
        at = 6
        while at < len(body):
            name = body[at + 1:at + 1 + body[at]]
            at += 1 + body[at]
            (count,) = struct.unpack_from(">I", body, at)
            if name.lower() == b"identity":
                self.identity = body[at + 4:at + 4 + count]
            at += 4 + count

    def _exactly(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _frame(self):
        flags = self._exactly(1)[0]
        count = struct.unpack(">Q", self._exactly(8))[0] if flags & 2 else self._exactly(1)[0]
        return flags, self._exactly(count)

    def send_bytes(self, body, more=False):
        self.socket.sendall(struct.pack(">BQ", 2 | more, len(body)) + body)

    def send_many(self, message, count):
        body = pack(message)
        self.socket.sendall((struct.pack(">BQ", 2, len(body)) + body) * count)

    def send(self, message):
        self.send_bytes(pack(message))

    def recv(self):
        """The next message; pings of ZMTP are answered meanwhile."""
        while True:
            flags, body = self._frame()
            if not flags & 4:
                assert not flags & 1, "more than one frame"
                return unpack(body)
            if body.startswith(b"\x04PING"):
                pong = b"\x04PONG" + body[7:]
                self.socket.sendall(b"\x04" + bytes([len(pong)]) + pong)

    def recv_type(self, name):
        """The next message of that type; others are stepped over."""
        while True:
            message = self.recv()
            if message["type"] == name:
                return message


def _property(name, value):
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


def dial(port, identity=b"", patience_s=60):
    connection = socket.create_connection(("127.0.0.1", port), patience_s)
    return Peer(connection, b"DEALER", identity)


class Listener:
    """A ROUTER for one peer at a time."""

    def __init__(self, patience_s=60):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(patience_s)
        self.patience_s = patience_s
        self.port = self.socket.getsockname()[1]

    def accept(self):
        connection = self.socket.accept()[0]
        connection.settimeout(self.patience_s)
        return Peer(connection, b"ROUTER")
