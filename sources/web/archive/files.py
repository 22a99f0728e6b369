"""Archives as the user names them: WARC files, and WACZ, which is a ZIP file of WARC files with a list of pages."""

import hashlib
import io
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from sources.base.stores import Stores

WARC, WACZ = (".warc", ".warc.gz", ".warc.zst"), (".wacz",)
GROUP_BYTES = 4_000_000_000  # of WARC files that are read as one archive, at most
ENDS_BYTES = 1 << 20  # at both ends of a file, by which it is known again
MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 4_000_000_000  # of a WARC file that a WACZ holds compressed once more
MAX_RATIO, FREE_BYTES = 100, 100_000_000  # and at most so many times its size, and these
MAX_LIST_BYTES = 200_000_000
MAX_LISTED = 100_000
COPY_BYTES = 1 << 20
LOCAL_HEADER_BYTES = 30
_LISTS = re.compile(r"pages/(pages|extraPages)\.jsonl")


class ArchiveError(ValueError):
    """An archive that cannot be read at all; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """WARC files that are read together, so that a page in one finds its pictures in another; or one WACZ.

    Args:
        name: the file's name; of several files, the first one's and how many there are.
        paths: the files: absolute paths, and URIs of objects, which are brought before they are read.
        digest: of their sizes and ends, 16 hex digits; not of their names.
    """

    name: str
    paths: tuple[str, ...]
    digest: str

    @property
    def is_in_store(self) -> bool:
        return any("://" in path for path in self.paths)

    def with_copies(self, copies: Mapping[str, Path]) -> "Archive":
        """Return the archive with local copies of objects; what has none cannot be read."""
        return replace(self, paths=tuple(str(copies.get(path, path)) for path in self.paths))


def is_archive(entry: str) -> bool:
    """Return True if a name ends like a web archive's."""
    return entry.lower().endswith((*WARC, *WACZ))


def archives_of(names: Sequence[str], stores: Stores) -> Iterator[Archive]:
    """Group files that were named together: WARC files of one folder, as far as they are not too large, and each WACZ.

    Args:
        names: paths, and URIs of objects in `stores`.

    Raises:
        ValueError: a file cannot be read.
    """
    packed = sorted(name for name in set(names) if name.lower().endswith(WACZ))
    group: list[_File] = []
    size = 0
    for name in sorted(set(names).difference(packed)):
        file = _File.of(name, stores)
        if group and (group[-1].folder != file.folder or size + file.size > GROUP_BYTES):
            yield _archive(group)
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield _archive(group)
    yield from (_archive([_File.of(name, stores)]) for name in packed)


@dataclass(frozen=True, slots=True)
class _File:
    """A file or object: its absolute path or URI, its size, and by what it is known again."""

    place: str
    size: int
    mark: bytes

    @property
    def folder(self) -> str:
        return self.place.rpartition("/")[0]

    @classmethod
    def of(cls, name: str, stores: Stores) -> "_File":
        is_object = stores.holds(name)
        try:
            with stores.open(name) if is_object else Path(name).open("rb") as file:
                size = file.seek(0, 2)
                mark = str(size).encode()
                for place in (0, max(0, size - ENDS_BYTES)):
                    file.seek(place)
                    mark += hashlib.sha256(file.read(ENDS_BYTES)).digest()
        except OSError as error:
            raise ValueError(f"--input {name}: {error.strerror or error}") from error
        return cls(name if is_object else str(Path(name).absolute()), size, mark)


def _archive(files: Sequence[_File]) -> Archive:
    digest = hashlib.sha256(b"".join(file.mark for file in files))
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return Archive(
        name=files[0].place.rpartition("/")[2] + more,
        paths=tuple(file.place for file in files),
        digest=digest.hexdigest()[:16],
    )


@dataclass(frozen=True, slots=True)
class WarcFile:
    """A WARC file, possibly inside a WACZ: its name, and an open file."""

    name: str
    file: BinaryIO


def open_files(archive: Archive, scratch: Path) -> tuple[list[WarcFile], list[str] | None, list[tuple[str, str]]]:
    """Open the WARC files of an archive.

    Args:
        scratch: folder for WARC files that a WACZ holds compressed.

    Returns:
        The files; the URLs of pages that a WACZ lists, or None without a list; and what cannot be read, as (file, why).
    """
    files: list[WarcFile] = []
    failed: list[tuple[str, str]] = []
    pages: list[str] | None = None
    for path in map(Path, archive.paths):
        try:
            if path.name.lower().endswith(WACZ):
                found, pages = _open_wacz(path, scratch)
                files += [WarcFile(f"{path.name}/{each.name}", each.file) for each in found]
            else:
                files.append(WarcFile(path.name, path.open("rb")))
        except ArchiveError as error:
            failed.append((path.name, str(error)))
        except OSError as error:
            failed.append((path.name, f"it cannot be read: {error.strerror or error}"))
    return files, pages, failed


def _open_wacz(path: Path, scratch: Path) -> tuple[list[WarcFile], list[str] | None]:
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            if len(members) > MAX_MEMBERS:
                raise ArchiveError(f"it holds more than {MAX_MEMBERS:,} files")
            wanted = {m.header_offset: m for m in members if _is_warc(m.filename)}  # each place once: bombs overlap
            files = [_open_member(packed, path, member, scratch) for member in wanted.values()]
            lists = [member for member in members if _LISTS.fullmatch(member.filename)]
            pages = [url for member in lists for url in _listed(packed, member)]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as error:
        raise ArchiveError(f"it is no ZIP file that can be read: {error}") from error
    if not files:
        raise ArchiveError("it is a ZIP file without WARC files in its folder archive/")
    return files, pages or None


def _is_warc(name: str) -> bool:
    return name.startswith("archive/") and name.lower().endswith(WARC)


def _open_member(packed: zipfile.ZipFile, path: Path, member: zipfile.ZipInfo, scratch: Path) -> WarcFile:
    name = member.filename.removeprefix("archive/")
    if member.flag_bits & 1:
        raise ArchiveError("it is encrypted")
    if member.compress_type == zipfile.ZIP_STORED:  # as it should be, so that records can be found in place
        file = path.open("rb")
        file.seek(member.header_offset)
        head = file.read(LOCAL_HEADER_BYTES)
        if len(head) < LOCAL_HEADER_BYTES:
            raise ArchiveError("it breaks off")
        begin = LOCAL_HEADER_BYTES + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        part = _Part(file, member.header_offset + begin, member.file_size)
        return WarcFile(name, cast(BinaryIO, io.BufferedReader(part)))
    copy = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115
    left = most = min(MAX_UNPACKED_BYTES, MAX_RATIO * member.compress_size + FREE_BYTES)
    with packed.open(member) as source:
        while data := source.read(COPY_BYTES):
            left -= len(data)
            if left < 0:
                raise ArchiveError(f"it unpacks to more than {most:,} bytes")
            copy.write(data)
    return WarcFile(name, cast(BinaryIO, copy))


class _Part(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, file: BinaryIO, begin: int, size: int):
        self._file, self._begin = file, begin
        file.seek(0, 2)
        self._size = max(0, min(size, file.tell() - begin))
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._file.seek(self._begin + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _listed(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> list[str]:
    """Return the URLs of pages in a list: JSON Lines, of which those without a URL are left out."""
    urls: list[str] = []
    left = MAX_LIST_BYTES
    with packed.open(member) as file:
        while left > 0 and len(urls) < MAX_LISTED and (line := file.readline(left)):
            left -= len(line)
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict) and isinstance(row.get("url"), str):
                urls.append(row["url"])
    return urls
