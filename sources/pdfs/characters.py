"""Characters of a page from PyMuPDF, read from MuPDF's memory.

PyMuPDF has no fast way to the characters of a page: `rawdict` takes four times as long as `words`. MuPDF keeps them in
linked lists of C structures, whose layout its public header `mupdf/fitz/structured-text.h` declares. They are read in
whole runs here, since MuPDF allocates the characters of a line next to each other. Before that, the layout is compared
with the fields that PyMuPDF's own bindings give; if it differs, they are read through the bindings, with equal result.
"""

import ctypes
import struct
from typing import Any

import numpy as np
import pymupdf

from sources.pdfs.actual_text import is_shaped, merged
from sources.pdfs.font_sizes import with_plausible_sizes
from sources.text.characters import Characters, boxes_around

_CHARACTER = np.dtype(
    [
        ("code", "<i4"),
        ("bidi", "<u2"),
        ("flags", "<u2"),
        ("colour", "<u4"),
        ("origin", "<f4", 2),
        ("corners", "<f4", (4, 2)),
        ("size", "<f4"),
        ("font", "<u8"),
        ("next", "<u8"),
    ]
)
_SIZE = _CHARACTER.itemsize
_STRIDE, _NEXT = _SIZE // 8, _SIZE // 8 - 1  # in 8-byte words: from a character to its neighbour; place of `next`
# type, id, box (4), first line, 3 more words, previous, next
_BLOCK = struct.Struct("<2i4f4Q2Q")
# vertical, flags, direction (2), box (4), first and last character, previous, next
_LINE = struct.Struct("<2B2x2f4f4x4Q")
_MEMORY_PAGE = 4096  # bytes; the smallest unit of memory that is readable as a whole
_TEXT_BLOCK = 0
_INSERTED, _FILLED, _STROKED = 4, 16, 32  # flags of a character


def characters_of(drawn: pymupdf.DisplayList, textpage: pymupdf.TextPage, flags: int) -> Characters:
    """Return the characters of a page that are inside its box.

    Args:
        textpage: made from `drawn` with `flags`.
    """

    def read_again(extra: int) -> Characters:
        return _read(pymupdf.TextPage(drawn.get_textpage(flags | extra)))

    characters = _read(textpage)
    if is_shaped(characters.codes):
        characters = merged(characters, read_again(pymupdf.TEXT_IGNORE_ACTUALTEXT))
    return with_plausible_sizes(characters, lambda: read_again(pymupdf.TEXT_ACCURATE_BBOXES))


def _read(textpage: pymupdf.TextPage) -> Characters:
    read = _from_memory if _layout_is_known(textpage) else _from_bindings
    return _characters(*read(textpage), textpage.rect)


def _characters(records: np.ndarray, counts: np.ndarray, lines: np.ndarray, page: pymupdf.Rect) -> Characters:
    corners = records["corners"].astype(np.float64)
    boxes = boxes_around(corners)
    x0, y0, x1, y1 = boxes.T
    inside = (x1 >= page.x0) & (x0 <= page.x1) & (y1 >= page.y0) & (y0 <= page.y1) & (records["size"] > 0)
    pieces, kept = np.repeat(np.arange(len(counts)), counts), np.arange(len(counts))
    if not inside.all():
        records, corners, boxes = records[inside], corners[inside], boxes[inside]
        kept, pieces = np.unique(pieces[inside], return_inverse=True)
    flags = records["flags"]
    return Characters(
        codes=records["code"],
        origins=records["origin"].astype(np.float64),
        boxes=boxes,
        corners=corners,
        sizes=records["size"].astype(np.float64),
        colours=records["colour"],
        painted=flags & (_FILLED | _STROKED) != 0,
        inserted=flags & _INSERTED != 0,
        fonts=records["font"],
        pieces=pieces,
        directions=lines[kept, :2],
        vertical=lines[kept, 2] != 0,
        blocks=lines[kept, 3].astype(np.int64),
    )


_known_layout: bool | None = None


def _layout_is_known(textpage: pymupdf.TextPage) -> bool:
    """Return True if MuPDF's structures are laid out as they are read here; tested on the first page with text."""
    global _known_layout
    if _known_layout is None:
        for block in textpage.this:
            for line in block if block.m_internal.type == _TEXT_BLOCK else ():
                if (first := line.m_internal.first_char) and first.next:
                    _known_layout = _is_laid_out(block.m_internal, line.m_internal, first)
                    return _known_layout
        return False
    return _known_layout


