"""Samples of a finished output that a calibration measures scores on, each with others of its document."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from filters.calibration.measure import Trial
from pipelines.rewriting.row_groups import RowGroups
from pipelines.storage import Storage
from pipelines.tables.manifest import paths
from sources.base.sample import EncodedImage, Message, Provenance, Sample, Words
from sources.images.ink import ink

OTHERS = 3  # samples of the same document, or source, that a sample's corruptions may take texts from
SPLITS = ("validation", "train")  # held-out samples first


def read_trials(storage: Storage, manifest: Mapping[str, Any], number: int) -> tuple[list[Trial], int]:
    """Choose samples by their ids, the validation split first.

    Returns:
        At most `number` trials in the order of their ids' hashes, and how many of them are of the validation split.
    """
    found: list[tuple[str, int, dict[str, Any]]] = []  # path, row, light columns
    num_held_out = 0
    for split in SPLITS:
        for path in paths(manifest, split):
            if len(found) >= number and split != SPLITS[0]:
                break
            with storage.open(path) as file:
                table = pq.ParquetFile(file).read(columns=["id", "source", "provenance"])
            found += [(path, row, light) for row, light in enumerate(table.to_pylist())]
        if split == SPLITS[0]:
            num_held_out = len(found)
    order = sorted(range(len(found)), key=lambda k: (k >= num_held_out, _hash(found[k][2]["id"])))[:number]
    groups: dict[tuple[str, str], list[int]] = {}
    for k, (_, _, light) in enumerate(found):
        groups.setdefault(("document", light["provenance"]["digest"]), []).append(k)
        groups.setdefault(("source", light["source"]), []).append(k)
    rows = RowGroups(storage)
    try:
        read = _Reader(rows, found)
        trials = [Trial(read.sample(k), [read.sample(j) for j in _others(k, found, groups)]) for k in order]
    finally:
        rows.close()
    return trials, min(num_held_out, len(order))


class _Reader:
    def __init__(self, rows: RowGroups, found: Sequence[tuple[str, int, Mapping[str, Any]]]):
        self._rows, self._found = rows, found

    def sample(self, k: int) -> Sample:
        path, row, _ = self._found[k]
        return sample_of(self._rows.take(path, row, 1).to_pylist()[0])


def _others(
    k: int, found: Sequence[tuple[str, int, Mapping[str, Any]]], groups: Mapping[tuple[str, str], list[int]]
) -> list[int]:
    light = found[k][2]
    of_document = [j for j in groups["document", light["provenance"]["digest"]] if j != k]
    usable = of_document or [j for j in groups["source", light["source"]] if j != k]
    chance = np.random.default_rng(int(_hash(light["id"])[:16], 16))
    return [usable[j] for j in chance.permutation(len(usable))[:OTHERS].tolist()]


def _hash(sample_id: str) -> str:
    return hashlib.sha256(f"{sample_id}/calibrate".encode()).hexdigest()


def sample_of(row: Mapping[str, Any]) -> Sample:
    """A row of `data/` as a sample. Of the measures that its source took it has the ink alone."""
    images: list[EncodedImage] = []
    measures = {}
    for each in row["images"]:
        with Image.open(io.BytesIO(each["bytes"])) as image:
            if not images:
                measures["ink"] = ink(np.asarray(image.convert("L")))
            width, height = image.size
        extension = (each["path"] or "").rpartition(".")[2]
        images.append(EncodedImage(data=each["bytes"], extension=extension, width=width, height=height))
    words = row["words"] or []
    boxes = [[word[side] for side in ("x0", "y0", "x1", "y1")] for word in words]
    return Sample(
        id=row["id"],
        source=row["source"],
        provenance=Provenance(**row["provenance"]),
        images=images,
        messages=None if row["messages"] is None else [Message(**message) for message in row["messages"]],
        text=row["text"],
        words=Words(
            texts=[word["text"] for word in words],
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            images=np.array([word["image"] for word in words], np.int32),
        ),
        flags=row["flags"] or (),
        measures=measures,
    )
