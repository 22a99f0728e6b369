"""The search: pairs of rows that are the same sample, each with the better one first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.duplicates.hamming import Tables, candidates, distances, side_by_side, to_words
from pipelines.duplicates.rows import EVALUATION, NEW, Rows
from pipelines.duplicates.settings import Dedupe
from pipelines.duplicates.text import similarity

REASONS = ("near_duplicate", "same_text", "similar_text")
NEAR_DUPLICATE, SAME_TEXT, SIMILAR_TEXT = range(3)
EDGE = np.dtype([("winner", "<u4"), ("loser", "<u4"), ("reason", "u1"), ("distance", "<i2"), ("similarity", "<f4")])
NO_DISTANCE = -1  # of texts
PENDING_PAIRS = 1 << 23
RANK_BITS, DISTANCE_BITS = 28, 8  # of a pair in 64 bits
FIELDS = ("hash", "inset", "picture", "detail", "has_image", "text", "num_tokens", "sketch", "kind")


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of the tables one task looks at."""

    number: int = 0
    of: int = 1


def find_edges(rows: Rows, settings: Dedupe, share: Share = Share(), *, border: int | None = None) -> np.ndarray:
    """(E,) `EDGE` of the pairs found, `winner` and `loser` as places in `rows`, sorted.

    Args:
        border: rows before it are compared with those from it on only (two blocks of a larger set).
    """
    order = _best_first(rows)
    ranked = {name: rows.column(name)[order] for name in FIELDS if name not in ("sketch",)}
    side = np.zeros(len(order), np.uint8) if border is None else (order >= border).astype(np.uint8)
    heads, twins = _identical(ranked)
    found = [_verified(rows, order, ranked, np.stack([heads, twins]), np.zeros(len(twins), np.int16), settings)]
    if share.number or border is not None:
        found = []  # said once, by the block's own first task
    is_twin = np.zeros(len(order), bool)
    is_twin[twins] = True
    for pairs, distance in (
        _near_pictures(ranked, side, np.flatnonzero((ranked["has_image"] == 1) & ~is_twin), settings, share, border),
        _near_texts(rows, order, ranked, side, is_twin, share, border),
    ):
        found.append(_verified(rows, order, ranked, pairs, distance, settings))
    edges = np.concatenate(found)
    return np.unique(edges)


def _best_first(rows: Rows) -> np.ndarray:
    """(N,) places of the rows, the best first: larger picture, then more text, then the smaller id."""
    ids = rows.column("id")
    halves = np.ascontiguousarray(ids).view(">u8").astype(np.uint64)
    negative = [-rows.column(name).astype(np.int64) for name in ("num_tokens", "num_pixels")]
    return np.lexsort([halves[:, 1], halves[:, 0], *negative, rows.column("kind")]).astype(np.uint32)


