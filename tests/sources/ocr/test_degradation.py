"""Degradation: no change at strength 0, monotonic in strength, reproducible, and with correct words."""

from random import Random

import cv2
import numpy as np
import pytest

from sources.ocr.degradation import PAGES, SCENES, DegradedText, Illegible, degrade
from sources.ocr.degradation.captures import EFFECTS, LIGHTING, ON_PAPER, OPTICAL
from sources.ocr.degradation.legibility import Limits, grid_places, is_dense, is_distinct, is_large_enough
from sources.ocr.degradation.light import apply_light
from sources.ocr.rendered_text import RenderedText
from tests.sources.ocr.printed_pages import draw_printed_page

NO_LEAST_SHARE = Limits(share=0)  # however few words are legible


def _box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float32)


def test_strength_0_changes_nothing() -> None:
    page = draw_printed_page()
    for seed in range(20):
        same = degrade(page, 0.0, Random(seed))
        assert same.rendered is page
        assert same.kept.tolist() == list(range(len(page.texts)))
        assert (same.capture, same.effects) == ("none", ())


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan"), float("inf")])
def test_strength_outside_0_to_1_is_rejected(strength: float) -> None:
    with pytest.raises(ValueError, match="strength must be between 0 and 1, got"):
        degrade(draw_printed_page(), strength, Random(0))


def test_the_same_seed_gives_the_same_pixels_words_and_boxes() -> None:
    page = draw_printed_page()
    for seed in range(12):
        first, second = degrade(page, 0.6, Random(seed)), degrade(page, 0.6, Random(seed))
        assert np.array_equal(first.rendered.pixels, second.rendered.pixels)
        assert np.array_equal(first.rendered.quads, second.rendered.quads)
        assert (first.capture, first.effects) == (second.capture, second.effects)
    assert not np.array_equal(
        degrade(page, 0.6, Random(1)).rendered.pixels, degrade(page, 0.6, Random(2)).rendered.pixels
    )


def test_same_seed_gives_same_effects_that_grow_with_strength() -> None:
    page = draw_printed_page()
    differences = np.zeros(5)
    for seed in range(24):
        steps = [
            degrade(page, strength, Random(seed), limits=NO_LEAST_SHARE) for strength in (0.02, 0.25, 0.5, 0.75, 1.0)
        ]
        assert len({(step.capture, step.effects) for step in steps}) == 1
        moved = [np.abs(step.rendered.quads - page.quads[step.kept]).max(initial=0) for step in steps]
        assert moved[0] < 6, "a slight degradation moves words slightly"
        differences += [cv2.absdiff(step.rendered.pixels, page.pixels).mean() for step in steps]
    assert (np.diff(differences) > 0).all(), differences
    assert differences[0] / 24 < 8


def test_every_effect_occurs_and_is_listed_in_order() -> None:
    page = draw_printed_page(width=320, height=240)
    effects: set[str] = set()
    captures: set[str] = set()
    for seed in range(120):
        degraded = degrade(page, 0.3, Random(seed))
        effects.update(degraded.effects)
        captures.add(degraded.capture)
        assert list(degraded.effects) == [effect for effect in EFFECTS if effect in degraded.effects]
    assert effects == set(EFFECTS)
    assert captures - {"none"} == set(PAGES)


def test_a_scene_is_not_warped_again() -> None:
    page = draw_printed_page(width=320, height=240)
    for seed in range(20):
        degraded = degrade(page, 0.7, Random(seed), SCENES)
        assert degraded.capture in ("camera", "none")
        assert np.array_equal(degraded.rendered.quads, page.quads[degraded.kept])


def test_kept_words_are_inside_the_picture_and_match_their_indices() -> None:
    page = draw_printed_page(width=400, height=300)
    page = RenderedText(
        pixels=page.pixels[:, 42:].copy(), texts=page.texts, quads=page.quads - np.array([42, 0], np.float32)
    )
    dropped = 0
    for seed in range(40):
        degraded = _degrade_or_none(page, 1.0, seed)
        if degraded is None:
            continue
        height, width = degraded.rendered.pixels.shape[:2]
        assert degraded.rendered.pixels.shape == page.pixels.shape
        assert [page.texts[k] for k in degraded.kept] == list(degraded.rendered.texts)
        assert (np.diff(degraded.kept) > 0).all()
        assert (degraded.rendered.quads >= 0).all()
        assert (degraded.rendered.quads <= (width, height)).all()
        dropped += len(page.texts) - len(degraded.kept)
    assert dropped > 0, "words at the edge go out of the picture"


def _degrade_or_none(page: RenderedText, strength: float, seed: int) -> DegradedText | None:
    try:
        return degrade(page, strength, Random(seed))
    except Illegible:
        return None


