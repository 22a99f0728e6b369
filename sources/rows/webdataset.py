"""WebDataset: tar files in which neighbouring files of one name and several suffixes are one row."""

import tarfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sources.base.source import InputError, ItemError
from sources.rows.bytes_file import BytesFile
from sources.rows.json_lines import names_of
from sources.rows.row import Rows, decoded, object_of

IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")
TEXT_SUFFIXES = ("txt", "text", "caption")
IMAGES, TEXT = "images", "text"  # names of columns for the files of a row, in addition to the fields of its JSON
MAX_MEMBERS = 2_000_000
MAX_INDICES = 4  # that a process keeps


@dataclass(slots=True)
class Group:
    """The files of one row: place and size in the tar by suffix.

    Args:
        error: cause and message, if the row is an error.
    """

    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    error: tuple[str, str] | None = None


_indices: OrderedDict[str, list[Group]] = OrderedDict()


class WebDataset(Rows):
    """The rows of a tar. Nothing is unpacked: files are read where they are, so that names and links have no effect.

    A row has the fields of its JSON file, its images as bytes under `images`, and its text file under `text`.
    """

    def __init__(self, file: BytesFile, digest: str, max_bytes: int, encodings: Sequence[str]):
        if digest not in _indices:
            _indices[digest] = _groups(file)
        _indices.move_to_end(digest)
        while len(_indices) > MAX_INDICES:
            _indices.popitem(last=False)
        self._file = file
        self._max_bytes = max_bytes
        self._encodings = encodings
        self._groups = _indices[digest]
        self.names = names_of(self)

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, number: int) -> Mapping[str, Any]:
        group = self._groups[number]
        if group.error is not None:
            raise ItemError(*group.error)
        row: dict[str, Any] = {}
        images = []
        for suffix, (offset, size) in group.files.items():
            kind = suffix.rpartition(".")[2]
            if kind not in (*IMAGE_SUFFIXES, *TEXT_SUFFIXES, "json"):
                continue
            if size > self._max_bytes:
                raise ItemError("row_too_long", f"the file {suffix} of the row has {size:,} bytes")
            data = self._file.read(offset, size)
            if kind in IMAGE_SUFFIXES:
                images.append(data)
            elif kind == "json":
                row = {**object_of(data, self._encodings), **row}
            else:
                row[TEXT] = decoded(data, self._encodings)
        return {**row, IMAGES: images} if images else row


class _Reader:
    """A file object for `tarfile` over a BytesFile."""

    def __init__(self, file: BytesFile):
        self._file = file
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._at, self._file.num_bytes - self._at if size < 0 else size)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._file.num_bytes)[whence]
        return self._at

    def tell(self) -> int:
        return self._at


def _groups(file: BytesFile) -> list[Group]:
    groups: list[Group] = []
    last = None
    try:
        for count, member in enumerate(_members(file)):
            if member.isdir():
                continue
            if count >= MAX_MEMBERS:
                raise InputError("archive_too_large", f"the tar holds more than {MAX_MEMBERS:,} files")
            folder, _, name = member.name.rpartition("/")
            stem, _, suffix = name.partition(".")
            if not stem:  # hidden files, such as those that macOS writes beside each file
                continue
            if (folder, stem) != last:
                groups.append(Group())
                last = (folder, stem)
            group = groups[-1]
            if member.name.startswith("/") or ".." in member.name.split("/"):
                group.error = ("unsafe_name", f"the file {member.name!r:.200} is named as if outside of its tar")
            elif not member.isreg() or member.issparse():
                group.error = ("not_a_file", f"{member.name!r:.200} is no plain file")
            elif member.offset_data + member.size > file.num_bytes:
                group.error = ("damaged", "the tar ends inside this row")
            elif suffix.lower() in group.files:
                group.error = ("repeated_name", f"the tar has several files {member.name!r:.200} for this row")
            group.files[suffix.lower()] = (member.offset_data, member.size)
    except tarfile.TarError as error:
        if not groups:
            raise InputError("not_a_tar", f"the file is not a readable tar: {error}") from error
        groups.append(Group(error=("damaged", f"the tar cannot be read from here on: {error}")))
    return groups


def _members(file: BytesFile) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(fileobj=_Reader(file), mode="r:") as tar:  # type: ignore[call-overload]  # what it needs of a file
        while (member := tar.next()) is not None:
            tar.members.clear()  # they are not needed again
            yield member
        if file.read(tar.offset, tarfile.BLOCKSIZE).strip(b"\0"):  # tarfile takes what it cannot read for the end
            raise tarfile.ReadError("what follows is no header of a file")
