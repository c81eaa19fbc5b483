"""A server that misbehaves as its path says, over HTTP and over HTTPS with several certificates; also a proxy.

    peer.py FOLDER

FOLDER has good.pem, expired.pem and named.pem: a certificate and its key each. The first line on standard output is
JSON, a port for each listener; then a line for each connection ("accept LISTENER") and for each request
("METHOD TARGET HEADERS-AS-JSON"). A line on standard input lets one request to /hold go.
"""

import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import threading

folder = sys.argv[1]
turns = threading.Semaphore(0)
speaking = threading.Lock()


def say(line):
    with speaking:
        print(line, flush=True)


class Gone(Exception):
    pass


class Conversation:
    def __init__(self, connection, ports):
        self.connection, self.ports, self.buffer = connection, ports, b""

    def fill(self):
        part = self.connection.recv(1 << 18)
        if not part:
            raise Gone
        self.buffer += part

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
            if self.buffer[0] == 0x16:  # TLS, where there is none
                self.answer(400)
                raise Gone
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        return first.split(" ")[:2], {n.lower(): v.strip() for n, v in (line.split(":", 1) for line in lines)}

    def body(self, headers):
        if headers.get("expect"):
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        left, digest = int(headers.get("content-length", 0)), hashlib.sha256()
        while True:
            part, self.buffer = self.buffer[:left], self.buffer[left:]
            digest.update(part)
            left -= len(part)
            if not left:
                return digest.hexdigest()
            self.fill()

    def answer(self, status, body=b"", headers=""):
        self.connection.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    def serve(self):
        while True:
            (method, target), headers = self.head()
            say(f"{method} {target} {json.dumps(headers)}")
            if method == "CONNECT":
                return self.tunnel(target)
            path, _, argument = target.partition("?")
            getattr(self, "on_" + path[1:].split("/")[0], self.on_ok)(argument, headers)

    def on_ok(self, argument, headers):
        self.body(headers)
        self.answer(200, b"hello", "X-Name: one\r\nx-name: two\r\n")

    def on_sink(self, argument, headers):
        self.answer(200, self.body(headers).encode())

    def on_hold(self, argument, headers):
        turns.acquire()
        self.answer(200, b"held")

    def on_drip(self, argument, headers):
        self.connection.sendall(b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\n1")
        self.fill()

    def on_swallow(self, argument, headers):
        self.fill()
        self.connection.settimeout(60)
        turns.acquire()

    def on_short(self, argument, headers):
        self.connection.sendall(b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\n12345")
        raise Gone

    def on_reset(self, argument, headers):
        self.connection.sendall(b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\n12345")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def on_headers(self, argument, headers):
        self.connection.sendall(b"HTTP/1.1 200 x\r\n")
        while True:
            self.connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")

    def on_bytes(self, argument, headers):
        self.answer(200, bytes(int(argument)))

    def on_endless(self, argument, headers):
        self.connection.sendall(b"HTTP/1.1 200 x\r\n\r\n")
        while True:
            self.connection.sendall(b"x" * 65536)

    def on_elsewhere(self, argument, headers):
        self.answer(307, b"", f"Location: http://localhost:{self.ports['plain']}/stolen\r\n")

    def on_refuse(self, argument, headers):
        self.answer(403, b"no", "Connection: close\r\n")
        raise Gone

    def on_noise(self, argument, headers):
        self.connection.sendall(b"220 mail.example ESMTP\r\n")
        raise Gone

    def on_dies(self, argument, headers):
        """Answers, and is gone when the next request comes on the same connection."""
        self.answer(200, b"once")
        self.connection.shutdown(socket.SHUT_RDWR)
        raise Gone

    def tunnel(self, target):
        name, _, port = target.partition(":")
        if name == "denied.example":
            return self.answer(407)
        self.connection.sendall(b"HTTP/1.1 200 x\r\n\r\n")
        upstream = socket.create_connection(("127.0.0.1", int(port)))
        threading.Thread(target=pump, args=(upstream, self.connection), daemon=True).start()
        pump(self.connection, upstream)


def pump(source, target):
    try:
        while part := source.recv(1 << 16):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def converse(connection, context, ports):
    try:
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        Conversation(connection, ports).serve()
    except (Gone, OSError, ValueError):
        pass
    finally:
        connection.close()


def listen(name, listener, context, ports):
    while True:
        connection, _ = listener.accept()
        say(f"accept {name}")
        threading.Thread(target=converse, args=(connection, context, ports), daemon=True).start()


def main():
    listeners, ports = {}, {}
    for name in ["plain", "proxy", "good", "expired", "named"]:
        context = None
        if name not in ("plain", "proxy"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(folder, name + ".pem"))
        listeners[name] = socket.create_server(("127.0.0.1", 0)), context
        ports[name] = listeners[name][0].getsockname()[1]
    say(json.dumps(ports))
    for name, (listener, context) in listeners.items():
        threading.Thread(target=listen, args=(name, listener, context, ports), daemon=True).start()
    for _ in sys.stdin:
        turns.release()


main()
