"""Similarity of two tables: tree edit distance of their rows and cells (TEDS, Zhong et al. 2020, arXiv:1911.10683)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein

Rows = Sequence[Sequence[str]]


@dataclass(slots=True)
class _Node:
    name: str
    text: str = ""
    children: list["_Node"] = field(default_factory=list)


def teds(found: Rows, true: Rows) -> float:
    """Return 1 - edit distance of the trees / number of nodes of the larger tree; 1 if the tables are equal.

    A table is a tree of rows and cells. Removing and adding a node costs 1, changing a cell's text its normalized
    Levenshtein distance.
    """
    a, b = _Ordered(_tree(found)), _Ordered(_tree(true))
    return 1 - _distance(a, b) / max(len(a.nodes), len(b.nodes))


def _tree(rows: Rows) -> _Node:
    return _Node("table", "", [_Node("tr", "", [_Node("td", cell) for cell in row]) for row in rows])


class _Ordered:
    """Nodes of a tree in post-order, with the leftmost leaf of each, and the key roots of Zhang and Shasha (1989)."""

    def __init__(self, root: _Node) -> None:
        self.nodes: list[_Node] = []
        self.leftmost: list[int] = []
        self._visit(root)
        last = {leaf: k for k, leaf in enumerate(self.leftmost)}
        self.key_roots = sorted(last.values())

    def _visit(self, node: _Node) -> int:
        leaves = [self._visit(child) for child in node.children]
        self.nodes.append(node)
        self.leftmost.append(leaves[0] if leaves else len(self.nodes) - 1)
        return self.leftmost[-1]


def _distance(a: _Ordered, b: _Ordered) -> float:
    trees = [[0.0] * len(b.nodes) for _ in a.nodes]
    for i in a.key_roots:
        for j in b.key_roots:
            _fill(a, b, i, j, trees)
    return trees[-1][-1]


def _fill(a: _Ordered, b: _Ordered, i: int, j: int, trees: list[list[float]]) -> None:
    """Fill in the distances of the subtrees below the key roots i and j."""
    low_a, low_b = a.leftmost[i], b.leftmost[j]
    height, width = i - low_a + 2, j - low_b + 2
    forest = [[0.0] * width for _ in range(height)]
    forest[0] = [float(y) for y in range(width)]
    for x in range(1, height):
        forest[x][0] = float(x)
        node_a = low_a + x - 1
        for y in range(1, width):
            node_b = low_b + y - 1
            removed, added = forest[x - 1][y] + 1, forest[x][y - 1] + 1
            if a.leftmost[node_a] == low_a and b.leftmost[node_b] == low_b:
                changed = forest[x - 1][y - 1] + _cost(a.nodes[node_a], b.nodes[node_b])
                forest[x][y] = trees[node_a][node_b] = min(removed, added, changed)
            else:
                changed = forest[a.leftmost[node_a] - low_a][b.leftmost[node_b] - low_b] + trees[node_a][node_b]
                forest[x][y] = min(removed, added, changed)


def _cost(a: _Node, b: _Node) -> float:
    if a.name != b.name:
        return 1.0
    return Levenshtein.normalized_distance(a.text, b.text) if a.name == "td" and a.text != b.text else 0.0
