"""What the service holds: containers, block blobs and the blocks that wait to be committed; in memory only."""

import base64
import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count

from refusal import Refusal


@dataclass
class Blob:
    content: bytes
    properties: dict[str, str]
    metadata: dict[str, str]
    etag: str
    modified: datetime
    created: datetime
    md5: str | None
    tier: str | None = None
    # Identifiers and lengths of the blocks it was committed from; none for one that was put at once.
    blocks: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Container:
    etag: str
    modified: datetime
    blobs: dict[str, Blob] = field(default_factory=dict)
    # Of each blob's name: the blocks not committed yet, in the order of their arrival.
    waiting: dict[str, dict[str, bytes]] = field(default_factory=dict)


def md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


class Blobs:
    """One account's containers. Every method is atomic."""

    def __init__(self, containers: list[str]):
        self.lock = threading.RLock()
        self.numbers = count(0x8DD000000000000)
        self.containers = {name: self._container() for name in containers}

    def create(self, name: str) -> Container:
        with self.lock:
            if name in self.containers:
                raise Refusal("ContainerAlreadyExists")
            return self.containers.setdefault(name, self._container())

    def container(self, name: str) -> Container:
        try:
            return self.containers[name]
        except KeyError:
            raise Refusal("ContainerNotFound") from None

    def blob(self, container: str, name: str) -> Blob:
        try:
            return self.container(container).blobs[name]
        except KeyError:
            raise Refusal("BlobNotFound") from None

    def put(self, container: str, name: str, content: bytes, check, **parts) -> Blob:
        """Puts a whole blob; `check` sees the one that is there, or None, and may refuse."""
        with self.lock:
            found = self.container(container)
            check(found.blobs.get(name))
            blob = self._new(found.blobs.get(name), content, md5=md5(content), **parts)
            found.blobs[name] = blob
            found.waiting.pop(name, None)
            return blob

    def put_block(self, container: str, name: str, identifier: str, content: bytes):
        with self.lock:
            found = self.container(container)
            waiting = found.waiting.setdefault(name, {})
            known = [*waiting, *(block for block, _ in self._committed(found, name))]
            if any(len(other) != len(identifier) for other in known):
                raise Refusal("InvalidBlobOrBlock", "identifiers of different lengths")
            if len(waiting) >= 100_000:
                raise Refusal("OutOfRangeInput", "too many uncommitted blocks")
            waiting[identifier] = content

    def commit(self, container: str, name: str, wanted: list[tuple[str, str]], check, **parts) -> Blob:
        """Makes a blob of blocks; `wanted` are (`Latest`, `Committed` or `Uncommitted`, identifier)."""
        with self.lock:
            found = self.container(container)
            old = found.blobs.get(name)
            check(old)
            waiting = found.waiting.get(name, {})
            committed, offset = {}, 0
            for identifier, length in self._committed(found, name):
                committed[identifier] = old.content[offset : offset + length]
                offset += length
            sources = {"Latest": committed | waiting, "Committed": committed, "Uncommitted": waiting}
            try:
                pieces = [sources[kind][identifier] for kind, identifier in wanted]
            except KeyError as error:
                raise Refusal("InvalidBlockList", f"no block {error}") from None
            blocks = [(identifier, len(piece)) for (_, identifier), piece in zip(wanted, pieces)]
            blob = self._new(old, b"".join(pieces), blocks=blocks, **parts)
            found.blobs[name] = blob
            found.waiting.pop(name, None)
            return blob

    def delete(self, container: str, name: str, check):
        with self.lock:
            check(self.blob(container, name))
            del self.container(container).blobs[name]

    def change(self, blob: Blob, check, **changes):
        """Changes what is said of a blob, not its bytes; `changes` are its members."""
        with self.lock:
            check(blob)
            for name, value in changes.items():
                setattr(blob, name, value)
            blob.etag, blob.modified = self._stamp()

    @staticmethod
    def _committed(container: Container, name: str) -> list[tuple[str, int]]:
        return container.blobs[name].blocks if name in container.blobs else []

    def _new(self, old: Blob | None, content: bytes, **parts) -> Blob:
        etag, now = self._stamp()
        return Blob(content, etag=etag, modified=now, created=old.created if old else now, **parts)

    def _container(self) -> Container:
        etag, now = self._stamp()
        return Container(etag, now)

    def _stamp(self) -> tuple[str, datetime]:
        return f'"0x{next(self.numbers):X}"', datetime.now(timezone.utc)
