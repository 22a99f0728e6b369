"""Deciding again: the verdicts of a finished output under another recipe, from the scores in its ledger alone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from filters.filter import Filter
from pipelines.mixture.cuts import cut
from pipelines.recipe import Recipe
from pipelines.rewriting.comparison import Comparison
from pipelines.rewriting.ledger_units import Block, is_kept, read_rows, splits_in
from pipelines.stages.balance import beyond_share, bin_of, cuts
from pipelines.stages.decisions import unit_number
from pipelines.stages.mix import counts_of, over_share, tally
from pipelines.storage import Storage
from pipelines.tables.labels import COLUMN
from pipelines.tables.schema import FAULT, NOT_SCORED, NUM_TOKENS, REASON
from pipelines.tables.scores import SLICE
from pipelines.tables.siblings import first_rows, item_ids, with_siblings
from pipelines.tables.verdicts import Verdict, decide, judge
from taxonomy.instructions import NO_WRITER

LIGHT = [
    "id", "verdict", "reason", "reasons", "duplicate_of", "distance", "similarity", "matched_words", "language",
    "flags", "digest", "locator", "num_bytes",
]  # fmt: skip
KEPT_VERDICT = Verdict()


@dataclass(slots=True)
class Decided:
    """A unit with its verdicts, before and now.

    Args:
        was_kept, num_bytes: (N,) of its samples.
        before: (N,) verdict and reason that the ledger has.
        verdicts: N verdicts by the new recipe.
        old_splits, splits: the split that each sample is in if it is kept.
        mixed: counters of the mixture.
        first: (N,) the first sample of the item of each.
        unscored: by filter, samples that it was told to skip, and is not any more.
    """

    block: Block
    was_kept: np.ndarray
    num_bytes: np.ndarray
    before: list[str]
    verdicts: list[Verdict]
    old_splits: list[str]
    splits: list[str]
    unscored: Mapping[str, int]
    first: Sequence[int]
    mixed: Mapping[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> np.ndarray:
        """(N,) bool: whether each sample is kept now."""
        return np.array([verdict.is_kept for verdict in self.verdicts], bool)


def redecide(
    storage: Storage,
    manifest: Mapping[str, Any],
    blocks: Sequence[Block],
    old: Recipe,
    new: Recipe,
    targets: Mapping[str, float] | None,
) -> list[Decided]:
    """Verdicts of all samples by a recipe.

    Args:
        targets: share of every use case, where use cases are balanced.
    Raises:
        UsageError: collections that samples are compared with have changed since.
    """
    columns = [*LIGHT, *(["scores"] if new.score_names() else [])]
    compares = new.dedupe is not None or bool(new.decontaminate)
    units = []
    pool: dict[Any, Any] = {}  # equal verdicts and texts are one object each
    with Comparison(storage, manifest, new) as search:
        for block, rows in read_rows(storage, blocks, [*columns, *(["fingerprint"] if compares else [])]):
            unit = _judged(block, rows, old, new, pool)
            units.append(unit)
            search.add(block, rows, unit.verdicts, unit.first)
        found = search.decisions()
    for unit in units:
        rejections = with_siblings(found.get(unit_number(unit.block.unit), ()), unit.verdicts, unit.first)
        unit.verdicts = decide(unit.verdicts, rejections)
    if new.taxonomy is not None and new.taxonomy.samples is not None:
        assert targets is not None
        _balance(storage, units, targets, new.taxonomy.samples)
    if new.mixture is not None:
        _mix(storage, units, new)
    return units


def _judged(block: Block, rows: pa.Table, old: Recipe, new: Recipe, pool: dict[Any, Any]) -> Decided:
    scored = _scored(rows, new.filters)
    component = new.component_of(block.unit.source)
    reasons = judge(scored, new.filters, component)
    before = [
        pool.setdefault(text, text)
        for text in (
            f"{verdict} {reason or ''}".strip()
            for verdict, reason in zip(rows["verdict"].to_pylist(), rows["reason"].to_pylist(), strict=True)
        )
    ]
    old_splits = splits_in(old, block, rows)
    return Decided(
        block=block,
        was_kept=is_kept(rows),
        num_bytes=rows["num_bytes"].to_numpy(),
        before=before,
        verdicts=[pool.setdefault(codes, Verdict(codes)) if codes else KEPT_VERDICT for codes in reasons],
        old_splits=old_splits,
        splits=old_splits if old.output.validation == new.output.validation else splits_in(new, block, rows),
        unscored=_unscored(scored, rows["id"].to_pylist(), component, old, new),
        first=first_rows(rows["digest"].to_pylist(), rows["locator"].to_pylist()),
    )


def _unscored(scored: pa.Table, ids: Sequence[str], component: str, old: Recipe, new: Recipe) -> dict[str, int]:
    """Samples without the score of an expensive filter, by filter, for which a run with the new recipe would ask."""
    if not new.filters_by_part():
        return {}
    before, now = (judge(scored, recipe.filters_while_reading(), component) for recipe in (old, new))
    found: Counter[str] = Counter()
    for f, earlier in zip(new.filters_by_part(), old.filters_by_part(), strict=True):
        for sample_id, was_rejected, is_rejected in zip(ids, before, now, strict=True):
            skipped = not earlier.judges(component) or earlier.skips(sample_id, bool(was_rejected)) is not None
            found[f.name] += f.judges(component) and skipped and f.skips(sample_id, bool(is_rejected)) is None
    return dict(+found)


def _scored(rows: pa.Table, filters: Sequence[Filter]) -> pa.Table:
    """Ledger rows as rows of a score file: a filter's fault is known by its flag, a label's reason by its code."""
    columns: dict[str, Any] = {"language": rows["language"]}
    for f in filters:
        for name in f.score_names:
            columns[f"score.{name}"] = pa.chunked_array([_field(rows["scores"], name)])
    reasons = rows["reasons"].to_pylist()
    columns[REASON] = pa.array([NO_WRITER if NO_WRITER in (codes or ()) else None for codes in reasons], pa.string())
    if any(NOT_SCORED in (codes or ()) for codes in reasons):
        flags = rows["flags"].to_pylist()
        for f in filters:
            if f.worker() is not None:
                faults = [_fault(f, some, codes or ()) for some, codes in zip(flags, reasons, strict=True)]
                columns[FAULT + f.name] = pa.array(faults, pa.string())
    return pa.table(columns)


def _fault(f: Filter, flags: Sequence[str], reasons: Sequence[str]) -> str | None:
    """Why the filter failed on a sample, from the flag that `read_scores` gave it; None if it did not."""
    if NOT_SCORED not in reasons:
        return None
    return next((flag.removeprefix(f"{f.name}_") for flag in flags if flag.startswith(f"{f.name}_")), None)


def _field(scores: pa.ChunkedArray, name: str) -> pa.Array:
    whole = scores.combine_chunks()
    array = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    return array.field(name)


def _balance(storage: Storage, units: Sequence[Decided], targets: Mapping[str, float], num_samples: int) -> None:
    """Leave out the kept samples that their use case has no room for."""
    tally: Counter[str] = Counter()
    for unit, table in _labels(storage, units):
        ids, use_cases = item_ids(table, SLICE), table[COLUMN + "use_case"].to_pylist()
        tally.update(f"{use_cases[k]}#{bin_of(ids[k])}" for k in np.flatnonzero(unit.kept))
    cut = cuts(tally, targets, num_samples)
    for unit, table in _labels(storage, units):
        unit.verdicts = decide(unit.verdicts, beyond_share(table, unit.verdicts, cut))


def _mix(storage: Storage, units: Sequence[Decided], recipe: Recipe) -> None:
    """Leave out the kept samples that their component has no room for."""
    mixture = recipe.mixture
    assert mixture is not None
    whole: Counter[str] = Counter()
    for unit, table in _tokens(storage, units):
        component = recipe.component_of(unit.block.unit.source)
        whole += tally(item_ids(table, SLICE), table[NUM_TOKENS].to_pylist(), unit.verdicts, component)
    cuts = cut(whole, mixture.shares, mixture.tokens)
    for unit, table in _tokens(storage, units):
        component, before = recipe.component_of(unit.block.unit.source), unit.verdicts
        unit.verdicts = decide(before, over_share(item_ids(table, SLICE), before, component, cuts))
        unit.mixed = counts_of(component, table[NUM_TOKENS].to_pylist(), before, unit.verdicts)


def _tokens(storage: Storage, units: Sequence[Decided]) -> Iterator[tuple[Decided, pa.Table]]:
    yield from _of_items(storage, units, NUM_TOKENS)


def _labels(storage: Storage, units: Sequence[Decided]) -> Iterator[tuple[Decided, pa.Table]]:
    for unit, table in _of_items(storage, units, "label"):
        yield unit, table.append_column(COLUMN + "use_case", _field(table["label"], "use_case"))


def _of_items(storage: Storage, units: Sequence[Decided], column: str) -> Iterator[tuple[Decided, pa.Table]]:
    """Units with a column of their rows, and what tells the rows' items from each other."""
    rows = read_rows(storage, [unit.block for unit in units], ["id", "digest", "locator", column])
    for unit, (_, table) in zip(units, rows, strict=True):
        yield unit, table.rename_columns({"digest": SLICE})
