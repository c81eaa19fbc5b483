"""Bodies of answers: the XML of lists and errors."""

import base64
import binascii
from email.utils import format_datetime
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from blobs import Blob
from refusal import Refusal

PAGE = 5000


def error(refusal: Refusal) -> bytes:
    text = f"<Code>{refusal.code}</Code><Message>{escape(refusal.detail or refusal.code)}</Message>"
    return _document(f"<Error>{text}</Error>")


def page(request, blobs: dict[str, Blob], limit: int) -> tuple[bytes, int]:
    """List Blobs: one page in the order of names, with the marker of the next, and how many entries it has."""
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    after = _name(request.query.get("marker", ""))
    limit = min(limit, _count(request.query.get("maxresults", str(PAGE))))
    entries: dict[str, str] = {}
    marker = ""
    for name in sorted(name for name in blobs if name.startswith(prefix)):
        shown = _folder(name, prefix, delimiter) or name
        if shown <= after or shown in entries:
            continue
        if len(entries) == limit:
            marker = base64.b64encode(list(entries)[-1].encode()).decode()
            break
        entries[shown] = _entry(shown, blobs[name] if shown == name else None, request.query.get("include", ""))
    text = f"<Prefix>{escape(prefix)}</Prefix><Blobs>{''.join(entries.values())}</Blobs>"
    text += f"<NextMarker>{marker}</NextMarker>" if marker else "<NextMarker />"
    attributes = f'ServiceEndpoint="/{escape(request.account)}/" ContainerName="{escape(request.container)}"'
    return _document(f"<EnumerationResults {attributes}>{text}</EnumerationResults>"), len(entries)


def block_list(committed: list[tuple[str, int]], waiting: list[tuple[str, int]]) -> bytes:
    def blocks(name: str, entries: list[tuple[str, int]]) -> str:
        inner = "".join(
            f"<Block><Name>{escape(identifier)}</Name><Size>{size}</Size></Block>" for identifier, size in entries
        )
        return f"<{name}>{inner}</{name}>"

    return _document(
        f"<BlockList>{blocks('CommittedBlocks', committed)}{blocks('UncommittedBlocks', waiting)}</BlockList>"
    )


def wanted_blocks(body: bytes) -> list[tuple[str, str]]:
    """A Put Block List's (kind, identifier)s."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refusal("InvalidXmlDocument") from None
    found = [(entry.tag, entry.text or "") for entry in root]
    if root.tag != "BlockList" or any(kind not in ("Latest", "Committed", "Uncommitted") for kind, _ in found):
        raise Refusal("InvalidXmlDocument")
    return found


def _document(text: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()


def _name(marker: str) -> str:
    try:
        return base64.b64decode(marker, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal("OutOfRangeInput", "marker") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise Refusal("OutOfRangeQueryParameterValue", "maxresults")
    return min(int(text), PAGE)


def _folder(name: str, prefix: str, delimiter: str) -> str | None:
    if not delimiter:
        return None
    head, found, _ = name[len(prefix) :].partition(delimiter)
    return prefix + head + found if found else None


def _entry(name: str, blob: Blob | None, include: str) -> str:
    if blob is None:
        return f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>"
    properties = {
        "Creation-Time": format_datetime(blob.created, usegmt=True),
        "Last-Modified": format_datetime(blob.modified, usegmt=True),
        "Etag": blob.etag.strip('"'),
        "Content-Length": str(len(blob.content)),
        "Content-Type": blob.properties["content-type"],
        "Content-MD5": blob.md5 or "",
        "BlobType": "BlockBlob",
        "AccessTier": blob.tier or "Hot",
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
    }
    text = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in properties.items())
    metadata = ""
    if "metadata" in include:
        inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in blob.metadata.items())
        metadata = f"<Metadata>{inner}</Metadata>"
    return f"<Blob><Name>{escape(name)}</Name><Properties>{text}</Properties>{metadata}</Blob>"
