"""A client of WebSockets that sends frames as it is told and believes nothing: RFC 6455, on a plain socket."""

import base64
import hashlib
import os
import struct
import zlib

from http_client import Client, request

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TAIL = b"\x00\x00\xff\xff"


class Protocol(Exception):
    """The server did what it must not do."""


def frame(opcode, payload=b"", fin=True, mask=b"\x12\x34\x56\x78", rsv=0):
    """Bytes of a frame, masked as those of clients are; mask None leaves it out."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0 if mask is None else 0x80
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if mask is None:
        return head + payload
    whole = mask * (size // 4 + 1)
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(whole[:size], "big")).to_bytes(size, "big")
    return head + mask + masked


class WebSocket:
    """A connection that has asked to become a WebSocket; `answer` is what came back."""

    def __init__(self, address, path="/echo", *headers, deflate=False, receive_buffer=None):
        self.http = Client(address, receive_buffer=receive_buffer)
        self.key = base64.b64encode(os.urandom(16))
        offer = ["Sec-WebSocket-Extensions: permessage-deflate"] if deflate else []
        self.http.send(request(path, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                               "Sec-WebSocket-Key: " + self.key.decode(), *offer, *headers))
        self.answer = self.http.read()
        self.inflate = self.deflate = None
        if self.answer.status == 101:
            self.check_handshake(deflate)

    def check_handshake(self, deflate):
        expected = base64.b64encode(hashlib.sha1(self.key + MAGIC).digest())
        if self.answer.get("sec-websocket-accept") != expected:
            raise Protocol(f"accept: {self.answer}")
        extensions = self.answer.get("sec-websocket-extensions")
        if extensions is not None:
            if not deflate or not extensions.startswith(b"permessage-deflate"):
                raise Protocol(f"extensions: {extensions}")
            self.inflate = zlib.decompressobj(-15)
            self.deflate = zlib.compressobj(wbits=-15)

    # -- sending

    def send(self, *pieces):
        self.http.send(*pieces)
        return self

    def text(self, text):
        return self.message(TEXT, text.encode())

    def binary(self, payload):
        return self.message(BINARY, payload)

    def message(self, opcode, payload):
        if self.deflate is None:
            return self.send(frame(opcode, payload))
        packed = self.deflate.compress(payload) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        return self.send(frame(opcode, packed[:-4], rsv=4))

    def close(self, code=None, reason=b""):
        return self.send(frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason))

    # -- reading

    def take(self, count):
        while len(self.http.buffer) < count:
            if not self.http._more():
                raise EOFError(self.http.ended)
        taken, self.http.buffer = self.http.buffer[:count], self.http.buffer[count:]
        return taken

    def read_frame(self):
        """@return opcode, payload, whether it is the last of its message, rsv"""
        first, second = self.take(2)
        if second & 0x80:
            raise Protocol("a masked frame of the server")
        size = second & 0x7f
        if size > 125:
            size = int.from_bytes(self.take(2 if size == 126 else 8), "big")
        if first & 8 and (size > 125 or not first & 0x80):
            raise Protocol("a long or fragmented control frame")
        return first & 15, self.take(size), bool(first & 0x80), first >> 4 & 7

    def read(self):
        """The next message or control frame. @return opcode, payload"""
        opcode, payload, fin, rsv = self.read_frame()
        if rsv not in (0, 4 if self.inflate and opcode < 8 else 0):
            raise Protocol(f"rsv {rsv}")
        while not fin:
            more, piece, fin, _ = self.read_frame()
            if more != CONTINUATION:
                raise Protocol(f"{more} within a message")
            payload += piece
        if rsv == 4:
            payload = self.inflate.decompress(payload + TAIL)
        return opcode, payload

    def read_text(self):
        opcode, payload = self.read()
        if opcode != TEXT:
            raise Protocol(f"{opcode} {payload!r} instead of a text")
        return payload.decode()

    def read_close(self):
        """Reads up to the close frame and the end. @return code or None, reason"""
        while True:
            opcode, payload = self.read()
            if opcode == CLOSE:
                break
        code = struct.unpack("!H", payload[:2])[0] if payload else None
        return code, payload[2:].decode()

    def finish(self, code=1000):
        """Closes properly. @return what the server says to it"""
        self.close(code)
        said = self.read_close()
        self.http.read_end()
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()
