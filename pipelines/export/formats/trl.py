"""TRL: Parquet whose messages are lists of parts, because its trainer puts images where parts of type `image` are."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.export.formats.format import ExportFile, Format, binary, of_shard
from pipelines.export.sample import ExportedSample, as_conversation
from pipelines.storage import Storage
from pipelines.tables.hub_features import hub_features
from pipelines.tables.parquet import row_groups
from sources.base.marks import IMAGE_PLACEHOLDER
from sources.base.sample import Message

ROW_GROUP_BYTES = 10_000_000
ROW_BYTES = 200  # in addition to texts and images
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("images", pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))),
        (
            "messages",
            pa.list_(
                pa.struct(
                    [
                        ("role", pa.string()),
                        ("content", pa.list_(pa.struct([("type", pa.string()), ("text", pa.string())]))),
                    ]
                )
            ),
        ),
    ]
)


class Trl(Format):
    name: ClassVar[str] = "trl"
    about: ClassVar[str] = "Parquet for `trl sft` and its SFTTrainer of vision-language models"

    def write(
        self,
        storage: Storage,
        split: str,
        number: str,
        batches: Iterable[Sequence[ExportedSample]],
        left_out: Counter[str],
    ) -> list[ExportFile]:
        path = f"data/{split}-{number}.parquet"
        schema = SCHEMA.with_metadata(
            {b"huggingface": json.dumps({"info": {"features": hub_features(SCHEMA)}}).encode()}
        )
        with of_shard(storage) as writing:
            writer = None
            for group in row_groups(self._tables(batches, left_out), ROW_GROUP_BYTES):
                if writer is None:
                    writer = pq.ParquetWriter(binary(writing.file(path)), schema, compression="zstd")
                writer.write_table(group.combine_chunks(), row_group_size=len(group))
                writing.rows[path] += len(group)
            if writer is not None:
                writer.close()
        return writing.files()

    def _tables(
        self, batches: Iterable[Sequence[ExportedSample]], left_out: Counter[str]
    ) -> Iterator[tuple[pa.Table, list[int]]]:
        for samples in batches:
            rows, sizes = [], []
            for sample in samples:
                turns = as_conversation(sample, self.prompt)
                if not turns:
                    left_out["no_text"] += 1
                    continue
                images = [{"bytes": image.data, "path": image.name} for image in sample.images]
                messages = [{"role": turn.role, "content": parts_of(turn)} for turn in turns]
                rows.append({"id": sample.id, "images": images, "messages": messages})
                num_chars = sum(len(turn.content) for turn in turns)
                sizes.append(sum(len(image.data) for image in sample.images) + num_chars + ROW_BYTES)
            yield pa.Table.from_pylist(rows, schema=SCHEMA), sizes

    def next_step(self, name: str, place: str, files: Sequence[ExportFile]) -> str:
        return f"trl sft --dataset_name {place} …"


def parts_of(turn: Message) -> list[dict[str, Any]]:
    """The content of a turn as parts of type `image` and `text`, in order; line ends around images are left out."""
    parts: list[dict[str, Any]] = []
    pieces = turn.content.split(IMAGE_PLACEHOLDER)
    for k, piece in enumerate(pieces):
        if k:
            parts.append({"type": "image", "text": None})
        if text := piece.strip("\n") if len(pieces) > 1 else piece:
            parts.append({"type": "text", "text": text})
    return parts or [{"type": "text", "text": ""}]
