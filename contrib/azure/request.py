"""One request as the REST reference reads it: its operation, conditions, range, metadata and body."""

import base64
import binascii
import re
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit

from access import decoded
from blobs import Blob, md5
from crc64 import crc64
from refusal import Refusal

MEBI = 1 << 20
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RANGE = re.compile(r"bytes=(\d+)-(\d*)")
VERSION = re.compile(r"20\d\d-\d\d-\d\d")
OPERATIONS = {
    # (method, restype, comp) → operation; of a container, then of a blob.
    ("PUT", "container", ""): "createContainer",
    ("DELETE", "container", ""): "deleteContainer",
    ("GET", "container", ""): "containerProperties",
    ("HEAD", "container", ""): "containerProperties",
    ("GET", "container", "list"): "list",
    ("PUT", "", ""): "putBlob",
    ("PUT", "", "block"): "putBlock",
    ("PUT", "", "blocklist"): "putBlockList",
    ("PUT", "", "metadata"): "setMetadata",
    ("PUT", "", "tier"): "setTier",
    ("GET", "", "blocklist"): "getBlockList",
    ("GET", "", "metadata"): "getMetadata",
    ("HEAD", "", "metadata"): "getMetadata",
    ("GET", "", ""): "getBlob",
    ("HEAD", "", ""): "headBlob",
    ("DELETE", "", ""): "deleteBlob",
}


class Request:
    def __init__(self, method: str, target: str, headers: list[tuple[str, str]], client: str):
        self.method = method
        self.target = target
        self.client = client
        self.headers = {name.lower(): value for name, value in headers}
        parts = urlsplit(target)
        self.query_text = parts.query
        self.query = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
        self.may_overwrite = True
        try:
            # Of a path-style address, as the emulator has it: /ACCOUNT/CONTAINER/BLOB.
            _, self.account, rest = (decoded(parts.path) + "/").split("/", 2)
        except (UnicodeDecodeError, ValueError):
            raise Refusal("InvalidUri") from None
        self.container, _, self.blob = rest.removesuffix("/").partition("/")
        self.operation = self._operation()

    def _operation(self) -> str:
        shape = (self.method, self.query.get("restype", ""), self.query.get("comp", ""))
        operation = OPERATIONS.get(shape, "unknown")
        if (shape[1] == "container") == bool(self.blob) and operation != "unknown":
            raise Refusal("InvalidUri", "a container's operation on a blob, or the other way round")
        return operation

    @property
    def version(self) -> str:
        """A SAS may stand for the header; nothing else may."""
        version = self.headers.get("x-ms-version") or self.query.get("sv", "")
        if not VERSION.fullmatch(version):
            raise Refusal("InvalidHeaderValue" if version else "MissingRequiredHeader", "x-ms-version")
        return version

    def content_length(self) -> int:
        text = self.headers.get("content-length")
        if text is None:
            raise Refusal("MissingContentLengthHeader")
        if not text.isdecimal():
            raise Refusal("InvalidHeaderValue", "content-length")
        length = int(text)
        if length > self._limit():
            raise Refusal("RequestBodyTooLarge")
        return length

    def _limit(self) -> int:
        """Of a body, by the version asked for: Put Blob and Put Block of the REST reference."""
        steps = {"putBlob": (64, 256, 5000), "putBlock": (4, 100, 4000)}.get(self.operation, (64, 64, 64))
        return MEBI * steps[0 if self.version < "2016-05-31" else 1 if self.version < "2019-12-12" else 2]

    def check_body(self, body: bytes):
        claimed = self.headers.get("content-md5")
        if claimed is not None:
            try:
                is_hash = len(base64.b64decode(claimed, validate=True)) == 16
            except binascii.Error:
                is_hash = False
            if not is_hash:
                raise Refusal("InvalidMd5")
            if claimed != md5(body):
                raise Refusal("Md5Mismatch")
        claimed = self.headers.get("x-ms-content-crc64")
        if claimed is not None and claimed != crc64(body):
            raise Refusal("Crc64Mismatch")

    def metadata(self) -> dict[str, str]:
        prefix = "x-ms-meta-"
        found = {name.removeprefix(prefix): value for name, value in self.headers.items() if name.startswith(prefix)}
        for name, value in found.items():
            if not name:
                raise Refusal("EmptyMetadataKey")
            if not IDENTIFIER.fullmatch(name) or not value.isascii():
                raise Refusal("InvalidMetadata", name)
        if sum(len(name) + len(value) for name, value in found.items()) > 8192:
            raise Refusal("MetadataTooLarge")
        return found

    def properties(self) -> dict[str, str]:
        """What a blob keeps of a request: x-ms-blob-* before the plain headers."""
        names = ("content-type", "content-encoding", "content-language", "cache-control", "content-disposition")
        plain = self.headers if self.operation == "putBlob" else {}
        found = {name: self.headers.get(f"x-ms-blob-{name}") or plain.get(name) for name in names}
        return {"content-type": "application/octet-stream"} | {name: text for name, text in found.items() if text}

    def check_conditions(self, blob: Blob | None):
        """Specifying conditional headers of the REST reference, for reading and writing."""
        reads = self.method in ("GET", "HEAD")
        match, none_match = self.headers.get("if-match"), self.headers.get("if-none-match")
        if match is not None and (blob is None or match not in ("*", blob.etag)):
            raise Refusal("ConditionNotMet")
        if none_match is not None and blob is not None and none_match in ("*", blob.etag):
            if none_match == "*" and not reads:
                raise Refusal("BlobAlreadyExists")
            raise Refusal("NotModified" if reads else "ConditionNotMet")
        if blob is not None:
            self._check_times(blob, reads)
            if not self.may_overwrite:
                raise Refusal("UnauthorizedBlobOverwrite")

    def _check_times(self, blob: Blob, reads: bool):
        modified = blob.modified.replace(microsecond=0)
        for name, holds in (("if-modified-since", modified.__gt__), ("if-unmodified-since", modified.__le__)):
            if name in self.headers:
                try:
                    time = parsedate_to_datetime(self.headers[name])
                except ValueError:
                    raise Refusal("InvalidHeaderValue", name) from None
                if not holds(time):
                    raise Refusal("NotModified" if reads and name == "if-modified-since" else "ConditionNotMet")

    def range(self, length: int) -> tuple[int, int] | None:
        """First and last byte asked for of a blob of that length; x-ms-range goes before Range."""
        text = self.headers.get("x-ms-range") or self.headers.get("range")
        found = RANGE.fullmatch(text or "")
        if not found:
            return None
        first, last = int(found[1]), int(found[2] or length - 1)
        if first >= length or last < first:
            raise Refusal("InvalidRange", headers={"content-range": f"bytes */{length}"})
        return first, min(last, length - 1)
