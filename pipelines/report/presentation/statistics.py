"""Statistics: what ledger and error table say, read batch by batch with memory that does not grow."""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.report.presentation.rules import bounds, reasons_of_scores
from pipelines.report.presentation.thresholds import Margin
from pipelines.tables.bounds import Bound, only_here
from pipelines.tables.composition import COMPOSITION_FIELDS
from pipelines.tables.manifest import AccountingError, Files, check, paths
from pipelines.tables.schema import DUPLICATE, KEPT, REJECTED

BATCH_ROWS = 65_536
PICTURE_ROWS = 1_024  # rows at a time where thumbnails are read
MAX_PICTURES = 1_000  # thumbnails of one report, shared evenly by the reasons
MAX_ERRORS = 500  # error rows listed; all are counted
MANTISSA_BITS = 10  # a score is counted by its value rounded to 11 significant bits: integers up to 2,048 are exact

_PICTURE_COLUMNS = [
    "id",
    "source",
    "uri",
    "locator",
    "verdict",
    "reason",
    "reasons",
    "duplicate_of",
    "language",
    "flags",
    "split",
    "num_bytes",
    "scores",
    "thumbnail",
]


@dataclass
class Distribution:
    """How often each value of one score occurs, rounded to `MANTISSA_BITS`: a few thousand entries at most.

    Args:
        kept: values of samples that were kept.
        rejected_here: values of samples rejected by the filter of this score.
        rejected_elsewhere: values of samples that only other filters rejected.
        num_missing: samples for which the score has no meaning.
    """

    kept: Counter[float] = field(default_factory=Counter)
    rejected_here: Counter[float] = field(default_factory=Counter)
    rejected_elsewhere: Counter[float] = field(default_factory=Counter)
    num_missing: int = 0

    def parts(self) -> tuple[Counter[float], Counter[float], Counter[float]]:
        """Kept, rejected here, rejected elsewhere."""
        return self.kept, self.rejected_here, self.rejected_elsewhere

    def quantiles(self, shares: Sequence[float], *, kept_only: bool = True) -> list[float] | None:
        """Values below which these shares (0 to 1) of the samples lie; None without values."""
        counts = self.kept if kept_only else sum(self.parts(), Counter())
        if not counts:
            return None
        values = np.array(sorted(counts))
        cumulative = np.cumsum([counts[value] for value in values.tolist()])
        ranks = np.minimum(np.ceil(np.array(shares) * cumulative[-1]), cumulative[-1])
        found: list[float] = values[np.searchsorted(cumulative, np.maximum(ranks, 1))].tolist()
        return found


@dataclass
class Composition:
    """How many kept samples hold what.

    Args:
        samples: all of them.
        num_words: words with boxes of all samples together.
    """

    samples: int = 0
    with_images: int = 0
    with_several_images: int = 0
    with_text: int = 0
    with_messages: int = 0
    with_words: int = 0
    with_elements: int = 0
    num_words: int = 0

    def add(self, **counts: int) -> None:
        """Add to the counts."""
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + count)


@dataclass
class Statistics:
    """Everything that a card or a report tells from the ledger and the error table.

    Args:
        reasons: samples by (verdict, reason); the reason of a kept sample is "".
        broken: rejected samples by every reason they broke, not only the first.
        splits, languages, flags: counts of kept samples; language "" where unknown.
        labels: kept samples by use case, if they are labelled.
        scores: by score name, and `num_bytes`.
        margins: of every threshold, in the recipe's order.
        pictures: ledger rows that carry a thumbnail, at most `MAX_PICTURES`.
        num_pictures: all ledger rows that carry one.
        failures: error rows by (cause, whether the whole input failed).
        errors: the first `MAX_ERRORS` error rows.
    """

    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    compositions: defaultdict[str, Composition] = field(default_factory=lambda: defaultdict(Composition))
    scores: dict[str, Distribution] = field(default_factory=dict)
    margins: list[Margin] = field(default_factory=list)
    pictures: list[dict[str, Any]] = field(default_factory=list)
    num_pictures: int = 0
    failures: Counter[tuple[str, bool]] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def composition(self) -> Composition:
        """The composition of all kept samples."""
        total = Composition()
        for composition in self.compositions.values():
            total.add(**dataclasses.asdict(composition))
        return total

    def kept_pictures(self) -> list[dict[str, Any]]:
        """Pictures of kept samples, in order."""
        return [row for row in self.pictures if row["verdict"] == KEPT]


def read_statistics(files: Files, manifest: Mapping[str, Any]) -> Statistics:
    """Read ledger and error table. Raises AccountingError where they contradict the manifest."""
    statistics = Statistics()
    score_names = list(manifest["scores"])
    reasons = reasons_of_scores(manifest)
    statistics.scores = {name: Distribution() for name in [*score_names, "num_bytes"]}
    statistics.margins = [Margin(bound) for bound in bounds(manifest)]
    columns = ["source", "verdict", "reason", "reasons", "language", "flags", "split", "num_bytes"]
    columns += [name for name, _ in COMPOSITION_FIELDS]
    columns += ["scores"] if score_names else []
    columns += ["label"] if "labels" in manifest else []
    for path in paths(manifest, "ledger"):
        for batch in _batches(files, path, columns, BATCH_ROWS):
            _count(statistics, batch, score_names, reasons)
    _read_pictures(files, manifest, statistics)
    for path in paths(manifest, "errors"):
        for batch in _batches(files, path, ["source", "uri", "locator", "cause", "message"], BATCH_ROWS):
            _count_errors(statistics, batch)
    _check(statistics, manifest)
    return statistics


