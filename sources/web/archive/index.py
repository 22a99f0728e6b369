"""The index of an archive: which record answers a URL, and which records are pages. It is a file, not memory."""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sources.web.archive.files import Archive, WarcFile, open_files
from sources.web.archive.records import Flaw, HttpHead, Record, open_record, records
from sources.web.archive.streams import RecordError
from sources.web.response_head import HTML_TYPES
from sources.web.urls import canonical, comparison_key

_TABLE = """
CREATE TABLE records (id INTEGER PRIMARY KEY, key TEXT, loose TEXT, url TEXT, moment INTEGER, file INTEGER,
    member INTEGER, inside INTEGER, status INTEGER, is_page INTEGER, digest TEXT, is_revisit INTEGER);
CREATE TABLE asked (key TEXT, is_document INTEGER);
"""
_INDEXES = """
CREATE INDEX by_key ON records (key);
CREATE INDEX by_loose ON records (loose);
CREATE INDEX by_digest ON records (digest);
UPDATE records SET is_page = 0 WHERE key IN (SELECT key FROM asked GROUP BY key HAVING NOT MAX(is_document));
"""
# Responses that say something on a resource come first: not errors, parts of files, or "not modified". Then the URL
# itself counts before its twin with http or https, which often redirects to it.
_ORDER = (
    "ORDER BY (status BETWEEN 200 AND 399 AND status NOT IN (206, 304)) DESC, url = ? DESC, ABS(moment - ?), id LIMIT 1"
)
_LONG_NUMBER = re.compile(r"\d{9,}")  # the time in a query, against caches


