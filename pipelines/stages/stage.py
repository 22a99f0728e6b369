"""Staging a unit: its part (pixels, written once) and its score file (light rows)."""

from collections import Counter
from collections.abc import Iterator
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
        taxonomy = local_taxonomy(self._recipe, self._storage)
        with scratch_folder(self._storage) as scratch:
            part, scores, rows = scratch / "part", scratch / "scores", scratch / "rows"
            if self._storage.exists(files.part) and not self._job.retry_failed:
                finished = fetch(self._storage.path(files.part), scratch / "finished")
                with readers_of(self._recipe, self._job.readers).reader() as reader:
                    reader.ask(task="score", part=str(finished), scores=str(scores), taxonomy=taxonomy, rows=str(rows))
                progress_of(self._job).add(units_rescored=1)
            else:
                self._read(unit, part, scores, rows, taxonomy)
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

    def _read(self, unit: Unit, part: Path, scores: Path, rows: Path, taxonomy: str | None) -> None:
        """Let the reader write the part; items it hangs or dies on are given up one by one."""
        given_up: dict[int, dict[str, str]] = {}
        request: dict[str, Any] = {
            "task": "read",
            "source": unit.source,
            "digest": unit.digest,
            "first": unit.first,
            "last": unit.last,
        }
        request |= {"part": str(part), "scores": str(scores), "rows": str(rows), "taxonomy": taxonomy}
        everything = range(unit.first, unit.last)
        while len(given_up) < len(everything):
            try:
                with (
                    opened(self._recipe.sources[unit.source], unit.uri, self._storage) as (path, state),
                    readers_of(self._recipe, self._job.readers).reader() as reader,
                ):
                    if state != unit.state:
                        raise InputError("changed", "the file changed while the run was going on; run again")
                    reader.ask(path=str(path), given_up=given_up, **request)
                return
            except InputError as error:
                given_up = {item: {"cause": error.cause, "message": error.message} for item in everything}
            except ItemFault as fault:
                # An item below 0 is none: the file cannot be opened, or the scores cannot be made.
                lost = everything if fault.item < 0 else [fault.item]
                given_up |= {item: {"cause": fault.cause, "message": fault.message} for item in lost}
                if len(given_up) >= self._recipe.limits.faults_per_unit:
                    message = f"given up after {len(given_up)} pages before it hung or crashed the reader"
                    rest = [item for item in range(fault.item + 1, unit.last) if item not in given_up]
                    given_up |= {item: {"cause": "gave_up", "message": message} for item in rest}
        with readers_of(self._recipe, self._job.readers).reader() as reader:  # an empty part that carries the errors
            reader.ask(path="", given_up=given_up, **request)
