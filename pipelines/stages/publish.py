"""Publishing: shards are written to their places by all workers, and the manifest makes them an output.

An output without a manifest does not count as finished. It goes before the first shard is written, and comes back
behind the last one; a run that ends in between is made whole by the next.
"""

import dataclasses
import json
from collections.abc import Container, Iterable, Iterator
from typing import Any

import apache_beam as beam

from pipelines.job import Job
from pipelines.public_names import save_own_recipe
from pipelines.report import card
from pipelines.stages.account import read_counts, write_counts
from pipelines.stages.material import describe_material
from pipelines.stages.plan_shards import RangeSums, ShardTask, SumUp
from pipelines.stages.references import read_references
from pipelines.storage import Storage
from pipelines.tables.manifest import MANIFEST, Shard, build_manifest
from pipelines.taxonomy_files import targets_of

TABLE_FOLDERS = ("data", "ledger", "errors")


class PlanShards(beam.DoFn):
    """Runs once: the sums of all ranges to the shards to write, after an earlier run's output has been withdrawn."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, _: bytes, ranges: Iterable[RangeSums]) -> Iterator[ShardTask]:
        storage, combine = self._job.storage(), SumUp(self._job.load_recipe().output.shard_mb)
        numbers: dict[str, list[int]] = {}
        total = combine.create_accumulator()
        for each in ranges:
            for table in each.sums.sizes:
                numbers.setdefault(table, []).append(each.number)
            total = combine.merge_accumulators([total, each.sums])
        totals = combine.extract_output(total)
        storage.delete(MANIFEST)
        remove_others(storage, totals.plan.paths())
        write_counts(storage, self._job.run, totals.counts)
        yield from totals.plan.tasks({table: sorted(found) for table, found in numbers.items()})


class Publish(beam.DoFn):
    """Runs once, when all shards are written: manifest, card and report."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, _: bytes, shards: Iterable[Shard]) -> Iterator[str]:
        storage = self._job.storage()
        counts = read_counts(storage, self._job.run)
        shards = sorted(shards)
        recipe = self._job.load_recipe()
        references = [r.described() for r in read_references(storage, self._job.references)]
        manifest = build_manifest(
            recipe, counts, shards, references, targets_of(recipe, storage), self._material(storage)
        )
        save_own_recipe(storage, recipe.to_json())
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        storage.write_bytes(MANIFEST, text.encode())
        card.export(storage)
        yield MANIFEST

    def _material(self, storage: Storage) -> list[dict[str, Any]]:
        """Descriptions of the material of every virtual input."""
        return [{"uri": uri, **dataclasses.asdict(describe_material(uri, storage))} for uri in self._job.material]


def remove_others(storage: Storage, wanted: Container[str]) -> None:
    """Remove the files of an earlier run that do not belong to the output any more."""
    for folder in TABLE_FOLDERS:
        for path in storage.list(f"{folder}/"):
            if path not in wanted:
                storage.delete(path)
