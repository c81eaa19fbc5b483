#!/usr/bin/python3
"""A cvr-playback that knows one export by heart; prints its port, and ends with its input.

  footage.py LOG TAG [LAST [PATH]]

Answers LAST ranges (default: all), then 500; those it was asked for are in LOG. Media has the tag TAG. All is below PATH.
"""

import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log, tag = sys.argv[1], f'"{sys.argv[2]}"'
last = int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 30
top = sys.argv[4] if len(sys.argv) > 4 else ""
data = bytes(range(251)) * (40 * 1024 * 1024 // 251)
segment = {"session": 1, "counter": 0, "start": "2026-01-02T03:00:00.000Z", "duration": 30.0, "bytes": len(data) - 900,
           "checksum": "01234567", "key": "site/front/2026-01-02/03/00-00.000Z.0.mp4"}
answer = {"camera": "front", "from": "", "to": "", "ranges": [
    {"from": "2026-01-02T03:00:00.000000Z", "to": "2026-01-02T03:00:30.000000Z", "bytes": len(data), "etag": tag,
     "url": "../ranges/front.mp4?from=a&to=b", "segments": [segment]}]}
asked = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global asked
        if self.path.startswith(top + "/export/front?"):
            return self.send(200, json.dumps(answer).encode())
        if not self.path.startswith(top + "/ranges/"):
            body = {"error": {"code": "noSuchCamera", "message": "there is no such camera", "nextStep": "look"}}
            return self.send(404, json.dumps(body).encode())
        asked += 1
        with open(log, "a") as file:
            file.write(self.headers["Range"] + "\n")
        start, end = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        if asked > last:
            return self.send(500, b"")
        if self.headers["If-Range"] != tag or sys.argv[2] == "moving":
            return self.send(200, data)
        self.send(206, data[start:end + 1])

    def send(self, status, body):
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], hashlib.sha256(data).hexdigest(), flush=True)
sys.stdin.read()
