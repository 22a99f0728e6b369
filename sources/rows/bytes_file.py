"""The bytes of a file without its compression and in UTF-8, read at any place."""

import bz2
import codecs
import lzma
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from sources.base.source import InputError, unreadable_file

COPY_BYTES = 1 << 20
BOMB_BYTES, BOMB_RATIO = 1_000_000_000, 200  # so large and so much larger than the file: no text shrinks so well
MAX_UNPACKED = 2  # unpacked files that a process keeps; units of one file follow each other
ENCODINGS: Mapping[bytes, str] = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Errors of the libraries over damaged files; a full disk is an OSError while writing, and not among them.
DAMAGED = (EOFError, OSError, ValueError, lzma.LZMAError, pa.ArrowException)


class BytesFile:
    """An open file that is read at places, so that several readers do not disturb each other.

    Args:
        start: bytes of a byte order mark, which are not part of the content.
    """

    def __init__(self, descriptor: int, start: int = 0):
        self._descriptor = descriptor
        self._start = start
        self.num_bytes = os.fstat(descriptor).st_size - start

    def read(self, offset: int, num_bytes: int) -> bytes:
        """Return at most `num_bytes` bytes from `offset`; fewer at the end of the file."""
        data = os.pread(self._descriptor, num_bytes, self._start + offset)
        while 0 < len(data) < num_bytes:
            more = os.pread(self._descriptor, num_bytes - len(data), self._start + offset + len(data))
            if not more:
                break
            data += more
        return data

    def blocks(self, size: int = 4 << 20) -> Iterator[bytes]:
        """Yield the whole content in pieces."""
        for offset in range(0, self.num_bytes, size):
            yield self.read(offset, size)

    def __del__(self) -> None:
        os.close(self._descriptor)


_unpacked: OrderedDict[str, BytesFile] = OrderedDict()


def open_bytes(path: Path, digest: str) -> BytesFile:
    """Open a file by its content, whatever its name: gzip, bzip2, xz and Zstandard are unpacked, UTF-16 becomes UTF-8.

    A file that has to be unpacked is unpacked once per process, to a temporary file without a name.

    Args:
        digest: sha256 of the file.
    Raises:
        InputError: the file cannot be read, is damaged or a decompression bomb.
    """
    if digest in _unpacked:
        _unpacked.move_to_end(digest)
        return _unpacked[digest]
    try:
        with path.open("rb") as file:
            head = file.read(8)
            opened = BytesFile(os.dup(file.fileno()), len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
    except OSError as error:
        raise unreadable_file(error) from error
    compression = next((kind for magic, kind in COMPRESSIONS.items() if head.startswith(magic)), None)
    opened = _utf8(opened if compression is None else _unpack(path, compression, opened.num_bytes))
    if compression is not None or _encoding_of(head) is not None:
        _unpacked[digest] = opened
        while len(_unpacked) > MAX_UNPACKED:
            _unpacked.popitem(last=False)
    return opened


def _arrow(kind: str) -> Callable[[Path], Any]:
    return lambda path: pa.input_stream(str(path), compression=kind)


COMPRESSIONS: Mapping[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": _arrow("gzip"),
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"(\xb5/\xfd": _arrow("zstd"),
}


def _unpack(path: Path, compression: Callable[[Path], Any], num_bytes: int) -> BytesFile:
    with compression(path) as packed, tempfile.TemporaryFile() as file:
        written = 0
        while data := _piece(packed):
            written += len(data)
            if written > BOMB_BYTES and written > num_bytes * BOMB_RATIO:
                raise InputError("decompression_bomb", f"{num_bytes:,} bytes would become more than {written:,}")
            file.write(data)
        file.flush()
        start = len(codecs.BOM_UTF8) if os.pread(file.fileno(), 3, 0) == codecs.BOM_UTF8 else 0
        return BytesFile(os.dup(file.fileno()), start)


def _piece(packed: Any) -> bytes:
    try:
        data: bytes = packed.read(COPY_BYTES)
    except DAMAGED as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError("damaged", f"the file cannot be unpacked: {reason}") from error
    return data


def _encoding_of(head: bytes) -> str | None:
    return next((name for mark, name in ENCODINGS.items() if head.startswith(mark)), None)


def _utf8(opened: BytesFile) -> BytesFile:
    """The same content in UTF-8, if a byte order mark says that it is in UTF-16 or UTF-32."""
    encoding = _encoding_of(opened.read(0, 4))
    if encoding is None:
        return opened
    decoder = codecs.getincrementaldecoder(encoding)()
    with tempfile.TemporaryFile() as file:
        try:
            for data in opened.blocks():
                file.write(decoder.decode(data).encode())
            file.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise InputError("not_unicode", f"the file is not the {encoding} that its first bytes promise") from error
        file.flush()
        return BytesFile(os.dup(file.fileno()))
