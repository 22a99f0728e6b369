"""The ledger's tables: one row a sample, kept or not, with every score and verdict; and one row an error."""

from collections.abc import Sequence

import pyarrow as pa

from pipelines.duplicates.fingerprint import FINGERPRINT
from pipelines.tables.composition import COMPOSITION_FIELDS
from sources.base.sample import LABEL, scores_field

KEPT, REJECTED, DUPLICATE = "kept", "rejected", "duplicate"
SAME_CONTENT = "same_content"  # reason: another input has the same bytes
CONTAMINATED = "contaminated"  # reason to reject: the sample shows, or holds text of, an item of an evaluation set
OVER_SHARE = "over_share"  # reason to reject: the sample's component has its share of the tokens already

NOT_SCORED = "not_scored"  # reason to reject: an expensive filter hung, crashed or ran out of memory on the sample

FAULT = "fault."  # prefix of columns of score files: why a filter gave a sample no score, null if it did
NUM_TOKENS = "num_tokens"  # column of score files and ledger of a recipe with a mixture
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


# The ledger's columns that a unit's verdict file has too (pipelines/tables/verdicts.py).
VERDICT_FIELDS = (
    ("verdict", pa.string()),  # kept, rejected or duplicate
    ("reason", pa.string()),  # of the first filter that rejected, or the kind of duplicate; null if kept
    ("reasons", pa.list_(pa.string())),  # of all filters that rejected
    ("duplicate_of", pa.string()),  # the kept sample's id, or the evaluation item's name
    ("distance", pa.int16()),  # Hamming distance of the pictures to it, in bits; null for texts
    ("similarity", pa.float32()),  # Jaccard similarity of the texts to it; null if one has none
    ("matched_words", pa.string()),  # of the evaluation item, that the sample has too; null unless its text is quoted
)


def ledger_schema(score_names: Sequence[str], *, counts_tokens: bool = False) -> pa.Schema:
    """The schema of `ledger/*.parquet` for these score names (in order).

    Args:
        counts_tokens: the recipe has a mixture.
    """
    return pa.schema(
        [
            ("id", pa.string()),
            ("source", pa.string()),
            ("uri", pa.string()),
            ("locator", pa.string()),
            ("digest", pa.string()),
            *VERDICT_FIELDS,
            ("language", pa.string()),
            ("flags", pa.list_(pa.string())),
            ("label", LABEL),
            ("split", pa.string()),  # null unless kept
            ("num_bytes", pa.int64()),
            *COMPOSITION_FIELDS,
            *([(NUM_TOKENS, pa.int64())] if counts_tokens else []),
            *scores_field(score_names),
            ("phash", pa.binary(32)),
            ("fingerprint", pa.binary(FINGERPRINT.itemsize)),  # all that comparing needs (docs/concepts/duplicates.md)
            ("thumbnail", pa.binary()),  # JPEG, of the few samples a report shows; null for all others
        ]
    )
