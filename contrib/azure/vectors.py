#!/usr/bin/env python3
"""Prints requests as JSON, with what Microsoft's client signs of them and how: the vectors of AzureSharedKeyTests.

  vectors.py > Tests/ObjectStoreTests/Vectors/azure-shared-key.json
"""

import base64
import json
from types import SimpleNamespace
from urllib.parse import quote

from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy

DATE = ("x-ms-date", "Sun, 06 Nov 1994 08:49:37 GMT")
VERSION = ("x-ms-version", "2021-12-02")
BLOB = "/plant-7/front/2026-11-23/09/48-00.123Z.41.mp4"
# Name, method, path, query, headers, length of the body.
REQUESTS = [
    ("a blob put at once", "PUT", "/cams" + BLOB, [], [
        ("content-md5", "CY9rzUYh03PK3k6DJie09g=="), ("if-none-match", "*"), ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-blob-content-type", "video/mp4"), ("x-ms-access-tier", "Cool"), ("x-ms-meta-version", "1"),
        ("x-ms-meta-camera", "front"), ("x-ms-meta-crc32c", "0a1b2c3d"), ("x-ms-meta-codecs", "avc1.4d401f,mp4a.40.2"),
        ("x-ms-meta-seek", "[[0,900],[2000,500000]]")], 7_500_000),
    ("no bytes at all", "PUT", "/cams/plant-7/.identity", [], [("x-ms-blob-type", "BlockBlob")], 0),
    ("the emulator's address", "HEAD", "/devstoreaccount1/cams" + BLOB, [], [], 0),
    ("a page of a list", "GET", "/cams", [
        ("restype", "container"), ("comp", "list"), ("maxresults", "1000"), ("prefix", "a b/plant-7/front/"),
        ("delimiter", "/"), ("marker", "2!92!MDAwMDE0+/=="), ("include", "metadata")], [], 0),
    ("a block", "PUT", "/cams" + BLOB, [("comp", "block"), ("blockid", "AAAAAZj/+2RvZ3M=")],
        [("content-md5", "CY9rzUYh03PK3k6DJie09g==")], 16_777_216),
    ("a list of blocks", "PUT", "/cams" + BLOB, [("comp", "blocklist")], [
        ("if-none-match", "*"), ("x-ms-blob-content-md5", "CY9rzUYh03PK3k6DJie09g=="), ("content-type", "text/xml")], 211),
    ("a part of a blob", "GET", "/cams" + BLOB, [], [("x-ms-range", "bytes=5-7"), ("x-ms-range-get-content-md5", "true")], 0),
    ("a document replaced", "PUT", "/cams/plant-7/.identity", [], [
        ("if-match", '"0x8DD000000000001"'), ("x-ms-blob-type", "BlockBlob"), ("content-type", "application/json")], 90),
    ("a deletion", "DELETE", "/cams" + BLOB, [], [], 0),
    ("names in escapes", "GET", "/cams/a%20b/%C3%BC%2B~.mp4", [("Comp", "metadata")], [], 0),
    ("an empty header of the service", "PUT", "/cams" + BLOB, [("comp", "metadata")], [("x-ms-meta-note", "")], 0),
]  # fmt: skip


def vector(name, method, path, query, headers, length, key):
    account = "plant7storage"
    text = "&".join(f"{quote(each, safe='')}={quote(value, safe='')}" for each, value in query)
    request = HttpRequest(method, f"http://host{path}" + (f"?{text}" if text else ""))
    headers = [*headers, DATE, VERSION]
    request.headers.update(headers + ([("content-length", str(length))] if method == "PUT" else []))
    policy = SharedKeyCredentialPolicy(account, key)
    signed = []
    add = policy._add_authorization_header
    policy._add_authorization_header = lambda request, text: (signed.append(text), add(request, text))
    policy.on_request(SimpleNamespace(http_request=request, context=SimpleNamespace(transport=None)))
    return {
        "name": name, "account": account, "key": key, "method": method, "path": path, "query": query,
        "headers": headers, "length": length, "text": signed[0], "authorization": request.headers["Authorization"],
    }  # fmt: skip


if __name__ == "__main__":
    key = base64.b64encode(bytes(range(64))).decode()
    print("[\n" + ",\n".join(json.dumps(vector(*request, key)) for request in REQUESTS) + "\n]")
