"""Storage: file operations over local folders, `gs://` and `s3://` alike. Files appear whole or never."""

import errno
import io
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from pipelines.patterns import Pattern

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

    from pipelines.lease import Lease
    from pipelines.object_store import ObjectStore

REMOTE_SCHEMES = {"gs": "gcp", "s3": "aws"}  # scheme: the extra that brings its client
WRITING = ".writing-"  # a file being written; never listed
WRITE_BUFFER_BYTES = 1 << 20
READ_BUFFER_BYTES = 1 << 20  # one request reads at least this much of a remote object


class StorageError(OSError):
    """A file, folder or bucket that cannot be used; the message is one sentence for the user."""

    @classmethod
    def because(cls, error: OSError, doing: str, path: str) -> "StorageError":
        """`error` of the operating system as one sentence, its `errno` kept."""
        result = cls(f"cannot {doing} {path}: {(error.strerror or str(error)).lower()}")
        result.errno = error.errno
        return result


class OutputInUse(StorageError):
    """Another run holds the output."""


class Storage:
    """Files below a root: a local folder, `gs://bucket/prefix` or `s3://bucket/prefix`. Paths use `/`.

    It may be pickled, and opens no connection before it is used. Options and credentials of remote stores are
    Beam's: whoever uses a `Storage` outside a worker calls `FileSystems.set_options` first.

    Raises:
        StorageError: on construction, if the scheme is unknown or its extra is not installed; by every
            method, if the store refuses (missing bucket or credentials, full disk, no permission).
        FileNotFoundError: by methods that read a file that is not there.
    """

    def __init__(self, root: str):
        self._files: _Files = _RemoteFiles(root) if is_remote(root) else _LocalFiles(root)

    def __repr__(self) -> str:
        return f"Storage({self.root!r})"

    @property
    def root(self) -> str:
        """The root as an absolute path or URI, without a slash at its end."""
        return self._files.root

    @property
    def is_local(self) -> bool:
        return isinstance(self._files, _LocalFiles)

    def path(self, relative: str) -> str:
        """The absolute path or URI of a file."""
        return f"{self.root.rstrip('/')}/{_checked(relative)}"

    def exists(self, relative: str) -> bool:
        return self._files.size(_checked(relative)) is not None

    def size(self, relative: str) -> int:
        """Size of a file in bytes."""
        size = self._files.size(_checked(relative))
        if size is None:
            raise _not_found(self.path(relative))
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
        self._files.publish_file(Path(local_path), _checked(relative))

    def list(self, relative_prefix: str = "") -> list[str]:
        """Sorted relative paths of all files whose relative path begins with `relative_prefix`."""
        return sorted(self._files.list(relative_prefix))

    def delete(self, relative: str) -> None:
        """Delete a file; it may be missing."""
        self._files.delete(_checked(relative))

    def move(self, source: str, target: str) -> None:
        """Give a file another name; a file of that name is replaced. On object stores: copy, then delete."""
        self._files.move(_checked(source), _checked(target))

    def lock(self) -> AbstractContextManager["Lease"]:
        """Hold this output alone.

        Locally the kernel frees the lock when its holder dies, however it dies. On an object store it is a
        lease: see `pipelines/lease.py`. Do not delete `.staging/lock` while holding it.

        Raises:
            OutputInUse: another run holds it; the sentence names that run.
        """
        from pipelines.lease import local_lock, remote_lease  # it imports this module

        if isinstance(self._files, _RemoteFiles):
            return remote_lease(self._files.store, self._files.key(".staging/lease.json"), self.root)
        return local_lock(Path(self.root))