def _identical(ranked: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows with the same hashes and the same text as a better one: (the first of them, each of the others)."""
    mixed = np.zeros(len(ranked["kind"]), np.uint64)
    parts = [ranked[name] for name in ("hash", "inset", "picture", "text")]
    for part in parts:
        for word in to_words(part):
            mixed ^= word
            mixed *= np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    is_first = np.concatenate([[True], mixed[order][1:] != mixed[order][:-1]]) if len(order) else np.zeros(0, bool)
    first = order[np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))]
    equal = ~is_first
    for part in (*parts, ranked["has_image"][:, None]):
        equal &= (part[first] == part[order]).all(axis=1)
    equal &= (ranked["has_image"][order] == 1) | (ranked["num_tokens"][order] > 0)  # nothing at all equals nothing
    return first[equal], order[equal]


def _near_pictures(
    ranked: dict[str, np.ndarray],
    side: np.ndarray,
    wanted: np.ndarray,
    settings: Dedupe,
    share: Share,
    border: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of ranks whose hashes, or hash and inset, lie within the radius: (2, P) and their distances (P,)."""
    both = np.stack([ranked["hash"][wanted], ranked["inset"][wanted]], axis=1)
    words = to_words(both.reshape(2 * len(wanted), -1))
    tables = Tables.plan(words.shape[1], 64 * len(words), settings.radius_bits)
    kind = ranked["kind"]

    def near() -> Iterator[np.ndarray]:
        for table in range(share.number, tables.num_tables, share.of):
            for a, b in candidates(words, tables, table):
                useful = ((a >> 1) != (b >> 1)) & ((a & b & 1) == 0)  # two insets meet where their pictures do
                a, b = a[useful], b[useful]
                distance = distances(words, a, b)
                close = distance <= settings.radius_bits
                ranks_a, ranks_b = wanted[a[close] >> 1], wanted[b[close] >> 1]
                yield _packed(ranks_a, ranks_b, distance[close], kind, side, border)

    packed = _least(near())
    mask = np.uint64((1 << RANK_BITS) - 1)
    pairs = np.stack([packed >> np.uint64(RANK_BITS + DISTANCE_BITS), packed >> np.uint64(DISTANCE_BITS) & mask])
    return pairs.astype(np.int64), (packed & np.uint64((1 << DISTANCE_BITS) - 1)).astype(np.int16)


def _near_texts(
    rows: Rows,
    order: np.ndarray,
    ranked: dict[str, np.ndarray],
    side: np.ndarray,
    is_twin: np.ndarray,
    share: Share,
    border: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of samples without pictures that agree in a band of their sketches: (2, P), and no distance."""
    wanted = np.flatnonzero((ranked["has_image"] == 0) & (ranked["num_tokens"] > 0) & ~is_twin)
    bands = to_words(rows.take("sketch", order[wanted])) if len(wanted) else np.zeros((0, 0), np.uint64)

    def near() -> Iterator[np.ndarray]:
        for band in bands[share.number :: share.of]:
            places = np.argsort(band, kind="stable").astype(np.uint32)
            for a, b in side_by_side(band[places], places):
                ranks_a, ranks_b = wanted[a], wanted[b]
                yield _packed(ranks_a, ranks_b, np.zeros(len(a), np.uint16), ranked["kind"], side, border)

    packed = _least(near())
    mask = np.uint64((1 << RANK_BITS) - 1)
    pairs = np.stack([packed >> np.uint64(RANK_BITS + DISTANCE_BITS), packed >> np.uint64(DISTANCE_BITS) & mask])
    return pairs.astype(np.int64), np.full(len(packed), NO_DISTANCE, np.int16)


def _packed(
    a: np.ndarray, b: np.ndarray, distance: np.ndarray, kind: np.ndarray, side: np.ndarray, border: int | None
) -> np.ndarray:
    """Pairs that somebody asks for, as (rank, rank, distance) in 64 bits each; `a` is the better of the two."""
    asked = kind[b] == NEW  # the worse of two references is a reference, and they are not compared
    if border is not None:
        asked &= side[a] != side[b]
    a, b, distance = (array[asked].astype(np.uint64) for array in (a, b, distance))
    return a << np.uint64(RANK_BITS + DISTANCE_BITS) | b << np.uint64(DISTANCE_BITS) | distance


def _least(batches: Iterator[np.ndarray]) -> np.ndarray:
    """Every pair once, with its least distance."""
    pending: list[np.ndarray] = []
    num_pending = 0

    def joined() -> np.ndarray:
        packed = np.unique(np.concatenate(pending)) if pending else np.zeros(0, np.uint64)
        pair = packed >> np.uint64(DISTANCE_BITS)
        return packed[np.concatenate([[True], pair[1:] != pair[:-1]])] if len(packed) else packed

    for batch in batches:
        pending.append(batch)
        num_pending += len(batch)
        if num_pending > PENDING_PAIRS:
            pending = [joined()]
            num_pending = len(pending[0]) // 2  # what is known does not fill the buffer at once again
    return joined()


def _verified(
    rows: Rows,
    order: np.ndarray,
    ranked: dict[str, np.ndarray],
    pairs: np.ndarray,
    distance: np.ndarray,
    settings: Dedupe,
) -> np.ndarray:
    """The `EDGE`s of the pairs that text and detail confirm."""
    a, b = pairs
    edges = np.zeros(len(a), EDGE)
    edges["winner"], edges["loser"], edges["distance"] = order[a], order[b], distance
    has_text = (ranked["num_tokens"][a] > 0) & (ranked["num_tokens"][b] > 0)
    edges["similarity"] = np.nan
    sketches = rows.column("sketch")
    for start in range(0, len(a), 1 << 20):
        some = slice(start, start + (1 << 20))
        edges["similarity"][some] = similarity(sketches[order[a[some]]], sketches[order[b[some]]])
    edges["similarity"][~has_text] = np.nan
    same_text = has_text & (ranked["text"][a] == ranked["text"][b]).all(axis=1)
    similar = ~has_text | (edges["similarity"] >= settings.text_similarity)
    digest_a, digest_b = ranked["picture"][a], ranked["picture"][b]
    same_picture = digest_a.any(axis=1) & (digest_a == digest_b).all(axis=1)
    is_plain = (ranked["detail"][a] < settings.min_detail) | (ranked["detail"][b] < settings.min_detail)
    in_evaluation = ranked["kind"][a] == EVALUATION  # a picture that leaks, leaks under any text
    is_picture = ranked["has_image"][a] == 1
    edges["reason"] = np.where(is_picture, NEAR_DUPLICATE, np.where(same_text, SAME_TEXT, SIMILAR_TEXT))
    edges["distance"][~is_picture] = NO_DISTANCE
    confirmed = np.where(
        is_plain & is_picture, same_text | (same_picture & similar), similar | (in_evaluation & is_picture)
    )
    return edges[confirmed]
