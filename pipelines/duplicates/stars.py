"""Stars: which samples stay. A sample is a duplicate if, and only if, it pairs with a better one that is kept itself.

Groups cannot chain: A like B and B like C does not make C a duplicate of A. In order from the best sample down, each is
kept unless one that is kept already is its pair.
"""

import numpy as np

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
    return state != LEFT
