#!/usr/bin/env python3
"""A proxy in front of a store that makes what goes wrong between a box and a cloud go wrong, on command.

  faultproxy.py UPSTREAM [--certificate CERTIFICATE:KEY]

UPSTREAM is HOST:PORT of a server that speaks plain HTTP/1.1. When all listen, one line {"ready": {"proxy": URL,
"elsewhere": URL, "secure": URL}} is printed: `elsewhere` is another host for redirects, which notes who brings
credentials; `secure`, with a certificate, speaks TLS in front of the same server.

Commands are read from standard input, one a line, each answered by one line of JSON. `faults` lists what happens to the
next requests, each one word, the first to the first; those behind it pass unharmed. SHARE is a part of the message's
bytes from 0 to 1. For a request of a method only, the word starts with it: `PUT/lose-response`.

  faults WORD...       pass
                       cut-request:SHARE       so many bytes arrive, then both connections break
                       lose-request            nothing arrives, the connection breaks
                       bend-request:SHARE      one bit arrives wrong
                       cut-response:SHARE      the request has its effect, and so much of the answer arrives
                       lose-response           the request has its effect, nothing comes back
                       bend-response:SHARE     one bit of the answer is wrong
                       twice                   the request arrives twice; the first answer comes back
                       again                   the request arrives twice; the second answer comes back
                       late                    the connection breaks, and the request arrives behind the next one
                       delay:SECONDS           both directions wait
                       stall                   the request has its effect; no answer comes, and no end
                       before:STATUS[:AFTER]   refused without effect, with Retry-After
                       after:STATUS[:AFTER]    refused as if without effect
                       skew                    403: the clock is wrong, says a clock that is
                       echo                    the answer's checksum is another
                       redirect                307 to elsewhere
  certificate CERTIFICATE:KEY
                       `secure` shows this one from now on, and all connections break
  seen                 how many requests came, how many elsewhere, and how many of those with credentials
  quit

End of input ends it.
"""

import argparse
import asyncio
import base64
import json
import ssl
import sys
from collections import deque

from wire import Message, answer, read_request, read_response

CHECKSUMS = ("content-md5", "x-amz-checksum-crc32c")
SKEWED = {
    "Date": "Mon, 01 Jan 2001 00:00:00 GMT", "x-ms-error-code": "AuthenticationFailed", "Content-Type": "application/xml",
}  # fmt: skip
SKEWED_BODY = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"


class Broken(Exception):
    """The client's connection is to break now."""


