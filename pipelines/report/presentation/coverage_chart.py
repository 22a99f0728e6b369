"""The coverage picture: every leaf of the taxonomy with its share and its target, by group, as SVG."""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from pipelines.registry import SOURCES
from taxonomy.coverage import LeafCoverage, coverage
from taxonomy.tree import UNLABELLED, ancestor
from taxonomy.writers.registry import served_leaves

ROW, HEAD = 15.0, 26.0  # heights of a leaf and of a group's name
NAME, BARS, WIDTH = 330.0, 560.0, 1000.0


def leaves_of(manifest: Mapping[str, Any]) -> list[LeafCoverage]:
    """The coverage of a finished output, largest gaps first; empty if its samples are not labelled."""
    labels = manifest.get("labels")
    return coverage(labels["counts"], labels["targets"], _makers(labels["targets"]), labels["wanted"]) if labels else []


def _makers(leaves: Collection[str]) -> dict[str, list[str]]:
    """By leaf, the writers that serve it and the sources whose samples are of it; of a split leaf, by those below."""
    makers = {leaf: list(writers) for leaf, writers in served_leaves().items()}
    for source in SOURCES.values():
        for leaf in source.use_cases:
            makers.setdefault(leaf, []).append(f"source:{source.name}")
    for leaf in [leaf for leaf in makers if leaf not in leaves]:
        for below in (other for other in leaves if other.startswith(f"{leaf}/")):
            makers[below] = [*makers.get(below, []), *makers[leaf]]
    return makers


def summary(manifest: Mapping[str, Any], leaves: Sequence[LeafCoverage]) -> str:
    """One sentence on a coverage."""
    unlabelled = manifest["labels"]["counts"].get(UNLABELLED, 0)
    has = sum(leaf.count > 0 for leaf in leaves)
    short = sum(leaf.missing > 0 for leaf in leaves)
    return (
        f"{has} of {len(leaves)} use cases have samples, {short} have fewer than their target share; "
        f"{unlabelled:,} samples are unlabelled."
    )


def draw(leaves: Sequence[LeafCoverage]) -> Markup:
    """The picture: a bar is a leaf's share of the labelled samples, a tick its target.

    Args:
        leaves: in the order to draw them in; leaves of one group follow each other.
    """
    most = max((max(leaf.share, leaf.target) for leaf in leaves), default=0) or 1
    marks, y = [], 0.0
    for group, members in groupby(leaves, key=lambda leaf: ancestor(leaf.use_case, 1)):
        y += HEAD
        marks.append(Markup('<text class="group" x="0" y="{:.1f}">{}</text>').format(y - 7, group))
        for leaf in members:
            marks.append(_row(leaf, y, most))
            y += ROW
    shape = Markup('<svg viewBox="0 0 {:.0f} {:.1f}" role="img" aria-label="{}" class="coverage">{}</svg>')
    return shape.format(WIDTH, y + 4, f"Share and target of {len(leaves)} use cases", Markup("").join(marks))


def _row(leaf: LeafCoverage, y: float, most: float) -> Markup:
    name = leaf.use_case.partition("/")[2]
    width, target = BARS * leaf.share / most, NAME + BARS * leaf.target / most
    kind = "none" if not leaf.count else "short" if leaf.missing else "met"
    return Markup(
        '<g class="{}"><title>{}: {:,} samples, {} of the labelled; target {}</title>'
        '<text class="name" x="{:.1f}" y="{:.1f}">{}</text>'
        '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
        '<line class="target" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="count" x="{:.1f}" y="{:.1f}">{}</text></g>'
    ).format(
        *(kind, leaf.use_case, leaf.count, f"{leaf.share:.2%}", f"{leaf.target:.2%}"),
        *(NAME - 8, y + ROW - 4, name),
        *(NAME, y + 2, max(width, 0.5), ROW - 5),
        *(target, target, y, y + ROW - 1),
        *(max(NAME + width, target) + 6, y + ROW - 4, _note(leaf)),
    )


def _note(leaf: LeafCoverage) -> str:
    if leaf.count:
        return f"{leaf.count:,}" + (f", {leaf.missing:,} short" if leaf.missing else "")
    return "none" if leaf.writers else "none, and no writer"
