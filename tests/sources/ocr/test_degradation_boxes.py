"""Word boxes follow warps exactly: maps are inverted by their inverses, and warped ink stays in its box."""

from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.ocr.degradation.captures import GEOMETRIC
from sources.ocr.warps import Arc, Chain, Warp, pixel_maps, warp_quads
from tests.sources.ocr.printed_pages import SENTENCE, draw_printed_page

WIDTH, HEIGHT = 640, 480
FIRM = 128  # of 255: coverage of a warped mask that is inside under any rounding
EDGE_PX = 1.0  # resolution of a mask


def _chain(names: tuple[str, ...], amount: float, seed: int) -> Warp:
    random = Random(seed)
    return Chain([GEOMETRIC[name](WIDTH, HEIGHT, amount, random).warp for name in names])


CHAINS = [(name,) for name in GEOMETRIC] + [("page_curl", "rotation", "perspective"), tuple(GEOMETRIC)]


@given(
    st.sampled_from(CHAINS),
    st.floats(0, 1),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.floats(-20, WIDTH + 20), st.floats(-20, HEIGHT + 20)), min_size=1, max_size=20),
)
def test_backward_inverts_forward(
    names: tuple[str, ...], amount: float, seed: int, points: list[tuple[float, float]]
) -> None:
    warp = _chain(names, amount, seed)
    warped = warp.forward(np.array(points))
    assert np.allclose(warp.backward(warped), points, atol=1e-6)


@given(st.floats(120, 3000), st.sampled_from([-1, 1]), st.floats(-1, 1), st.floats(-60, 60))
def test_backward_inverts_forward_for_an_arc(radius: float, side: int, share: float, y: float) -> None:
    arc = Arc((300.0, 50.0), side * radius)
    points = np.array([[300 + share * radius, 50 + y]])
    assert np.allclose(arc.backward(arc.forward(points)), points, atol=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(CHAINS), st.floats(0.05, 1), st.integers(0, 10**6))
def test_warped_quad_fits_the_warped_box_tightly(names: tuple[str, ...], amount: float, seed: int) -> None:
    page = draw_printed_page(width=WIDTH, height=HEIGHT)
    warp = _chain(names, amount, seed)
    maps = pixel_maps(warp, WIDTH, HEIGHT)
    quads = warp_quads(page.quads, warp)
    for k in Random(seed).sample(range(len(page.texts)), 6):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        (x0, y0), (x1, y1) = page.quads[k, 0].astype(int), page.quads[k, 2].astype(int)
        mask[y0:y1, x0:x1] = 255
        low, high = quads[k].min(axis=0), quads[k].max(axis=0)
        if (low < 2).any() or (high > (WIDTH - 2, HEIGHT - 2)).any():
            continue  # cut off by the frame
        rows, columns = np.nonzero(cv2.remap(mask, *maps, cv2.INTER_LINEAR) >= FIRM)
        assert abs(columns.min() - low[0]) <= EDGE_PX + _bulge(names)
        assert abs(rows.min() - low[1]) <= EDGE_PX + _bulge(names)
        assert abs(columns.max() + 1 - high[0]) <= EDGE_PX + _bulge(names)
        assert abs(rows.max() + 1 - high[1]) <= EDGE_PX + _bulge(names)


def _bulge(names: tuple[str, ...]) -> float:
    """Return how much looser a straight box may be around a bent word, in pixels."""
    return 1.0 if {"page_curl", "fold_lines"} & set(names) else 0.0


@pytest.mark.parametrize("names", CHAINS)
@pytest.mark.parametrize(
    ("language", "text"),
    [("en", SENTENCE), ("zh", "委员会同意将港口挖深三点五米工程将于春季开始并保留旧码头")],
)
@pytest.mark.parametrize("seed", range(2))
def test_warped_ink_stays_in_its_box(names: tuple[str, ...], seed: int, language: str, text: str) -> None:
    page = draw_printed_page(text, language=language, width=WIDTH, height=HEIGHT)  # a word of Chinese is a whole line
    warp = _chain(names, 1.0, seed)
    maps = pixel_maps(warp, WIDTH, HEIGHT)
    ink = 255 - page.pixels[..., 0]
    for k, quad in enumerate(warp_quads(page.quads, warp)):
        (x0, y0), (x1, y1) = page.quads[k, 0].astype(int), page.quads[k, 2].astype(int)
        alone = np.zeros_like(ink)
        alone[y0:y1, x0:x1] = ink[y0:y1, x0:x1]
        rows, columns = np.nonzero(cv2.remap(alone, *maps, cv2.INTER_LINEAR) >= FIRM)
        for x, y in zip(columns + 0.5, rows + 0.5, strict=True):
            distance = cv2.pointPolygonTest(quad, (float(x), float(y)), True)
            assert distance >= -0.5, f"ink of {page.texts[k]!r} at {x}, {y} is {-distance} outside its box"
        if k > 40:
            break


def test_no_words_give_no_quads() -> None:
    assert warp_quads(np.zeros((0, 4, 2), np.float32), _chain(("rotation",), 1.0, 0)).shape == (0, 4, 2)
