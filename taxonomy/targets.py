"""Target shares of leaves: the taxonomy's shares, with overrides for some nodes."""

from collections.abc import Mapping

from taxonomy.tree import Taxonomy

BEYOND_SHARE = "beyond_share"  # reason code: the sample's use case already has its share


def leaf_shares(taxonomy: Taxonomy, overrides: Mapping[str, float]) -> dict[str, float]:
    """Return the target share of every leaf, summing to 1.

    Args:
        overrides: share by leaf, category or group. For a leaf the nearest ancestor counts; the leaves below a node,
            and the leaves that no entry covers, keep the taxonomy's proportions.
    """
    holder = {leaf: _nearest(leaf, overrides) for leaf in taxonomy.leaves}
    given = dict(overrides)
    for node in overrides:  # what a node's own overridden descendants leave of its share
        inner = sum(share for other, share in overrides.items() if _parent(other, overrides) == node)
        given[node] = max(0.0, overrides[node] - inner)
    outermost = sum(share for node, share in overrides.items() if _parent(node, overrides) is None)
    totals: dict[str | None, float] = {}
    for leaf, nearest in holder.items():
        totals[nearest] = totals.get(nearest, 0.0) + taxonomy.shares[leaf]
    rest = max(0.0, 1 - outermost)
    return {
        leaf: (rest if nearest is None else given[nearest]) * taxonomy.shares[leaf] / totals[nearest]
        for leaf, nearest in holder.items()
    }


def _nearest(leaf: str, overrides: Mapping[str, float]) -> str | None:
    """Return the innermost node of `overrides` that contains the leaf."""
    return leaf if leaf in overrides else _parent(leaf, overrides)


def _parent(node: str, overrides: Mapping[str, float]) -> str | None:
    while "/" in node:
        node = node.rpartition("/")[0]
        if node in overrides:
            return node
    return None
