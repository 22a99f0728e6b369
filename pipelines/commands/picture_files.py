"""Fingerprints of the pictures in a folder: read side by side, each file once, and a bad one costs only itself."""

import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipelines.commands.wording import counted
from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow
from pipelines.duplicates.settings import FINGERPRINT_VERSION
from pipelines.storage import StorageError, fetch, match
from pipelines.storage.arrow_file import read_local, write_table
from pipelines.storage.names import printable
from pipelines.workers.evaluation_items import IMAGE_SUFFIXES, read_collection
from sources.base.source import InputError
from sources.terminal import raw

CACHE_VERSION = 1  # raise it when the same file would give other rows
KNOWN_BUT_UNREAD = {".heic": "HEIC", ".heif": "HEIC", ".jxl": "JPEG XL", ".jp2": "JPEG 2000", ".psd": "Photoshop"}
PROGRESS_EVERY_S = 1.0
SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("state", pa.string()),
        ("names", pa.list_(pa.string())),
        ("fingerprints", pa.binary()),
        ("unread", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFingerprints:
    """The pictures and rows of one file.

    Args:
        names: N names of its items.
        records: (N,) records of FINGERPRINT.
        unread: (name, reason) of what could not be read: rows, or the file itself.
    """

    names: Sequence[str] = ()
    records: np.ndarray = field(default_factory=lambda: np.zeros(0, FINGERPRINT))
    unread: Sequence[tuple[str, str]] = ()


def read_pictures(place: str, *, is_cached: bool = True) -> tuple[list[str], np.ndarray, list[tuple[str, str]]]:
    """Names and fingerprints of the pictures and Parquet rows in files, and (name, reason) of what cannot be read.

    Args:
        place: a folder, a pattern or a URI.
        is_cached: local files that have not changed are not read again.
    """
    uris = sorted(uri for uri in match(place) if uri.lower().endswith((".parquet", *IMAGE_SUFFIXES, *KNOWN_BUT_UNREAD)))
    cache = _Cache(place) if is_cached else None
    known = cache.known if cache is not None else {}
    found: list[FileFingerprints] = []
    progress = _Progress(len(uris))
    states = [_state(uri) for uri in uris]
    try:
        with tempfile.TemporaryDirectory(prefix="vellum-") as folder, ThreadPoolExecutor(os.cpu_count()) as threads:

            def read(k: int) -> FileFingerprints:
                return known.get((uris[k], states[k])) or _read(uris[k], Path(folder) / str(k))

            for each in threads.map(read, range(len(uris))):
                found.append(each)
                progress.show(len(found), sum(len(each.unread) for each in found[-1:]))
    finally:
        progress.end()
        if cache is not None:
            cache.save({(uri, state): each for uri, state, each in zip(uris, states, found, strict=False) if state})
    names = [name for each in found for name in each.names]
    records = np.concatenate([np.zeros(0, FINGERPRINT), *(each.records for each in found)])
    return names, records, [entry for each in found for entry in each.unread]


def _read(uri: str, copy: Path) -> FileFingerprints:
    kind = KNOWN_BUT_UNREAD.get(Path(uri).suffix.lower())
    if kind is not None:
        return FileFingerprints(unread=[(uri, f"{kind} is not read; convert it to PNG or JPEG")])
    unread: list[tuple[str, str]] = []
    try:
        table = read_collection(fetch(uri, copy), uri, lambda name, reason: unread.append((name, reason)))
    except InputError as error:
        return FileFingerprints(unread=unread or [(uri, error.message)])
    except (OSError, StorageError, MemoryError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return FileFingerprints(unread=[(uri, f"the file cannot be read: {reason or type(error).__name__}")])
    finally:
        copy.unlink(missing_ok=True)
    return FileFingerprints(
        names=table["name"].to_pylist(), records=from_arrow(table["fingerprint"], FINGERPRINT), unread=unread
    )


def _state(uri: str) -> str:
    """Size and time of change of a local file; empty for others, which are read every time."""
    try:
        found = Path(uri).stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


class _Cache:
    """Fingerprints of a place that were made before: one file of the user's cache folder, replaced as a whole."""

    def __init__(self, place: str):
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        key = json.dumps(
            [CACHE_VERSION, FINGERPRINT_VERSION, str(Path(place).resolve()) if "://" not in place else place]
        )
        self._path = root / "vellum" / "duplicates" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.arrow"
        self.known: dict[tuple[str, str], FileFingerprints] = {}
        try:
            rows = read_local(self._path).to_pylist()
            for row in rows:
                records = np.frombuffer(row["fingerprints"], FINGERPRINT)
                unread = [(name, reason) for name, reason in json.loads(row["unread"])]
                each = FileFingerprints(names=row["names"], records=records, unread=unread)
                if len(each.names) == len(records):
                    self.known[row["uri"], row["state"]] = each
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
            self.known = {}  # there is none, or a damaged one, which is made again

    def save(self, found: Mapping[tuple[str, str], FileFingerprints]) -> None:
        """Keep what was found. Without a folder that can be written, nothing is kept."""
        rows = [
            {
                "uri": uri,
                "state": state,
                "names": list(each.names),
                "fingerprints": each.records.tobytes(),
                "unread": json.dumps(list(each.unread)),
            }
            for (uri, state), each in found.items()
            if _is_unicode(uri)
        ]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside = self._path.with_suffix(f".{os.getpid()}.tmp")
            write_table(pa.Table.from_pylist(rows, schema=SCHEMA), aside)
            aside.replace(self._path)
        except OSError:
            return


def _is_unicode(name: str) -> bool:
    return printable(name) == name


class _Progress:
    """A line on standard error: once a second on a terminal, else nothing."""

    def __init__(self, total: int):
        self._total, self._unread, self._shown = total, 0, time.monotonic()
        self._is_on = sys.stderr.isatty()
        self._has_written = False

    def show(self, done: int, unread: int) -> None:
        """Tell how many files are read, and how many more things could not be."""
        self._unread += unread
        if self._is_on and time.monotonic() - self._shown > PROGRESS_EVERY_S:
            self._shown, self._has_written = time.monotonic(), True
            print(
                f"\r{done:,} of {counted(self._total, 'file')}, {self._unread:,} unreadable",
                end="",
                file=raw(sys.stderr),
            )

    def end(self) -> None:
        """Leave the line."""
        if self._has_written:
            print(file=sys.stderr)
