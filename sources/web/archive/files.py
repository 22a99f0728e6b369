"""Archives as the user names them: WARC files, and WACZ, which is a ZIP file of WARC files with a list of pages."""

import hashlib
import io
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

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
        paths: the files.
        digest: of their sizes and ends, 16 hex digits; not of their names.
    """

    name: str
    paths: tuple[str, ...]
    digest: str


def is_archive(entry: str) -> bool:
    """Return True if a name ends like a web archive's."""
    return entry.lower().endswith((*WARC, *WACZ))


def archives_of(paths: Sequence[Path]) -> Iterator[Archive]:
    """Group files that were named together: WARC files of one folder, as far as they are not too large, and each WACZ.

    Raises:
        ValueError: a file cannot be read.
    """
    packed = sorted(path for path in set(paths) if path.name.lower().endswith(WACZ))
    group: list[Path] = []
    size = 0
    for path in sorted(set(paths).difference(packed)):
        more = path.stat().st_size if path.is_file() else 0
        if group and (group[-1].parent != path.parent or size + more > GROUP_BYTES):
            yield _archive(group)
            group, size = [], 0
        group.append(path)
        size += more
    if group:
        yield _archive(group)
    yield from (_archive([path]) for path in packed)


def _archive(paths: Sequence[Path]) -> Archive:
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                digest.update(str(size).encode())
                for place in (0, max(0, size - ENDS_BYTES)):
                    file.seek(place)
                    digest.update(hashlib.sha256(file.read(ENDS_BYTES)).digest())
        except OSError as error:
            raise ValueError(f"--input {path}: {error.strerror or error}") from error
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Archive(
        name=paths[0].name + more, paths=tuple(str(path.absolute()) for path in paths), digest=digest.hexdigest()[:16]
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