def test_page_without_legible_words_is_illegible() -> None:
    page = draw_printed_page()
    faint = RenderedText(
        pixels=np.full_like(page.pixels, 255), texts=page.texts, quads=page.quads + np.array([10_000, 0], np.float32)
    )
    with pytest.raises(Illegible, match=r"only 0 of \d+ words can be read") as caught:
        degrade(faint, 0.5, Random(3))
    assert caught.value.reason == "few_legible_words"


@pytest.mark.parametrize("shape", [(480, 640), (31, 45), (9, 700), (7, 9)])
def test_pages_without_words_and_of_any_size_can_be_degraded(shape: tuple[int, int]) -> None:
    blank = RenderedText(pixels=np.full((*shape, 3), 240, np.uint8), texts=(), quads=np.zeros((0, 4, 2), np.float32))
    for seed in range(30):
        degraded = degrade(blank, 1.0, Random(seed))
        assert degraded.rendered.pixels.shape == blank.pixels.shape
        assert len(degraded.kept) == 0


@pytest.mark.parametrize("name", [*ON_PAPER, *OPTICAL])
@pytest.mark.parametrize("is_grey", [True, False])
def test_effects_keep_shape_and_dtype_and_grow_with_amount(name: str, is_grey: bool) -> None:
    page = draw_printed_page()
    pixels = page.pixels[..., 0].copy() if is_grey else np.minimum(page.pixels, np.array([255, 250, 230], np.uint8))
    if is_grey and name == "stains":
        pytest.skip("a stain has a colour")
    changes = []
    for amount in (0.02, 0.3, 1.0):
        random = Random(5)
        before = pixels.copy()
        changed = (
            ON_PAPER[name](pixels, amount, random) if name in ON_PAPER else OPTICAL[name](pixels, amount, 12.0, random)
        )
        assert np.array_equal(pixels, before), "the page itself stays as it was"
        assert changed.shape == pixels.shape
        assert changed.dtype == np.uint8
        changes.append(float(cv2.absdiff(changed, pixels).mean()))
    assert changes[0] < changes[1] < changes[2]
    assert changes[0] < 4


@pytest.mark.parametrize("name", LIGHTING)
def test_light_darkens_smoothly_and_never_brightens(name: str) -> None:
    page = draw_printed_page()
    for seed in range(10):
        field = LIGHTING[name](0.8, Random(seed))
        darkened = apply_light(page.pixels, field)
        assert (darkened <= page.pixels).all()
        assert field.max() <= 1
        assert field.min() > 0.1


def _is_distinct(clean: np.ndarray, final: np.ndarray, quads: np.ndarray) -> np.ndarray:
    places = grid_places(quads, clean.shape[1], clean.shape[0])
    needed = np.full(len(quads), Limits().correlation)
    return is_distinct(clean.ravel()[places], final.ravel()[places], needed, Limits())


def test_blurred_faded_or_noisy_word_is_not_distinct() -> None:
    page = draw_printed_page()
    clean = page.pixels[..., 0].copy()
    generator = np.random.default_rng(1)
    blurred = cv2.GaussianBlur(clean, (0, 0), 12)
    faded = (250 + clean * 0.02).astype(np.uint8)
    noisy = generator.integers(0, 256, clean.shape, np.uint8)
    assert _is_distinct(clean, clean, page.quads).all()
    assert _is_distinct(clean, (120 + clean * 0.4).astype(np.uint8), page.quads).all()
    for final in (blurred, faded, noisy):
        assert not _is_distinct(clean, final, page.quads).any()


def test_chinese_word_needs_a_higher_correlation() -> None:
    clean = np.tile(np.array([60, 200], np.uint8), (2, 48))
    noise = np.tile(np.array([-90, -90, 90, 90]), (2, 24))  # uncorrelated with the word, whose correlation becomes 0.61
    final = (clean.astype(int) + noise).clip(0, 255).astype(np.uint8)
    limits = Limits()
    needed = limits.correlation + limits.dense_correlation * is_dense(["图书馆", "word"])
    assert is_distinct(clean, final, needed, limits).tolist() == [False, True]


def test_faint_word_is_compared_with_its_original_contrast() -> None:
    page = draw_printed_page()
    faint = (235 + page.pixels[..., 0] * 0.05).astype(np.uint8)
    assert _is_distinct(faint, faint, page.quads).all()


def test_small_words_are_dropped_but_dashes_next_to_large_words_are_kept() -> None:
    word, dash = _box(10, 10, 60, 22), _box(70, 15, 80, 17)
    before = np.concatenate([word, word, dash])
    assert is_large_enough(before, before * np.float32(0.7), Limits()).all()
    assert not is_large_enough(before, before * np.float32(0.4), Limits()).any()
    assert is_large_enough(np.zeros((0, 4, 2), np.float32), np.zeros((0, 4, 2), np.float32), Limits()).shape == (0,)
