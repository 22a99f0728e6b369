"""Conversations of an output: some of every use case and writer with their pictures, and the balance of answers."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from pipelines.report.presentation.escaping import visible
from pipelines.tables.manifest import DATA_TABLES, Files, paths
from pipelines.tables.thumbnail import thumbnail
from sources.base.marks import without_images
from taxonomy.answers import MIN_COUNT, Balance, balances, choice_of

MAX_SHOWN = 60  # conversations with their pictures: about 2 MB
PICTURE_PX = 480
MAX_CHARS = 600  # of a message
MAX_IMAGES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One conversation with its pictures as data URLs."""

    sample_id: str
    use_case: str
    secondary: Sequence[str]
    labeller: str
    images: Sequence[str]
    turns: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversations:
    """The conversations of an output.

    Args:
        counts: number by (use case, labeller).
        shown: the first of every use case and labeller, at most `MAX_SHOWN`.
    """

    counts: Mapping[tuple[str, str], int]
    shown: Sequence[Shown]
    balances: Sequence[Balance]

    def lead(self) -> str:
        """One sentence on the balance of answers."""
        uneven = [balance for balance in self.balances if not balance.is_even]
        if not self.balances:
            return "No question has an answer out of a few."
        if all(sum(balance.counts.values()) < MIN_COUNT for balance in self.balances):
            return (
                f"Each set of answers was given fewer than {MIN_COUNT} times, too few to say whether it is one-sided."
            )
        if not uneven:
            return "Of every set of answers, each is given about as often as the others."
        return f"{len(uneven)} of {len(self.balances)} sets of answers are one-sided: a model could answer them unseen."


def read_conversations(files: Files, manifest: Mapping[str, Any]) -> Conversations | None:
    """Read the conversations of the data tables, without their pictures except for those shown; None without any."""
    counts: Counter[tuple[str, str]] = Counter()
    answers: Counter[tuple[str, str]] = Counter()
    shown: list[Shown] = []
    if "labels" not in manifest:
        return None
    for table in DATA_TABLES:
        for path in paths(manifest, table):
            with files.open(path) as file:
                parquet = pq.ParquetFile(file)
                for group in range(parquet.num_row_groups):
                    rows = _rows(parquet, group)
                    first: list[int] = []
                    for k, row in enumerate(rows):
                        if row["messages"]:
                            is_first = _count(row, counts, answers)
                            first += [k] if is_first and len(shown) + len(first) < MAX_SHOWN else []
                    if first:
                        images = parquet.read_row_group(group, ["images"]).take(first)["images"].to_pylist()
                        shown += [_shown(rows[k], of_row) for k, of_row in zip(first, images, strict=True)]
    if not counts:
        return None
    shown.sort(key=lambda each: (each.use_case, each.labeller))
    return Conversations(counts=counts, shown=shown, balances=balances(answers))


def _rows(parquet: pq.ParquetFile, group: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_row_group(group, ["id", "messages", "label", "provenance"]).to_pylist()
    return rows


def _count(row: Mapping[str, Any], counts: Counter[tuple[str, str]], answers: Counter[tuple[str, str]]) -> bool:
    """Count a conversation and the answer to its first question; True if it is the first of its use case and maker."""
    label = row["label"] or {}
    key = (label.get("use_case") or "", label.get("labeller") or "")
    counts[key] += 1
    kind = (row["provenance"]["locator"] or "").partition(";ask=")[2]
    first = next((m["content"] for m in row["messages"] if m["role"] == "assistant"), "")
    choice = choice_of(first, kind)
    if choice is not None:
        answers[key[0], choice] += 1
    return counts[key] == 1


def _shown(row: Mapping[str, Any], images: Sequence[Mapping[str, Any]]) -> Shown:
    label = row["label"] or {}
    return Shown(
        sample_id=row["id"],
        use_case=label.get("use_case") or "",
        secondary=(label.get("secondary") or "").split(),
        labeller=label.get("labeller") or "",
        images=[_data_url(image["bytes"]) for image in images[:MAX_IMAGES]],
        turns=[(visible(m["role"]), _visible_lines(without_images(m["content"]).strip())) for m in row["messages"]],
    )


def _visible_lines(text: str) -> str:
    return "\n".join(visible(line) for line in text[:MAX_CHARS].split("\n"))


def _data_url(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(thumbnail(data, PICTURE_PX)).decode()