class Proxy:
    def __init__(self, host: str, port: int):
        self.host, self.port = host, port
        self.faults: deque[str] = deque()
        # Requests that arrive behind the next one.
        self.held: deque[Message] = deque()
        self.elsewhere = ""
        self.strangers: list[bool] = []
        self.requests = 0
        self.tls: ssl.SSLContext | None = None
        self.clients: set[asyncio.StreamWriter] = set()

    def next_fault(self, method: str) -> str:
        if not self.faults:
            return "pass"
        wanted, found, fault = self.faults[0].rpartition("/")
        if found and wanted != method:
            return "pass"
        self.faults.popleft()
        return fault

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        upstream = Upstream(self.host, self.port)
        self.clients.add(writer)
        try:
            while (request := await read_request(reader, writer)) is not None:
                self.requests += 1
                response = await self.pass_on(request, upstream, writer)
                writer.write(response.bytes)
                await writer.drain()
        except (Broken, ConnectionError, asyncio.IncompleteReadError, OSError):
            writer.transport.abort()
        finally:
            self.clients.discard(writer)
            upstream.close()
            writer.close()

    def renew(self, certificate: str):
        """For whoever connects from now on; nobody else is connected."""
        path, _, key = certificate.partition(":")
        self.tls.load_cert_chain(path, key)
        for client in self.clients:
            client.transport.abort()

    async def pass_on(self, request: Message, upstream: "Upstream", writer: asyncio.StreamWriter) -> Message:
        name, *values = self.next_fault(request.method).split(":")
        held = [] if name == "late" else [self.held.popleft() for _ in range(len(self.held))]
        try:
            return await getattr(self, "do_" + name.replace("-", "_"))(request, upstream, writer, *values)
        finally:
            for each in held:
                await upstream.send(each)

    async def do_pass(self, request, upstream, _):
        return await upstream.send(request)

    async def do_cut_request(self, request, upstream, _, share):
        await upstream.send_part(request.bytes[: int(float(share) * len(request.bytes))])
        raise Broken

    async def do_lose_request(self, *_):
        raise Broken

    async def do_bend_request(self, request, upstream, _, share):
        bent = request.bent(float(share))
        try:
            # A bent length may make the server wait for more, which never comes.
            return await asyncio.wait_for(upstream.send(bent), 0.3)
        except (asyncio.TimeoutError, ValueError, IndexError):
            raise Broken from None

    async def do_cut_response(self, request, upstream, writer, share):
        text = (await upstream.send(request)).bytes
        writer.write(text[: int(float(share) * len(text))])
        await writer.drain()
        writer.close()
        raise Broken

    async def do_lose_response(self, request, upstream, _):
        await upstream.send(request)
        raise Broken

    async def do_bend_response(self, request, upstream, writer, share):
        writer.write((await upstream.send(request)).bent(float(share)).bytes)
        await writer.drain()
        # A bent length may make the client wait for more.
        writer.close()
        raise Broken

    async def do_twice(self, request, upstream, _):
        response = await upstream.send(request)
        await upstream.send(request)
        return response

    async def do_again(self, request, upstream, _):
        await upstream.send(request)
        return await upstream.send(request)

    async def do_late(self, request, *_):
        self.held.append(request)
        raise Broken

    async def do_delay(self, request, upstream, _, seconds):
        await asyncio.sleep(float(seconds))
        response = await upstream.send(request)
        await asyncio.sleep(float(seconds))
        return response

    async def do_stall(self, request, upstream, _):
        await upstream.send(request)
        await asyncio.sleep(3600)

    async def do_before(self, request, upstream, _, status, after=""):
        return self.refusal(int(status), after)

    async def do_after(self, request, upstream, _, status, after=""):
        await upstream.send(request)
        return self.refusal(int(status), after)

    @staticmethod
    def refusal(status: int, after: str) -> Message:
        codes = {503: "ServerBusy", 429: "TooManyRequests"}
        headers = {"x-ms-error-code": codes.get(status, "InternalError"), "Content-Type": "application/xml"}
        code = {503: "SlowDown", 429: "SlowDown"}.get(status, "InternalError")
        body = f"<Error><Code>{code}</Code></Error>".encode()
        return answer(status, headers | ({"Retry-After": after} if after else {}), body)

    async def do_skew(self, *_):
        return answer(403, SKEWED, SKEWED_BODY)

    async def do_echo(self, request, upstream, _):
        response = await upstream.send(request)
        lines = []
        for line in response.head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.decode("latin-1").lower() in CHECKSUMS:
                other = bytes(byte ^ 1 for byte in base64.b64decode(value.strip()))
                line = name + b": " + base64.b64encode(other)
            lines.append(line)
        return Message(b"\r\n".join(lines), response.body)

    async def do_redirect(self, request, *_):
        return answer(307, {"Location": self.elsewhere + request.start.split(" ")[1]})

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        """Elsewhere: whoever comes was redirected."""
        try:
            while (request := await read_request(reader, writer)) is not None:
                target = request.start.split(" ")[1]
                self.strangers.append(request.header("authorization") is not None or "sig=" in target)
                writer.write(answer(201 if request.method == "PUT" else 200).bytes)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Upstream:
    """One connection to the server, made when it is needed, and again when it broke."""

    def __init__(self, host: str, port: int):
        self.host, self.port = host, port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def connect(self):
        if self.writer is None or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)

    async def send(self, request: Message) -> Message:
        for attempt in (1, 2):
            await self.connect()
            try:
                self.writer.write(request.bytes)
                await self.writer.drain()
                response = await read_response(self.reader, request.method)
                if (response.header("connection") or "").lower() == "close":
                    self.close()
                return response
            except (ConnectionError, asyncio.IncompleteReadError):
                # A kept connection that the server had closed: nothing of the request was read.
                self.close()
                if attempt == 2:
                    raise
        raise ConnectionError

    async def send_part(self, text: bytes):
        self.close()
        await self.connect()
        self.writer.write(text)
        await self.writer.drain()
        self.close()

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


def obey(line: str, proxy: Proxy) -> dict:
    match line.split():
        case ["faults", *words]:
            unknown = [word for word in words if not known(word)]
            if unknown:
                return {"error": f"unknown faults: {unknown}"}
            proxy.faults = deque(words)
            return {"ok": True}
        case ["certificate", certificate] if proxy.tls is not None:
            proxy.renew(certificate)
            return {"ok": True}
        case ["seen"]:
            elsewhere = {"elsewhere": len(proxy.strangers), "credentials": sum(proxy.strangers)}
            return {"requests": proxy.requests} | elsewhere
        case _:
            return {"error": f"unknown command: {line}"}


def known(word: str) -> bool:
    return hasattr(Proxy, "do_" + word.rpartition("/")[2].split(":")[0].replace("-", "_"))


async def listen(handler, tls=None) -> str:
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls, limit=1 << 20, backlog=128)
    return f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("upstream")
    parser.add_argument("--certificate")
    options = parser.parse_args()
    host, _, port = options.upstream.rpartition(":")
    proxy = Proxy(host, int(port))
    ready = {"proxy": await listen(proxy.serve), "elsewhere": await listen(proxy.visit)}
    proxy.elsewhere = ready["elsewhere"]
    if options.certificate:
        proxy.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        proxy.renew(options.certificate)
        ready["secure"] = await listen(proxy.serve, proxy.tls)
    print(json.dumps({"ready": ready}), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while (line := (await lines.readline()).decode().strip()) and line != "quit":
        print(json.dumps(obey(line, proxy)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
