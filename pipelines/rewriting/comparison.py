"""The comparison of samples with each other and with references, from the fingerprints in the ledger.

It gives what a run gives, in the same order, because it runs the same steps on the same rows.
"""

import json
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow
from pipelines.duplicates.index import rows_of
from pipelines.duplicates.search import EDGE
from pipelines.duplicates.settings import Dedupe
from pipelines.job import Job
from pipelines.recipe import Recipe, UsageError
from pipelines.rewriting.ledger_units import Block
from pipelines.stages.account import range_of
from pipelines.stages.decisions import unit_number
from pipelines.stages.deduplicate import (
    Pairs,
    all_files,
    decisions_of,
    tasks_of,
    write_rows,
)
from pipelines.stages.quotes import COMMON_RUNS, hits_in, leaks_of, with_texts
from pipelines.stages.references import Reference, prepare
from pipelines.storage import Storage, fetch
from pipelines.tables.schema import CONTAMINATED, REJECTED
from pipelines.tables.siblings import one_per_item, with_siblings
from pipelines.tables.verdicts import NO_DUPLICATE, Rejection, Verdict
from pipelines.units import UnitFiles, bucket_of
from pipelines.workers.confinement import let_readers_write


class Comparison:
    """A context: units are added, then it decides.

    Args:
        storage: the output.
        recipe: the new one.
    """

    def __init__(self, storage: Storage, manifest: Mapping[str, Any], recipe: Recipe):
        self._output, self._manifest, self._recipe = storage, manifest, recipe
        self._compares = recipe.dedupe is not None or bool(recipe.decontaminate)
        self._pieces: dict[int, list[int]] = {}
        self._leaks: dict[int, tuple[Rejection, ...]] = {}
        self._references: list[Reference] = []

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="vellum-refit-")
        self._scratch = Storage(self._folder.name)
        run = secrets.token_hex(4)
        references = ""
        if self._compares:
            let_readers_write(self._output)  # and read: texts are looked for again in its parts
            references, self._references = prepare(self._recipe, self._scratch, run)
        if [reference.described() for reference in self._references] != self._manifest.get("references", []):
            self._folder.cleanup()
            raise UsageError(
                "the collections that samples are compared with (decontaminate, dedupe.against) are not as they were; "
                "run the recipe again"
            )
        recipe = json.dumps(self._recipe.to_json(travels=True))
        self._job = Job(recipe=recipe, output=self._scratch.root, run=run, references=references)
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def add(self, block: Block, rows: pa.Table, verdicts: Sequence[Verdict], first: Sequence[int]) -> None:
        """Add a unit.

        Args:
            rows: its ledger rows.
            verdicts: (N,) what the filters decide now.
            first: (N,) the first sample of the item of each.
        """
        if not self._compares:
            return
        number = unit_number(block.unit)
        passes = np.array([verdict.is_kept for verdict in verdicts], bool)
        leaks = [leak for leak in self._leaks_of(block, rows, passes) if passes[leak.item]]
        leaks = with_siblings(leaks, verdicts, first)
        if leaks:
            self._leaks[number] = tuple(leaks)
        wanted = np.setdiff1d(np.flatnonzero(passes), [leak.item for leak in leaks])
        wanted = np.array(one_per_item(wanted.tolist(), first), np.int64)
        if len(wanted):
            records = from_arrow(rows["fingerprint"], FINGERPRINT)[wanted]
            ids = rows["id"].take(pa.array(wanted)).to_pylist()
            piece = rows_of(records, ids, wanted, self._recipe.dedupe or Dedupe(), unit=number).tobytes()
            items_per_unit = self._recipe.sources[block.unit.source].items_per_unit
            place = range_of(bucket_of(block.unit, items_per_unit))
            self._pieces.setdefault(place, []).append(len(piece))
            with self._spool(place).open("ab") as file:
                file.write(piece)

    def _leaks_of(self, block: Block, rows: pa.Table, passes: np.ndarray) -> list[Rejection]:
        """Texts of evaluation sets in a unit: known from the ledger, or found in the part where filters kept less."""
        evaluation = with_texts(self._references)
        if not evaluation:
            return []
        reasons, verdicts = rows["reason"].to_pylist(), rows["verdict"].to_pylist()
        passed = [v != REJECTED or r in NO_DUPLICATE for v, r in zip(verdicts, reasons, strict=True)]
        if any(passes & ~np.array(passed, bool)):
            part = UnitFiles.of(self._recipe, block.unit).part
            if not self._output.exists(part):
                return []  # the samples are missed when their rows are looked for
            folder = Path(self._folder.name)
            path = fetch(self._output.path(part), folder / "part")
            common = fetch(self._output.path(COMMON_RUNS), folder / "common")
            hits = hits_in(path, evaluation, self._scratch, self._recipe, 1, folder)
            return leaks_of(hits, evaluation, self._scratch, common, self._recipe, 1, folder)
        is_text = pc.is_null(rows["distance"]).to_pylist()
        found = [rows[name].to_pylist() for name in ("duplicate_of", "similarity", "matched_words")]
        return [
            Rejection(
                item=k, reason=CONTAMINATED, duplicate_of=found[0][k], similarity=found[1][k], matched_words=found[2][k]
            )
            for k, reason in enumerate(reasons)
            if reason == CONTAMINATED and is_text[k]
        ]

    def decisions(self) -> dict[int, tuple[Rejection, ...]]:
        """Rejections by unit number."""
        files = []
        for number, lengths in sorted(self._pieces.items()):
            with self._spool(number).open("rb") as file:
                files.append(write_rows(self._job, number, [file.read(length) for length in lengths]))
        tasks = tasks_of(all_files(self._job, files), self._recipe.dedupe or Dedupe())
        edges = [each for task in tasks for each in Pairs(self._job).edges(task, files)]
        decided = decisions_of(self._job, np.concatenate([np.zeros(0, EDGE), *edges]), files)
        found = {unit: rejections for (_, unit), rejections in decided.items()}
        for number, leaks in self._leaks.items():
            found[number] = (*leaks, *found.get(number, ()))
        return found

    def _spool(self, number: int) -> Path:
        return Path(self._folder.name) / f"{number:05d}.spool"
