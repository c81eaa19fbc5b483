"""Holds a Blob service to account with Microsoft's client: see `client.py check`."""

import base64
import os
from datetime import datetime, timedelta, timezone

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    ContainerClient,
    ContentSettings,
    ResourceTypes,
    StandardBlobTier,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)

from client import service

MEBI = 1 << 20


def refusal(call, *arguments, **options) -> tuple[int, str]:
    """Status and code of the refusal that a call must end with."""
    try:
        call(*arguments, **options)
    except HttpResponseError as error:
        return error.status_code, str(getattr(error.error_code, "value", error.error_code))
    raise AssertionError(f"{call} was not refused")


def same(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


class Check:
    def __init__(self, url: str, key: str, container: str):
        self.url, self.key, self.name = url, key, container
        self.service = service(url, key)
        self.container = self.service.get_container_client(container)
        self.expiry = datetime.now(timezone.utc) + timedelta(hours=1)
        # So that it can be run again.
        self.folder = f"check-{os.urandom(4).hex()}/"

    def blob(self, name: str) -> BlobClient:
        return self.container.get_blob_client(self.folder + name)

    def puts(self):
        blob, body = self.blob("a b+c/ü~.mp4"), b"hello" * 100
        settings = ContentSettings(content_type="video/mp4")
        options = {"content_settings": settings, "overwrite": False, "validate_content": True}
        blob.upload_blob(body, metadata={"camera": "front", "seek": "[[0,9]]"}, standard_blob_tier=StandardBlobTier.COOL, **options)
        same(refusal(blob.upload_blob, b"x", overwrite=False), (409, "BlobAlreadyExists"))
        found = blob.get_blob_properties()
        same((found.size, found.metadata, str(found.blob_tier)), (500, {"camera": "front", "seek": "[[0,9]]"}, "Cool"))
        same(found.content_settings.content_type, "video/mp4")
        same(len(found.content_settings.content_md5), 16)
        blob.set_blob_metadata({"camera": "yard"})
        same(blob.get_blob_properties().metadata, {"camera": "yard"})
        self.blob("empty").upload_blob(b"")
        same(self.blob("empty").download_blob().readall(), b"")
        wrong = ContentSettings(content_md5=bytearray(16))
        same(refusal(self.raw_put, "wrong", b"abc", {"Content-MD5": base64.b64encode(wrong.content_md5).decode()}),
             (400, "Md5Mismatch"))  # fmt: skip
        same(refusal(self.raw_put, "wrong", b"abc", {"x-ms-content-crc64": "AAAAAAAAAAA="}), (400, "Crc64Mismatch"))
        self.raw_put("right", b"123456789", {"x-ms-content-crc64": "iJh5CoYUi64="})

    def raw_put(self, name: str, body: bytes, headers: dict[str, str]):
        self.blob(name).upload_blob(body, overwrite=True, raw_request_hook=lambda request: self.sign(request, headers))

    @staticmethod
    def sign(request, headers: dict[str, str]):
        # Before the policy that signs.
        request.http_request.headers.update(headers)

    def reads(self):
        blob = self.blob("range")
        blob.upload_blob(bytes(range(256)))
        same(blob.download_blob(offset=3, length=10).readall(), bytes(range(3, 13)))
        same(blob.download_blob(offset=250, length=100).readall(), bytes(range(250, 256)))
        same(refusal(lambda: blob.download_blob(offset=256, length=3).readall()), (416, "InvalidRange"))
        same(blob.download_blob(offset=1, length=4, validate_content=True).readall(), bytes(range(1, 5)))
        same(refusal(self.blob("none").download_blob), (404, "BlobNotFound"))
        same(refusal(self.service.get_blob_client("no-such-container", "x").get_blob_properties)[0], 404)
        blob.delete_blob()
        same(refusal(blob.delete_blob), (404, "BlobNotFound"))

    def conditions(self):
        blob = self.blob("conditions")
        etag = blob.upload_blob(b"1")["etag"]
        held = {"overwrite": True, "match_condition": MatchConditions.IfNotModified}
        same(refusal(blob.upload_blob, b"2", etag='"0x1"', **held), (412, "ConditionNotMet"))
        blob.upload_blob(b"2", etag=etag, **held)
        same(refusal(blob.upload_blob, b"3", etag=etag, **held), (412, "ConditionNotMet"))
        now = blob.get_blob_properties().etag
        other = {"etag": now, "match_condition": MatchConditions.IfModified}
        same(refusal(blob.get_blob_properties, **other)[0], 304)
        same(blob.download_blob().readall(), b"2")

    def lists(self):
        names = [f"list/{hour:02}/{minute:02}.mp4" for hour in range(6) for minute in range(5)]
        for name in names:
            self.blob(name).upload_blob(b"x" * len(name))
        prefix = f"{self.folder}list/"
        found = list(self.container.list_blobs(name_starts_with=prefix, results_per_page=7))
        same([blob.name for blob in found], [self.folder + name for name in names])
        same({blob.size for blob in found}, {len(names[0])})
        pages = self.container.list_blobs(name_starts_with=prefix, results_per_page=4).by_page()
        first = [blob.name for blob in next(pages)]
        again = self.container.list_blobs(name_starts_with=prefix, results_per_page=40).by_page(pages.continuation_token)
        same(first + [blob.name for page in again for blob in page], [self.folder + name for name in names])
        folders = self.container.walk_blobs(prefix, delimiter="/")
        same([entry.name for entry in folders], [f"{prefix}{hour:02}/" for hour in range(6)])
        same(list(self.container.list_blobs(name_starts_with=self.folder + "nothing")), [])

    def blocks(self):
        body = os.urandom(9 * MEBI + 5)
        sizes = {"max_single_put_size": MEBI, "max_block_size": 2 * MEBI, "max_single_get_size": MEBI}
        blob = service(self.url, self.key, max_chunk_get_size=MEBI, **sizes).get_blob_client(
            self.name, self.folder + "blocks"
        )
        blob.upload_blob(body, overwrite=False)
        same(blob.download_blob(max_concurrency=3).readall() == body, True)
        same([block.size for block in blob.get_block_list("all")[0]], [2 * MEBI] * 4 + [MEBI + 5])
        same(refusal(blob.upload_blob, body, overwrite=False), (409, "BlobAlreadyExists"))
        other = self.blob("waiting")
        other.stage_block("AAAA", b"123", validate_content=True)
        same([(block.id, block.size) for block in other.get_block_list("all")[1]], [("AAAA", 3)])
        same(refusal(other.get_blob_properties), (404, "BlobNotFound"))
        same(refusal(other.commit_block_list, [BlobBlock("BBBB")]), (400, "InvalidBlockList"))
        other.commit_block_list([BlobBlock("AAAA"), BlobBlock("AAAA")])
        same(other.download_blob().readall(), b"123123")

    def strangers(self):
        self.blob("secret").upload_blob(b"s")
        name = self.folder + "secret"
        wrong = base64.b64encode(b"w" * 64).decode()
        same(refusal(service(self.url, wrong).get_blob_client(self.name, name).get_blob_properties)[0], 403)
        same(refusal(service(self.url, None).get_blob_client(self.name, name).get_blob_properties)[0], 403)
        elsewhere = self.url.replace(self.service.account_name, "nobody")
        same(refusal(service(elsewhere, self.key).get_blob_client(self.name, name).get_blob_properties)[0], 404)

    def signed(self, name: str, permission: str, key: str = "", hours: int = 1, for_name: str = "") -> BlobClient:
        account, blob = self.service.account_name, self.folder + (for_name or name)
        end = datetime.now(timezone.utc) + timedelta(hours=hours)
        query = generate_blob_sas(account, self.name, blob, account_key=key or self.key, permission=permission, expiry=end)
        return service(self.url, query).get_blob_client(self.name, self.folder + name)

    def signatures(self):
        self.blob("shared").upload_blob(b"old")
        same(self.signed("shared", "r").download_blob().readall(), b"old")
        mismatch = (403, "AuthorizationPermissionMismatch")
        same(refusal(self.signed("shared", "r").upload_blob, b"new", overwrite=True), mismatch)
        same(refusal(self.signed("shared", "cw").download_blob), mismatch)
        same(refusal(self.signed("shared", "c").upload_blob, b"new", overwrite=True)[0], 403)
        self.signed("created", "c").upload_blob(b"new")
        self.signed("shared", "w").upload_blob(b"new", overwrite=True)
        for stranger in (
            self.signed("shared", "r", hours=-1), self.signed("shared", "r", base64.b64encode(b"k" * 64).decode()),
            self.signed("shared", "r", for_name="created"),
        ):  # fmt: skip
            same(refusal(stranger.get_blob_properties)[0], 403)

    def broad_signatures(self):
        account = self.service.account_name
        options = {"account_key": self.key, "permission": "rl", "expiry": self.expiry}
        whole = ResourceTypes(object=True, container=True)
        for query in (
            generate_container_sas(account, self.name, **options),
            generate_account_sas(account, resource_types=whole, **options),
        ):
            container: ContainerClient = service(self.url, query).get_container_client(self.name)
            same(len(list(container.list_blobs(name_starts_with=self.folder + "list/"))), 30)
            same(refusal(container.delete_blob, self.folder + "shared"), (403, "AuthorizationPermissionMismatch"))


def run(url: str, key: str, container: str) -> int:
    check = Check(url, key, container)
    parts = (
        check.puts, check.reads, check.conditions, check.lists, check.blocks, check.strangers, check.signatures,
        check.broad_signatures,
    )  # fmt: skip
    for part in parts:
        part()
    for blob in list(check.container.list_blobs(name_starts_with=check.folder)):
        check.container.delete_blob(blob.name)
    return len(parts)
