"""Scores shards into Parquet files, one by one, so that a run that was stopped goes on where it was.

A finished file names in its metadata what it was computed from: the model's digest, the questions, the way the weights
are held, and the shard's content. It is used again if all of them are the same, and replaced otherwise.
"""

import contextlib
import hashlib
import json
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from deepseek_vl.score_shards import KEY, Shard, ShardRow, printable
from deepseek_vl.scoring import Item, ItemError, Question, Scorer
from sources.terminal import raw

QUESTIONS = b"vellum.questions"
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("probabilities", pa.list_(pa.list_(pa.float32()))),  # [question][choice]; null if the row has an error
        ("error", pa.string()),  # null if the row has scores
    ]
)
UNFINISHED = ".part"  # end of the name of a file that is being written
ABANDONED_S = 3600.0  # then its process was killed: writing takes less than a second
PROGRESS_S = {True: 1.0, False: 30.0}  # between two lines of progress, on a terminal and in a log


@dataclass(slots=True)
class Progress:
    """Counts rows and prints their rate and the time left."""

    total: int
    rows: int = 0
    errors: int = 0
    reused: int = 0
    started: float = field(default_factory=time.monotonic)
    printed: float = 0.0

    def add(self, error: bool) -> None:
        """Count a scored row."""
        self.rows += 1
        self.errors += error
        if time.monotonic() - self.printed > PROGRESS_S[sys.stderr.isatty()]:
            self.printed = time.monotonic()
            print(self.line(), end="\r" if sys.stderr.isatty() else "\n", file=raw(sys.stderr), flush=True)

    def line(self) -> str:
        """Return the state in one line."""
        rate = self.rows / max(time.monotonic() - self.started, 1e-9)
        left_s = (self.total - self.reused - self.rows) / rate if rate else 0.0
        hours, minutes = divmod(round(left_s / 60), 60)
        done = (
            f"{self.rows + self.reused:,} of {self.total:,} rows ({self.reused:,} from before, {self.errors:,} errors)"
        )
        return f"{done}, {rate:.2f} rows/s, {hours} h {minutes:02} min left"


@dataclass(frozen=True, slots=True)
class BulkScorer:
    """Scores shards into a folder.

    Args:
        model_key: identity of the model and the way it computes.
    """

    scorer: Scorer
    questions: tuple[Question, ...]
    model_key: str
    output: Path

    def path(self, shard: Shard) -> Path:
        """Return the file of a shard's scores."""
        return self.output / f"{shard.name}.parquet"

    def key(self, shard: Shard) -> bytes:
        """Return the identity of a shard's scores. Raises OSError."""
        asked = [[question.text, *question.choices] for question in self.questions]
        parts = [self.model_key, self.scorer.system, asked, self.scorer.batch_tokens, shard.content()]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest().encode()

    def done(self, shard: Shard) -> bool:
        """Return True if the shard's scores are there. Raises OSError if the shard cannot be read."""
        try:
            metadata = pq.read_metadata(self.path(shard)).metadata or {}
        except (OSError, pa.ArrowException):
            return False
        return metadata.get(KEY) == self.key(shard)

    def score(self, shard: Shard, progress: Progress) -> None:
        """Score a shard; its file appears whole or not at all.

        Raises:
            OSError, pyarrow.ArrowException, ValueError: the shard cannot be read.
        """
        asked = json.dumps([{"question": q.text, "choices": q.choices} for q in self.questions], ensure_ascii=False)
        schema = SCHEMA.with_metadata({KEY: self.key(shard), QUESTIONS: asked.encode()})
        ids: deque[str] = deque()
        rows: list[tuple[str, list[list[float]] | None, str | None]] = []
        for result in self.scorer.score_items(self._items(shard.rows(), ids)):
            if isinstance(result, ItemError):
                rows.append((ids.popleft(), None, printable(result.message)))
            else:
                rows.append((ids.popleft(), [np.exp(scores).tolist() for scores in result], None))
            progress.add(isinstance(result, ItemError))
        columns = zip(*rows, strict=True) if rows else ([], [], [])
        arrays = [pa.array(list(column), kind) for column, kind in zip(columns, schema.types, strict=True)]
        self._write(self.path(shard), pa.Table.from_arrays(arrays, schema=schema))

    def _write(self, path: Path, table: pa.Table) -> None:
        """Write a file that appears whole or not at all, beside others who may be writing it."""
        temporary = self.output / f".{path.name[:100]}.{uuid.uuid4().hex}{UNFINISHED}"
        try:
            with temporary.open("xb") as file:
                pq.write_table(table, file, compression="zstd")
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _items(self, rows: Iterator[ShardRow], ids: deque[str]) -> Iterator[Item | ItemError]:
        for row in rows:
            ids.append(row.id)
            yield row.images if isinstance(row.images, ItemError) else Item(row.images, self.questions)


def run(bulk: BulkScorer, shards: Sequence[Shard]) -> list[str]:
    """Score the shards that are not done yet, with progress on standard error.

    Returns:
        Why shards could not be scored, one sentence each; the others are.
    """
    bulk.output.mkdir(parents=True, exist_ok=True)
    for path in bulk.output.glob(f".*{UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):  # another run has just finished it
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                path.unlink()
    with tempfile.TemporaryFile(dir=bulk.output):
        pass  # a folder that cannot be written is reported before anything is computed
    names = [shard.name for shard in shards]
    if repeated := sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []:
        raise ValueError(f"two inputs would be scored into {repeated[0]}.parquet; score them into separate folders")
    progress = Progress(sum(shard.num_rows for shard in shards))
    failures = []
    for shard in shards:
        try:
            if bulk.done(shard):
                progress.reused += shard.num_rows
            else:
                bulk.score(shard, progress)
        except (OSError, ValueError, pa.ArrowException) as error:
            failures.append(f"{shard.name}: {str(error).splitlines()[0]}")
    print(progress.line(), file=sys.stderr, flush=True)
    return failures
