"""Inspecting inputs: the digest of each and how many items it holds."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import apache_beam as beam

from pipelines.job import Job
from pipelines.recipe import Recipe
from pipelines.stages.account import Entry, entry_of, range_of
from pipelines.stages.fetch import Fetches, enlarge, fetch_inputs
from pipelines.stages.input_files import InputFiles, LocalInput, is_fetched
from pipelines.stages.progress import progress_of
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import is_remote
from pipelines.storage.names import member_of
from pipelines.tables.copies import listed
from pipelines.units import ErrorRow, Input, Unit, bucket_of, group_of, units_of
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.protocol import InspectInputs, Inspection
from sources.base.remote import RemoteSource
from sources.base.source import InputError

INPUTS_PER_BATCH = 16
INPUTS_PER_FETCH = 4  # on a cluster, which may have many workers
MIN_BATCHES = 64  # for few inputs, which may be long: every reader has some

Batch = tuple[int, int]  # source, number


def batch_of(job: Job, recipe: Recipe, source: int, uri: str) -> Batch:
    """The batch in which an input is inspected. A name that was given twice is twice in the same one."""
    num_inputs = job.num_inputs
    member = member_of(uri) if is_fetched(uri) else None  # all of an archive together: it is fetched once
    name = member[0] if member else uri
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 1
    if isinstance(recipe.sources[source], RemoteSource):  # a batch is fetched together
        each = num_inputs // INPUTS_PER_BATCH if job.is_local else num_inputs // INPUTS_PER_FETCH
        return source, number % max(job.readers, each)
    if is_fetched(uri) or is_remote(uri):  # each takes long
        return source, number
    return source, number % max(MIN_BATCHES, num_inputs // INPUTS_PER_BATCH)


class Inspect(ConcurrentDoFn):
    """(batch, URIs) to (digest, Input), error rows and counters, under the source and its range of digests."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(
        self, element: tuple[Batch, Iterable[str]], grants: Mapping[int, Mapping[str, int]] | None = None
    ) -> Iterator[Any]:
        """Inspect a batch.

        Args:
            grants: items that remote inputs may have on top of their shares, by source and URI; their own shares are
                fetched then. None if nothing is fetched yet.
        """
        (source, batch), names = element
        name = self._recipe.sources[source].name
        causes: Counter[str] = Counter()
        uris = sorted(set(names))  # overlapping patterns name a file twice
        num_items = num_failed = 0
        group = batch  # of inputs that cannot be read; they only have to be somewhere
        for uri, found, state in self._inspected(source, uris, grants):
            if found.cause:
                num_failed += 1
                causes[found.cause] += 1
                yield (source, group), ErrorRow(name, uri, None, found.cause, found.message)
            else:
                num_items += found.num_items
                group = group_of(found.digest, self._job.num_inputs)
                yield (source, group), (found.digest, Input(uri, found.num_items, found.num_bytes, state))
        counts = {"inputs.matched": len(uris), "inputs.read": len(uris) - num_failed, "items.found": num_items}
        counts |= {"inputs.failed": num_failed} if num_failed else {}
        yield (source, group), {**counts, **{f"failures.{cause}": number for cause, number in causes.items()}}
        progress_of(self._job).add(
            f"inspect {source}-{batch}",
            inputs_failed=num_failed,
            inputs_read=len(uris) - num_failed,
            items_found=num_items,
        )

    def counters(self, output: Any) -> Mapping[str, int]:
        """The counters in an output."""
        _, content = output
        return content if isinstance(content, dict) else {}

    def _inspected(
        self, source: int, uris: list[str], grants: Mapping[int, Mapping[str, int]] | None
    ) -> Iterator[tuple[str, Inspection, str]]:
        """Every input with what was found in it and its state. One that the reader dies on costs itself only."""
        inputs = InputFiles(self._recipe, self._storage, self._job.readers, self._job.run)
        brought = inputs.bring(source, filter(is_fetched, uris))
        for start in range(0, len(uris), INPUTS_PER_BATCH):
            with ExitStack() as files:
                left: list[tuple[str, LocalInput]] = []
                chunk = uris[start : start + INPUTS_PER_BATCH]
                fetched = self._fetched(source, chunk, grants)
                for uri in chunk:
                    try:
                        use = fetched.get(uri)
                        if isinstance(use, (InputError, ItemFault)):
                            raise use
                        digest = brought.get(uri, "")
                        if isinstance(digest, InputError):
                            raise digest
                        left.append((uri, files.enter_context(inputs.opened(source, uri, digest))))
                    except (InputError, ItemFault) as error:
                        yield uri, Inspection(cause=error.cause, message=error.message), ""
                yield from self._asked(source, left)

    def _fetched(self, source: int, uris: list[str], grants: Mapping[int, Mapping[str, int]] | None) -> Fetches:
        """Fetch inputs of a remote source; what was fetched before is not fetched again."""
        remote = self._recipe.sources[source]
        if not isinstance(remote, RemoteSource):
            return {}
        more = {uri: grants[source][uri] for uri in uris if uri in grants.get(source, {})} if grants else {}
        enlarge(self._job, remote, more)
        retry_failed = self._job.retry_failed and grants is None
        return fetch_inputs(self._job, self._recipe, source, uris, retry_failed=retry_failed)

    def _asked(self, source: int, left: list[tuple[str, LocalInput]]) -> Iterator[tuple[str, Inspection, str]]:
        while left:
            request = InspectInputs(
                source=source,
                paths=tuple(found.path for _, found in left),
                digests=tuple(found.digest for _, found in left),
            )
            try:
                with readers_of(self._recipe, self._job.readers).reader() as reader:
                    answer = reader.ask(request)
            except ItemFault as fault:
                if fault.slice is None and len(left) > 1:  # each alone shows which of them it was
                    for one in left:
                        yield from self._asked(source, [one])
                    return
                uri, local = left.pop(fault.slice or 0)
                yield uri, Inspection(cause=fault.cause, message=fault.message), local.state
                continue
            for (uri, local), found in zip(left, answer.found, strict=True):
                yield uri, found, local.state
            return


class MakeUnits(beam.DoFn):
    """((source, range of digests), what `Inspect` found there) to units, and the account's entries."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, element: tuple[tuple[int, int], Iterable[Any]]) -> Iterator[Unit | Entry]:
        (source, _), values = element
        found: list[tuple[str, Input]] = []
        counts: Counter[str] = Counter()
        home = 0
        for value in values:
            if isinstance(value, ErrorRow):
                entry = entry_of(value)
                home = entry.range
                yield entry
            elif isinstance(value, dict):
                counts.update(value)
            else:
                found.append(value)
        items_per_unit = self._job.load_recipe().sources[source].items_per_unit
        for unit in listed(units_of(source, found, items_per_unit), self._job.storage(), self._job.run):
            home = range_of(bucket_of(unit, items_per_unit))
            yield unit
        yield Entry(home, dict(counts))  # where there is something else: an entry of its own range costs a file