@dataclass(frozen=True, slots=True)
class Failure:
    """A record or file of an archive that cannot be read: its place and why."""

    place: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A response from an archive.

    Args:
        url, date, record, file: what was fetched, when (WARC-Date), the record's id, and the WARC file with it.
        status: HTTP status.
        head: its headers.
        body: as stored: its transfer coding may have been taken off or not.
        truncated: why the archive holds only a part of it; empty if it is whole.
    """

    url: str
    date: str
    record: str
    file: str
    status: int
    head: HttpHead
    body: bytes = field(repr=False)
    truncated: str = ""


class TooLongError(Exception):
    """The body has more bytes than were allowed."""


class ArchiveIndex:
    """What an archive holds of URLs. It is made by reading the whole archive once, and is to be closed.

    Args:
        scratch: a folder for the index.
        beat: called while the archive is read.

    Attributes:
        failures: what cannot be read.
    """

    def __init__(self, archive: Archive, scratch: Path, beat: Callable[[], None] = lambda: None):
        self._files, self._pages, failed = open_files(archive, scratch)
        self.failures = [Failure(name, why) for name, why in failed]
        self._path = scratch / f"{archive.digest}.index"
        self._path.unlink(missing_ok=True)
        self._rows = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._rows.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLE}")
        self._rows.execute("BEGIN")
        for number, file in enumerate(self._files):
            self._add(number, file, beat)
        self._rows.execute("COMMIT")
        self._rows.executescript(_INDEXES)

    def close(self) -> None:
        """Close the files, and remove the index."""
        self._rows.close()
        for each in self._files:
            each.file.close()
        self._path.unlink(missing_ok=True)

    def _add(self, number: int, warc: WarcFile, beat: Callable[[], None]) -> None:
        for found in records(warc.file, beat):
            if isinstance(found, Flaw):
                self.failures.append(Failure(f"{warc.name}, byte {found.offset:,}", found.why))
                continue
            url = canonical(found.url)
            if url is None:
                continue
            if found.kind == "request":
                is_document = _is_for_document(found)
                if is_document is not None:
                    self._rows.execute("INSERT INTO asked VALUES (?, ?)", (_key(url), is_document))
            elif found.kind in ("response", "resource", "revisit"):
                self._rows.execute(
                    "INSERT INTO records VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(_key(url), _loose(_key(url)), url, moment_of(found.fields.get("warc-date", ""))),
                        *(number, found.member, found.inside, found.status, _is_page(found)),
                        *(_digest(found), found.kind == "revisit"),
                    ),
                )

    def pages(self) -> Iterator[str]:
        """Yield the URLs of pages: those that the archive lists, else all HTML that is no part of another page."""
        if self._pages is not None:
            listed = dict.fromkeys(filter(None, map(canonical, self._pages)))
            if any(self._find(url, 0) for url in listed):
                yield from listed
                return
        for (url,) in self._rows.execute("SELECT url FROM records WHERE is_page GROUP BY key ORDER BY MIN(id)"):
            yield url

    def moment(self, url: str) -> int | None:
        """Return when a page was fetched, the last time, in seconds since 1970; None if it is not in the archive."""
        with self._lock:
            found = self._rows.execute(
                "SELECT MAX(moment) FROM records WHERE key = ? AND is_page", (_key(url),)
            ).fetchone()[0]
        if found is not None:
            return int(found)
        row = self._find(url, 1 << 40)
        return None if row is None else row[1]

    def last_moment(self) -> int:
        """Return when the last page was fetched, in seconds since 1970; 0 without pages."""
        with self._lock:
            found = self._rows.execute("SELECT MAX(moment) FROM records WHERE is_page").fetchone()[0]
        return int(found or 0)

    def read(self, url: str, moment: int, most: int) -> Stored | None:
        """Return the response to a URL that was fetched next to a moment, or None if there is none.

        Raises:
            RecordError: it cannot be read.
            TooLongError: its body has more than `most` bytes.
        """
        found = self._find(url, moment)
        if found is None:
            return None
        number, _, place, _ = found
        with self._lock:
            record, body = self._body(place, most)
        if record.kind == "revisit" and not body:
            original = self._original(record)
            if original is not None:
                with self._lock:
                    first, body = self._body(original, most)
                record_head = record.http or first.http
                return self._stored(url, number, record, record_head, body)
            raise RecordError("it only refers to a response that is not in the archive")
        return self._stored(url, number, record, record.http, body)

    def _stored(self, url: str, number: int, record: Record, head: HttpHead | None, body: bytes) -> Stored:
        return Stored(
            url=url,
            date=record.fields.get("warc-date", ""),
            record=record.fields.get("warc-record-id", "").strip("<>"),
            file=self._files[number].name,
            status=head.status if head else 200,
            head=head or HttpHead("HTTP/1.1 200 OK", [("content-type", record.fields.get("content-type", ""))]),
            body=body,
            truncated=record.fields.get("warc-truncated", ""),
        )

    def _body(self, place: tuple[int, int, int], most: int) -> tuple[Record, bytes]:
        file, member, inside = place
        record, stream = open_record(self._files[file].file, member, inside)
        if record.length > most:
            raise TooLongError
        parts: list[bytes] = []
        left = record.length
        while left:
            data = stream.read(left)
            if not data:
                raise RecordError("the file ends before it does")
            parts.append(data)
            left -= len(data)
        return record, b"".join(parts)

    def _find(self, url: str, moment: int) -> tuple[int, int, tuple[int, int, int], int] | None:
        """Return the best record for a URL: file, moment, place, status."""
        key = _key(url)
        with self._lock:
            for column, value in (("key", key), ("loose", _loose(key))):
                row = self._rows.execute(
                    f"SELECT file, moment, member, inside, status FROM records WHERE {column} = ? {_ORDER}",
                    (value, url, moment),
                ).fetchone()
                if row is not None:
                    return row[0], row[1], (row[0], row[2], row[3]), row[4]
        return None

    def _original(self, record: Record) -> tuple[int, int, int] | None:
        """Return the place of the response that a revisit stands for: by its digest, else by URL and date."""
        url = canonical(record.fields.get("warc-refers-to-target-uri", "").strip("<>")) or canonical(record.url) or ""
        moment = moment_of(record.fields.get("warc-refers-to-date", "") or record.fields.get("warc-date", ""))
        columns = "SELECT file, member, inside FROM records WHERE NOT is_revisit AND"
        with self._lock:
            row = self._rows.execute(
                f"{columns} digest = ? AND digest != '' ORDER BY id LIMIT 1", (_digest(record),)
            ).fetchone()
            if row is None and url:
                row = self._rows.execute(f"{columns} key = ? {_ORDER}", (_key(url), url, moment)).fetchone()
        return row if row is None else (row[0], row[1], row[2])


def _digest(record: Record) -> str:
    """Return the digest of the payload; tools write the algorithm's name as `sha256` or `sha-256`."""
    algorithm, _, value = record.fields.get("warc-payload-digest", "").partition(":")
    return f"{algorithm.replace('-', '').lower()}:{value}" if value else ""


def moment_of(date: str) -> int:
    """Return a WARC-Date in seconds since 1970; 0 if it is none."""
    try:
        found = datetime.fromisoformat(date)
    except ValueError:
        return 0
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _key(url: str) -> str:
    """Return what URLs of one resource have in common; http and https are one, as in other indexes of archives."""
    return comparison_key(url).partition("://")[2]


def _loose(key: str) -> str:
    """Return a key without the long numbers of its query."""
    path, mark, query = key.partition("?")
    return path + mark + _LONG_NUMBER.sub("0", query)


def _is_page(record: Record) -> bool:
    wanted = record.fields.get("warc-resource-type", "document").lower()
    return record.status == 200 and record.content_type in HTML_TYPES and wanted == "document"


def _is_for_document(request: Record) -> bool | None:
    """Return True if a browser asked for a page, False for a part of one; None if the request does not say."""
    wanted = request.http.header("sec-fetch-dest").lower() if request.http is not None else ""
    return wanted == "document" if wanted else None
