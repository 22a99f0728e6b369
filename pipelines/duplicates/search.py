"""The search: pairs of rows that are the same sample, each with the better one first."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.duplicates.bit_sampling import distances, side_by_side, to_words
from pipelines.duplicates.index import EVALUATION, NEW, WORTH, Columns
from pipelines.duplicates.pictures import BASIC, near_pictures, show_other_pages
from pipelines.duplicates.settings import Dedupe
from pipelines.duplicates.smooth import smooth_pairs
from pipelines.duplicates.text import similarity
from sources.images.views import VIEWS

REASONS = ("near_duplicate", "same_text", "similar_text")
NEAR_DUPLICATE, SAME_TEXT, SIMILAR_TEXT = range(3)
EDGE = np.dtype(
    [
        ("winner", "<u8"), ("loser", "<u8"), ("reason", "u1"), ("distance", "<i2"), ("similarity", "<f4"),
        ("equal", "u1"),  # 1 if hashes and texts are the same: others are compared with the winner only
    ]
)  # fmt: skip
NO_DISTANCE = -1  # of texts
PENDING_PAIRS = 1 << 23
VERIFIED_AT_A_TIME = 1 << 20
RANK_BITS, DISTANCE_BITS = 28, 8  # of a pair in 64 bits
FIELDS = ("hash", "inset", "picture", "detail", "flatness", "has_image", "text", "num_tokens", "kind")
PHOTOGRAPH_FLATNESS = 0.25  # pictures with less background than this are photographs
WINDOW_FLATNESS = 0.15  # a window around a photograph has more, for its bars
SURE_SIMILARITY = 0.9  # texts that agree so far vouch for pictures that differ more
SHORT_TOKENS = 24  # a number changed in a shorter text is lost in the sketch's error: such texts are equal or different


@dataclass(frozen=True, slots=True)
class TableSlice:
    """The tables of candidates that one task looks at: every `step`-th from `first` on."""

    first: int = 0
    step: int = 1


def find_edges(
    index: Columns, settings: Dedupe, part: TableSlice = TableSlice(), *, border: int | None = None
) -> np.ndarray:
    """(E,) `EDGE`, every pair found once, `winner` and `loser` as places in the index.

    Args:
        border: rows before it are compared with those from it on only (two blocks of a larger set).
    """
    order = _best_first(index)
    ranked = {name: index.column(name)[order] for name in FIELDS}
    side = None if border is None else order >= border
    heads, twins = _identical(ranked)
    is_first = np.ones(len(order), bool)
    is_first[twins] = False
    has_image, has_text = ranked["has_image"] == 1, ranked["num_tokens"] > 0
    is_plain = has_image & (ranked["detail"] < settings.min_detail)
    # A plain picture's hash says nothing: what else it may be is told by its text, or by its bytes.
    may_be_plain = is_first & has_image & (ranked["detail"] < 2 * settings.min_detail)
    pictures = np.flatnonzero(is_first & has_image & ~is_plain)
    sketches = index.column("sketch")
    found = [
        _near_pictures(index, order, ranked, pictures, settings, part, side),
        _near_texts(ranked, np.flatnonzero(is_first & ~has_image & has_text), sketches, order, part, side),
    ]
    if part.first == 0:
        found.append(_smooth(index, order, ranked, pictures, settings, side))
        found.append(_equal_plain(ranked, np.flatnonzero(may_be_plain), settings, side))
        found.append(_asked(ranked, heads, twins, np.zeros(len(twins), np.uint16), side))
    pairs, distance = _unpacked(_least(iter(found)))
    if settings.has_views and len(distance):
        ends, places = np.unique(pairs, return_inverse=True)
        pages = index.column("views")[order[ends], VIEWS.index("page")]
        # The even regions of most photographs and of smooth pictures are chance.
        flatness = ranked["flatness"][ends]
        has_regions = flatness >= WINDOW_FLATNESS
        has_regions &= ~index.column("strongest")[order[ends]].any(axis=1)
        a, b = places.reshape(pairs.shape)
        hashes, are_photographs = ranked["hash"][ends], flatness < PHOTOGRAPH_FLATNESS
        same = ~show_other_pages(hashes, pages, has_regions, are_photographs, a, b, distance, settings.radius_bits)
        pairs, distance = pairs[:, same], distance[same]
    return _verified(sketches, order, ranked, is_first, pairs, distance, settings)


def _best_first(index: Columns) -> np.ndarray:
    """(N,) places of the rows, the best first: larger picture, better encoded, more text, then the smaller id."""
    ids = index.column("id")
    halves = np.ascontiguousarray(ids).view(">u8").astype(np.uint64)
    negative = [-index.column(name).astype(np.int64) for name in WORTH]
    places: np.ndarray = np.lexsort([halves[:, 1], halves[:, 0], *negative, index.column("kind")]).astype(np.uint32)
    return places


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
    index: Columns,
    order: np.ndarray,
    ranked: dict[str, np.ndarray],
    wanted: np.ndarray,
    settings: Dedupe,
    part: TableSlice,
    side: np.ndarray | None,
) -> np.ndarray:
    """Packed pairs whose hashes, or a hash and a view, lie within the wide radius."""
    basic = {name: ranked[name][wanted] for name in BASIC}
    places = order[wanted]

    def views(number: int) -> np.ndarray:
        found: np.ndarray = index.column("views")[places, number]
        return found

    def emit(a: np.ndarray, b: np.ndarray, distance: np.ndarray) -> np.ndarray:
        return _asked(ranked, wanted[a], wanted[b], distance, side)

    kinds = ranked["kind"][wanted]

    def prints(page: np.ndarray, picture: np.ndarray) -> np.ndarray:
        """A page leaks the evaluation picture that it prints; it stands for the picture if it is the better one."""
        counts = (kinds[picture] == EVALUATION) & (kinds[page] == NEW)
        if settings.figures:
            counts |= (page < picture) & (kinds[picture] == NEW)
        asked: np.ndarray = counts
        return asked

    has_figures = settings.figures or bool((kinds == EVALUATION).any())
    pairs = near_pictures(basic, views, settings, part.first, part.step, emit, prints=prints if has_figures else None)
    return _least(pairs)


def _smooth(
    index: Columns, order: np.ndarray, ranked: dict[str, np.ndarray], wanted: np.ndarray, settings: Dedupe,
    side: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    """Packed pairs of smooth pictures whose pixels agree; they count as at the radius, or nearer."""
    wanted = wanted[index.column("strongest")[order[wanted]].any(axis=1)]
    places = order[wanted]
    hashes = np.ascontiguousarray(ranked["hash"][wanted])

    def near() -> Iterator[np.ndarray]:
        for a, b in smooth_pairs(index.column("strongest")[places], index.column("tiny")[places]):
            distance = np.minimum(distances(hashes, a, b), settings.radius_bits)
            yield _asked(ranked, wanted[a], wanted[b], distance, side)

    return _least(near())


def _near_texts(
    ranked: dict[str, np.ndarray],
    wanted: np.ndarray,
    sketches: np.ndarray,
    order: np.ndarray,
    part: TableSlice,
    side: np.ndarray | None,
) -> np.ndarray:
    """Packed pairs of samples without pictures that agree in a band of their sketches."""
    bands = to_words(sketches[order[wanted]]) if len(wanted) else np.zeros((0, 0), np.uint64)

    def near() -> Iterator[np.ndarray]:
        for band in bands[part.first :: part.step]:
            places = np.argsort(band, kind="stable").astype(np.uint32)
            for a, b in side_by_side(band[places], places):
                yield _asked(ranked, wanted[a], wanted[b], np.zeros(len(a), np.uint16), side)

    return _least(near())


def _equal_plain(
    ranked: dict[str, np.ndarray], wanted: np.ndarray, settings: Dedupe, side: np.ndarray | None
) -> np.ndarray:
    """Packed pairs of pictures with little to see that have the same text, or are the same file."""

    def near() -> Iterator[np.ndarray]:
        for name in ("text", "picture"):
            some = wanted[ranked[name][wanted].any(axis=1)]
            digest = to_words(ranked[name][some])[0] if len(some) else np.zeros(0, np.uint64)
            places = np.argsort(digest, kind="stable").astype(np.uint32)
            for a, b in side_by_side(digest[places], places):
                distance = distances(np.ascontiguousarray(ranked["hash"][some]), a, b)
                close = distance <= settings.radius_bits
                yield _asked(ranked, some[a[close]], some[b[close]], distance[close], side)

    return _least(near())


def _asked(
    ranked: dict[str, np.ndarray], a: np.ndarray, b: np.ndarray, distance: np.ndarray, side: np.ndarray | None
) -> np.ndarray:
    """Packed pairs that are to be decided; `a` is the better of the two."""
    asked = ranked["kind"][b] == NEW  # the worse of two references is a reference, and they are not compared
    if side is not None:
        asked &= side[a] != side[b]
    return _pack(a[asked], b[asked], distance[asked])


def _pack(a: np.ndarray, b: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """(P,) uint64: rank, rank and distance in one number, so that sorting brings each pair's least distance first."""
    a, b, distance = (array.astype(np.uint64) for array in (a, b, distance))
    return a << np.uint64(RANK_BITS + DISTANCE_BITS) | b << np.uint64(DISTANCE_BITS) | distance


