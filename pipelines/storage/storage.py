"""File operations over local folders, `gs://` and `s3://`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipelines.storage.errors import not_found
from pipelines.storage.files import Files
from pipelines.storage.local_files import LocalFiles
from pipelines.storage.remote_files import RemoteFiles
from pipelines.storage.uris import is_remote

if TYPE_CHECKING:
    from pipelines.storage.lease import Lease

STAGING = ".staging"  # folder of an output that holds what only a run needs


class Storage:
    """Files below a root: a local folder, `gs://bucket/prefix` or `s3://bucket/prefix`. Paths use `/`.

    It may be pickled, and opens no connection before it is used. Options and credentials of remote stores are
    Beam's: code that uses a `Storage` outside a worker calls `FileSystems.set_options` first.

    Raises:
        StorageError: on construction, if the scheme is unknown or its extra is not installed; by every
            method, if the store refuses (missing bucket or credentials, full disk, no permission).
        FileNotFoundError: by methods that read a file that is not there.
    """

    def __init__(self, root: str):
        self._files: Files = RemoteFiles(root) if is_remote(root) else LocalFiles(root)

    def __repr__(self) -> str:
        return f"Storage({self.root!r})"

    @property
    def root(self) -> str:
        """The root as an absolute path or URI, without a slash at its end."""
        return self._files.root

    @property
    def is_local(self) -> bool:
        return isinstance(self._files, LocalFiles)

    def path(self, relative: str) -> str:
        """The absolute path or URI of a file."""
        return f"{self.root.rstrip('/')}/{_checked(relative)}"

    def exists(self, relative: str) -> bool:
        return self._files.size(_checked(relative)) is not None

    def size_if_exists(self, relative: str) -> int | None:
        """Size of a file in bytes, None if it is not there."""
        return self._files.size(_checked(relative))

    def size(self, relative: str) -> int:
        """Size of a file in bytes."""
        size = self._files.size(_checked(relative))
        if size is None:
            raise not_found(self.path(relative))
        return size

    def open(self, relative: str) -> BinaryIO:
        """Open a file to read; the reader is seekable, on remote stores too."""
        return self._files.open(_checked(relative))

    def read_bytes(self, relative: str) -> bytes:
        return self._files.read_bytes(_checked(relative))

    def create(self, relative: str) -> AbstractContextManager[BinaryIO]:
        """A context that gives a writer. The file appears if the block ends without an error."""
        return self._files.create(_checked(relative))

    def write_bytes(self, relative: str, data: bytes) -> None:
        with self.create(relative) as writer:
            writer.write(data)

    def publish_file(self, local_path: str | os.PathLike[str], relative: str) -> None:
        """Move or upload a finished local file to its place; it is gone from `local_path` afterwards."""
        self.publish_files([(Path(local_path), relative)])

    def publish_files(self, files: Sequence[tuple[Path, str]]) -> None:
        """Move or upload finished local files to their places, in their order; what is there last says that all are.

        On a local disk all are safe from a loss of power before the first of them has its name.
        """
        self._files.publish_files([(path, _checked(relative)) for path, relative in files])

    def list(self, relative_prefix: str = "") -> list[str]:
        """Sorted relative paths of all files whose relative path begins with `relative_prefix`."""
        return sorted(self._files.list(relative_prefix))

    def sizes(self, relative_prefix: str) -> Iterator[int]:
        """Size in bytes of every file whose relative path begins with `relative_prefix`."""
        return self._files.sizes(relative_prefix)

    def forget(self, relative: str) -> None:
        """Drop this process's copy of a remote file, so that the next read asks the store."""
        self._files.forget(_checked(relative))

    def delete(self, relative: str) -> None:
        """Delete a file; it may be missing."""
        self._files.delete(_checked(relative))

    def move(self, source: str, target: str) -> None:
        """Give a file another name; a file of that name is replaced. On object stores: copy, then delete."""
        self._files.move(_checked(source), _checked(target))

    def lock(self) -> AbstractContextManager["Lease"]:
        """Hold this output alone.

        Locally the kernel frees the lock when its holder dies, however it dies. On an object store it is a
        lease: see `lease.py`. Do not delete `.staging/lock` while holding it.

        Raises:
            OutputInUse: another run holds it; the sentence names that run.
        """
        from pipelines.storage.lease import local_lock, remote_lease  # brings in Beam, which readers do without

        if isinstance(self._files, RemoteFiles):
            return remote_lease(self._files.store, self._files.key(".staging/lease.json"), self.root)
        return local_lock(Path(self.root))


def _checked(relative: str) -> str:
    parts = relative.split("/")
    assert not {"", ".", ".."} & set(parts), f"not a relative path: {relative!r}"
    return relative
