"""Files of a local folder."""

import errno
import io
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipelines.storage.errors import StorageError, explained
from pipelines.storage.files import WRITE_BUFFER_BYTES, RawWriter

WRITING = ".writing-"  # a file being written; never listed


class LocalFiles:
    def __init__(self, root: str):
        if not root:
            raise StorageError("expected a folder, gs://… or s3://…, got an empty name")
        self.root = os.path.abspath(root)

    def size(self, relative: str) -> int | None:
        with explained("read", self._path(relative)):
            try:
                return os.stat(self._path(relative)).st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def open(self, relative: str) -> BinaryIO:
        with explained("read", self._path(relative)):
            return open(self._path(relative), "rb")

    def read_bytes(self, relative: str) -> bytes:
        with self.open(relative) as file, explained("read", self._path(relative)):
            return file.read()

    @contextmanager
    def create(self, relative: str) -> Iterator[BinaryIO]:
        path = self._path(relative)
        aside = self._aside(path)
        with explained("write", path):
            raw = RawWriter(aside, path)
        writer = io.BufferedWriter(raw, WRITE_BUFFER_BYTES)
        try:
            yield writer
            with explained("write", path):
                writer.flush()
                os.fsync(raw.fileno())
                writer.close()
                os.replace(aside, path)
        except BaseException:
            with suppress(OSError):
                raw.close()
            with suppress(OSError):
                os.unlink(aside)
            raise

    def publish_files(self, files: Sequence[tuple[Path, str]]) -> None:
        for local_path, relative in files:  # all are on the disk before the first has its name
            with explained("write", self._path(relative)), open(local_path, "rb") as file:
                os.fsync(file.fileno())
        for local_path, relative in files:
            self._publish(local_path, relative)

    def _publish(self, local_path: Path, relative: str) -> None:
        path = self._path(relative)
        with explained("write", path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            try:
                os.replace(local_path, path)
                return
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
        with open(local_path, "rb") as reader, self.create(relative) as writer:  # from another file system
            shutil.copyfileobj(reader, writer, WRITE_BUFFER_BYTES)
        local_path.unlink()

    def list(self, prefix: str) -> Iterator[str]:
        folder, _, beginning = prefix.rpartition("/")
        for where, folders, names in os.walk(
            self._path(folder) if folder else self.root, onerror=_raise_unless_missing
        ):
            inside = os.path.relpath(where, self.root)
            if inside == (folder or "."):
                folders[:] = [name for name in folders if name.startswith(beginning)]
            for name in names:
                relative = name if inside == "." else f"{inside}/{name}"
                if relative.startswith(prefix) and not name.startswith(WRITING):
                    yield relative

    def sizes(self, prefix: str) -> Iterator[int]:
        for relative in self.list(prefix):
            yield self.size(relative) or 0

    def forget(self, relative: str) -> None:
        """Do nothing: there are no copies of local files."""

    def delete(self, relative: str) -> None:
        with explained("delete", self._path(relative)), suppress(FileNotFoundError):
            os.unlink(self._path(relative))

    def move(self, source: str, target: str) -> None:
        with explained("move", self._path(source)):
            os.makedirs(os.path.dirname(self._path(target)), exist_ok=True)
            os.replace(self._path(source), self._path(target))

    def _path(self, relative: str) -> str:
        return os.path.join(self.root, relative)

    def _aside(self, path: str) -> str:
        folder, name = os.path.split(path)
        with explained("write", path):
            os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, f"{WRITING}{uuid.uuid4().hex[:8]}-{name}")


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise StorageError.because(error, "list", error.filename) from error
