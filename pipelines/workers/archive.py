"""Files inside zip and tar archives, listed and copied out by a reader: an archive is as untrusted as its files.

Nothing is ever written under a name that an archive tells.
"""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.storage.names import ARCHIVES, is_archive, printable
from sources.base.source import InputError, unreadable_file

COPY_BYTES = 1 << 20
MAX_MEMBER_BYTES = 4_000_000_000
BOMB_BYTES, BOMB_RATIO = 100_000_000, 200  # a file this large that was this much smaller; PDFs shrink to a half at best
MAX_MEMBERS = 1_000_000
MAX_OPEN, MAX_OPEN_MEMBERS = 64, 200_000  # archives kept open, and files in them: 100 MB of names
# Errors of the libraries over damaged files. Only reading is inside `_explained`, so a full disk is no damage.
DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)


class _Archive:
    """An open archive with its files by name; of several files of one name the last one counts, as when unpacked."""

    def __init__(self, path: Path):
        self.zip: zipfile.ZipFile | None = None
        self.tar: tarfile.TarFile | None = None
        self.members: dict[str, zipfile.ZipInfo | tarfile.TarInfo] = {}
        if zipfile.is_zipfile(path):
            self.zip = zipfile.ZipFile(path)
            for info in self.zip.infolist():
                if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16):
                    self._add(info.filename, info)
        else:
            self.tar = tarfile.open(path, "r:")  # noqa: SIM115  # stays open, as `close` says
            for member in self.tar:
                if member.isreg():
                    self._add(member.name, member)

    def close(self) -> None:
        """Close its file."""
        for file in (self.zip, self.tar):
            if file is not None:
                file.close()

    def _add(self, name: str, member: zipfile.ZipInfo | tarfile.TarInfo) -> None:
        self.members[printable(name)] = member
        if len(self.members) > MAX_MEMBERS:
            raise InputError("archive_too_large", f"the archive holds more than {MAX_MEMBERS:,} files")


class _OpenArchives:
    """The archives that this process has open, the last used ones."""

    def __init__(self) -> None:
        self._archives: OrderedDict[tuple[Path, int, int], _Archive] = OrderedDict()

    def archive(self, path: Path) -> _Archive:
        found = path.stat()
        key = (path, found.st_size, found.st_mtime_ns)
        if key not in self._archives:
            self._archives[key] = _Archive(path)
        self._archives.move_to_end(key)
        while len(self._archives) > 1 and (len(self._archives) > MAX_OPEN or self._num_members() > MAX_OPEN_MEMBERS):
            _, oldest = self._archives.popitem(last=False)
            oldest.close()
        return self._archives[key]

    def _num_members(self) -> int:
        return sum(len(archive.members) for archive in self._archives.values())


_open_archives = _OpenArchives()


def _opened(path: Path) -> _Archive:
    try:
        path.open("rb").close()
    except OSError as error:
        raise unreadable_file(error) from error
    with _explained("the archive cannot be opened"):
        return _open_archives.archive(path)


def list_members(path: Path, suffixes: tuple[str, ...]) -> list[str]:
    """Names of an archive's files that end in one of `suffixes`, and of archives inside it, sorted. Raises InputError.

    Hidden files are left out, as in folders.
    """
    names = (name for name in _opened(path).members if name.lower().endswith((*suffixes, *ARCHIVES)))
    return sorted(name for name in names if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def extract(path: Path, name: str, out: Path, beat: Callable[[], None], whole: tuple[str, ...] = ()) -> None:
    """Copy one file of an archive to `out`. Raises InputError.

    Args:
        whole: suffixes of archives that are copied as they are.
        beat: called for every megabyte.
    """
    if is_archive(name) and not name.lower().endswith(whole):
        raise InputError("nested_archive", "an archive inside an archive is not read; unpack the outer one")
    archive = _opened(path)
    member = archive.members.get(name)
    if member is None:
        raise InputError("not_found", "the archive has no file of this name")
    with _explained("the file cannot be taken out of its archive"):
        if isinstance(member, zipfile.ZipInfo):
            _check_zip_member(member)
            assert archive.zip is not None
            file, num_bytes = archive.zip.open(member), member.file_size
        else:
            assert archive.tar is not None
            extracted = archive.tar.extractfile(member)
            assert extracted is not None
            file, num_bytes = extracted, member.size
    if num_bytes > MAX_MEMBER_BYTES:
        raise InputError("too_large", f"the file has {num_bytes:,} bytes, more than {MAX_MEMBER_BYTES:,}")
    written = 0
    with file, out.open("wb") as writer:
        for data in _pieces(file):
            written += len(data)
            if written > num_bytes:
                break
            writer.write(data)
            beat()
    if written != num_bytes:
        raise InputError("damaged", f"the file has not the {num_bytes:,} bytes that its archive promises")


def unpack(path: Path, out: Path, beat: Callable[[], None]) -> None:
    """Write a compressed tar without its compression, so that its files can be found by their place."""
    compressed, written = path.stat().st_size, 0
    with _decompressed(path) as file, out.open("wb") as writer:
        for data in _pieces(file):
            written += len(data)
            if written > BOMB_BYTES * 10 and written > compressed * BOMB_RATIO:
                raise InputError("archive_bomb", f"{compressed:,} bytes would become more than {written:,}")
            writer.write(data)
            beat()


def _decompressed(path: Path) -> Any:
    """A reader of the bytes that a file compresses, by how the file begins."""
    kinds: Mapping[bytes, Callable[[Path], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZ": bz2.open,
        b"\xfd7": lzma.open,
        b"(\xb5": lambda path: pa.input_stream(str(path), compression="zstd"),
    }
    with path.open("rb") as file:
        kind = kinds.get(file.read(2))
    if kind is None:
        raise InputError("damaged", "the archive is not compressed with gzip, bzip2, xz or zstd as its name says")
    return kind(path)


def _pieces(file: Any) -> Iterator[bytes]:
    while True:
        with _explained("the archive cannot be unpacked"):
            data = file.read(COPY_BYTES)
        if not data:
            return
        yield data


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:
        raise InputError("unsupported_compression", f"{what}: {_reason(error)}") from error
    except DAMAGED as error:
        raise InputError("damaged", f"{what}: {_reason(error)}") from error


def _check_zip_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 0x1:
        raise InputError("encrypted", "the file is encrypted in its archive; unpack it with its password")
    if member.file_size > BOMB_BYTES and member.file_size > member.compress_size * BOMB_RATIO:
        raise InputError("archive_bomb", f"{member.compress_size:,} bytes would become {member.file_size:,}")


def _reason(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
