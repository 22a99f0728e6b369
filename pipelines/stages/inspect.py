"""Inspecting inputs: the digest of each and how many items it holds."""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from pipelines.stages.fetch import fetch_input, opened
from pipelines.stages.progress import progress_of
from pipelines.stages.step import COUNTS, ConcurrentDoFn
from pipelines.units import ERRORS, ErrorRow, Input, error_row
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.protocol import InspectInput
from sources.base.remote import RemoteSource
from sources.base.source import InputError


class Inspect(ConcurrentDoFn):
    """(source index, uri) to ("source:digest", Input); failures to ERRORS, counters to COUNTS."""

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, element: tuple[int, str]) -> Iterator[Any]:
        source, uri = element
        progress = progress_of(self._job)
        try:
            if isinstance(self._recipe.sources[source], RemoteSource):
                fetch_input(self._job, self._recipe, source, uri)
            with (
                opened(self._recipe.sources[source], uri, self._storage) as (path, state),
                readers_of(self._recipe, self._job.readers).reader() as reader,
            ):
                contents = reader.ask(InspectInput(source=source, path=path))
        except (InputError, ItemFault) as error:
            progress.add(inputs_failed=1)
            row = ErrorRow(self._recipe.sources[source].name, uri, None, error.cause, error.message)
            yield beam.pvalue.TaggedOutput(ERRORS, error_row(row))
            yield beam.pvalue.TaggedOutput(COUNTS, {"inputs.failed": 1, f"failures.{error.cause}": 1})
            return
        progress.add(inputs_read=1, items_found=contents.num_items)
        yield beam.pvalue.TaggedOutput(COUNTS, {"inputs.read": 1, "items.found": contents.num_items})
        yield f"{source}:{contents.digest}", Input(uri, contents.num_items, state)
