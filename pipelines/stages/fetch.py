"""Fetching: what a source brings from elsewhere is kept in the output's staging folder, and read from there."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.job import Job
from pipelines.recipe import Recipe
from pipelines.stages.list_inputs import captures_path
from pipelines.stages.material import local_material
from pipelines.stages.progress import progress_of
from pipelines.stages.scratch import scratch_folder
from pipelines.storage import Storage, fetch, is_remote
from pipelines.storage.local_cache import LocalCache
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.protocol import Event, FetchInput, FileFinished, ItemsFetched
from sources.base.remote import RemoteSource
from sources.base.source import InputError, Source
from sources.base.synthetic import SCHEME

KEPT_COPIES = 2 + 2 * (os.cpu_count() or 1)  # downloads that a worker keeps: more than it reads at a time


def fetch_input(job: Job, recipe: Recipe, index: int, uri: str) -> None:
    """Fetch what is missing of a remote input in a reader, each finished file published at once.

    A reader that dies is followed by another, which goes on after what is published, as long as there is progress.
    Raises InputError, and ItemFault if readers keep dying.
    """
    source = recipe.sources[index]
    assert isinstance(source, RemoteSource)
    storage, progress = job.storage(), progress_of(job)
    folder = captures_path(source, uri).rpartition("/")[0]
    faults = 0
    while True:
        num_published = 0
        with _local_captures(source, uri, storage) as path, scratch_folder(storage) as scratch:

            def publish(event: Event, scratch: Path = scratch) -> None:
                nonlocal num_published
                if isinstance(event, FileFinished):
                    storage.publish_file(scratch / event.name, f"{folder}/{event.name}")
                    num_published += 1
                elif isinstance(event, ItemsFetched):
                    progress.add(items_fetched=event.num_items)

            request = FetchInput(source=index, path=path, scratch=scratch, retry_failed=job.retry_failed)
            try:
                with readers_of(recipe, job.readers).reader() as reader:
                    reader.ask(request, on_event=publish)
                return
            except ItemFault:
                faults = 0 if num_published else faults + 1
                if faults >= recipe.limits.faults_per_unit:
                    raise


@contextmanager
def local_copy(uri: str, storage: Storage) -> Iterator[tuple[Path, str]]:
    """A local file with the input's bytes, and its state (size and time of a local file, empty for a download).

    The file of a synthetic source is its material, in the staging folder of `storage`; without any its path means
    nothing. Raises InputError.
    """
    if uri.startswith(SCHEME):
        yield local_material(uri, storage), ""
        return
    if not is_remote(uri):
        with _as_input_error():
            found = os.stat(uri)
        if not stat.S_ISREG(found.st_mode):
            raise InputError("unreadable", "not a regular file")
        yield Path(uri), f"{found.st_size}/{found.st_mtime_ns}"
        return
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        with _as_input_error():
            path = fetch(uri, Path(folder) / "input")
        yield path, ""


@contextmanager
def _as_input_error() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise InputError("not_found", "the file does not exist (or its name is not UTF-8)") from error
    except PermissionError as error:
        raise InputError("permission_denied", "the file cannot be read: permission denied") from error
    except OSError as error:  # a folder too deep, a store that refuses, a disk without room for the download
        raise InputError("unreadable", f"the file cannot be read: {error.strerror or error}") from error


@contextmanager
def opened(source: Source, uri: str, storage: Storage) -> Iterator[tuple[Path, str]]:
    """A local file to read an input from, and its state, as `local_copy` gives them; captures for a fetched source."""
    if isinstance(source, RemoteSource):
        with _local_captures(source, uri, storage, keep=True) as path:
            yield path, ""
        return
    with local_copy(uri, storage) as found:
        yield found


@contextmanager
def _local_captures(source: RemoteSource, uri: str, storage: Storage, *, keep: bool = False) -> Iterator[Path]:
    """The file of a fetch task, in a local folder with everything that was fetched for it."""
    place = captures_path(source, uri)
    if storage.is_local:
        yield Path(storage.path(place))
        return
    if keep:
        yield _kept(storage, place)
        return
    with tempfile.TemporaryDirectory(prefix="vellum-captures-") as folder:
        yield _download(storage, place, Path(folder))


_copies = LocalCache("vellum-captures-", KEPT_COPIES)


def _kept(storage: Storage, place: str) -> Path:
    folder = _copies.folder(storage.path(place), lambda folder: _download(storage, place, folder))
    return folder / place.rpartition("/")[2]


def _download(storage: Storage, place: str, into: Path) -> Path:
    folder = place.rpartition("/")[0]
    for path in storage.list(f"{folder}/"):
        fetch(storage.path(path), into / path.rpartition("/")[2])
    return into / place.rpartition("/")[2]
