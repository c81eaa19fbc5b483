"""A mini RTSP responder for cameras that gst-rtsp-server is too well-behaved to play."""

import os
import socket
import threading

SDP_HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
H264 = (
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:stream=0\r\n"
    "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z01ADdoFB+wEQAAAAwBAAAAMg8UKqA==,aO88gA==\r\n")
UNSUPPORTED = {
    "mjpeg": "m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\na=control:stream=0\r\n",
    "vp8": "m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\na=control:stream=0\r\n",
}
REASONS = {
    200: "OK", 302: "Found", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 453: "Not Enough Bandwidth",
    461: "Unsupported Transport", 500: "Internal Server Error", 503: "Service Unavailable",
}
# 302 sends the client back to where it is; `silent` accepts and says nothing; `mute` answers everything and never sends a packet; `garbage` answers with
# noise; `endless` answers with a header line that has no end.
KINDS = ["silent", "mute", "garbage", "endless", *UNSUPPORTED, *(str(code) for code in REASONS if code != 200)]


class Responder:
    """Listens on a port and misbehaves in one way until closed."""

    def __init__(self, host: str, port: int, kind: str, on_connection):
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}; known: {', '.join(KINDS)}")
        self.kind, self.host, self.port = kind, host, port
        self.on_connection = on_connection
        self.lock = threading.Lock()
        self.connections: set[socket.socket] = set()
        self.listener = socket.create_server((host, port), backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        # shutdown wakes accept(), close alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the client was quicker

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.add(connection)
            self.on_connection()
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection: socket.socket):
        try:
            pending = b""
            while data := connection.recv(65536):
                pending += data
                while b"\r\n\r\n" in pending:
                    request, _, pending = pending.partition(b"\r\n\r\n")
                    self.answer(connection, request.decode("latin-1"))
        except OSError:
            pass  # the client hung up
        finally:
            with self.lock:
                self.connections.discard(connection)
            connection.close()

    def answer(self, connection: socket.socket, request: str):
        if self.kind == "silent":
            return
        if self.kind == "garbage":
            connection.sendall(os.urandom(4096))
            return
        if self.kind == "endless":
            connection.sendall(b"RTSP/1.0 200 OK\r\nX: ")
            while True:
                connection.sendall(b"a" * 65536)
        method = request.split(" ", 1)[0]
        status, headers, body = self.reply(method)
        sequence = next(
            (line.split(":", 1)[1].strip() for line in request.split("\r\n") if line.lower().startswith("cseq:")), "0")
        lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {sequence}", *headers]
        if body:
            lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def reply(self, method: str) -> tuple[int, list[str], str]:
        """Status, headers and body. 453 and 461 come where RFC 2326 has them: at SETUP."""
        if method == "OPTIONS":
            return 200, ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"], ""
        if self.kind.isdigit() and (method == "SETUP" or self.kind not in ("453", "461")):
            headers = {
                "302": [f"Location: rtsp://{self.host}:{self.port}/elsewhere"],
                "401": ['WWW-Authenticate: Digest realm="camera", nonce="0123456789abcdef"'],
            }
            return int(self.kind), headers.get(self.kind, []), ""
        if method == "DESCRIBE":
            return 200, [], SDP_HEAD + UNSUPPORTED.get(self.kind, H264)
        if method == "SETUP":
            return 200, ["Session: 1;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"], ""
        return 200, ["Session: 1"], ""
