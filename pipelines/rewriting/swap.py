"""The swap: a finished output is replaced by a changed one as a whole.

New files are written to the staging folder first. When the last one is there, a journal is written, which is the new
manifest. From then on the change is made whole, by this process or by the next one that changes the output. Until the
journal is written the output is as it was, and while files are being moved it has no manifest: it cannot be taken for
finished.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipelines.report import card
from pipelines.stages.publish import remove_others
from pipelines.storage import STAGING, Storage
from pipelines.tables.manifest import MANIFEST, reconcile

FOLDER = f"{STAGING}/rewrite"
JOURNAL = f"{FOLDER}/{MANIFEST}"


def staged(path: str) -> str:
    """The place of a new file of the output until it is swapped in."""
    return f"{FOLDER}/{path}"


def is_interrupted(storage: Storage) -> bool:
    """Return True if an earlier change was stopped after it was decided: `commit` finishes it."""
    return storage.exists(JOURNAL)


@contextmanager
def staging(storage: Storage) -> Iterator[None]:
    """A block that writes new files to their `staged` places; they are deleted if it fails."""
    discard(storage)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            discard(storage)
        raise


def discard(storage: Storage) -> None:
    """Delete everything that is staged."""
    for path in storage.list(f"{FOLDER}/"):
        storage.delete(path)


def decide(storage: Storage, manifest: dict[str, Any]) -> None:
    """Write the journal: the staged files are whole. Raises AccountingError if the new totals do not reconcile."""
    reconcile(manifest)
    storage.write_bytes(JOURNAL, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())


def commit(storage: Storage) -> dict[str, Any]:
    """Swap the staged files in and make card and report; may be called again at any point. Gives the new manifest."""
    journal = storage.read_bytes(JOURNAL)
    manifest: dict[str, Any] = json.loads(journal)
    storage.delete(MANIFEST)
    wanted = {entry["path"] for entry in manifest["files"]}
    remove_others(storage, wanted)
    for path in sorted(wanted):
        if storage.exists(staged(path)):
            storage.move(staged(path), path)
    storage.write_bytes(MANIFEST, journal)
    card.export(storage)
    storage.delete(JOURNAL)
    return manifest
