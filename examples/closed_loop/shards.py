"""Data sets derived from outputs of the pipeline: the same without images, and questions that training never saw."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

IMAGE = "<image>"
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("images", IMAGES),
        ("text", pa.string()),
        ("messages", MESSAGES),
        ("split", pa.string()),
    ]
)
ROWS = 256


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of an output of the pipeline, in order."""
    for file in sorted((folder / "data").glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(ROWS, columns=SCHEMA.names):
            yield from batch.to_pylist()


def write(folder: Path, found: Iterator[Mapping[str, Any]]) -> int:
    """Write rows as a data set; return their number. The folder appears when it is complete."""
    aside = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "data").mkdir(parents=True)
    count = 0
    with pq.ParquetWriter(aside / "data" / "part-0.parquet", SCHEMA) as writer:
        some: list[Mapping[str, Any]] = []
        for row in found:
            some.append(row)
            count += 1
            if len(some) == ROWS:
                writer.write_table(pa.Table.from_pylist(some, SCHEMA))
                some = []
        if some:
            writer.write_table(pa.Table.from_pylist(some, SCHEMA))
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    return count


def without_images(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sample without its images and their marks: what a text-only twin learns from."""
    messages = [{**m, "content": m["content"].replace(IMAGE, "").strip()} for m in row["messages"] or ()]
    text = row["text"].replace(IMAGE, "").strip() if row["text"] else None
    return {**row, "images": [], "text": text, "messages": messages or None}


def first_turns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a conversation up to its first answer, with white space as in the answer that a model gives."""
    return {**row, "messages": (row["messages"] or [])[:2]}


def as_caption(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a picture with its text as a pre-training sample, as stages 1 and 2 see them."""
    return {**row, "text": f"{IMAGE}\n{answer(row)}", "messages": None}


def unseen(held_out: Path, trained: list[Path]) -> Iterator[dict[str, Any]]:
    """The held-out samples whose first answer occurs in none of the samples that were trained on."""
    known = {answer(row) for folder in trained for row in rows(folder)}
    return (row for row in rows(held_out) if answer(row) not in known)


def answer(row: Mapping[str, Any]) -> str:
    """Return what a sample's picture is about: its first answer, or its text."""
    if row["messages"]:
        return str(row["messages"][1]["content"]).strip()
    return str(row["text"]).replace(IMAGE, "").strip()
