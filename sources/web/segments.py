"""Segments: small files of captures that are never changed once finished, so that a killed run loses little."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from sources.web.capture import Capture, from_row, to_rows
from sources.web.urls import is_like_file

SUFFIX = ".arrow"
NOT_HTML = "not_html"
MAX_PAGES, MAX_BYTES, MAX_AGE_S = 16, 20_000_000, 5.0  # a segment is closed at the first of them
_INDEX_COLUMNS = ("url", "view", "fetched_at", "cause", "final_url", "canonical", "links", "digest")


class SegmentWriter:
    """Collects captures into segments.

    Args:
        folder: folder in which segments are written.
        save: called with each finished segment, which then belongs to the caller.
    """

    def __init__(self, folder: Path, save: Callable[[Path], None]):
        self._folder, self._save = folder, save
        self._pending: list[pa.Table] = []
        self._num_bytes = 0
        self._since = 0.0

    def add(self, capture: Capture) -> None:
        """Add a capture; close the segment if it is large or old enough.

        Raises:
            ValueError: the capture cannot be written; the segment goes on without it.
        """
        row = to_rows([capture])
        if not self._pending:
            self._since, self._num_bytes = time.monotonic(), 0
        self._pending.append(row)
        if capture.content:
            self._num_bytes += sum(map(len, capture.content.screenshot.images)) + len(capture.content.html or "")
        if len(self._pending) >= MAX_PAGES or self._num_bytes >= MAX_BYTES:
            self.close()

    def close_if_old(self) -> None:
        """Close the segment if its first capture is old enough."""
        if self._pending and time.monotonic() - self._since >= MAX_AGE_S:
            self.close()

    def close(self) -> None:
        """Write the captures so far, if any."""
        if not self._pending:
            return
        path = self._folder / f"{uuid.uuid4().hex}{SUFFIX}"
        table = pa.concat_tables(self._pending)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        self._pending.clear()
        self._save(path)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexEntry:
    """The index entry of one capture, without its content.

    Args:
        file, row: segment file and row of the capture; None and 0 for a seed that was never visited.
        message: why a seed was never visited.
        canonical: URL at which the page says it is; possibly empty.
    """

    url: str
    view: str
    fetched_at: str
    cause: str
    final_url: str
    links: Sequence[str] = field(repr=False)
    digest: str
    file: Path | None
    row: int
    message: str = ""
    canonical: str = ""

    @property
    def found(self) -> Sequence[str] | None:
        """The links of a page; None for a file that is no page."""
        return None if is_file(self.url, self.cause) else self.links


def is_file(url: str, cause: str) -> bool:
    """Return True if a capture shows what its URL says: that it is a file and no page."""
    return cause == NOT_HTML and is_like_file(url)


def index(folder: Path) -> dict[tuple[str, str], IndexEntry]:
    """Return the captures of all segments in a folder by URL and view.

    If a page has several captures (from two runs, or a retry), the last successful one counts. A damaged segment has
    none, so that its pages are fetched again.
    """
    known: dict[tuple[str, str], IndexEntry] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            rows = _index_rows(path)
        except (pa.ArrowException, OSError):
            continue
        for row, entry in enumerate(rows):
            found = IndexEntry(**entry, file=path, row=row)
            old = known.get((found.url, found.view))
            if old is None or _rank(found) > _rank(old):
                known[found.url, found.view] = found
    return known


def _rank(known: IndexEntry) -> tuple[bool, str, str]:
    return not known.cause, known.fetched_at, known.digest


def _index_rows(path: Path) -> list[dict[str, str]]:
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        rows: list[dict[str, str]] = reader.read_all().select(_INDEX_COLUMNS).to_pylist()
    return rows


def element_names(entries: Sequence[IndexEntry]) -> dict[str, set[tuple[str, str]]]:
    """Return role and name of the elements of captured pages by URL, without reading their pictures."""
    found: dict[str, set[tuple[str, str]]] = {}
    for number, elements in _parts(entries, "elements"):
        found.setdefault(entries[number].url, set()).update((e["role"], e["name"]) for e in elements)
    return found


def words_of(entries: Sequence[IndexEntry]) -> dict[int, list[str]]:
    """Return the words of captured pages by their number, without reading their pictures."""
    return dict(_parts(entries, "texts"))


def _parts(entries: Sequence[IndexEntry], name: str) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number and one field of the content of every entry that has content."""
    rows: dict[Path, list[int]] = {}
    for number, entry in enumerate(entries):
        if entry.file is not None and not entry.cause:
            rows.setdefault(entry.file, []).append(number)
    for file, of_file in rows.items():
        with pa.memory_map(str(file)) as source, pa.ipc.open_file(source) as reader:
            values = reader.read_all()["content"].combine_chunks().field(name)
            yield from ((number, values[entries[number].row].as_py() or []) for number in of_file)


class SegmentReader:
    """Reads captures. The last segment stays open: captures that follow each other are mostly in the same one."""

    def __init__(self) -> None:
        self._table: pa.Table | None = None
        self._file: Path | None = None

    def read(self, entry: IndexEntry) -> Capture:
        """The capture that an entry of the index stands for."""
        if entry.file is None:
            return Capture(
                url=entry.url, view=entry.view, fetched_at=entry.fetched_at, cause=entry.cause, message=entry.message
            )
        if self._table is None or self._file != entry.file:
            with pa.memory_map(str(entry.file)) as file, pa.ipc.open_file(file) as reader:
                self._table, self._file = reader.read_all(), entry.file
        return from_row(self._table.slice(entry.row, 1).to_pylist()[0])


def read_captures(wanted: Sequence[IndexEntry]) -> Iterator[Capture]:
    """The captures, in the order asked for."""
    reader = SegmentReader()
    for entry in wanted:
        yield reader.read(entry)
