"""Coverage: the number of samples of every leaf, compared with its target share; the largest gaps first."""

from collections.abc import Mapping
from dataclasses import dataclass

from taxonomy.tree import UNLABELLED


@dataclass(frozen=True, slots=True)
class LeafCoverage:
    """The coverage of one leaf in a dataset.

    Args:
        count: number of its samples.
        share: fraction of the labelled samples that it has, 0 to 1.
        target: fraction that it should have, 0 to 1.
        missing: number of samples that it lacks to reach its target.
        writers: instruction writers that can serve it, and sources (`source:…`) that make samples for it.
    """

    use_case: str
    count: int
    share: float
    target: float
    missing: int
    writers: tuple[str, ...]


def coverage(
    counts: Mapping[str, int],
    targets: Mapping[str, float],
    writers: Mapping[str, list[str]],
    wanted: int | None = None,
) -> list[LeafCoverage]:
    """Return the coverage of every leaf of `targets`, the largest gaps first.

    Args:
        counts: number of samples by leaf; `unlabelled` samples are ignored.
        targets: share by leaf, summing to 1.
        writers: names of writers and sources by leaf.
        wanted: number of samples that the dataset should have; None means the number of labelled samples.
    """
    total = sum(count for use_case, count in counts.items() if use_case != UNLABELLED)
    found = [
        LeafCoverage(
            use_case,
            counts.get(use_case, 0),
            counts.get(use_case, 0) / total if total else 0.0,
            target,
            max(0, round(target * (wanted or total)) - counts.get(use_case, 0)),
            tuple(writers.get(use_case, ())),
        )
        for use_case, target in targets.items()
    ]
    return sorted(found, key=lambda leaf: (leaf.share - leaf.target, leaf.use_case))


def describe(leaves: list[LeafCoverage], num_unlabelled: int) -> str:
    """Return the coverage as a table in plain text."""
    total = sum(leaf.count for leaf in leaves)
    lines = [
        f"{total:,} labelled samples, {num_unlabelled:,} unlabelled; "
        f"{sum(leaf.count > 0 for leaf in leaves)} of {len(leaves)} leaves have samples",
        "",
        f"{'leaf':58}{'samples':>9}{'share':>8}{'target':>8}{'missing':>9}  made by",
    ]
    for leaf in leaves:
        by = ", ".join(leaf.writers) or "nobody"
        lines.append(
            f"{leaf.use_case:58}{leaf.count:9,}{leaf.share:8.1%}{leaf.target:8.1%}{leaf.missing or '':>9}  {by}"
        )
    return "\n".join(lines)
