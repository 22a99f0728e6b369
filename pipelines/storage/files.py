"""Files below a root: what a kind of store has to offer, and a file that is written aside."""

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from pipelines.storage.errors import StorageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

WRITE_BUFFER_BYTES = 1 << 20


class Files(Protocol):
    root: str

    def size(self, relative: str) -> int | None: ...
    def open(self, relative: str) -> BinaryIO: ...
    def read_bytes(self, relative: str) -> bytes: ...
    def create(self, relative: str) -> AbstractContextManager[BinaryIO]: ...
    def publish_files(self, files: Sequence[tuple[Path, str]]) -> None: ...
    def list(self, prefix: str) -> Iterator[str]: ...
    def sizes(self, prefix: str) -> Iterator[int]: ...
    def forget(self, relative: str) -> None: ...
    def delete(self, relative: str) -> None: ...
    def move(self, source: str, target: str) -> None: ...


class RawWriter(io.FileIO):
    """A file whose failing writes say which output they were for."""

    def __init__(self, file: str | int, target: str):
        super().__init__(file, "xb" if isinstance(file, str) else "wb")
        self._target = target

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise StorageError.because(error, "write", self._target) from error
