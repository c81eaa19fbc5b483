"""The Blob service over HTTP: each operation of the REST reference that a recorder or Microsoft's client needs."""

import json
import socket
import threading
from collections import Counter
from email.utils import format_datetime, formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import answers
from access import Access
from blobs import Blob, Blobs, md5
from refusal import Refusal
from request import Request

# How a request is billed; what is deleted is free.
CLASSES = {
    "putBlob": "write", "putBlock": "write", "putBlockList": "write", "setTier": "write", "getBlob": "read",
    "list": "list", "deleteBlob": "free",
}  # fmt: skip
DRAINED = 1 << 20


class Service:
    """One account behind its gate, and what was asked of it."""

    def __init__(self, access: Access, blobs: Blobs, page: int = answers.PAGE, log=None):
        self.access = access
        self.blobs = blobs
        self.page = page
        self.log = log
        self.lock = threading.Lock()
        self.billed: Counter[str] = Counter()

    def count(self, operation: str, blob: str, status: int):
        """Whoever passed the gate pays, whatever came of it."""
        with self.lock:
            if status not in (401, 403):
                self.billed[CLASSES.get(operation, "other")] += 1
            if self.log:
                print(json.dumps({"operation": operation, "blob": blob, "status": status}), file=self.log, flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service, tls=None):
        self.service = service
        self.tls = tls
        super().__init__(address, Handler)

    def finish_request(self, request, client_address):
        # Here, in the connection's own thread: a handshake that hangs holds up nobody else.
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wrapped = self.tls.wrap_socket(request, server_side=True) if self.tls else request
        super().finish_request(wrapped, client_address)

    def handle_error(self, request, client_address):
        """Clients that go away are no news here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Server

    def log_message(self, *_):
        pass

    def handle_expect_100(self) -> bool:
        self.expects = True  # Answered when the body is wanted: a refusal costs no body.
        return True

    def handle_one_request(self):
        self.expects = False
        self.body_read = False
        super().handle_one_request()

    def serve(self):
        request = None
        try:
            request = Request(self.command, self.path, self.headers.items(), self.client_address[0])
            status, headers, body = self.answer(request)
        except Refusal as refusal:
            status, headers = refusal.status, {"x-ms-error-code": refusal.code} | refusal.headers
            body = b"" if status == 304 else answers.error(refusal)
            if body:
                headers["content-type"] = "application/xml"
            self.drain()
        # Counted before it is told: who has the answer finds it counted.
        operation = request.operation if request else "unknown"
        self.server.service.count(operation, request.blob if request else "", status)
        self.reply(request, status, headers, body)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = serve

    def answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        service = self.server.service
        if request.account != service.access.account:
            raise Refusal("ResourceNotFound", "no such account")
        service.access.check(request)
        request.version  # noqa: B018: raises without one
        if request.operation == "unknown":
            raise Refusal("NotImplemented", f"{request.method} {request.query}")
        operation = getattr(self, request.operation)
        if request.method != "PUT":
            return operation(request, service.blobs)
        length = request.content_length()
        service.blobs.container(request.container) if request.blob else None
        body = self.read(length)
        request.check_body(body)
        return operation(request, service.blobs, body)

    def read(self, length: int) -> bytes:
        if self.expects:
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        self.body_read = True
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the client left in the middle of a body")
        return body

    def drain(self):
        """So that the connection can be used again; or closes it where the rest is long or will not come."""
        text = self.headers.get("content-length", "0")
        if self.body_read or text == "0":
            return
        if self.expects or not text.isdecimal() or int(text) > DRAINED:
            self.close_connection = True
        else:
            self.read(int(text))

    def reply(self, request: Request | None, status: int, headers: dict[str, str], body: bytes):
        self.send_response_only(status)
        common = {
            "server": "cvr-azure-test",
            "date": formatdate(usegmt=True),
            "x-ms-request-id": str(uuid4()),
            "x-ms-version": request.headers.get("x-ms-version", "2021-12-02") if request else "2021-12-02",
        }
        identifier = request.headers.get("x-ms-client-request-id") if request else None
        if identifier:
            common["x-ms-client-request-id"] = identifier
        if status != 304:
            headers.setdefault("content-length", str(len(body)))
        if self.close_connection:
            headers["connection"] = "close"
        for name, value in (common | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # Containers.

    def createContainer(self, request: Request, blobs: Blobs, _):
        container = blobs.create(request.container)
        return 201, self.stamp(container), b""

    def deleteContainer(self, request: Request, blobs: Blobs):
        with blobs.lock:
            blobs.container(request.container)
            del blobs.containers[request.container]
        return 202, {}, b""

    def containerProperties(self, request: Request, blobs: Blobs):
        return 200, self.stamp(blobs.container(request.container)), b""

    def list(self, request: Request, blobs: Blobs):
        with blobs.lock:
            body, _ = answers.page(request, blobs.container(request.container).blobs, self.server.service.page)
        return 200, {"content-type": "application/xml"}, body

    # Blobs.

    def putBlob(self, request: Request, blobs: Blobs, body: bytes):
        kind = request.headers.get("x-ms-blob-type")
        if kind != "BlockBlob":
            raise Refusal("InvalidHeaderValue" if kind else "MissingRequiredHeader", "x-ms-blob-type")
        blob = blobs.put(
            request.container, request.blob, body, request.check_conditions,
            properties=request.properties(), metadata=request.metadata(), tier=request.headers.get("x-ms-access-tier"),
        )  # fmt: skip
        return 201, self.stamp(blob) | self.encrypted() | {"content-md5": blob.md5 or ""}, b""

    def putBlock(self, request: Request, blobs: Blobs, body: bytes):
        identifier = request.query.get("blockid", "")
        if not identifier or len(identifier) > 88:
            raise Refusal("InvalidQueryParameterValue", "blockid")
        blobs.put_block(request.container, request.blob, identifier, body)
        return 201, self.encrypted() | {"content-md5": md5(body)}, b""

    def putBlockList(self, request: Request, blobs: Blobs, body: bytes):
        blob = blobs.commit(
            request.container, request.blob, answers.wanted_blocks(body), request.check_conditions,
            properties=request.properties(), metadata=request.metadata(), tier=request.headers.get("x-ms-access-tier"),
            # Kept as it came: the service does not know the whole.
            md5=request.headers.get("x-ms-blob-content-md5"),
        )  # fmt: skip
        return 201, self.stamp(blob) | self.encrypted() | {"content-md5": md5(body)}, b""

    def getBlockList(self, request: Request, blobs: Blobs):
        with blobs.lock:
            container = blobs.container(request.container)
            blob, waiting = container.blobs.get(request.blob), container.waiting.get(request.blob, {})
            if blob is None and not waiting:
                raise Refusal("BlobNotFound")
            kind = request.query.get("blocklisttype", "committed").lower()
            committed = blob.blocks if blob and kind in ("committed", "all") else []
            sizes = [(identifier, len(content)) for identifier, content in waiting.items()]
            body = answers.block_list(committed, sizes if kind in ("uncommitted", "all") else [])
        headers = self.stamp(blob) | {"x-ms-blob-content-length": str(len(blob.content))} if blob else {}
        return 200, headers | {"content-type": "application/xml"}, body

    def headBlob(self, request: Request, blobs: Blobs):
        blob = blobs.blob(request.container, request.blob)
        request.check_conditions(blob)
        return 200, self.described(blob) | {"content-length": str(len(blob.content))}, b""

    def getBlob(self, request: Request, blobs: Blobs):
        blob = blobs.blob(request.container, request.blob)
        request.check_conditions(blob)
        headers = self.described(blob)
        found = request.range(len(blob.content))
        if found is None:
            return 200, headers, blob.content
        first, last = found
        part = blob.content[first : last + 1]
        # Content-MD5 is that of the answer's body; the whole blob's has a name of its own.
        if "content-md5" in headers:
            headers["x-ms-blob-content-md5"] = headers.pop("content-md5")
        if request.headers.get("x-ms-range-get-content-md5", "").lower() == "true":
            if len(part) > 4 << 20:
                raise Refusal("OutOfRangeInput", "x-ms-range-get-content-md5 over 4 MiB")
            headers["content-md5"] = md5(part)
        return 206, headers | {"content-range": f"bytes {first}-{last}/{len(blob.content)}"}, part

    def getMetadata(self, request: Request, blobs: Blobs):
        blob = blobs.blob(request.container, request.blob)
        request.check_conditions(blob)
        return 200, self.stamp(blob) | {f"x-ms-meta-{key}": value for key, value in blob.metadata.items()}, b""

    def setMetadata(self, request: Request, blobs: Blobs, _):
        blob = blobs.blob(request.container, request.blob)
        blobs.change(blob, request.check_conditions, metadata=request.metadata())
        return 200, self.stamp(blob), b""

    def setTier(self, request: Request, blobs: Blobs, _):
        blob = blobs.blob(request.container, request.blob)
        tier = request.headers.get("x-ms-access-tier")
        if not tier:
            raise Refusal("MissingRequiredHeader", "x-ms-access-tier")
        blobs.change(blob, request.check_conditions, tier=tier)
        return 200, {}, b""

    def deleteBlob(self, request: Request, blobs: Blobs):
        blobs.delete(request.container, request.blob, request.check_conditions)
        return 202, {"x-ms-delete-type-permanent": "true"}, b""

    # Headers.

    @staticmethod
    def stamp(thing) -> dict[str, str]:
        return {"etag": thing.etag, "last-modified": format_datetime(thing.modified, usegmt=True)}

    @staticmethod
    def encrypted() -> dict[str, str]:
        return {"x-ms-request-server-encrypted": "true"}

    def described(self, blob: Blob) -> dict[str, str]:
        headers = self.stamp(blob) | blob.properties | {f"x-ms-meta-{key}": text for key, text in blob.metadata.items()}
        headers |= {
            "accept-ranges": "bytes",
            "x-ms-blob-type": "BlockBlob",
            "x-ms-creation-time": format_datetime(blob.created, usegmt=True),
            "x-ms-lease-state": "available",
            "x-ms-lease-status": "unlocked",
            "x-ms-server-encrypted": "true",
            "x-ms-access-tier": blob.tier or "Hot",
        }
        return headers | ({"content-md5": blob.md5} if blob.md5 else {})
