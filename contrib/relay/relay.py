#!/usr/bin/env python3
"""Passes connections on to a server once it is told to, and counts what clients send: a store that was away, and the
far end of an uplink.

  relay.py HOST:PORT

When it has a port, one line {"ready": {"relay": URL}} is printed; until `open` connections are refused there. Commands are
read from standard input, one a line, each answered by one line of JSON; the end of the input is the end.

  open     serves from now on
  sent     {"bytes": N, "microseconds": T}: what clients have sent so far, and a clock that only goes forward
"""

import asyncio
import json
import socket
import sys
import time

PIECE = 64 << 10


class Relay:
    def __init__(self, host: str, port: int):
        self.upstream = (host, port)
        self.sent = 0
        self.door = socket.socket()
        self.door.bind(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.getsockname()[1]}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            server_reader, server_writer = await asyncio.open_connection(*self.upstream)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self.copy(reader, server_writer, True), self.copy(server_reader, writer, False))

    async def copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_counted: bool):
        try:
            while piece := await reader.read(PIECE):
                self.sent += len(piece) if is_counted else 0
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # One end broke: so does the other.
        writer.close()

    async def obey(self, command: str) -> dict:
        if command == "open":
            await asyncio.start_server(self.serve, sock=self.door)
            return {}
        if command == "sent":
            return {"bytes": self.sent, "microseconds": time.monotonic_ns() // 1000}
        return {"error": f"no command {command!r}"}


async def main():
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit(__doc__)
    host, port = sys.argv[1].rsplit(":", 1)
    relay = Relay(host, int(port))
    print(json.dumps({"ready": {"relay": relay.url}}), flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        print(json.dumps(await relay.obey(line.decode().strip())), flush=True)


asyncio.run(main())