def _unpacked(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(2, P) ranks and (P,) distances."""
    mask = np.uint64((1 << RANK_BITS) - 1)
    pairs = np.stack([packed >> np.uint64(RANK_BITS + DISTANCE_BITS), packed >> np.uint64(DISTANCE_BITS) & mask])
    return pairs.astype(np.int64), (packed & np.uint64((1 << DISTANCE_BITS) - 1)).astype(np.int16)


def _least(batches: Iterator[np.ndarray]) -> np.ndarray:
    """Every pair once, with its least distance."""
    pending: list[np.ndarray] = []
    num_pending = 0

    def joined() -> np.ndarray:
        packed = np.concatenate([np.zeros(0, np.uint64), *pending])
        packed.sort()  # numpy's `unique` hashes instead, and takes ten times as long
        pair = packed >> np.uint64(DISTANCE_BITS)
        least: np.ndarray = packed[np.concatenate([[True], pair[1:] != pair[:-1]])[: len(packed)]]
        return least

    for batch in batches:
        pending.append(batch)
        num_pending += len(batch)
        if num_pending > PENDING_PAIRS:
            pending = [joined()]
            num_pending = len(pending[0]) // 2  # what is known does not fill the buffer at once again
    return joined()


def _verified(
    sketches: np.ndarray,
    order: np.ndarray,
    ranked: dict[str, np.ndarray],
    is_first: np.ndarray,
    pairs: np.ndarray,
    distance: np.ndarray,
    settings: Dedupe,
) -> np.ndarray:
    """The `EDGE`s of the pairs that texts, detail and distance confirm."""
    a, b = pairs
    edges = np.zeros(len(a), EDGE)
    edges["winner"], edges["loser"], edges["equal"] = order[a], order[b], ~is_first[b]
    has_text = (ranked["num_tokens"][a] > 0) & (ranked["num_tokens"][b] > 0)
    same_text = has_text & (ranked["text"][a] == ranked["text"][b]).all(axis=1)
    edges["similarity"] = np.nan
    compared = np.flatnonzero(has_text & ~same_text)
    for start in range(0, len(compared), VERIFIED_AT_A_TIME):
        some = compared[start : start + VERIFIED_AT_A_TIME]
        edges["similarity"][some] = similarity(sketches[order[a[some]]], sketches[order[b[some]]])
    edges["similarity"][same_text] = 1
    is_picture = ranked["has_image"][a] == 1
    edges["reason"] = np.where(is_picture, NEAR_DUPLICATE, np.where(same_text, SAME_TEXT, SIMILAR_TEXT))
    edges["distance"] = np.where(is_picture, distance, NO_DISTANCE)

    is_long = np.minimum(ranked["num_tokens"][a], ranked["num_tokens"][b]) >= SHORT_TOKENS
    similar = ~has_text | same_text | (is_long & (edges["similarity"] >= settings.text_similarity))
    sure_text = is_long & (edges["similarity"] >= SURE_SIMILARITY)
    photographs = np.maximum(ranked["flatness"][a], ranked["flatness"][b]) < PHOTOGRAPH_FLATNESS
    near = (distance <= settings.radius_bits) | sure_text | photographs
    # A picture that leaks, leaks under any text.
    leaks = is_picture & (ranked["kind"][a] == EVALUATION)
    digest_a, digest_b = ranked["picture"][a], ranked["picture"][b]
    same_picture = digest_a.any(axis=1) & (digest_a == digest_b).all(axis=1)
    is_plain = is_picture & (np.minimum(ranked["detail"][a], ranked["detail"][b]) < settings.min_detail)
    confirmed = np.where(is_plain, same_text | (same_picture & similar), similar | leaks)
    verified: np.ndarray = edges[confirmed & near]
    return verified
