"""Plain text of any size as chunks, each found without reading the others."""

import re

from sources.rows.bytes_file import BytesFile

# Where a text may be cut, best first: between paragraphs, lines, sentences, words.
_CUTS = tuple(re.compile(pattern) for pattern in (rb"\n[ \t\r]*\n", rb"\n", rb"[.!?]\s|\xe3\x80\x82", rb"\s"))


class Chunks:
    """A text in chunks of at most `chunk_bytes`, of more than half of that except the last, cut at the best place.

    A cut is looked for in the half chunk before every multiple of `chunk_bytes`, so that it depends on nothing else.
    """

    def __init__(self, file: BytesFile, chunk_bytes: int):
        self._file = file
        self._chunk_bytes = chunk_bytes

    def __len__(self) -> int:
        return -(-self._file.num_bytes // self._chunk_bytes)

    def __getitem__(self, number: int) -> bytes:
        first = self._cut(number)
        return self._file.read(first, self._cut(number + 1) - first)

    def _cut(self, number: int) -> int:
        """Return the place where chunk `number` begins."""
        latest = number * self._chunk_bytes
        if number == 0 or latest >= self._file.num_bytes:
            return min(latest, self._file.num_bytes)
        earliest = latest - self._chunk_bytes // 2
        window = self._file.read(earliest, latest - earliest)
        for cut in _CUTS:
            ends = [found.end() for found in cut.finditer(window)]
            if ends:
                return earliest + ends[-1]
        place = len(window)
        following = self._file.read(latest, 1)
        while place > 1 and following and following[0] & 0xC0 == 0x80:  # inside a character
            place -= 1
            following = window[place : place + 1]
        return earliest + place
