"""Staging a unit: its part (pixels, written once) and its score file (light rows)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa

from pipelines.stages.fetch import opened
from pipelines.stages.progress import progress_of
from pipelines.stages.scratch import scratch_folder
from pipelines.stages.step import COUNTS, ConcurrentDoFn
from pipelines.storage import fetch
from pipelines.storage.arrow_file import read_local, read_table
from pipelines.tables.scores import part_errors, part_replaced
from pipelines.taxonomy_files import local_taxonomy
from pipelines.units import ERRORS, ErrorRow, Unit, UnitFiles, error_row
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.protocol import GivenUp, ReadUnit, RescorePart
from sources.base.source import InputError
from sources.base.synthetic import REPLACED

PASSING = ("changed", "not_found", "permission_denied", "unreadable")  # causes that the next run may not meet


class Stage(ConcurrentDoFn):
    """Unit to itself if it has samples, part and scores made; its errors to ERRORS, counters to COUNTS.

    Finished parts and scores are used again.
    """

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, unit: Unit) -> Iterator[Any]:
        scored, errors = self._scored(unit)
        source = self._recipe.sources[unit.source]
        num_inputs = 1 + len(unit.copies)
        if len(scored):  # else there may be no files either: what may pass is not remembered
            yield unit
        for uri in (unit.uri, *unit.copies):
            for item, cause, message, own in errors:
                row = ErrorRow(source.name, own or uri, source.locator(item), cause, message)
                yield beam.pvalue.TaggedOutput(ERRORS, error_row(row))
        causes = Counter(cause for _, cause, *_ in errors)
        yield beam.pvalue.TaggedOutput(
            COUNTS,
            {
                "samples.total": len(scored) * num_inputs,
                "items.failed": len(errors) * num_inputs,
                **{f"failures.{cause}": number * num_inputs for cause, number in causes.items()},
                **{REPLACED + reason: number * num_inputs for reason, number in part_replaced(scored).items()},
            },
        )
        progress_of(self._job).add(
            samples_to_score=len(scored) * len(self._recipe.filters_by_part()),
            items_done=(unit.last - unit.first) * num_inputs,
            samples_duplicate=len(scored) * len(unit.copies),
            items_failed=len(errors) * num_inputs,
        )

    def _scored(self, unit: Unit) -> tuple[pa.Table, list[tuple[int, str, str, str]]]:
        """The unit's score rows and errors, from its finished files or from the reader."""
        files = UnitFiles.of(self._recipe, unit)
        if all(self._storage.exists(path) for path in (files.scores, files.part, files.rows)):
            scored = read_table(self._storage, files.scores)
            if not (self._job.retry_failed and part_errors(scored)):
                progress_of(self._job).add(units_reused=1)
                return scored, part_errors(scored)
        folder = local_taxonomy(self._recipe, self._storage)
        taxonomy = None if folder is None else Path(folder)
        with scratch_folder(self._storage) as scratch:
            part, scores, rows = scratch / "part", scratch / "scores", scratch / "rows"
            if self._storage.exists(files.part) and not self._job.retry_failed:
                finished = fetch(self._storage.path(files.part), scratch / "finished")
                with readers_of(self._recipe, self._job.readers).reader() as reader:
                    reader.ask(RescorePart(part=finished, scores=scores, taxonomy=taxonomy, conversations=rows))
                progress_of(self._job).add(units_rescored=1)
            else:
                request = ReadUnit(
                    path=Path(),
                    source=unit.source,
                    digest=unit.digest,
                    first=unit.first,
                    last=unit.last,
                    part=part,
                    scores=scores,
                    taxonomy=taxonomy,
                    conversations=rows,
                )
                self._read(unit, request)
                progress_of(self._job).add(units_read=1)
                scored = read_local(scores)
                if any(cause in PASSING for _, cause, *_ in part_errors(scored)):
                    return scored, part_errors(scored)
                self._storage.publish_file(part, files.part)
            scored = read_local(scores)
            if files.rows != files.part:
                self._storage.publish_file(rows, files.rows)
            self._storage.publish_file(scores, files.scores)
        return scored, part_errors(scored)

    def _read(self, unit: Unit, request: ReadUnit) -> None:
        """Let the reader write the part; an item it hangs or dies on is read in the source's other ways."""
        given_up: dict[int, GivenUp] = {}
        faulty: list[GivenUp] = []

        def give_up(items: Iterable[int], cause: str, message: str) -> None:
            given_up.update({item: GivenUp(item=item, cause=cause, message=message) for item in items})

        everything = range(unit.first, unit.last)
        while len(given_up) < len(everything):
            try:
                with (
                    opened(self._recipe.sources[unit.source], unit.uri, self._storage) as (path, state),
                    readers_of(self._recipe, self._job.readers).reader() as reader,
                ):
                    if state != unit.state:
                        raise InputError("changed", "the file changed while the run was going on; run again")
                    left_out = tuple(given_up.values())
                    reader.ask(replace(request, path=path, given_up=left_out, faulty=tuple(faulty)))
                return
            except InputError as error:
                give_up(everything, error.cause, error.message)
            except ItemFault as fault:
                if fault.item is None:  # the file cannot be opened, or the scores cannot be made
                    give_up(everything, fault.cause, fault.message)
                    break
                faulty.append(GivenUp(item=fault.item, cause=fault.cause, message=fault.message))
                num_faults = len({each.item for each in faulty})
                if num_faults >= self._recipe.limits.faults_per_unit and not given_up:
                    message = f"given up after {num_faults} pages before it hung or crashed the reader"
                    rest = [item for item in range(fault.item + 1, unit.last) if item not in given_up]
                    give_up(rest, "gave_up", message)
        with readers_of(self._recipe, self._job.readers).reader() as reader:  # an empty part that carries the errors
            reader.ask(replace(request, given_up=tuple(given_up.values())))