def is_remote(uri: str) -> bool:
    """Whether `uri` names an object store.

    Raises:
        StorageError: it has a scheme that is not supported.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator or "/" in scheme:
        return False
    if scheme not in REMOTE_SCHEMES:
        raise StorageError(f"expected a folder, gs://… or s3://…, got {uri!r}")
    return True


def fetch(uri: str, into: Path) -> Path:
    """A local file with the contents of `uri`: the file itself if it is local, else a download at the path
    `into`.

    Raises:
        FileNotFoundError: there is no such file or object.
        StorageError: the store refuses, or `into` cannot be written.
    """
    if not is_remote(uri):
        if not os.path.exists(uri):
            raise _not_found(uri)
        return Path(uri)
    store, key = _store_and_key(uri)
    try:
        with open(into, "wb", buffering=0) as file:
            store.download(key, file)
    except StorageError:
        into.unlink(missing_ok=True)
        raise
    except FileNotFoundError:
        into.unlink(missing_ok=True)
        raise _not_found(uri) from None
    except OSError as error:
        into.unlink(missing_ok=True)
        raise StorageError.because(error, "write", str(into)) from error
    return into


def match(pattern: str) -> Iterator[str]:
    """Inputs named by `pattern`, in an order that depends on their names alone; one at a time, so memory is
    flat.

    A file that exists under exactly this name is that file. A folder means every file below it. Otherwise
    `*`, `?`, `[…]` and `**` mean what they mean to bash with `globstar`: hidden files and folders need a dot
    written out, and `**` does not follow links to folders. The same holds for objects, whose folders are the
    parts of their names.

    Raises:
        StorageError: a folder or bucket cannot be listed.
    """
    return _match_objects(pattern) if is_remote(pattern) else _match_files(pattern)


def _match_files(pattern: str) -> Iterator[str]:
    if os.path.isdir(pattern):
        yield from _walk(pattern, Pattern("**"), Pattern.START)
    elif os.path.lexists(pattern):
        yield pattern
    elif pattern:
        prefix, wildcards = Pattern.split(pattern + "**" if pattern.endswith("/") else pattern)
        if wildcards and os.path.isdir(prefix or "."):
            yield from _walk(prefix, Pattern(wildcards), Pattern.START)


def _walk(folder: str, pattern: Pattern, states: frozenset[int]) -> Iterator[str]:
    """Files below `folder` that `pattern` accepts, sorted within each folder; each is visited once."""
    try:
        with os.scandir(folder or ".") as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise StorageError.because(error, "list", folder) from error
    for entry in ordered:
        if entry.is_dir():
            beyond = pattern.enter(states, entry.name, is_link=entry.is_symlink())
            if beyond:
                yield from _walk(os.path.join(folder, entry.name), pattern, beyond)
        elif pattern.accepts(states, entry.name):
            yield os.path.join(folder, entry.name)


def _match_objects(pattern: str) -> Iterator[str]:
    store, key = _store_and_key(pattern)
    if key and not key.endswith("/") and store.head(key) is not None:
        yield f"{store.uri}/{key}"
        return
    prefix, wildcards = Pattern.split(key)
    if not wildcards or not prefix + wildcards or key.endswith("/"):
        folder = key if not key or key.endswith("/") else key + "/"
        prefix, wildcards = Pattern.split(folder + "**")
    wanted = Pattern(wildcards)
    for name in store.list(prefix):
        if not name.endswith("/") and wanted.matches(name[len(prefix) :]):
            yield f"{store.uri}/{name}"


class _Files(Protocol):
    root: str

    def size(self, relative: str) -> int | None: ...
    def open(self, relative: str) -> BinaryIO: ...
    def read_bytes(self, relative: str) -> bytes: ...
    def create(self, relative: str) -> AbstractContextManager[BinaryIO]: ...
    def publish_file(self, local_path: Path, relative: str) -> None: ...
    def list(self, prefix: str) -> Iterator[str]: ...
    def delete(self, relative: str) -> None: ...
    def move(self, source: str, target: str) -> None: ...


class _LocalFiles:
    def __init__(self, root: str):
        if not root:
            raise StorageError("expected a folder, gs://… or s3://…, got an empty name")
        self.root = os.path.abspath(root)

    def size(self, relative: str) -> int | None:
        with _explained("read", self._path(relative)):
            try:
                return os.stat(self._path(relative)).st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def open(self, relative: str) -> BinaryIO:
        with _explained("read", self._path(relative)):
            return open(self._path(relative), "rb")

    def read_bytes(self, relative: str) -> bytes:
        with self.open(relative) as file, _explained("read", self._path(relative)):
            return file.read()

    @contextmanager
    def create(self, relative: str) -> Iterator[BinaryIO]:
        path = self._path(relative)
        aside = self._aside(path)
        with _explained("write", path):
            raw = _RawWriter(aside, path)
        writer = io.BufferedWriter(raw, WRITE_BUFFER_BYTES)
        try:
            yield writer
            with _explained("write", path):
                writer.close()
                os.replace(aside, path)
        except BaseException:
            with suppress(OSError):
                raw.close()
            with suppress(OSError):
                os.unlink(aside)
            raise

    def publish_file(self, local_path: Path, relative: str) -> None:
        path = self._path(relative)
        with _explained("write", path):
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

    def delete(self, relative: str) -> None:
        with _explained("delete", self._path(relative)), suppress(FileNotFoundError):
            os.unlink(self._path(relative))

    def move(self, source: str, target: str) -> None:
        with _explained("move", self._path(source)):
            os.makedirs(os.path.dirname(self._path(target)), exist_ok=True)
            os.replace(self._path(source), self._path(target))

    def _path(self, relative: str) -> str:
        return os.path.join(self.root, relative)

    def _aside(self, path: str) -> str:
        folder, name = os.path.split(path)
        with _explained("write", path):
            os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, f"{WRITING}{uuid.uuid4().hex[:8]}-{name}")


class _RemoteFiles:
    def __init__(self, root: str):
        self.root = root.rstrip("/")
        _, self._prefix = _store_and_key(root)
        self._prefix = self._prefix.rstrip("/") + "/" if self._prefix else ""

    @property
    def store(self) -> "ObjectStore":
        return _store_and_key(self.root)[0]

    def key(self, relative: str) -> str:
        return self._prefix + relative

    def size(self, relative: str) -> int | None:
        head = self.store.head(self.key(relative))
        return None if head is None else head.size

    def open(self, relative: str) -> BinaryIO:
        size = self.size(relative)
        if size is None:
            raise _not_found(f"{self.root}/{relative}")
        reader = _RangeReader(self.store, self.key(relative), size)
        return io.BufferedReader(reader, READ_BUFFER_BYTES)

    def read_bytes(self, relative: str) -> bytes:
        buffer = io.BytesIO()
        try:
            self.store.download(self.key(relative), buffer)
        except FileNotFoundError:
            raise _not_found(f"{self.root}/{relative}") from None
        return buffer.getvalue()

    @contextmanager
    def create(self, relative: str) -> Iterator[BinaryIO]:
        # An object store shows what was sent so far when a writer is closed or collected: so write here, then
        # send.
        with tempfile.TemporaryFile() as spool:
            raw = _RawWriter(os.dup(spool.fileno()), f"{self.root}/{relative} (its temporary copy)")
            with io.BufferedWriter(raw, WRITE_BUFFER_BYTES) as writer:
                yield writer
            spool.seek(0)
            self.store.upload(self.key(relative), spool)

    def publish_file(self, local_path: Path, relative: str) -> None:
        with open(local_path, "rb") as file:
            self.store.upload(self.key(relative), file)
        local_path.unlink()

    def list(self, prefix: str) -> Iterator[str]:
        for key in self.store.list(self._prefix + prefix):
            if not key.endswith("/"):
                yield key[len(self._prefix) :]

    def delete(self, relative: str) -> None:
        self.store.delete(self.key(relative))

    def move(self, source: str, target: str) -> None:
        try:
            self.store.copy(self.key(source), self.key(target))
        except FileNotFoundError:
            raise _not_found(f"{self.root}/{source}") from None
        self.store.delete(self.key(source))


class _RawWriter(io.FileIO):
    """A file whose failing writes say which output they were for."""

    def __init__(self, file: str | int, target: str):
        super().__init__(file, "xb" if isinstance(file, str) else "wb")
        self._target = target

    def write(self, data: "ReadableBuffer") -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise StorageError.because(error, "write", self._target) from error


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


def _store_and_key(uri: str) -> "tuple[ObjectStore, str]":
    from pipelines.object_store import object_store  # it needs the extra `gcp` or `aws`, and this module

    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise StorageError(f"expected {scheme}://bucket/…, got {uri!r}")
    return object_store(scheme, bucket), key


@contextmanager
def _explained(doing: str, path: str) -> Iterator[None]:
    """Turn an error of the operating system into one sentence."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError) and doing != "write":
            raise _not_found(path) from None
        raise StorageError.because(error, doing, path) from error


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise StorageError.because(error, "list", error.filename) from error


def _not_found(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "no such file", path)


def _checked(relative: str) -> str:
    parts = relative.split("/")
    assert not {"", ".", ".."} & set(parts), f"not a relative path: {relative!r}"
    return relative
