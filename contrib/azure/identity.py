"""Managed identities' token services: the Instance Metadata Service of a virtual machine, and Azure Arc's agent.

After the pages "How to use managed identities for Azure resources on an Azure VM to acquire an access token" and
"Authenticate against Azure resources with Azure Arc-enabled servers".
"""

import json
import os
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PATH = "/metadata/identity/oauth2/token"
RESOURCE = "https://storage.azure.com/"
VERSIONS = {"imds": ("2018-02-01", "2019-08-01", "2021-02-01"), "arc": ("2019-11-01", "2020-06-01")}


class Tokens:
    """Which tokens were given out, and until when each is good."""

    def __init__(self, lifetime: int):
        self.lifetime = lifetime
        self.lock = threading.Lock()
        self.ends: dict[str, float] = {}
        # Answers that come before the next token: statuses, each once.
        self.refusals: list[int] = []
        self.given = 0

    def __contains__(self, token: str) -> bool:
        with self.lock:
            return time.time() < self.ends.get(token, 0)

    def refusal(self) -> int | None:
        with self.lock:
            return self.refusals.pop(0) if self.refusals else None

    def issue(self) -> tuple[str, int]:
        with self.lock:
            token, end = secrets.token_urlsafe(32), int(time.time()) + self.lifetime
            self.ends[token] = end
            self.given += 1
            return token, end

    def expire(self):
        """Ends all of them, whatever was promised."""
        with self.lock:
            self.ends.clear()


class TokenServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], tokens: Tokens, kind: str, folder: Path):
        self.tokens = tokens
        self.kind = kind
        self.folder = folder
        self.lock = threading.Lock()
        self.challenges: set[str] = set()
        super().__init__(address, TokenHandler)


class TokenHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TokenServer

    def log_message(self, *_):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        refusal = self.server.tokens.refusal()
        if refusal:
            return self.reply(refusal, {"error": "transient"}, {"retry-after": "0"} if refusal == 429 else {})
        if parts.path != PATH:
            return self.reply(404, {"error": "not_found"})
        if self.headers.get("metadata") != "true" or "x-forwarded-for" in self.headers:
            # A request that a proxy passed on, or that somebody was tricked into, does not say so.
            return self.reply(400, {"error": "invalid_request", "error_description": "Required metadata header"})
        if query.get("api-version") not in VERSIONS[self.server.kind]:
            return self.reply(400, {"error": "invalid_request", "error_description": "api-version"})
        if query.get("resource") != RESOURCE:
            return self.reply(400, {"error": "invalid_resource", "error_description": "no such audience"})
        if self.server.kind == "arc" and not self.knows_secret():
            return self.challenge()
        token, end = self.server.tokens.issue()
        lifetime = str(self.server.tokens.lifetime)
        answer = {"access_token": token, "expires_in": lifetime, "expires_on": str(end), "not_before": str(int(time.time()))}
        return self.reply(200, answer | {"resource": RESOURCE, "token_type": "Bearer"})

    def knows_secret(self) -> bool:
        secret = self.headers.get("authorization", "").removeprefix("Basic ")
        with self.server.lock:
            known = secret in self.server.challenges
            self.server.challenges.discard(secret)
        return known

    def challenge(self):
        """Names a file that only this machine's privileged users can read; what is in it is the answer, once."""
        secret = secrets.token_hex(16)
        path = self.server.folder / f"{secrets.token_hex(8)}.key"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440), "w") as file:
            file.write(secret)
        with self.server.lock:
            self.server.challenges.add(secret)
        self.reply(401, {"error": "unauthorized"}, {"www-authenticate": f"Basic realm={path}"})

    def reply(self, status: int, answer: dict, headers: dict[str, str] | None = None):
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in ({"content-type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
