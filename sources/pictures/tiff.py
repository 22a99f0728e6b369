"""The directories of a TIFF file: which of them are pages, and where the chain of them breaks."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

MAX_DIRECTORIES = 100_000
SUBFILE_TYPE = 254
NO_PAGE = 0b101  # bits of the subfile type: a smaller copy, or a mask, of another picture


@dataclass(frozen=True, slots=True)
class Directories:
    """The directories of a file.

    Args:
        pages: numbers of those that are pages, counted from 0.
        fault: why the rest of the file cannot be found; empty if there is none.
    """

    pages: list[int]
    fault: str = ""


def read_directories(file: BinaryIO) -> Directories:
    """Follow the chain of directories of a TIFF or BigTIFF file."""
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    try:
        is_big = struct.unpack_from(order + "H", head, 2)[0] == 43
        (offset,) = struct.unpack_from(order + ("Q" if is_big else "I"), head, 8 if is_big else 4)
    except struct.error:
        return Directories([], "the file ends in its header")
    pages: list[int] = []
    visited: set[int] = set()
    while offset:
        number = len(visited)
        if offset in visited:
            return Directories(pages, f"directory {number} of the file leads back to an earlier one")
        if number >= MAX_DIRECTORIES:
            return Directories(pages, f"the file has more than {MAX_DIRECTORIES:,} directories")
        visited.add(offset)
        try:
            offset, is_page = _directory(file, order, is_big, offset)
        except (struct.error, OSError, OverflowError):
            return Directories(pages, f"directory {number + 1} is outside of the file")
        if is_page:
            pages.append(number)
    return Directories(pages)


def _directory(file: BinaryIO, order: str, is_big: bool, offset: int) -> tuple[int, bool]:
    """Return where the next directory is (0: nowhere), and whether this one is a page. Raises struct.error."""
    count_form, entry_bytes, link_form = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    file.seek(offset)
    (num_entries,) = struct.unpack(order + count_form, file.read(struct.calcsize(order + count_form)))
    if num_entries > 65535:
        raise struct.error("no directory has so many entries")
    entries = file.read(num_entries * entry_bytes)
    (following,) = struct.unpack(order + link_form, file.read(struct.calcsize(order + link_form)))
    for start in range(0, num_entries * entry_bytes, entry_bytes):
        tag, kind = struct.unpack_from(order + "HH", entries, start)
        if tag == SUBFILE_TYPE:
            place = start + (12 if is_big else 8)
            (value,) = struct.unpack_from(order + ("H" if kind == 3 else "I"), entries, place)
            return following, not value & NO_PAGE
    return following, True
