"""The ledger: one row a sample, kept or not, with every score and verdict; and one row an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from filters.filter import Filter, Scores
from pipelines.duplicates.fingerprint import FINGERPRINT
from sources.sample import LABEL, scores_field
from taxonomy.shares import BEYOND_SHARE

KEPT, REJECTED, DUPLICATE = "kept", "rejected", "duplicate"
SAME_CONTENT = "same_content"  # reason: another input has the same bytes
CONTAMINATED = "contaminated"  # reason to reject: the sample shows, or holds text of, an item of an evaluation set

NOT_SCORED = "not_scored"  # reason to reject: an expensive filter hung, crashed or ran out of memory on the sample

FAULT = "fault."  # prefix of columns of score files: why a filter gave a sample no score, null if it did
REASON = "label_reason"  # in score files: why a sample is rejected on account of its label, null if it is not

ERRORS_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("uri", pa.string()),
        ("locator", pa.string()),  # null: the whole input failed
        ("cause", pa.string()),
        ("message", pa.string()),
    ]
)


def ledger_schema(score_names: Sequence[str]) -> pa.Schema:
    """The schema of `ledger/*.parquet` for these score names (in order)."""
    return pa.schema(
        [
            ("id", pa.string()),
            ("source", pa.string()),
            ("uri", pa.string()),
            ("locator", pa.string()),
            ("digest", pa.string()),
            ("verdict", pa.string()),  # kept, rejected or duplicate
            ("reason", pa.string()),  # of the first filter that rejected, or the kind of duplicate; null if kept
            ("reasons", pa.list_(pa.string())),  # of all filters that rejected
            ("duplicate_of", pa.string()),  # the kept sample's id, or the evaluation item's name
            ("distance", pa.int16()),  # Hamming distance of the pictures to it, in bits; null for texts
            ("similarity", pa.float32()),  # Jaccard similarity of the texts to it; null if one has none
            ("language", pa.string()),
            ("flags", pa.list_(pa.string())),
            ("label", LABEL),
            ("split", pa.string()),  # null unless kept
            ("num_bytes", pa.int64()),
            *scores_field(score_names),
            ("phash", pa.binary(32)),
            ("fingerprint", pa.binary(FINGERPRINT.itemsize)),  # all that comparing needs (docs/duplicates.md)
            ("thumbnail", pa.binary()),  # JPEG, of the few samples a report shows; null for all others
        ]
    )


class SetAside(NamedTuple):
    """What the comparison with other samples says of one row of a score file.

    Args:
        item: the row.
        reason: kind of duplicate, `contaminated` or `beyond_share`; empty for a kept sample that is only to be shown.
        duplicate_of: the kept sample's id, or the evaluation item's name.
        is_shown: the report wants its picture.
    """

    item: int
    reason: str = ""
    duplicate_of: str | None = None
    distance: int | None = None
    similarity: float | None = None
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided on one sample.

    Args:
        reasons: codes of all filters that rejected, in the recipe's order, or of what it repeats; empty means kept.
        repeats: what it was compared with, if something was found.
    """

    reasons: tuple[str, ...] = ()
    repeats: SetAside | None = None

    @property
    def is_kept(self) -> bool:
        return not self.reasons

    @property
    def name(self) -> str:
        """`kept`, `rejected` or `duplicate`."""
        if self.is_kept:
            return KEPT
        is_repeated = self.repeats is not None and self.repeats.reason not in (CONTAMINATED, BEYOND_SHARE)
        return DUPLICATE if is_repeated else REJECTED


def settle(verdicts: Sequence[Verdict], set_aside: Sequence[SetAside]) -> list[Verdict]:
    """The filters' verdicts, and on what they keep those of the comparison."""
    settled = list(verdicts)
    for row in set_aside:
        if row.reason:
            assert settled[row.item].is_kept
            settled[row.item] = Verdict((row.reason,), row)
    return settled


def judge(scored: pa.Table, filters: Sequence[Filter]) -> list[Verdict]:
    """The verdict on every row of a score file, from its scores alone."""
    columns = {name.removeprefix("score."): scored[name].to_pylist() for name in scored.column_names}
    verdicts = []
    none = [None] * len(scored)
    label_reasons = columns.get(REASON, none)
    for k in range(len(scored)):
        language = columns["language"][k]
        reasons = []
        for f in filters:
            if columns.get(FAULT + f.name, none)[k] is not None:
                reasons.append(NOT_SCORED)
                continue
            values: Mapping[str, float | None] = {name: columns[name][k] for name in f.score_names}
            reason = f.rejects(Scores(values=values, language=language))
            if reason is not None:
                reasons.append(reason)
        if label_reasons[k] is not None:
            reasons.append(label_reasons[k])
        verdicts.append(Verdict(tuple(reasons)))
    return verdicts
