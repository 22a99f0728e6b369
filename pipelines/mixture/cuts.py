"""Cuts: which samples of each component are kept, so that components have their shares of the tokens.

Samples are taken in the order of a hash of their ids. Only a histogram of tokens by component and hash is needed for
this, so it does not grow with the data, and neither order nor number of workers can change the result.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping

NUM_BINS = 16_384
Cuts = Mapping[str, int]  # by component, the first bin whose samples are left out


def bin_of(sample_id: str) -> int:
    """The bin of a sample: of its id's hash, so that it depends on nothing else."""
    return int.from_bytes(hashlib.sha256(f"{sample_id}/mixture".encode()).digest()[:8], "big") % NUM_BINS


def key_of(component: str, sample_id: str) -> str:
    """The place of a sample in the histogram."""
    return f"{component}#{bin_of(sample_id)}"


def wanted_tokens(found: Mapping[str, int], shares: Mapping[str, float], tokens: int | None) -> float:
    """Return the tokens of the whole mixture.

    Args:
        found: tokens by component; a component without any does not bound the others.
        tokens: what the recipe wants; None for what the scarcest component allows.
    """
    if tokens is not None:
        return float(tokens)
    return min((found[name] / share for name, share in shares.items() if found.get(name)), default=0.0)


def cut(tally: Mapping[str, int], shares: Mapping[str, float], tokens: int | None) -> dict[str, int]:
    """Return where to cut each component.

    A component ends at the bin that brings it nearest to its share, so it may be half a bin above or below: about one
    token in 32,768, and half a sample where there are fewer samples than bins.

    Args:
        tally: tokens by `key_of`.
    """
    bins: dict[str, Counter[int]] = {}
    for key, count in tally.items():
        component, _, number = key.rpartition("#")
        bins.setdefault(component, Counter())[int(number)] += count
    found = {component: counts.total() for component, counts in bins.items()}
    total = wanted_tokens(found, shares, tokens)
    return {component: _cut_of(counts, shares[component] * total) for component, counts in bins.items()}


def _cut_of(counts: Mapping[int, int], wanted: float) -> int:
    reached = 0
    for number in sorted(counts):
        if reached + counts[number] / 2 > wanted:
            return number
        reached += counts[number]
    return NUM_BINS
