"""The writing of shards, as a step of the pipeline."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipelines.public_names import PublicNames
from pipelines.stages.account import Account
from pipelines.stages.plan_shards import ShardTask, place_of
from pipelines.stages.progress import progress_of
from pipelines.stages.step import ConcurrentDoFn
from pipelines.tables.data import DataTable
from pipelines.tables.errors import write_errors
from pipelines.tables.ledger import LedgerTable
from pipelines.tables.manifest import Shard
from pipelines.tables.parquet import HashingFile
from pipelines.units import ErrorRow


class WriteShard(ConcurrentDoFn):
    """ShardTask to a Shard, written to its place; the manifest, which is last, makes it count."""

    extra_threads = 0

    def setup(self) -> None:
        self._recipe = self._job.load_recipe()
        self._storage = self._job.storage()

    def work(self, task: ShardTask) -> Iterator[Shard]:
        table, path = task.table, task.path
        payloads = list(self._payloads(task))
        labels: Counter[str] = Counter()
        with self._storage.create(path) as raw:
            file = HashingFile(raw)
            if table == "errors":
                names = PublicNames(self._recipe)
                rows = write_errors(file, (_public(row, names) for row in payloads))
            elif table == "ledger":
                rows = LedgerTable(self._storage, self._recipe, self._job.run).write(
                    file, sorted(payloads, key=lambda unit: unit.place)
                )
            else:
                split = DataTable(self._storage, self._recipe, self._job.run, table)
                rows, labels = split.write(file, sorted(payloads, key=lambda unit: unit.place))
        progress_of(self._job).add(f"shard {path}", shards_written=1)
        yield Shard(path, table, rows, file.num_bytes, file.sha256(), tuple(sorted(labels.items())))

    def _payloads(self, task: ShardTask) -> Iterator[Any]:
        items_per_unit = [source.items_per_unit for source in self._recipe.sources]
        for number in task.ranges:
            account = Account.read(self._storage, self._job.run, number)
            for bucket, within, payload in account.rows(task.table, items_per_unit):
                if task.start <= place_of(bucket, within) < task.end:
                    yield payload


def _public(row: ErrorRow, names: PublicNames) -> ErrorRow:
    return row._replace(uri=names.of(row.uri), message=names.of_message(row.message, row.uri))
