"""JSON files that are one array of objects, read without keeping more than one of them."""

import codecs
import json
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sources.base.source import InputError, ItemError
from sources.rows.bytes_file import BytesFile
from sources.rows.json_lines import names_of
from sources.rows.row import Rows, object_of

PIECE_BYTES = 1 << 20
MAX_INDICES = 8  # that a process keeps
_SPACE = re.compile(r"[ \t\r\n]*")

Index = tuple[np.ndarray, str]  # (N, 2) first byte and end of every element; why the array breaks off, or nothing
_indices: OrderedDict[str, Index] = OrderedDict()


class JsonArray(Rows):
    """The objects in a JSON array. What comes after an element that is not JSON is one row, which is an error."""

    def __init__(self, file: BytesFile, digest: str, max_bytes: int, encodings: Sequence[str]):
        if digest not in _indices:
            _indices[digest] = _Scanner(file, max_bytes).index()
        _indices.move_to_end(digest)
        while len(_indices) > MAX_INDICES:
            _indices.popitem(last=False)
        self._file = file
        self._max_bytes = max_bytes
        self._encodings = encodings
        self._places, self._broken = _indices[digest]
        self.names = names_of(self)

    def __len__(self) -> int:
        return len(self._places) + bool(self._broken)

    def __getitem__(self, number: int) -> Mapping[str, Any]:
        if number >= len(self._places):
            raise ItemError("not_json", self._broken)
        first, end = map(int, self._places[number])
        if end - first > self._max_bytes:
            raise ItemError("row_too_long", f"the row is longer than {self._max_bytes:,} bytes")
        return object_of(self._file.read(first, end - first), self._encodings)


class _Scanner:
    """Finds the elements of an array with the decoder of the standard library, on a window of the text."""

    def __init__(self, file: BytesFile, max_bytes: int):
        self._file = file
        self._max_chars = 2 * max_bytes
        # Bytes that are not UTF-8 become surrogates here; the row that holds them is an error when it is read.
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._read = 0
        self._text, self._at = "", 0
        self._place = 0  # in bytes, of the text at `_at`

    def index(self) -> Index:
        places: list[tuple[int, int]] = []
        if self._next() != "[":
            raise InputError("not_json", "the file is not a JSON array")
        self._advance(self._at + 1)
        broken = ""
        while (following := self._next()) != "]":
            if not following:
                broken = f"the array breaks off at byte {self._place:,}"
                break
            first = self._place
            if not self._element():
                broken = f"what follows in the array is not JSON at byte {first:,}, and is not read"
                break
            places.append((first, self._place))
            if self._next() == ",":
                self._advance(self._at + 1)
            elif self._next() not in ("]", ""):
                broken = f"no comma after the element of the array that ends at byte {self._place:,}"
                break
        return np.array(places, np.int64).reshape(-1, 2), broken

    def _next(self) -> str:
        """Pass over white space. Gives the next character, nothing at the end of the file."""
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            self._advance(found.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _element(self) -> bool:
        """Pass over an element; False if there is none, or none of the size that a row may have."""
        decoder = json.JSONDecoder()
        while True:
            try:
                _, end = decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                # Only an element that is cut by the end of the window is read again with more of the text.
                is_cut = isinstance(error, json.JSONDecodeError)
                if not is_cut or len(self._text) - self._at > self._max_chars or not self._more(grow=True):
                    return False
                continue
            if end == len(self._text) and self._more():  # a number may go on
                continue
            self._advance(end)
            return True

    def _advance(self, at: int) -> None:
        passed = self._text[self._at : at]
        self._place += len(passed) if passed.isascii() else len(passed.encode("utf-8", "surrogateescape"))
        self._at = at

    def _more(self, grow: bool = False) -> bool:
        """Read on; False at the end of the file. With `grow`, the window doubles, so that a large element is cheap."""
        size = max(PIECE_BYTES, (len(self._text) - self._at) if grow else 0)
        data = self._file.read(self._read, size)
        self._read += len(data)
        self._text = self._text[self._at :] + self._decode(data, not data)
        self._at = 0
        return bool(data)
