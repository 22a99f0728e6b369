"""Two versions of a taxonomy: what was added, renamed, moved, merged or removed, and where labels of the old one go."""

from collections import defaultdict
from dataclasses import dataclass

from taxonomy.tree import Taxonomy


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of the leaves.

    Args:
        added: new leaves that take no labels over.
        renamed, moved: (old id, new id); moved ones have another parent.
        merged: new id with the old ids whose labels it takes over, itself among them if it stood before.
        removed: old leaves whose labels become `unlabelled`.
        reworded: leaves whose prompts, definition or patterns changed: the labeller learns anew.
        labels: new id by old id, for every old leaf that has one.
    """

    added: list[str]
    renamed: list[tuple[str, str]]
    moved: list[tuple[str, str]]
    merged: list[tuple[str, list[str]]]
    removed: list[str]
    reworded: list[str]
    labels: dict[str, str]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.renamed or self.moved or self.merged or self.removed or self.reworded)


def compare(old: Taxonomy, new: Taxonomy) -> Comparison:
    """Compare two versions; former ids are found under `aliases` of the new one."""
    labels = {leaf: present for leaf in old.leaves if (present := new.resolve(leaf)) is not None}
    takes: defaultdict[str, list[str]] = defaultdict(list)
    for former, present in labels.items():
        takes[present].append(former)
    merged = [(present, formers) for present, formers in takes.items() if len(formers) > 1]
    alone = {present: formers[0] for present, formers in takes.items() if len(formers) == 1}
    changed = [(former, present) for present, former in alone.items() if former != present]
    return Comparison(
        added=[leaf for leaf in new.leaves if leaf not in takes],
        renamed=[pair for pair in changed if _parent(pair[0]) == _parent(pair[1])],
        moved=[pair for pair in changed if _parent(pair[0]) != _parent(pair[1])],
        merged=merged,
        removed=[leaf for leaf in old.leaves if leaf not in labels],
        reworded=[p for p, former in alone.items() if _learnt(old, former) != _learnt(new, p)],
        labels=labels,
    )


def _parent(leaf: str) -> str:
    return leaf.rpartition("/")[0]


def _learnt(taxonomy: Taxonomy, leaf: str) -> tuple[object, ...]:
    node = taxonomy.leaves[leaf]
    return node.prompts, node.definition, node.patterns


def describe(comparison: Comparison) -> str:
    """The comparison for a person, with what happens to labels."""
    if comparison.is_empty:
        return "the same leaves, prompts and ids: labels stay as they are"
    lines = []
    for leaf in comparison.added:
        lines.append(f"added     {leaf}: no label names it yet; label again to find its samples")
    for former, present in comparison.renamed:
        lines.append(f"renamed   {former} → {present}: its labels follow")
    for former, present in comparison.moved:
        lines.append(f"moved     {former} → {present}: its labels follow")
    for present, formers in comparison.merged:
        lines.append(f"merged    {' + '.join(formers)} → {present}: all their labels become {present}")
    for leaf in comparison.removed:
        lines.append(f"removed   {leaf}: its labels become unlabelled, unless another leaf names it under `aliases`")
    for leaf in comparison.reworded:
        lines.append(f"reworded  {leaf}: the labeller learns anew; labels already given stay until `label OUT`")
    return "\n".join(lines)
