"""Pairs of hashes within a Hamming radius, by bit sampling: a sort for each table, no bucket joined quadratically.

A table orders all hashes by 32 sampled bits. Hashes that agree in the first k of them share a bucket; two hashes at
distance d of B bits do so with probability (1 - d/B)^k, and L tables find the pair with 1 - (1 - (1 - d/B)^k)^L. In a
bucket each hash is compared with all others, up to `WINDOW` places away. In a larger bucket only the nearest are, the
ones that agree in most of the further bits, and each hash is also compared with the bucket's lowest index: number
hashes from the best sample down, and every group meets the sample that it is kept for, however large it grows.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

KEY_BITS = 32
WINDOW = 24
LARGE_WINDOW = 4
RECALL = 0.995  # wanted of pairs exactly at the radius; nearer ones are found more surely
SORT_COST, CANDIDATE_COST = 130.0, 35.0  # nanoseconds, measured: a hash in a table, a pair compared
CROWDING = 2.0  # real hashes share this many times as many buckets as evenly spread ones
SAMPLED_AT_A_TIME = 1 << 13  # hashes: their words stay in a core's cache, which takes a third of the time
CHUNK = 1 << 16  # pairs compared at a time: 2 MB of hashes fit a core's cache
SEED = 256


@dataclass(frozen=True, slots=True)
class Tables:
    """How many tables there are, and how many bits name a bucket."""

    num_tables: int
    bucket_bits: int

    @staticmethod
    def plan(num_hashes: int, num_bits: int, radius: int, recall: float = RECALL) -> "Tables":
        """The cheapest tables that find `recall` of the pairs at the radius, for hashes spread evenly."""
        choices = []
        for bits in range(8, min(KEY_BITS - 2, num_bits) + 1):
            found = (1 - radius / num_bits) ** bits
            num_tables = 1 if found >= recall else math.ceil(math.log(1 - recall) / math.log1p(-found))
            pairs = num_hashes**2 / 2 ** (bits + 1)
            choices.append(
                (num_tables * (num_hashes * SORT_COST + CROWDING * pairs * CANDIDATE_COST), num_tables, bits)
            )
        _, num_tables, bits = min(choices)
        return Tables(num_tables, bits)


def to_words(hashes: np.ndarray) -> np.ndarray:
    """(W, N) uint64, a row for every 64 bits, of (N, 8 · W) uint8 hashes."""
    return np.ascontiguousarray(np.ascontiguousarray(hashes).view("<u8").T)


def distances(hashes: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(M,) uint16 Hamming distances of hashes `a` and `b`, indices into (N, 8 · W) uint8 hashes, contiguous."""
    rows = hashes.view(np.uint64)  # a hash a cache line: gathering word by word takes four times as long
    counts = np.bitwise_count(rows.take(a, axis=0) ^ rows.take(b, axis=0))
    total: np.ndarray = counts[:, 0].astype(np.uint16)
    for k in range(1, counts.shape[1]):
        total += counts[:, k]
    return total


def candidates(words: np.ndarray, tables: Tables, table: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of indices that one table puts side by side, each pair's smaller index first, `CHUNK` or so at a time.

    Args:
        words: (W, N) uint64, N below 2^32.
    """
    keyed = sampled_bits(words, table) << np.uint64(32)
    keyed |= np.arange(words.shape[1], dtype=np.uint64)
    keyed.sort()
    bucket = (keyed >> np.uint64(64 - tables.bucket_bits)).astype(np.uint32)
    order = keyed.astype(np.uint32)  # the lower half: indices
    del keyed
    yield from side_by_side(bucket, order)


def side_by_side(bucket: np.ndarray, order: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs of a bucket that are at most `WINDOW` places from each other.

    In large buckets it is `LARGE_WINDOW` places, and each index is also paired with the lowest index of the bucket.

    Args:
        bucket: (N,) the bucket at each place; equal ones are neighbours.
        order: (N,) uint32 index at each place.
    """
    num = len(bucket)
    starts = np.flatnonzero(np.concatenate([[True], bucket[1:] != bucket[:-1]])[:num])
    sizes = np.diff(np.append(starts, num))
    is_large = sizes > WINDOW + 1
    here = np.flatnonzero(bucket[1:] == bucket[:-1]).astype(np.uint32)  # places whose bucket the next one shares
    for offset in range(1, WINDOW + 1):
        for start in range(0, len(here), CHUNK):
            places = here[start : start + CHUNK]
            yield _ordered(order[places], order[places + np.uint32(offset)])
        if offset == LARGE_WINDOW:
            here = here[~np.repeat(is_large, sizes)[here]]
        here = here[: np.searchsorted(here, num - offset - 1)]
        here = here[bucket[here + np.uint32(offset + 1)] == bucket[here]]
    best = np.minimum.reduceat(order, starts) if num else order
    members = np.flatnonzero(np.repeat(is_large, sizes))
    leaders = np.repeat(best[is_large], sizes[is_large])
    for start in range(0, len(members), CHUNK):
        some = slice(start, start + CHUNK)
        others = order[members[some]]
        differs = others != leaders[some]
        yield leaders[some][differs], others[differs]


def sampled_bits(words: np.ndarray, table: int, num_sampled: int = KEY_BITS) -> np.ndarray:
    """(N,) uint64 below 2^num_sampled: the bits that this table samples, most significant first."""
    num_bits = 64 * len(words)
    sampled = np.random.default_rng([SEED, table]).permutation(num_bits)[:num_sampled]
    keys = np.zeros(words.shape[1], np.uint64)
    for start in range(0, len(keys), SAMPLED_AT_A_TIME):
        some = keys[start : start + SAMPLED_AT_A_TIME]
        bit = np.empty_like(some)
        for position in sampled.tolist():
            piece = words[position // 64, start : start + SAMPLED_AT_A_TIME]
            np.right_shift(piece, np.uint64(position % 64), out=bit)
            bit &= np.uint64(1)
            some <<= np.uint64(1)
            some |= bit
    return keys


def _ordered(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.minimum(a, b), np.maximum(a, b)
