"""Pairs of pictures with near hashes: of the whole, of its inset, of its views and of its mirror images.

A group of hashes is joined with itself at a time, which bounds the memory. In a group the first hash is of the whole
picture, and a pair has at least one of these; `ink` and `content` are only compared with their own kind.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from pipelines.duplicates.bit_sampling import RECALL, Tables, candidates, distances, to_words
from pipelines.duplicates.settings import Dedupe
from sources.images.views import FIGURES, VIEWS

BASIC = ("hash", "inset")
INK, CONTENT = ("ink",), ("content",)
VIEW_GROUPS = (
    ("hash", "inset_5", "inset_8", "turned_left"),
    ("hash", "turned_right", "left", "top"),
    ("hash", "right", "bottom", "page"),
    INK,
    CONTENT,
)
FIGURE_GROUP = ("hash", *FIGURES)
FLIPS = ("hash", "mirrored", "upside_down")
INK_EIGHTHS, VIEW_EIGHTHS = 7, 9  # limits in eighths of the radius: forms of one template have alike dark marks
OTHER_PAGE_EIGHTHS = 12  # of the radius, in which the pages of two windows differ that are not the same
VIEW_RECALL = 0.8  # wanted of pairs at the radius: copies are mostly much nearer to a view, or near to two of them

Emit = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
IsAsked = Callable[[np.ndarray, np.ndarray], np.ndarray]


def near_pictures(
    basic: Mapping[str, np.ndarray],
    views: Callable[[int], np.ndarray],
    settings: Dedupe,
    first: int,
    step: int,
    emit: Emit,
    *,
    prints: IsAsked | None,
) -> Iterator[np.ndarray]:
    """What `emit` makes of places and distances of pictures within the wide radius, the better one's place first.

    Args:
        basic: (N, B) `hash` and `inset`, the best picture first.
        views: gives the (N, 32) hashes of a view by its number.
        first, step: which tables are looked at.
        prints: which pairs (place of the page, place of the picture that it prints) count; None: none do.
    """
    groups: list[tuple[tuple[str, ...], float]] = [(BASIC, RECALL)]
    if settings.has_views:
        groups += [(names, VIEW_RECALL) for names in VIEW_GROUPS]
        if prints is not None:
            groups.append((FIGURE_GROUP, RECALL))
    if settings.flips:
        groups.append((FLIPS, VIEW_RECALL))
    for names, recall in groups:
        hashes = np.stack([_hashes(name, basic, views, settings) for name in names], axis=1)
        if not hashes[:, -1].any() and not hashes[:, 1:].any():
            continue  # no picture has these views
        only_across = names is not BASIC and len(names) > 1  # whole with whole is compared once
        is_asked = prints if names is FIGURE_GROUP else None

        for a, b, distance in _near(hashes, settings, recall, first, step, only_across=only_across, prints=is_asked):
            close, within = _within(names, distance, settings)
            yield emit(a[close], b[close], within[close])


def _near(
    hashes: np.ndarray,
    settings: Dedupe,
    recall: float,
    first: int,
    step: int,
    *,
    only_across: bool,
    prints: IsAsked | None,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Places of candidates and their distances."""
    num_variants = hashes.shape[1]
    flat = hashes.reshape(-1, hashes.shape[2])
    entries = np.flatnonzero(flat.any(axis=1)).astype(np.uint32)  # a view that a picture does not have is all zero
    if len(entries) < len(flat):
        flat = flat[entries]
    flat = np.ascontiguousarray(flat)
    words = to_words(flat)
    tables = Tables.plan(len(flat), 64 * len(words), settings.radius_bits, recall)
    for table in range(first, tables.num_tables, step):
        for a, b in candidates(words, tables, table):
            row_a, variant_a = np.divmod(entries[a], np.uint32(num_variants))
            row_b, variant_b = np.divmod(entries[b], np.uint32(num_variants))
            useful = (variant_a == 0) | (variant_b == 0)
            if prints is not None:  # a picture with a white border is met by its own block
                useful = (variant_a > 0) | (variant_b > 0)
            elif only_across:
                useful = (variant_a == 0) != (variant_b == 0)
            useful &= row_a != row_b
            if prints is not None:
                is_page = (variant_a > 0) & (variant_b == 0)
                useful &= prints(np.where(is_page, row_a, row_b), np.where(is_page, row_b, row_a))
            yield row_a[useful], row_b[useful], distances(flat, a[useful], b[useful])


