"""The files of a paper: a folder, a compressed .tex, or an archive, whose names nothing is ever written under."""

import gzip
import io
import posixpath
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Protocol

from sources.base.source import InputError, unreadable_file

COPY_BYTES = 1 << 20
MAX_BYTES = 1_000_000_000  # of a paper without its compression
BOMB_BYTES, BOMB_RATIO = 50_000_000, 200  # text shrinks to a tenth, figures of text to a fiftieth
MAX_FILES = 20_000
MAX_FILE_BYTES = 200_000_000
MAX_TEX_BYTES = 20_000_000
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError)


class MissingFile(Exception):
    """A file that a paper names and does not have."""


class PaperFiles(Protocol):
    """The files of a paper by their names inside it."""

    def names(self) -> Sequence[str]:
        """Return the names of all files, sorted; of a folder only those that belong to the paper for sure."""
        ...

    def has(self, name: str) -> bool:
        """Return True if there is a file of this name. Names never lead out of the paper."""
        ...

    def read(self, name: str, max_bytes: int = MAX_TEX_BYTES) -> bytes:
        """Return the content of a file. Raises MissingFile."""
        ...


class Members:
    """The regular files of a zip or tar archive; links, devices and names that lead out of it are left out."""

    def __init__(self, archive: zipfile.ZipFile | tarfile.TarFile, num_bytes: int):
        self._archive = archive
        self._members: dict[str, zipfile.ZipInfo | tarfile.TarInfo] = {}
        total = 0
        for info in archive.infolist() if isinstance(archive, zipfile.ZipFile) else archive:
            if isinstance(info, zipfile.ZipInfo):
                is_file = not (info.is_dir() or stat.S_ISLNK(info.external_attr >> 16))
                name, size = inside(info.filename), info.file_size
            else:
                is_file, name, size = info.isreg(), inside(info.name), info.size
            if not is_file or name is None:
                continue
            total += size
            self._members[name] = info
            if len(self._members) > MAX_FILES:
                raise InputError("archive_too_large", f"the archive holds more than {MAX_FILES:,} files")
            if total > MAX_BYTES or (total > BOMB_BYTES and total > BOMB_RATIO * num_bytes):
                raise InputError("archive_bomb", f"{num_bytes:,} bytes would become more than {total:,}")

    def names(self) -> Sequence[str]:
        return sorted(self._members)

    def has(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str, max_bytes: int = MAX_TEX_BYTES) -> bytes:
        info = self._members.get(name)
        if info is None:
            raise MissingFile(f"{name} is not in the archive")
        try:
            if isinstance(info, zipfile.ZipInfo):
                assert isinstance(self._archive, zipfile.ZipFile)
                file: IO[bytes] | None = self._archive.open(info)
            else:
                assert isinstance(self._archive, tarfile.TarFile)
                file = self._archive.extractfile(info)
            assert file is not None
            with file:
                data = file.read(max_bytes + 1)
        except (*_DAMAGED, NotImplementedError) as error:
            raise MissingFile(f"{name} cannot be taken out of the archive: {error}") from error
        if len(data) > max_bytes:
            raise MissingFile(f"{name} has more than {max_bytes:,} bytes")
        return data


class Folder:
    """The files in the folder of a .tex file and below; links that lead out of it are not followed."""

    def __init__(self, folder: Path):
        self._folder = folder.resolve()

    def names(self) -> Sequence[str]:
        return ()

    def has(self, name: str) -> bool:
        return self._path(name) is not None

    def read(self, name: str, max_bytes: int = MAX_TEX_BYTES) -> bytes:
        path = self._path(name)
        if path is None:
            raise MissingFile(f"{name} is not next to the paper")
        try:
            with path.open("rb") as file:
                data = file.read(max_bytes + 1)
        except OSError as error:
            raise MissingFile(f"{name} cannot be read: {error.strerror}") from error
        if len(data) > max_bytes:
            raise MissingFile(f"{name} has more than {max_bytes:,} bytes")
        return data

    def _path(self, name: str) -> Path | None:
        known = inside(name)
        try:
            path = (self._folder / known).resolve() if known else None
            return path if path and path.is_relative_to(self._folder) and path.is_file() else None
        except (OSError, ValueError, RuntimeError):  # too long, a null byte, a loop of links
            return None


class Single:
    """A compressed .tex file without others."""

    name = "main.tex"

    def __init__(self, data: bytes):
        self._data = data

    def names(self) -> Sequence[str]:
        return (self.name,)

    def has(self, name: str) -> bool:
        return name == self.name

    def read(self, name: str, max_bytes: int = MAX_TEX_BYTES) -> bytes:
        if name != self.name:
            raise MissingFile(f"{name} is not in the file")
        return self._data


def inside(name: str) -> str | None:
    """Return the name of a file in plain form; None if it is absolute or leads out of the paper."""
    if not name or name.startswith(("/", "~", "\\")) or "\0" in name or ":" in name[:2]:
        return None
    plain = posixpath.normpath(name)
    return None if plain in (".", "..") or plain.startswith("../") else plain


@contextmanager
def open_files(path: Path) -> Iterator[tuple[PaperFiles, str | None]]:
    """Open the files of a paper, with the name of its .tex file if the input is that file. Raises InputError."""
    with ExitStack() as stack:
        try:
            head = stack.enter_context(path.open("rb")).read(5)
        except OSError as error:
            raise unreadable_file(error) from error
        if not head:
            raise InputError("empty_file", "the file is empty (0 bytes)")
        if head.startswith(b"%PDF-"):
            raise InputError("no_source", "the paper is a PDF without its LaTeX source")
        num_bytes = path.stat().st_size
        try:
            if head.startswith(b"PK\x03\x04"):
                yield Members(stack.enter_context(zipfile.ZipFile(path)), num_bytes), None
            elif head.startswith(b"\x1f\x8b"):
                yield _compressed(stack, path, num_bytes)
            elif tarfile.is_tarfile(path):
                yield Members(stack.enter_context(tarfile.open(path, "r:")), num_bytes), None
            else:
                yield Folder(path.parent), path.name
        except (zipfile.BadZipFile, tarfile.TarError) as error:
            raise InputError("damaged", f"the archive cannot be opened: {error}") from error


def _compressed(stack: ExitStack, path: Path, num_bytes: int) -> tuple[PaperFiles, str | None]:
    """Unpack a gzip file into a file without a name."""
    plain = stack.enter_context(tempfile.TemporaryFile(prefix="vellum-"))  # noqa: SIM115
    written = 0
    try:
        with gzip.open(path) as file:
            while data := file.read(COPY_BYTES):
                written += len(data)
                if written > MAX_BYTES or (written > BOMB_BYTES and written > BOMB_RATIO * num_bytes):
                    raise InputError("archive_bomb", f"{num_bytes:,} bytes would become more than {written:,}")
                plain.write(data)
    except _DAMAGED as error:
        raise InputError("damaged", f"the file cannot be unpacked: {error}") from error
    plain.seek(0)
    if tarfile.is_tarfile(plain):
        plain.seek(0)
        return Members(stack.enter_context(tarfile.open(fileobj=plain, mode="r:")), num_bytes), None
    if written > MAX_TEX_BYTES:
        raise InputError("not_latex", f"the file unpacks to {written:,} bytes that are no archive and no LaTeX")
    plain.seek(0)
    content = io.BytesIO(plain.read()).getvalue()
    if content.startswith(b"%PDF-"):
        raise InputError("no_source", "the paper is a PDF without its LaTeX source")
    return Single(content), Single.name
