"""HTTP/1.1 messages as bytes: whole, so that one can be cut, bent, lost or sent twice."""

import asyncio
from dataclasses import dataclass

LIMIT = 64 << 20


@dataclass
class Message:
    """`head` ends with its empty line."""

    head: bytes
    body: bytes

    @property
    def bytes(self) -> bytes:
        return self.head + self.body

    @property
    def start(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def method(self) -> str:
        return self.start.split(" ", 1)[0]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    def header(self, name: str) -> str | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.decode("latin-1").strip().lower() == name:
                return value.decode("latin-1").strip()
        return None

    def without(self, name: str) -> "Message":
        lines = self.head.split(b"\r\n")
        kept = [line for line in lines if not line.lower().startswith(name.encode() + b":")]
        return Message(b"\r\n".join(kept), self.body)

    def bent(self, share: float) -> "Message":
        """With one bit of another value, at that share of its length."""
        text = bytearray(self.bytes)
        position = min(int(share * len(text)), len(text) - 1)
        text[position] ^= 1
        return Message(bytes(text[: len(self.head)]), bytes(text[len(self.head) :]))


def answer(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Message:
    fields = {"Content-Length": str(len(body))} | (headers or {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return Message(f"HTTP/1.1 {status} Fault\r\n{lines}\r\n".encode(), body)


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message | None:
    """The next request; None at the end of the connection. What waits for `100 Continue` is told to go on."""
    head = await _head(reader)
    if head is None:
        return None
    request = Message(head, b"")
    if request.header("expect"):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = request.without("expect")
    length = int(request.header("content-length") or 0)
    return Message(request.head, await reader.readexactly(length) if length else b"")


async def read_response(reader: asyncio.StreamReader, method: str) -> Message:
    head = await _head(reader)
    if head is None:
        raise ConnectionError("the server closed")
    response = Message(head, b"")
    if response.status == 100:
        return await read_response(reader, method)
    if method == "HEAD" or response.status in (204, 304):
        return response
    if (response.header("transfer-encoding") or "").lower() == "chunked":
        return Message(head, await _chunks(reader))
    length = int(response.header("content-length") or 0)
    return Message(head, await reader.readexactly(length))


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """As they are on the wire."""
    text = b""
    while True:
        line = await reader.readline()
        size = int(line.split(b";")[0], 16)
        text += line + await reader.readexactly(size + 2)
        if size == 0:
            return text
