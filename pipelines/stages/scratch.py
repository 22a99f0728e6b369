"""Scratch folders: where files are written before they are published."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.storage import STAGING, OutputError, Storage


@contextmanager
def scratch_folder(storage: Storage) -> Iterator[Path]:
    """A folder for half-written files, on the output's own file system if that is local."""
    try:
        parent = None
        if storage.is_local:
            parent = storage.path(f"{STAGING}/tmp")
            Path(parent).mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="unit-", dir=parent)
    except OSError as error:
        raise OutputError(f"the output cannot be written: {error.strerror or error}") from error
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
