"""Fetching: what a source brings from elsewhere is kept in the output's staging folder, and read from there."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pipelines.job import Job
from pipelines.recipe import Recipe
from pipelines.stages.progress import FETCH_FAILED, progress_of
from pipelines.stages.scratch import scratch_folder
from pipelines.storage import STAGING, Storage, fetch
from pipelines.storage.local_cache import LocalCache
from pipelines.workers.pool import Deaths, ItemFault, readers_of
from pipelines.workers.process import Death
from pipelines.workers.protocol import (
    Event,
    FetchInputs,
    FileFinished,
    ItemsFetched,
)
from sources.base.remote import BudgetUse, RemoteSource
from sources.base.source import InputError

KEPT_COPIES = 2 + 2 * (os.cpu_count() or 1)  # downloads that a worker keeps: more than it reads at a time


def captures_path(source: RemoteSource, uri: str) -> str:
    """The file of a fetch task, relative to the output. What is fetched for the task is in the same folder."""
    return f"{STAGING}/captures/{source.path_of(uri)}"


Fetches = dict[str, BudgetUse | InputError | ItemFault]


def fetch_inputs(job: Job, recipe: Recipe, index: int, uris: Sequence[str], *, retry_failed: bool) -> Fetches:
    """Fetch what is missing of some remote inputs in one reader, each finished file published at once.

    A reader that dies is followed by another, which goes on after what is published, as long as there is progress. If
    readers keep dying over several inputs, each is fetched alone, which shows which of them it was.

    Args:
        retry_failed: fetch again what failed before.
    Returns:
        What each input made of its share, or why it cannot be fetched.
    Raises:
        ReadersLost: readers die of something else.
    """
    try:
        uses = _fetch_together(job, recipe, index, uris, retry_failed=retry_failed)
    except InputError as error:
        return dict.fromkeys(uris, error)
    except ItemFault as fault:
        if len(uris) == 1:
            return {uris[0]: fault}
        alone: Fetches = {}
        for uri in uris:
            alone |= fetch_inputs(job, recipe, index, [uri], retry_failed=retry_failed)
        return alone
    return dict(zip(uris, uses, strict=True))


def _fetch_together(
    job: Job, recipe: Recipe, index: int, uris: Sequence[str], *, retry_failed: bool
) -> Sequence[BudgetUse]:
    source = recipe.sources[index]
    assert isinstance(source, RemoteSource)
    storage, progress = job.storage(), progress_of(job)
    folders = [captures_path(source, uri).rpartition("/")[0] for uri in uris]
    faults, deaths = 0, Deaths()
    while True:
        num_published = 0
        with ExitStack() as stack:
            paths = tuple(stack.enter_context(local_captures(source, uri, storage)) for uri in uris)
            objects = stack.enter_context(_brought(source, paths, retry_failed=retry_failed))
            scratch = stack.enter_context(scratch_folder(storage))

            def publish(event: Event, scratch: Path = scratch) -> None:
                nonlocal num_published
                if isinstance(event, FileFinished):
                    storage.publish_file(scratch / event.name, f"{folders[event.input]}/{event.name}")
                    num_published += 1
                elif isinstance(event, ItemsFetched):
                    failures = {f"{FETCH_FAILED}{cause}": number for cause, number in event.failures.items()}
                    progress.add("", items_fetched=event.num_items, **failures)
                    for host in event.hosts:  # a fetch that starts again tells of them again
                        progress.add(f"host {host}", hosts_fetched=1)

            request = FetchInputs(
                source=index, paths=paths, scratch=scratch, retry_failed=retry_failed, objects=objects
            )
            try:
                with readers_of(recipe, job.readers).reader() as reader:
                    done = reader.ask_once(request, on_event=publish)
                uses = zip(done.unused, done.wanted, strict=True)
                return [BudgetUse(unused=unused, wanted=wanted) for unused, wanted in uses]
            except Death as death:
                deaths = Deaths() if num_published else deaths
                deaths.add(death)
            except ItemFault:
                faults = 0 if num_published else faults + 1
                if faults >= recipe.limits.faults_per_unit:
                    raise


@contextmanager
def _brought(
    source: RemoteSource, paths: Sequence[Path], *, retry_failed: bool
) -> Iterator[tuple[tuple[str, Path], ...]]:
    """Local copies of the objects in stores that fetching some tasks reads, each under its own name.

    Raises:
        StorageError: a store does not answer, or there is no room.
    """
    wanted = [uri for path in paths for uri in source.objects_of(path, retry_failed=retry_failed)]
    with tempfile.TemporaryDirectory(prefix="vellum-objects-") as folder:
        found = []
        for number, uri in enumerate(dict.fromkeys(wanted)):
            place = Path(folder) / str(number) / uri.rpartition("/")[2]
            place.parent.mkdir()
            with suppress(FileNotFoundError):  # it is gone since it was listed: its own fault
                found.append((uri, fetch(uri, place)))
        yield tuple(found)


def enlarge(job: Job, source: RemoteSource, grants: Mapping[str, int]) -> None:
    """Write into the files of tasks how many items more they may have. Writing it again changes nothing."""
    storage = job.storage()
    for uri, more in grants.items():
        path = captures_path(source, uri)
        storage.write_bytes(path, source.enlarged(storage.read_bytes(path), more))


@contextmanager
def local_captures(source: RemoteSource, uri: str, storage: Storage, *, keep: bool = False) -> Iterator[Path]:
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
