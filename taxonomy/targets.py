"""Target shares: the taxonomy's own, with those of some nodes set anew."""

from collections.abc import Mapping

from taxonomy.tree import Taxonomy

BEYOND_SHARE = "beyond_share"  # reason code: the sample's use case has its share already


def leaf_shares(taxonomy: Taxonomy, wanted: Mapping[str, float]) -> dict[str, float]:
    """The target share of every leaf, summing to 1.

    Args:
        wanted: by leaf, category or group; a nearer ancestor counts before a farther one, and inside a node the
            taxonomy's own proportions hold. What no entry names shares the rest in its own proportions.
    """
    holder = {leaf: _nearest(leaf, wanted) for leaf in taxonomy.leaves}
    given = dict(wanted)
    for node in wanted:  # a category's share is what is left of its group's after leaves named by themselves
        inner = sum(share for other, share in wanted.items() if _parent(other, wanted) == node)
        given[node] = max(0.0, wanted[node] - inner)
    outermost = sum(share for node, share in wanted.items() if _parent(node, wanted) is None)
    totals: dict[str | None, float] = {}
    for leaf, nearest in holder.items():
        totals[nearest] = totals.get(nearest, 0.0) + taxonomy.shares[leaf]
    rest = max(0.0, 1 - outermost)
    return {
        leaf: (rest if nearest is None else given[nearest]) * taxonomy.shares[leaf] / totals[nearest]
        for leaf, nearest in holder.items()
    }


def _nearest(leaf: str, wanted: Mapping[str, float]) -> str | None:
    """The node of `wanted` that a leaf stands in, the innermost."""
    return leaf if leaf in wanted else _parent(leaf, wanted)


def _parent(node: str, wanted: Mapping[str, float]) -> str | None:
    while "/" in node:
        node = node.rpartition("/")[0]
        if node in wanted:
            return node
    return None
