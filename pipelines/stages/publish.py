"""Publishing: the last step of a run moves the finished shards to their places and writes manifest, card and report."""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from pipelines.job import Job
from pipelines.public_names import save_own_recipe
from pipelines.report import card
from pipelines.stages.material import describe_material
from pipelines.stages.plan_shards import Totals
from pipelines.stages.references import read_references
from pipelines.stages.write_shards import staged
from pipelines.storage import Storage
from pipelines.tables.manifest import MANIFEST, Shard, build_manifest
from pipelines.taxonomy_files import targets_of

TABLE_FOLDERS = ("data", "ledger", "errors")


class Publish(beam.DoFn):
    """Runs once. Until there is a manifest, the output does not count as finished; a rerun makes it whole."""

    def __init__(self, job: Job):
        self._job = job

    def process(self, totals: Totals, shards: Iterable[Shard]) -> Iterator[str]:
        storage = self._job.storage()
        shards = sorted(shards)
        recipe = self._job.load_recipe()
        references = [r.described() for r in read_references(storage, self._job.references)]
        manifest = build_manifest(
            recipe, totals.counts, shards, references, targets_of(recipe, storage), self._material(storage)
        )
        save_own_recipe(storage, recipe.to_json())
        storage.delete(MANIFEST)
        place_shards(storage, self._job, shards)
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        storage.write_bytes(MANIFEST, text.encode())
        card.export(storage)
        yield MANIFEST

    def _material(self, storage: Storage) -> list[dict[str, Any]]:
        """Descriptions of the material of every virtual input."""
        return [{"uri": uri, **dataclasses.asdict(describe_material(uri, storage))} for uri in self._job.material]


def place_shards(storage: Storage, job: Job, shards: Iterable[Shard]) -> None:
    """Move shards from the staging folder to their places; files of an earlier run that no longer belong go first."""
    wanted = {shard.path for shard in shards}
    for folder in TABLE_FOLDERS:
        for path in storage.list(f"{folder}/"):
            if path not in wanted:
                storage.delete(path)
    for path in sorted(wanted):
        # A retried step finds part of its work done.
        if storage.exists(staged(job, path)):
            storage.move(staged(job, path), path)
