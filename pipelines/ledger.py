"""The ledger: one row a sample, kept or not, with every score and verdict; and one row an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from filters.filter import Filter, Scores
from sources.sample import LABEL, scores_field

KEPT, REJECTED, DUPLICATE = "kept", "rejected", "duplicate"
SAME_CONTENT = "same_content"  # reason: another input has the same bytes

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
            ("duplicate_of", pa.string()),  # the kept sample's id
            ("language", pa.string()),
            ("flags", pa.list_(pa.string())),
            ("label", LABEL),
            ("split", pa.string()),  # null unless kept
            ("num_bytes", pa.int64()),
            *scores_field(score_names),
            ("phash", pa.binary(32)),
            ("thumbnail", pa.binary()),  # JPEG, of the few samples a report shows; null for all others
        ]
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the filters decided on one sample.

    Args:
        reasons: codes of all filters that rejected, in the recipe's order; empty means kept.
    """

    reasons: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        return not self.reasons


def judge(scored: pa.Table, filters: Sequence[Filter]) -> list[Verdict]:
    """The verdict on every row of a score file, from its scores alone."""
    columns = {name.removeprefix("score."): scored[name].to_pylist() for name in scored.column_names}
    verdicts = []
    label_reasons = columns.get(REASON, [None] * len(scored))
    for k in range(len(scored)):
        language = columns["language"][k]
        reasons = []
        for f in filters:
            values: Mapping[str, float | None] = {name: columns[name][k] for name in f.score_names}
            reason = f.rejects(Scores(values=values, language=language))
            if reason is not None:
                reasons.append(reason)
        if label_reasons[k] is not None:
            reasons.append(label_reasons[k])
        verdicts.append(Verdict(tuple(reasons)))
    return verdicts
