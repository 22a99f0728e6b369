"""Small data sets with the columns of the pipeline's outputs, and settings to train a tiny model on them."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from PIL import Image

from tests.deepseek_vl import tiny

IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("images", IMAGES),
        ("messages", MESSAGES),
        ("text", pa.string()),
        ("language", pa.string()),
        ("scores", pa.struct([("agreement", pa.float32()), ("num_words", pa.float32())])),
        ("split", pa.string()),
    ]
)


def png(seed: int, side: int = 24) -> bytes:
    """Return the PNG of a picture of noise."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def text_row(number: int, words: int = 8) -> dict[str, Any]:
    """Return a row of text, of a length that depends on its number."""
    return {"text": " ".join(f"word{number}" for _ in range(words + number % 5))}


def image_row(number: int, words: int = 4) -> dict[str, Any]:
    """Return a row of an image with its text."""
    return {"images": [{"bytes": png(number), "path": None}], "text": f"<image>\n{text_row(number, words)['text']}"}


def conversation_row(number: int) -> dict[str, Any]:
    """Return a conversation of two turns about an image."""
    return {
        "images": [{"bytes": png(number), "path": None}],
        "messages": [
            {"role": "user", "content": "<image>\nWhich number?"},
            {"role": "assistant", "content": f"Number {number}."},
            {"role": "user", "content": "Are you sure?"},
            {"role": "assistant", "content": "Yes."},
        ],
    }


def write(folder: Path, rows: Sequence[Mapping[str, Any]], *, shards: int = 1, rows_per_group: int = 10) -> Path:
    """Write rows as shards of an output; missing columns get defaults."""
    data = folder / "data"
    data.mkdir(parents=True)
    complete = [
        {
            "id": f"{number:08d}",
            "source": "tests",
            "images": [],
            "messages": None,
            "text": None,
            "language": "en",
            "scores": {"agreement": (number % 10) / 10, "num_words": float(number)},
            "split": "train",
            **row,
        }
        for number, row in enumerate(rows)
    ]
    size = -(-len(complete) // shards)
    for shard in range(shards):
        table = pa.Table.from_pylist(complete[shard * size : (shard + 1) * size], SCHEMA)
        pq.write_table(table, data / f"train-{shard:05d}-of-{shards:05d}.parquet", row_group_size=rows_per_group)
    return folder


def write_settings(path: Path, model: Path, **changes: Any) -> Path:
    """Write settings for a short training of a tiny model; `changes` replace whole top-level keys."""
    content: dict[str, Any] = {
        "model": str(model),
        "output": str(path.parent / "run"),
        "train": {"adaptor": 1e-3, "language": 1e-3},
        "data": {"tokens": 96, "lanes": 2, "rows_per_block": 20, "workers": 1, "sources": []},
        "optimization": {"steps": 8, "sequences": 4, "sequences_per_batch": 2, "schedule": {"warmup_steps": 2}},
        "compute": {"dtype": "float32", "device": "cpu"},
        "saving": {"every_steps": 2},
        "log_every": 1,
        **changes,
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


PROCESSOR = tiny.processor(tiny.HYBRID)
