"""Staging a unit: its part (pixels, written once) and its score file (light rows)."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.stages.account import Entry, entry_of, range_of
from pipelines.stages.progress import progress_of
from pipelines.stages.read_unit import read_unit
from pipelines.stages.scratch import scratch_folder
from pipelines.stages.staged_files import discard, whole_table
from pipelines.stages.step import ConcurrentDoFn
from pipelines.storage import fetch
from pipelines.storage.arrow_file import check_local, read_local, validate_local
from pipelines.storage.errors import DamagedFile
from pipelines.tables.copies import copies_of
from pipelines.tables.scores import SLICE, PartError, file_sizes, part_errors, part_replaced
from pipelines.taxonomy_files import local_taxonomy
from pipelines.units import ErrorRow, Unit, UnitFiles, bucket_of
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.process import KILLED
from pipelines.workers.protocol import ReadUnit, RescorePart
from sources.base.source import InputError
from sources.base.synthetic import REPLACED

FURTHER = "samples.further"  # counter: samples of items that have given one before
# Causes that the next run may not meet.
PASSING = ("changed", "not_found", "permission_denied", "unreadable", KILLED)


class Stage(ConcurrentDoFn):
    """Unit to itself if it has samples, part and scores made; and its error rows and counters.

    Finished parts and scores are used again.
    """

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()
        self._job.check_machine()

    def work(self, unit: Unit) -> Iterator[Any]:
        scored, errors = self._scored(unit)
        source = self._recipe.sources[unit.source]
        if len(scored):
            yield unit
        causes: Counter[str] = Counter()
        failed = {error.slice for error in errors}
        copies = {number: copies_of(unit.slices[number], self._storage, self._job.run) for number in failed}
        for error in errors:
            each = unit.slices[error.slice]
            causes[error.cause] += each.num_inputs
            for uri in (each.uri, *copies[error.slice]):
                row = ErrorRow(source.name, error.uri or uri, source.locator(error.item), error.cause, error.message)
                yield entry_of(row)
        num_inputs = [each.num_inputs for each in unit.slices]
        num_samples = sum(num_inputs[number] for number in scored[SLICE].to_pylist())
        num_items = sum((each.last - each.first) * each.num_inputs for each in unit.slices)
        yield Entry(
            range_of(bucket_of(unit, source.items_per_unit)),
            {
                "samples.total": num_samples,
                FURTHER: num_samples - (num_items - causes.total()),
                "items.failed": causes.total(),
                **{f"failures.{cause}": number for cause, number in causes.items()},
                **{REPLACED + reason: number for reason, number in part_replaced(scored).items()},
            },
        )
        progress_of(self._job).add(
            f"stage {unit.name}",
            units_done=1,
            samples_to_score=len(scored) * len(self._recipe.filters_by_part()),
            items_done=num_items,
            samples_duplicate=num_samples - len(scored),
            items_failed=causes.total(),
        )

    def _scored(self, unit: Unit) -> tuple[pa.Table, list[PartError]]:
        """The unit's score rows and errors, from its finished files or from the reader."""
        files = UnitFiles.of(self._recipe, unit)
        is_staged = self._storage.exists(files.part)  # of a new unit, nothing more is asked for
        finished = self._whole_scores(files) if is_staged else None
        if finished is not None and not self._is_to_read_again(finished):
            return finished, part_errors(finished)
        with scratch_folder(self._storage) as scratch:
            rescored = self._rescore(files, scratch) if is_staged and not self._job.retry_failed else None
            if rescored is not None:
                return rescored, part_errors(rescored)
            self._read(unit, scratch)
            progress_of(self._job).add(f"read {unit.name}", units_read=1)
            scored = self._publish(files, scratch)
        return scored, part_errors(scored)

    def _whole_scores(self, files: UnitFiles) -> pa.Table | None:
        """The scores of a finished unit; None if a file is missing or damaged. Damaged files are deleted.

        Local files are compared with their digests. A store has its own, so there the sizes are enough.
        """
        paths = dict.fromkeys((files.part, files.rows))  # mostly the same file
        sizes = {path: self._storage.size_if_exists(path) for path in paths}
        scored = whole_table(self._job, self._storage, files.scores) if self._storage.exists(files.scores) else None
        expected = dict(sizes if scored is None else zip((files.part, files.rows), file_sizes(scored), strict=True))
        are_whole = [self._is_whole(path, sizes[path], expected[path]) for path in paths]
        return scored if all(are_whole) else None

    def _is_whole(self, path: str, size: int | None, expected: int | None) -> bool:
        if size is None:
            return False
        if size != expected:
            discard(self._job, self._storage, path, f"{self._storage.path(path)} is damaged: it has {size:,} bytes")
            return False
        is_read = self._storage.is_local or self._job.checks_staging
        return not is_read or whole_table(self._job, self._storage, path) is not None

    def _is_to_read_again(self, scored: pa.Table) -> bool:
        errors = part_errors(scored)
        return any(self._job.retry_failed or error.cause in PASSING for error in errors)

    def _rescore(self, files: UnitFiles, scratch: Path) -> pa.Table | None:
        """The scores of a finished part, measured again; None if there is none, or if it has to be read again."""
        try:
            finished = fetch(self._storage.path(files.part), scratch / "finished")
        except FileNotFoundError:  # it was damaged, and is deleted
            return None
        if not self._storage.is_local:  # else it was checked
            try:
                check_local(finished)
            except DamagedFile as error:
                discard(self._job, self._storage, files.part, str(error))
                return None
        request = RescorePart(
            part=finished,
            scores=scratch / "scores",
            taxonomy=self._taxonomy(),
            conversations=scratch / "conversations",
        )
        try:
            with readers_of(self._recipe, self._job.readers).reader() as reader:
                reader.ask(request)
        except (InputError, ItemFault):  # reading finds out which sample it is
            return None
        scored = read_local(request.scores)
        return None if self._is_to_read_again(scored) else self._publish(files, scratch)

    def _read(self, unit: Unit, scratch: Path) -> None:
        request = ReadUnit(
            source=unit.source,
            slices=(),
            part=scratch / "part",
            scores=scratch / "scores",
            taxonomy=self._taxonomy(),
            conversations=scratch / "conversations",
        )
        read_unit(self._job, self._recipe, self._storage, unit, request)

    def _taxonomy(self) -> Path | None:
        folder = local_taxonomy(self._recipe, self._storage)
        return None if folder is None else Path(folder)

    def _publish(self, files: UnitFiles, scratch: Path) -> pa.Table:
        """Move what a reader has made to its place, the scores last. Gives the scores."""
        scored = read_local(scratch / "scores")
        made = [(scratch / "scores", files.scores)]
        if files.rows != files.part:
            made.insert(0, (scratch / "conversations", files.rows))
        if (scratch / "part").exists():
            made.insert(0, (scratch / "part", files.part))
        for path, _ in made[:-1]:  # later steps and scorers map these as they are
            validate_local(path)
        self._storage.publish_files(made)
        return scored
