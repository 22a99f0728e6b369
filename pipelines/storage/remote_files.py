"""Objects of a bucket below a prefix."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from pipelines.storage.errors import not_found
from pipelines.storage.files import WRITE_BUFFER_BYTES, RawWriter
from pipelines.storage.local_cache import LocalCache
from pipelines.storage.object_store import ObjectStore, store_and_key

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Small files of the staging folder that steps read several times. Other workers may write them anew between bundles,
# when what failed is read again, so that each bundle begins without copies.
_small = LocalCache("vellum-staged-", max_bytes=500_000_000)
SMALL_FOLDERS = (".staging/scores/", ".staging/scores_by_part/", ".staging/verdicts/")
COPY = "copy"
READ_BUFFER_BYTES = 1 << 20  # one request reads at least this much of a remote object


def forget_copies() -> None:
    """Drop this process's copies of staged files, so that the next reads ask the store."""
    _small.clear()


class RemoteFiles:
    def __init__(self, root: str):
        self.root = root.rstrip("/")
        _, prefix = store_and_key(root)  # also says at once if the client is missing
        self._prefix = prefix.rstrip("/") + "/" if prefix else ""

    @property
    def store(self) -> ObjectStore:
        return store_and_key(self.root)[0]

    def key(self, relative: str) -> str:
        return self._prefix + relative

    def size(self, relative: str) -> int | None:
        head = self.store.head(self.key(relative))
        return None if head is None else head.size

    def open(self, relative: str) -> BinaryIO:
        size = self.size(relative)
        if size is None:
            raise not_found(f"{self.root}/{relative}")
        reader = _RangeReader(self.store, self.key(relative), size)
        return io.BufferedReader(reader, READ_BUFFER_BYTES)

    def read_bytes(self, relative: str) -> bytes:
        if not relative.startswith(SMALL_FOLDERS):
            buffer = io.BytesIO()
            self._download(relative, buffer)
            return buffer.getvalue()

        def fill(folder: Path) -> None:
            with open(folder / COPY, "wb", buffering=0) as file:
                self._download(relative, file)

        with _small.held(self._uri(relative), fill) as folder:
            return (folder / COPY).read_bytes()

    def forget(self, relative: str) -> None:
        _small.drop(self._uri(relative))

    def _keep(self, relative: str, made: Path | IO[bytes]) -> None:
        """Keep what was uploaded for the steps that read it next, if it is small and there is room."""
        self.forget(relative)
        if not relative.startswith(SMALL_FOLDERS):
            return

        def fill(folder: Path) -> None:
            if isinstance(made, Path):
                shutil.move(made, folder / COPY)
            else:
                (folder / COPY).write_bytes(made.read())

        with suppress(OSError):
            _small.folder(self._uri(relative), fill)

    def _download(self, relative: str, into: IO[bytes]) -> None:
        try:
            self.store.download(self.key(relative), into)
        except FileNotFoundError:
            raise not_found(self._uri(relative)) from None

    def _uri(self, relative: str) -> str:
        return f"{self.root}/{relative}"

    @contextmanager
    def create(self, relative: str) -> Iterator[BinaryIO]:
        # An object store shows what was sent so far when a writer is closed or collected: so write here, then
        # send.
        with tempfile.TemporaryFile() as spool:
            raw = RawWriter(os.dup(spool.fileno()), f"{self.root}/{relative} (its temporary copy)")
            with io.BufferedWriter(raw, WRITE_BUFFER_BYTES) as writer:
                yield writer
            spool.seek(0)
            self.store.upload(self.key(relative), spool)
            spool.seek(0)
            self._keep(relative, spool)

    def publish_files(self, files: Sequence[tuple[Path, str]]) -> None:
        for local_path, relative in files:
            with open(local_path, "rb") as file:
                self.store.upload(self.key(relative), file)
            self._keep(relative, local_path)
            local_path.unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[str]:
        for key in self.store.list(self._prefix + prefix):
            if not key.endswith("/"):
                yield key[len(self._prefix) :]

    def sizes(self, prefix: str) -> Iterator[int]:
        for _, size in self.store.entries(self._prefix + prefix):
            yield size

    def delete(self, relative: str) -> None:
        self.forget(relative)
        self.store.delete(self.key(relative))

    def move(self, source: str, target: str) -> None:
        try:
            self.store.copy(self.key(source), self.key(target))
        except FileNotFoundError:
            raise not_found(f"{self.root}/{source}") from None
        self.store.delete(self.key(source))


class _RangeReader(io.RawIOBase):
    """Reads an object by ranges, wherever it is sought to."""

    def __init__(self, store: "ObjectStore", key: str, size: int):
        self._store, self._key, self._size = store, key, size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"cannot seek to {start + offset}, before the start of {self._key}")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        length = min(len(view), self._size - self._position)
        if length <= 0:
            return 0
        data = self._store.read_range(self._key, self._position, length)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