def _is_laid_out(block: Any, line: Any, character: Any) -> bool:
    """Return True if the fields of these objects of PyMuPDF are those in their memory."""
    address = {name: int(value.this) for name, value in (("block", block), ("line", line), ("character", character))}
    kind, _, x0, *_, first_line, _, _, _, _, next_block = _BLOCK.unpack(ctypes.string_at(address["block"], _BLOCK.size))
    vertical, _, dx, dy, *box, first, last, _, next_line = _LINE.unpack(ctypes.string_at(address["line"], _LINE.size))
    record = np.frombuffer(ctypes.string_at(address["character"], _SIZE), _CHARACTER)[0]
    return (
        (kind, x0, first_line, next_block) == (block.type, block.bbox.x0, address["line"], _address(block.next))
        and (vertical, dx, dy, box[3]) == (line.wmode, line.dir.x, line.dir.y, line.bbox.y1)
        and (first, last, next_line) == (address["character"], _address(line.last_char), _address(line.next))
        and (record["code"], record["flags"], record["colour"]) == (character.c, character.flags, character.argb)
        and tuple(record["origin"]) == (character.origin.x, character.origin.y)
        and tuple(record["corners"][[0, 3], 1]) == (character.quad.ul.y, character.quad.lr.y)
        and (record["size"], record["font"]) == (character.size, _address(character.font))
        and record["next"] == _address(character.next)
    )


def _address(pointed: Any) -> int:
    return int(pointed.this) if pointed else 0


def _from_memory(textpage: pymupdf.TextPage) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the (N,) records of all characters, the (P,) number of each line, and (P, 4) facts about the lines.

    The facts are the direction (x, y), whether the line is vertical, and its block.
    """
    lines: list[tuple[float, float, int, int]] = []
    counts: list[int] = []
    pieces: list[bytes] = []
    address, number = _address(textpage.this.m_internal.first_block), 0
    while address:
        kind, _, _, _, _, _, line, _, _, _, _, address = _BLOCK.unpack(ctypes.string_at(address, _BLOCK.size))
        while line and kind == _TEXT_BLOCK:
            vertical, _, x, y, _, _, _, _, first, _, _, line = _LINE.unpack(ctypes.string_at(line, _LINE.size))
            if first:
                lines.append((x, y, vertical, number))
                counts.append(_append_linked(first, pieces))
        number += 1
    records = np.frombuffer(b"".join(pieces), _CHARACTER)
    return records, np.array(counts, np.int64), np.array(lines, np.float64).reshape(-1, 4)


def _append_linked(address: int, pieces: list[bytes]) -> int:
    """Append the linked list of characters that begins at `address`, and return how many it has.

    Each step reads a run of neighbours: from a character that exists to the end of the memory page that holds its last
    byte, which is therefore readable. The run ends where the next character is not the neighbour.
    """
    number = 0
    while address:
        room = ((address + _SIZE - 1) | (_MEMORY_PAGE - 1)) + 1 - address
        read = ctypes.string_at(address, room // _SIZE * _SIZE)
        length, neighbour = 0, address
        for address in memoryview(read).cast("Q")[_NEXT::_STRIDE].tolist():
            length, neighbour = length + 1, neighbour + _SIZE
            if address != neighbour:
                break
        pieces.append(read[: length * _SIZE])
        number += length
    return number


def _from_bindings(textpage: pymupdf.TextPage) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what `_from_memory` returns, from PyMuPDF's bindings, many times slower."""
    records, counts, lines = [], [], []
    for number, block in enumerate(textpage.this):
        for line in block if block.m_internal.type == _TEXT_BLOCK else ():
            count = 0
            for character in line:
                c = character.m_internal
                corners = [(corner.x, corner.y) for corner in (c.quad.ul, c.quad.ur, c.quad.ll, c.quad.lr)]
                origin = (c.origin.x, c.origin.y)
                records.append((c.c, c.bidi, c.flags, c.argb, origin, corners, c.size, _address(c.font), 0))
                count += 1
            if count:
                counts.append(count)
                lines.append((line.m_internal.dir.x, line.m_internal.dir.y, line.m_internal.wmode, number))
    array = np.array(records, _CHARACTER) if records else np.zeros(0, _CHARACTER)
    return array, np.array(counts, np.int64), np.array(lines, np.float64).reshape(-1, 4)
