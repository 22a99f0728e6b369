"""Lines of a large file by number, found again without reading what is before them."""

from collections import OrderedDict

import numpy as np

from sources.base.source import ItemError
from sources.rows.bytes_file import BytesFile

STRIDE = 64  # lines whose place is not remembered between two that are: eight bytes for 64 lines
BLOCK_BYTES = 4 << 20
READ_BYTES = 1 << 18
MAX_INDICES = 16  # that a process keeps
_NEWLINE = 10
_BLANK = np.isin(np.arange(256), list(b" \t\r\v\f"))

Index = tuple[np.ndarray, int]  # place of every `STRIDE`th line that is not blank, and the number of such lines
_indices: OrderedDict[str, Index] = OrderedDict()


class Lines:
    """Lines of a file that are not blank, without their ends.

    Args:
        digest: sha256 of the file, under which a process keeps the index.
        max_bytes: a longer line is an error.
    """

    def __init__(self, file: BytesFile, digest: str, max_bytes: int):
        self._file = file
        self._max_bytes = max_bytes
        if digest not in _indices:
            _indices[digest] = index_lines(file)
        _indices.move_to_end(digest)
        while len(_indices) > MAX_INDICES:
            _indices.popitem(last=False)
        self._starts, self._num_lines = _indices[digest]
        self._next = -1  # number of the line that begins at `_offset` + `_at`
        self._offset, self._at, self._buffer = 0, 0, b""

    def __len__(self) -> int:
        return self._num_lines

    def __getitem__(self, number: int) -> bytes:
        """Return a line. Raises ItemError if it is longer than `max_bytes`."""
        if not self._next <= number <= self._next + STRIDE or self._next < 0:
            self._next = number - number % STRIDE
            self._offset, self._at, self._buffer = int(self._starts[number // STRIDE]), 0, b""
        line = None
        while self._next <= number:
            line = self._line()
            self._next += line is None or bool(line.strip())
        if line is None:
            raise ItemError("row_too_long", f"the row is longer than {self._max_bytes:,} bytes")
        return line

    def _line(self) -> bytes | None:
        """Return the next line, blank or not; None for one that is too long, of which nothing is kept."""
        is_too_long = has_text = False
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            kept = self._buffer[self._at :]
            if is_too_long or len(kept) > self._max_bytes:
                is_too_long, has_text, kept = True, has_text or bool(kept.strip()), b""
            read_to = self._offset + len(self._buffer)
            more = self._file.read(read_to, READ_BYTES)
            self._offset, self._at, self._buffer = read_to - len(kept), 0, kept + more
            if not more:
                end = len(self._buffer)
                break
        line = self._buffer[self._at : end]
        self._at = end + 1
        is_too_long |= len(line) > self._max_bytes
        return None if is_too_long and (has_text or line.strip()) else line


def index_lines(file: BytesFile) -> Index:
    """Find the lines that are not blank, in one pass over the bytes."""
    starts: list[np.ndarray] = []
    num_lines = place = 0
    begins_line, is_open = (
        0,
        False,
    )  # start of the line that goes on over the end of a block; has it been seen to be text
    for block in file.blocks(BLOCK_BYTES):
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        firsts = np.concatenate([[0], ends + 1])
        visible = _has_text(data, firsts, ends)
        places = firsts + place
        places[0] = begins_line
        visible[0] |= is_open
        counted = places[:-1][visible[:-1]]
        first_kept = -num_lines % STRIDE
        starts.append(counted[first_kept::STRIDE])
        num_lines += len(counted)
        begins_line, is_open = int(places[-1]), bool(visible[-1])
        place += len(block)
    if is_open:
        if num_lines % STRIDE == 0:
            starts.append(np.array([begins_line]))
        num_lines += 1
    return np.concatenate(starts).astype(np.int64) if starts else np.zeros(0, np.int64), num_lines


def _has_text(data: np.ndarray, firsts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(L,) True for lines that hold more than white space.

    Args:
        firsts: (L,) where lines begin.
        ends: (L - 1,) where they end; the last one goes on after the block.
    """
    lasts = np.append(ends, len(data))
    found: np.ndarray = firsts < lasts
    found[found] = ~_BLANK[data[firsts[found]]]
    for k in np.flatnonzero(~found & (firsts < lasts)):  # lines that begin with white space are few
        found[k] = not _BLANK[data[firsts[k] : lasts[k]]].all()
    return found