def _within(names: tuple[str, ...], distance: np.ndarray, settings: Dedupe) -> tuple[np.ndarray, np.ndarray]:
    """(P,) bool, which pairs of a group of hashes are near enough; and their distances.

    A view that is a little beyond the radius is taken to be at it: a crop or a turn is seldom the one that it has. The
    content of two photographs is chance, which the wide radius would meet.
    """
    radius = settings.radius_bits
    if names is INK:
        return distance <= radius * INK_EIGHTHS // 8, distance
    close = distance <= (radius * VIEW_EIGHTHS // 8 if names is CONTENT else settings.wide_radius_bits)
    if names in VIEW_GROUPS:
        distance = np.where(distance <= radius * VIEW_EIGHTHS // 8, np.minimum(distance, radius), distance)
    return close, distance


def _hashes(
    name: str, basic: Mapping[str, np.ndarray], views: Callable[[int], np.ndarray], settings: Dedupe
) -> np.ndarray:
    if name in BASIC:
        return basic[name]
    if name in VIEWS:
        return views(VIEWS.index(name))
    return flipped(basic["hash"], settings.hash, upside_down=name == "upside_down")


def flipped(hashes: np.ndarray, kind: str, *, upside_down: bool) -> np.ndarray:
    """(N, B) hashes of the mirror images, to within a few bits, from the hashes alone.

    A pHash has the signs of frequencies, of which a mirror changes the odd ones; a dHash has whether the picture gets
    brighter to the right.
    """
    side = 16 if hashes.shape[1] == 32 else 8
    bits = np.unpackbits(hashes, axis=1).reshape(-1, side, side)
    if kind == "phash":
        is_odd = np.arange(side) % 2
        bits = bits ^ (is_odd[:, None] if upside_down else is_odd[None, :]).astype(np.uint8)
    else:
        bits = bits[:, ::-1, :] if upside_down else 1 - bits[:, :, ::-1]
    return np.packbits(bits.reshape(len(hashes), -1), axis=1)


def show_other_pages(
    hashes: np.ndarray,
    pages: np.ndarray,
    has_regions: np.ndarray,
    are_photographs: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    distance: np.ndarray,
    radius: int,
) -> np.ndarray:
    """(P,) bool: whether two pictures are the same window around different pages: alike as wholes, not in the page.

    Windows around different pages differ in 12 bits at least, copies of one picture in up to 8; what is taken for the
    page of a picture that is no window may be another region after encoding. Pictures that are near to a view, and much
    nearer than as wholes, are cropped or turned. A window in which no page is found shows a dark or coloured one.

    Args:
        hashes, pages: (N, 32) of all pictures, and of their view `page`.
        has_regions: (N,) whether even regions of a picture are more than chance.
        are_photographs: (N,) whether they may be; of these, any view that is nearer than the whole is certain.
        a, b: (P,) places of the pictures of each pair.
        distance: (P,) least distance of each pair, that of a view perhaps.
    """
    has_page = pages.any(axis=1)
    is_window = has_regions & has_page & (_bits(pages, hashes) > 2 * radius)  # elsewhere the page is the whole
    is_dark = has_regions & ~has_page
    apart: np.ndarray = is_window[a] & (is_window[b] | is_dark[b]) | is_dark[a] & is_window[b]
    some = np.flatnonzero(apart)
    whole = _bits(hashes[a[some]], hashes[b[some]])
    may_be_certain = (distance[some] <= radius // 2) | are_photographs[a[some]] | are_photographs[b[some]]
    is_certain = may_be_certain & (whole > distance[some] + radius // 4)
    alike = (whole > radius // 4) & (whole <= 2 * radius) & ~is_certain
    apart[some] = alike & (_bits(pages[a[some]], pages[b[some]]) > OTHER_PAGE_EIGHTHS * radius // 8)
    return apart


def _bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    counted: np.ndarray = np.bitwise_count(a ^ b).sum(axis=1, dtype=np.uint16)
    return counted
