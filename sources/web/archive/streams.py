"""Bytes of a file from a place on, decompressed if a gzip member begins there, within bounds."""

import zlib
from typing import BinaryIO

CHUNK_BYTES = 65_536
GZIP = b"\x1f\x8b"


class RecordError(Exception):
    """A record that cannot be read; the message is the end of a sentence about it."""


class Stream:
    """The bytes of a file from an offset to the end of its gzip member, or of the file where it is not compressed.

    However much a member decompresses to, only a chunk of it is in memory.

    Args:
        file: a seekable file; between two calls others may move its position.

    Attributes:
        is_gzip: whether a gzip member begins at the offset.
        num_read: bytes that were read or skipped so far, decompressed.
    """

    def __init__(self, file: BinaryIO, offset: int):
        self._file, self._raw_at = file, offset
        file.seek(offset)
        self.is_gzip = file.read(2) == GZIP
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if self.is_gzip else None
        self._waiting = b""  # compressed
        self._ready = b""
        self.num_read = 0

    @property
    def end(self) -> int:
        """Offset in the file behind what was read; behind the whole member if it is compressed and read to its end."""
        unread = len(self._waiting) + (len(self._inflate.unused_data) if self._inflate else len(self._ready))
        return self._raw_at - unread

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none only at the end. Raises RecordError."""
        if not self._ready:
            self._fill()
        data, self._ready = self._ready[:size], self._ready[size:]
        self.num_read += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """Return the next bytes without reading them; fewer only at the end. Raises RecordError."""
        while len(self._ready) < size:
            before = self._ready
            self._ready = b""
            self._fill()
            is_end = not self._ready
            self._ready = before + self._ready
            if is_end:
                break
        return self._ready[:size]

    def line(self, most: int) -> bytes:
        """Return the next line with its end; at the end of the stream it may have none.

        Raises:
            RecordError: it has more than `most` bytes.
        """
        parts: list[bytes] = []
        size = 0
        while True:
            if not self._ready:
                self._fill()
            found = self._ready.find(b"\n") + 1
            part = self._ready[:found] if found else self._ready
            self._ready = self._ready[len(part) :]
            parts.append(part)
            size += len(part)
            self.num_read += len(part)
            if size > most:
                raise RecordError("its head is too long")
            if found or not part:
                return b"".join(parts)

    def skip(self, size: int) -> None:
        """Leave bytes out. Raises RecordError if there are not so many."""
        if self._inflate is None and size > len(self._ready):  # without reading them
            self._file.seek(0, 2)
            left = size - len(self._ready)
            if self._raw_at + left > self._file.tell():
                raise RecordError("the file ends before it does")
            self._ready = b""
            self._raw_at += left
            self.num_read += size
            return
        while size:
            data = self.read(min(size, CHUNK_BYTES))
            if not data:
                raise RecordError("the file ends before it does")
            size -= len(data)

    def _fill(self) -> None:
        """Read the next chunk into `_ready`, unless this is the end."""
        while not self._ready:
            if self._inflate is not None and self._inflate.eof:
                return
            raw = self._waiting or self._raw()
            if self._inflate is None:
                self._ready = raw
                return
            if not raw:
                raise RecordError("its gzip data break off")
            try:
                self._ready = self._inflate.decompress(raw, CHUNK_BYTES)
            except zlib.error as error:
                raise RecordError("its gzip data are damaged") from error
            self._waiting = b"" if self._inflate.eof else self._inflate.unconsumed_tail

    def _raw(self) -> bytes:
        self._file.seek(self._raw_at)
        data = self._file.read(CHUNK_BYTES)
        self._raw_at += len(data)
        return data
