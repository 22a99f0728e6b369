"""Comparison of two versions of a taxonomy: leaves added, renamed, moved, merged or removed, and their new labels."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from taxonomy.tree import Taxonomy

MIN_SHARED = 0.5  # share of a leaf's prompts that it has from another


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes between two versions of a taxonomy.

    Args:
        added: new leaves that replace no old leaf.
        renamed, moved: (old id, new id); a moved leaf has another parent.
        merged: (new id, old ids whose labels it takes over, its own id included if it existed).
        removed: old leaves whose labels become `unlabelled`.
        forgotten: (removed id, new ids that have its prompts): renamed or split, without an alias that says so.
        reworded: leaves whose prompts, definition or patterns changed, so that the labeller is retrained.
        labels: new id by old id, for every old leaf that has one.
    """

    added: list[str]
    renamed: list[tuple[str, str]]
    moved: list[tuple[str, str]]
    merged: list[tuple[str, list[str]]]
    removed: list[str]
    forgotten: list[tuple[str, list[str]]]
    reworded: list[str]
    labels: dict[str, str]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.renamed or self.moved or self.merged or self.removed or self.reworded)


def compare(old: Taxonomy, new: Taxonomy) -> Comparison:
    """Compare two versions of a taxonomy; `aliases` in the new one connect former ids to new ones."""
    labels = {leaf: present for leaf in old.leaves if (present := new.resolve(leaf)) is not None}
    former_ids: defaultdict[str, list[str]] = defaultdict(list)
    for former, present in labels.items():
        former_ids[present].append(former)
    merged = [(present, formers) for present, formers in former_ids.items() if len(formers) > 1]
    single = {present: formers[0] for present, formers in former_ids.items() if len(formers) == 1}
    added = [leaf for leaf in new.leaves if leaf not in former_ids]
    removed = [leaf for leaf in old.leaves if leaf not in labels]
    changed = [(former, present) for present, former in single.items() if former != present]
    return Comparison(
        added=added,
        renamed=[pair for pair in changed if _parent(pair[0]) == _parent(pair[1])],
        moved=[pair for pair in changed if _parent(pair[0]) != _parent(pair[1])],
        merged=merged,
        removed=removed,
        forgotten=[(leaf, heirs) for leaf in removed if (heirs := _heirs(old, leaf, new, added))],
        reworded=[p for p, former in single.items() if _training_texts(old, former) != _training_texts(new, p)],
        labels=labels,
    )


def _heirs(old: Taxonomy, leaf: str, new: Taxonomy, added: Sequence[str]) -> list[str]:
    """Return the added leaves that have `MIN_SHARED` of their prompts from a removed one, the largest part first."""
    before = _prompts(old, leaf)
    shared = {other: len(before & _prompts(new, other)) / len(_prompts(new, other)) for other in added}
    same = [other for other in added if shared[other] >= MIN_SHARED or _is_same(old, leaf, new, other)]
    return sorted(same, key=lambda other: -len(before & _prompts(new, other)))


def _prompts(taxonomy: Taxonomy, leaf: str) -> set[str]:
    prompts = taxonomy.leaves[leaf].prompts
    return {*prompts.en, *prompts.zh}


def _is_same(old: Taxonomy, leaf: str, new: Taxonomy, other: str) -> bool:
    return old.leaves[leaf].definition == new.leaves[other].definition


def _parent(leaf: str) -> str:
    return leaf.rpartition("/")[0]


def _training_texts(taxonomy: Taxonomy, leaf: str) -> tuple[object, ...]:
    node = taxonomy.leaves[leaf]
    return node.prompts, node.definition, node.patterns


def describe(comparison: Comparison) -> str:
    """Return the comparison as text, with the consequences for labels."""
    if comparison.is_empty:
        return "the same leaves, prompts and ids: labels stay as they are"
    lines = [
        *(f"added     {leaf}: no label names it yet; label again to find its samples" for leaf in comparison.added),
        *(f"renamed   {former} → {present}: its labels follow" for former, present in comparison.renamed),
        *(f"moved     {former} → {present}: its labels follow" for former, present in comparison.moved),
        *(
            f"merged    {' + '.join(formers)} → {present}: all their labels become {present}"
            for present, formers in comparison.merged
        ),
        *(
            f"removed   {leaf}: its labels become unlabelled, unless another leaf names it under `aliases`"
            for leaf in comparison.removed
        ),
        *(
            f"warning   {leaf} looks renamed or split: {', '.join(heirs)} {'has' if len(heirs) == 1 else 'have'} its "
            f"prompts; write `aliases: [{leaf}]` under {heirs[0]}, and its labels follow"
            for leaf, heirs in comparison.forgotten
        ),
        *(
            f"reworded  {leaf}: the labeller is retrained; labels already given stay until `relabel OUT`"
            for leaf in comparison.reworded
        ),
    ]
    return "\n".join(lines)