def _batches(files: Files, path: str, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    with files.open(path) as file:
        reader = pq.ParquetFile(file)
        present = [name for name in columns if name in reader.schema_arrow.names]  # an older output lacks some counts
        yield from reader.iter_batches(batch_size=rows, columns=present)


def _count(
    statistics: Statistics,
    batch: pa.RecordBatch,
    score_names: Sequence[str],
    reasons_of: Mapping[str, frozenset[str]],
) -> None:
    keys = ["verdict", "reason", "language", "split"]
    groups = pa.Table.from_batches([batch.select(keys)]).group_by(keys).aggregate([([], "count_all")])
    for row in groups.to_pylist():
        num = row["count_all"]
        statistics.reasons[row["verdict"], row["reason"] or ""] += num
        if row["verdict"] == KEPT:
            statistics.splits[row["split"] or ""] += num
            statistics.languages[row["language"] or ""] += num
    kept = pc.equal(batch["verdict"], KEPT)
    rejected = pc.equal(batch["verdict"], REJECTED)
    if "label" in batch.schema.names:
        _add_counts(statistics.labels, pc.struct_field(batch["label"], "use_case").filter(kept).drop_null())
    _add_counts(statistics.flags, pc.list_flatten(batch["flags"].filter(kept)))
    _add_counts(statistics.broken, pc.list_flatten(batch["reasons"].filter(rejected)))

    _count_compositions(statistics, pa.Table.from_batches([batch]).filter(kept))

    kept_N, rejected_N = kept.to_numpy(zero_copy_only=False), rejected.to_numpy(zero_copy_only=False)
    for name in score_names:
        values_N = pc.struct_field(batch["scores"], name).to_numpy(zero_copy_only=False)
        here_N = rejected_N & _holds_any(batch["reasons"], reasons_of.get(name, frozenset()))
        _add_values(statistics.scores[name], values_N, kept_N, here_N, rejected_N & ~here_N)
    for margin in statistics.margins:
        _count_margin(margin, batch, kept_N, rejected_N, [other.bound for other in statistics.margins])
    nowhere_N = np.zeros(len(batch), bool)
    _add_values(
        statistics.scores["num_bytes"],
        batch["num_bytes"].to_numpy(zero_copy_only=False),
        kept_N,
        nowhere_N,
        rejected_N,
    )


def _count_margin(
    margin: Margin, batch: pa.RecordBatch, kept_N: np.ndarray, rejected_N: np.ndarray, all_bounds: Sequence[Bound]
) -> None:
    """Count the samples that a moved threshold would decide about. A filter gives one reason, the first."""
    bound = margin.bound
    only_N = rejected_N & only_here(batch["reasons"], bound)
    for other in all_bounds:
        if other.filter == bound.filter and other.score != bound.score:
            values_N = pc.struct_field(batch["scores"], other.score).to_numpy(zero_copy_only=False)
            only_N &= ~(values_N < other.value if other.side == "min" else values_N > other.value)
    values_N = _rounded(pc.struct_field(batch["scores"], bound.score).to_numpy(zero_copy_only=False))
    finite_N = np.isfinite(values_N)
    margin.num_unscored += int((kept_N & ~finite_N).sum())
    for counter, mask_N in ((margin.kept, kept_N), (margin.only_here, only_N)):
        values, counts = np.unique(values_N[mask_N & finite_N], return_counts=True)
        counter.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _count_compositions(statistics: Statistics, kept: pa.Table) -> None:
    counted = {
        "with_images": pc.greater(kept["num_images"], 0),
        "with_several_images": pc.greater(kept["num_images"], 1),
        "with_text": kept["has_text"],
        "with_messages": pc.greater(kept["num_messages"], 0),
        "with_words": pc.greater(kept["num_words"], 0),
        "num_words": kept["num_words"],
    }
    if "num_elements" in kept.column_names:
        counted["with_elements"] = pc.greater(kept["num_elements"], 0)
    columns = {"source": kept["source"], **{name: column.cast(pa.int64()) for name, column in counted.items()}}
    sums = pa.table(columns).group_by("source").aggregate([([], "count_all"), *((name, "sum") for name in counted)])
    for row in sums.to_pylist():
        found = {name: row[f"{name}_sum"] for name in counted}
        statistics.compositions[row["source"] or ""].add(samples=row["count_all"], **found)


def _holds_any(lists: pa.ListArray, wanted: frozenset[str]) -> np.ndarray:
    """(N,) bool: whether each list holds one of the wanted strings."""
    if not wanted:
        return np.zeros(len(lists), bool)
    offsets = lists.offsets.to_numpy()
    hits = pc.is_in(lists.values, pa.array(sorted(wanted))).to_numpy(zero_copy_only=False)
    before = np.concatenate([[0], np.cumsum(hits)])
    holds_any: np.ndarray = before[offsets[1:]] > before[offsets[:-1]]
    return holds_any


def _add_counts(counter: Counter[str], values: pa.Array) -> None:
    for entry in pc.value_counts(values).to_pylist():
        counter[entry["values"]] += entry["counts"]


def _add_values(
    distribution: Distribution,
    values_N: np.ndarray,
    kept_N: np.ndarray,
    here_N: np.ndarray,
    elsewhere_N: np.ndarray,
) -> None:
    rounded_N = _rounded(values_N)
    finite_N = np.isfinite(rounded_N)
    distribution.num_missing += int((~finite_N & (kept_N | here_N | elsewhere_N)).sum())
    for counter, mask_N in zip(distribution.parts(), (kept_N, here_N, elsewhere_N), strict=True):
        values, counts = np.unique(rounded_N[mask_N & finite_N], return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            counter[value] += count


def _rounded(values_N: np.ndarray) -> np.ndarray:
    """Float32 values rounded to `MANTISSA_BITS` bits after the leading one; not-a-number stays."""
    drop = 23 - MANTISSA_BITS  # float32 has 23
    bits = np.ascontiguousarray(values_N, np.float32).view(np.uint32)
    with np.errstate(over="ignore"):
        rounded = ((bits + np.uint32(1 << (drop - 1))) >> drop << drop).view(np.float32)
    return np.where(np.isfinite(values_N), rounded, np.float32("nan")) + np.float32(0)  # + 0: no negative zero


def _read_pictures(files: Files, manifest: Mapping[str, Any], statistics: Statistics) -> None:
    groups = 1 + len(manifest["samples"]["rejected"]) + len(manifest["samples"]["duplicates"])
    per_group = max(1, MAX_PICTURES // groups)
    taken: Counter[tuple[str, str]] = Counter()
    for path in paths(manifest, "ledger"):
        with files.open(path) as file:
            ledger = pq.ParquetFile(file)
            for k in range(ledger.num_row_groups):
                if _has_no_picture(ledger.metadata.row_group(k)):
                    continue
                for batch in ledger.iter_batches(PICTURE_ROWS, row_groups=[k], columns=list(_PICTURE_COLUMNS)):
                    for row in batch.filter(pc.is_valid(batch["thumbnail"])).to_pylist():
                        group = (row["verdict"], row["reason"] or "")
                        taken[group] += 1
                        if taken[group] <= per_group:
                            statistics.pictures.append(row)
                        for margin in statistics.margins:
                            margin.add_picture(row)
    statistics.num_pictures = taken.total()


def _has_no_picture(group: pq.RowGroupMetaData) -> bool:
    for k in range(group.num_columns):
        column = group.column(k)
        if column.path_in_schema == "thumbnail":
            known = column.statistics
            return known is not None and known.has_null_count and known.null_count == group.num_rows
    return True


def _count_errors(statistics: Statistics, batch: pa.RecordBatch) -> None:
    whole = pc.is_null(batch["locator"])
    table = pa.table({"cause": batch["cause"], "whole": whole})
    for row in table.group_by(["cause", "whole"]).aggregate([([], "count_all")]).to_pylist():
        statistics.failures[row["cause"], row["whole"]] += row["count_all"]
    wanted = MAX_ERRORS - len(statistics.errors)
    if wanted > 0:
        statistics.errors += batch.slice(0, wanted).to_pylist()


def _check(statistics: Statistics, manifest: Mapping[str, Any]) -> None:
    samples = manifest["samples"]
    expected = Counter({(KEPT, ""): samples["kept"]})
    expected.update({(REJECTED, reason): num for reason, num in samples["rejected"].items()})
    expected.update({(DUPLICATE, reason): num for reason, num in samples["duplicates"].items()})
    for verdict, reason in sorted(expected.keys() | statistics.reasons.keys()):
        check(
            f"{verdict} {reason}".strip() + " in the manifest",
            expected[verdict, reason],
            "ledger rows",
            statistics.reasons[verdict, reason],
        )
    for split in sorted(manifest["splits"].keys() | statistics.splits.keys()):
        if split not in manifest["splits"]:
            raise AccountingError(f"the ledger has kept samples of a split {split!r} that the manifest does not know")
        num = manifest["splits"][split]["samples"]
        check(f"samples of the split {split} in the manifest", num, "ledger rows", statistics.splits[split])
    counts = manifest.get("labels", {}).get("counts", {})
    for use_case in sorted(counts.keys() | statistics.labels.keys()):
        name = f"samples of {use_case} in the manifest"
        check(name, counts.get(use_case, 0), "ledger rows", statistics.labels[use_case])
    causes: Counter[str] = Counter()
    for (cause, _), num in statistics.failures.items():
        causes[cause] += num
    for cause in sorted(manifest["failures"].keys() | causes.keys()):
        check(
            f"failures {cause} in the manifest",
            manifest["failures"].get(cause, 0),
            "error rows",
            causes[cause],
        )
