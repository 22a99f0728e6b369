"""The records of WARC files (ISO 28500), with their places. A flaw costs only the record that it is in.

Archives come from others: lengths may be wrong, gzip members broken or bombs, heads endless. Our own reader bounds each
of them and goes on behind a flaw, which warcio does not (docs/decisions.md).
"""

import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from sources.web.archive.streams import CHUNK_BYTES, GZIP, RecordError, Stream

MAX_HEAD_BYTES = 65_536
MAX_RECORD_BYTES = 1 << 30
MAX_BLANK_BYTES = 1024  # between two records
MAX_FLAWS = 1000  # of a file, after which it is left
MAX_TRIES = 10_000  # places where a record could begin again behind a flaw
ZSTD = (b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")
WITH_HTTP = ("response", "revisit", "request")
_VERSION = re.compile(rb"WARC/\d+\.\d+\s*")
_STATUS = re.compile(r"HTTP/[\d.]+\s+(\d{3})\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record.

    Args:
        member: offset of its gzip member, or of itself, in the file.
        inside: offset in the decompressed member; 0 without compression.
        fields: of its own head; names are in lower case.
        http: the first line and the headers of the HTTP message; None for records of other kinds.
        body: offset of the HTTP body (else of the block) from the begin of the record.
        length: bytes of the HTTP body or of the block.
    """

    member: int
    inside: int
    fields: Mapping[str, str]
    http: "HttpHead | None"
    body: int
    length: int

    @property
    def kind(self) -> str:
        """The WARC-Type."""
        return self.fields.get("warc-type", "").lower()

    @property
    def url(self) -> str:
        """The URL that it is about; empty if it names none."""
        return self.fields.get("warc-target-uri", "").strip("<> ")

    @property
    def status(self) -> int:
        """HTTP status; a resource, which has no HTTP message, counts as 200."""
        if self.kind == "resource":
            return 200
        return self.http.status if self.http is not None else 0

    @property
    def content_type(self) -> str:
        """The content type of the body, in lower case and without parameters."""
        named = self.fields.get("content-type", "") if self.http is None else self.http.header("content-type")
        return (named or self.fields.get("warc-identified-payload-type", "")).partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class HttpHead:
    """The head of an HTTP message; names of headers are in lower case."""

    first: str
    headers: Sequence[tuple[str, str]] = field(repr=False)

    @property
    def status(self) -> int:
        """The status of a response; 0 if it has none."""
        found = _STATUS.match(self.first)
        return int(found[1]) if found else 0

    def header(self, name: str) -> str:
        """The first header of a name; empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place where no record can be read: its offset in the file, and why."""

    offset: int
    why: str


def records(file: BinaryIO, beat: Callable[[], None] = lambda: None) -> Iterator[Record | Flaw]:
    """Yield the records of a WARC file, and the flaws, in order. Blocks are checked to be there, and not kept.

    Args:
        file: a seekable file of records that are compressed one by one, together, or not at all.
        beat: called before every record.
    """
    file.seek(0, 2)
    size, at, num_flaws = file.tell(), 0, 0
    while at < size:
        flaw_at = at
        try:
            stream = Stream(file, at)
            while True:
                beat()
                _skip_blank(stream)
                if not stream.peek(1):
                    at = stream.end
                    break
                if not stream.is_gzip:  # an uncompressed record is found by its own offset
                    at = flaw_at = stream.end
                    stream = Stream(file, at)
                    if stream.is_gzip:
                        break
                record = _record(stream, at)
                stream.skip(record.length)
                _check_end(stream)
                yield record
        except RecordError as error:
            yield Flaw(flaw_at, str(error))
            num_flaws += 1
            if num_flaws >= MAX_FLAWS:
                yield Flaw(flaw_at, f"it is record number {MAX_FLAWS:,} with a flaw, so that the rest is left out")
                return
            at = _next_begin(file, flaw_at + 1, size)


def open_record(file: BinaryIO, member: int, inside: int) -> tuple[Record, Stream]:
    """Return a record whose place is known, and the stream that is at its body. Raises RecordError."""
    stream = Stream(file, member)
    stream.skip(inside)
    return _record(stream, member), stream


def _record(stream: Stream, member: int) -> Record:
    """Read a record's head, and that of the HTTP message in it; the stream is then at the body."""
    begin = stream.num_read
    first = stream.line(MAX_HEAD_BYTES)
    if not _VERSION.fullmatch(first):
        raise RecordError(_foreign(first))
    fields = dict(reversed(_headers(stream, MAX_HEAD_BYTES)))  # the first of a name counts
    length = fields.get("content-length", "")
    if not re.fullmatch(r"\d{1,18}", length):
        raise RecordError("it has no Content-Length")
    if int(length) > MAX_RECORD_BYTES:
        raise RecordError(f"its length of {int(length):,} bytes is more than is read")
    block, http = stream.num_read, None
    if fields.get("warc-type", "").lower() in WITH_HTTP and "http" in fields.get("content-type", "http").lower():
        http = _http_head(stream, int(length))
    used = stream.num_read - block
    if used > int(length):
        raise RecordError("its length is wrong: the HTTP head in it is longer")
    return Record(
        member=member, inside=begin, fields=fields, http=http, body=stream.num_read - begin, length=int(length) - used
    )


def _http_head(stream: Stream, length: int) -> HttpHead | None:
    if length == 0 or not re.match(rb"HTTP/|[A-Z]{3,10} ", stream.peek(12)):
        return None
    first = stream.line(MAX_HEAD_BYTES).decode("latin-1").rstrip("\r\n")
    return HttpHead(first, _headers(stream, MAX_HEAD_BYTES))


def _headers(stream: Stream, most: int) -> list[tuple[str, str]]:
    """Read headers to the blank line behind them, as leniently as browsers do."""
    headers: list[tuple[str, str]] = []
    while line := (data := stream.line(most)).rstrip(b"\r\n"):
        most -= len(data)
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if line[:1] in b" \t" and headers:
            headers[-1] = headers[-1][0], f"{headers[-1][1]} {line.decode('utf-8', 'replace').strip()}"
        elif colon and name.strip():
            headers.append((name.strip().lower(), value.strip()))
    if not data:
        raise RecordError("the file ends in its head")
    return headers


def _skip_blank(stream: Stream) -> None:
    for _ in range(MAX_BLANK_BYTES):
        if stream.peek(1) not in (b"\r", b"\n", b"\0"):
            return
        stream.read(1)
    raise RecordError("too much blank space is before it")


def _check_end(stream: Stream) -> None:
    """Check that a record ends where it says so."""
    _skip_blank(stream)
    following = stream.peek(5)
    if not b"WARC/".startswith(following) and following[:2] != GZIP:  # the next one may break off
        raise RecordError("its length is wrong: no record follows it")


def _next_begin(file: BinaryIO, at: int, size: int) -> int:
    """Return the next offset at which a record, or a gzip member with one, begins; the file's size if there is none."""
    num_tries = 0
    for found in _places(file, at, size):
        num_tries += 1
        if num_tries > MAX_TRIES:
            break
        file.seek(found)
        head = file.read(512)
        if not head.startswith(GZIP):
            return found
        try:
            if zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, 5) == b"WARC/":
                return found
        except zlib.error:
            continue
    return size


def _places(file: BinaryIO, at: int, size: int) -> Iterator[int]:
    """Yield the offsets of what looks like the begin of a record, in order."""
    pattern, overlap = re.compile(rb"\x1f\x8b\x08|(?<=\n)WARC/[01]\."), 16
    while at < size:
        file.seek(at)
        data = file.read(CHUNK_BYTES)
        is_last = at + len(data) >= size
        for found in pattern.finditer(data):
            if is_last or found.start() < len(data) - overlap:
                yield at + found.start()
        at += len(data) if is_last else len(data) - overlap


def _foreign(first: bytes) -> str:
    if first.startswith(ZSTD):
        return "it is compressed with zstd, which is not read: compress it with gzip"
    if first.startswith(b"filedesc:"):
        return "it is an ARC file, the format before WARC: convert it (warcio recompress)"
    return "no WARC record begins here"
