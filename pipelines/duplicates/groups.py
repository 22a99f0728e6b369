"""Stars: which samples stay. A sample is a duplicate if, and only if, it pairs with a better one that is kept itself.

Groups cannot chain: A like B and B like C does not make C a duplicate of A. In order from the best sample down, each is
kept unless one that is kept already is its pair.
"""

import numpy as np

from pipelines.duplicates.index import EVALUATION, WORTH, Index

UNDECIDED, KEPT, LEFT = 0, 1, 2


def keep(winners: np.ndarray, losers: np.ndarray, num_nodes: int) -> np.ndarray:
    """(N,) bool: whether each node is kept.

    All that depends on no open question is decided at once, round by round; questions only get fewer.

    Args:
        winners, losers: (E,) ends of every pair; following winners never leads back to where one started.
    """
    state = np.full(num_nodes, UNDECIDED, np.uint8)
    while len(winners):
        has_better = np.zeros(num_nodes, bool)
        has_better[losers] = True
        state[(state == UNDECIDED) & ~has_better] = KEPT
        state[losers[state[winners] == KEPT]] = LEFT
        is_open = (state[winners] == UNDECIDED) & (state[losers] == UNDECIDED)
        winners, losers = winners[is_open], losers[is_open]
    is_kept: np.ndarray = state != LEFT
    return is_kept


def nearest_kept(edges: np.ndarray, rows: Index, *, dedupe: bool = True) -> np.ndarray:
    """(D,) `EDGE`, one for every row that is set aside: to the evaluation item or the kept sample nearest to it.

    The search compares one of several equal samples with all others. What is found for it holds for each of them: they
    are set aside by what sets it aside, or by itself.

    Args:
        edges: (E,) `EDGE` in any order; a pair may occur more than once.
        dedupe: whether duplicates are looked for, or evaluation items only.
    """
    edges = _once(edges)
    is_leak = rows.take("kind", edges["winner"]) == EVALUATION
    is_equal = (edges["equal"] != 0) & ~is_leak
    equal = _to_best(edges[is_equal])
    stands_alone = ~is_equal & ~np.isin(edges["loser"], equal["loser"]) & ~np.isin(edges["winner"], equal["loser"])
    leaks = edges[is_leak & stands_alone]
    edges = edges[~is_leak & stands_alone] if dedupe else edges[:0]
    leaked = np.unique(leaks["loser"])
    edges = edges[~np.isin(edges["winner"], leaked) & ~np.isin(edges["loser"], leaked)]
    nodes, ends = np.unique(np.concatenate([edges["winner"], edges["loser"]]), return_inverse=True)
    winners, losers = ends[: len(edges)], ends[len(edges) :]
    kept = keep(winners, losers, len(nodes))
    nearest = _nearest(np.concatenate([leaks, edges[kept[winners] & ~kept[losers]]]), rows)
    is_left = np.isin(equal["winner"], nearest["loser"])
    left = nearest[np.searchsorted(nearest["loser"], equal["winner"][is_left])]
    left["loser"] = equal["loser"][is_left]
    return np.concatenate([nearest, left, equal[~is_left] if dedupe else equal[:0]])


def _to_best(equal: np.ndarray) -> np.ndarray:
    """(E,) `EDGE` from the best of all equal samples to each of the others.

    Args:
        equal: (E,) `EDGE` between equal samples, in blocks of a large set to the best of the block.
    """
    nodes, ends = np.unique(np.concatenate([equal["winner"], equal["loser"]]), return_inverse=True)
    winners, losers = ends[: len(equal)], ends[len(equal) :]
    best = np.arange(len(nodes))
    best[losers] = winners
    while (best[best] != best).any():
        best = best[best]
    _, first = np.unique(losers, return_index=True)
    found = equal[first]
    found["winner"] = nodes[best[losers[first]]]
    return found


def _nearest(edges: np.ndarray, rows: Index) -> np.ndarray:
    """The nearest edge of each loser, by its place; of equally near ones the better, as the search orders them."""
    ids = np.ascontiguousarray(rows.take("id", edges["winner"])).view(">u8").astype(np.uint64)
    negative = [-rows.take(name, edges["winner"]).astype(np.int64) for name in WORTH]
    distance = np.where(edges["distance"] < 0, 1 - edges["similarity"], edges["distance"])
    edges = edges[np.lexsort([ids[:, 1], ids[:, 0], *negative, distance, edges["loser"]])]
    nearest: np.ndarray = edges[_is_first(edges["loser"])]
    return nearest


def _once(edges: np.ndarray) -> np.ndarray:
    """Every pair once, with its least distance, in order: tasks may find it by the pictures and by an inset."""
    edges = edges[np.lexsort([edges["equal"] == 0, edges["distance"], edges["loser"], edges["winner"]])]
    first: np.ndarray = edges[_is_first(edges["winner"]) | _is_first(edges["loser"])]
    return first


def _is_first(values: np.ndarray) -> np.ndarray:
    """(N,) bool: whether each of the sorted values is the first of its kind."""
    is_first: np.ndarray = np.concatenate([[True], values[1:] != values[:-1]])[: len(values)]
    return is_first
