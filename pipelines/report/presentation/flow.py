"""The flow: where every page went, as a tree of bands drawn in SVG."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from pipelines.report.presentation.numbers import share
from pipelines.report.presentation.statistics import Statistics
from pipelines.tables.manifest import num_possible

WIDTH = 900
COLUMNS = (8, 300, 620)  # left edge of each level, pixels
NODE = 12  # width of a node
FULL = 190.0  # height of all samples together
SLOT = 22.0  # least height of a leaf with its label
GAP = 6.0


@dataclass
class Node:
    """A group of samples and the groups it divides into.

    Args:
        kind: colour class: `all`, `kept`, `rejected`, `duplicate` or `failed`.
    """

    label: str
    count: int
    kind: str
    children: list["Node"] = field(default_factory=list)
    y: float = 0
    height: float = 0


def tree(manifest: Mapping[str, Any], statistics: Statistics) -> Node:
    """All items found, divided by what became of them and why."""
    samples, noun = manifest["samples"], manifest["items"]["noun"]

    def leaves(counts: Mapping[str, int], kind: str) -> list[Node]:
        ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        return [Node(label, count, kind) for label, count in ordered if count]

    splits = [Node(name, split["samples"], "kept") for name, split in sorted(manifest["splits"].items())]
    causes = {cause: num for (cause, whole), num in statistics.failures.items() if not whole}
    # An error row may stand for more than one item; only causes that add up to the items are drawn.
    causes = causes if sum(causes.values()) == manifest["items"]["failed"] else {}
    rejected, duplicates = samples["rejected"], samples["duplicates"]
    groups = [
        Node("kept", samples["kept"], "kept", [node for node in splits if node.count]),
        Node("rejected", sum(rejected.values()), "rejected", leaves(rejected, "rejected")),
        Node("duplicates", sum(duplicates.values()), "duplicate", leaves(duplicates, "duplicate")),
        Node(f"failed {noun}s", manifest["items"]["failed"], "failed", leaves(causes, "failed")),
    ]
    whole = f"{noun}s found" if not manifest["items"].get("further_samples") else f"samples, and failed {noun}s"
    return Node(whole, num_possible(manifest), "all", [node for node in groups if node.count])


def draw(root: Node) -> Markup:
    """The tree as an SVG element, widths of bands proportional to counts."""
    if root.count == 0:
        return Markup("<p class=none>nothing was found</p>")
    scale = FULL / root.count
    height = _place(root, scale, 4.0) + 4
    label = "; ".join(_describe(node, root.count) for node in root.children)
    pieces = [
        Markup('<svg class="flow" viewBox="0 0 {} {:.0f}" role="img" aria-label="{:,} {}: {}">').format(
            WIDTH, height, root.count, root.label, label
        )
    ]
    _draw_bands(root, 0, pieces)
    _draw_nodes(root, 0, root.count, pieces)
    return Markup("").join([*pieces, Markup("</svg>")])


def _describe(node: Node, whole: int) -> str:
    inner = ", ".join(f"{child.label} {child.count:,}" for child in node.children)
    return f"{node.label} {node.count:,} ({share(node.count, whole)})" + (f": {inner}" if inner else "")


def _place(node: Node, scale: float, y: float) -> float:
    """Set position and height of a node and all below it; returns the y where the next one begins."""
    node.height = max(2.0, node.count * scale)
    if not node.children:
        slot = max(node.height, SLOT)
        node.y = y + (slot - node.height) / 2
        return y + slot + GAP
    end = y
    for child in node.children:
        end = _place(child, scale, end)
    end = max(end, y + max(node.height, SLOT) + GAP)
    node.height = max(node.height, sum(child.height for child in node.children))
    node.y = max(y, (y + end - GAP - node.height) / 2)
    return max(end, node.y + node.height + GAP)


def _draw_bands(node: Node, level: int, pieces: list[Markup]) -> None:
    start = node.y
    left = COLUMNS[level] + NODE
    for child in node.children:
        right = COLUMNS[level + 1]
        bend = (left + right) / 2
        top, end, tall = start, child.y, child.height
        pieces.append(
            Markup(
                '<path class="band {}" d="M{} {:.1f}C{:.0f} {:.1f} {:.0f} {:.1f} {} {:.1f}v{:.1f}'
                'C{:.0f} {:.1f} {:.0f} {:.1f} {} {:.1f}z"/>'
            ).format(
                child.kind, left, top, bend, top, bend, end, right, end, tall,
                bend, end + tall, bend, top + tall, left, top + tall,
            )
        )  # fmt: skip
        start += tall
        _draw_bands(child, level + 1, pieces)


def _draw_nodes(node: Node, level: int, whole: int, pieces: list[Markup]) -> None:
    x = COLUMNS[level]
    pieces.append(
        Markup('<rect class="node {}" x="{}" y="{:.1f}" width="{}" height="{:.1f}" rx="2"/>').format(
            node.kind, x, node.y, NODE, node.height
        )
    )
    pieces.append(
        Markup('<text class="label" x="{}" y="{:.1f}">{} <tspan class="count">{:,}</tspan>'
               ' <tspan class="part">{}</tspan></text>').format(
            x + NODE + 8, node.y + node.height / 2 + 4.5, node.label, node.count, share(node.count, whole)
        )
    )  # fmt: skip
    for child in node.children:
        _draw_nodes(child, level + 1, whole, pieces)
