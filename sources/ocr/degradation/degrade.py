"""A drawn page becomes a picture of it: warped, stained, lit, blurred, and its words with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from sources.base.illegible import Illegible
from sources.images.encoding import grey_of
from sources.ocr.degradation.captures import (
    CAPTURES,
    COLOURED,
    EFFECTS,
    GEOMETRIC,
    LIGHTING,
    ON_PAPER,
    OPTICAL,
    PAGES,
    WEARING,
    Capture,
)
from sources.ocr.degradation.legibility import Limits, dense, distinct, grid, heights, inside, large_enough
from sources.ocr.degradation.light import lit
from sources.ocr.rendered_text import RenderedText
from sources.ocr.textures import surface
from sources.ocr.warps import Chain, pixel_maps, warp_quads

DESKS = ("fabric", "metal", "stone", "wood", "wood")
WHITE_LID = 0.7  # share of scanners and copiers
DEFAULT_TEXT_PX = 12.0  # height of words, for a page that has none
DENSE = 0.62  # of their height, the height of Latin words that blur as badly as Chinese ones, whose strokes are finer
LIMITS = Limits()
MIN_SHARE = 0.6  # of an effect's strength that is drawn at random
CROWDED = 0.5  # exponent: of n effects that wear letters, each is weaker by n to this power


@dataclass(frozen=True, kw_only=True, slots=True)
class Degraded:
    """A degraded picture and the words that can still be read.

    Args:
        drawn: pixels of the same size as before, the words that are left and their quads.
        kept: (M,) int64 their places among the words before, increasing.
        capture: name of the way the picture was taken; `none` at strength 0.
        effects: names of what happened, in order.
    """

    drawn: RenderedText
    kept: np.ndarray
    capture: str
    effects: tuple[str, ...]


def degrade(
    drawn: RenderedText, strength: float, random: Random, captures: Sequence[str] = PAGES, limits: Limits = LIMITS
) -> Degraded:
    """Take a picture of a page.

    What happens depends on `random` alone, how strong it is on `strength`: a page at rising strengths goes through the
    same, further and further.

    Args:
        strength: 0 (nothing) to 1 (about as bad as people can read).
        captures: names of CAPTURES to choose from; those of pages by default, `SCENES` for what has depth already.
        limits: which words count as legible.
    Raises:
        Illegible: `few_legible_words`, fewer than half of the words can be read.
        ValueError: strength is not between 0 and 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be between 0 and 1, got {strength}")
    (name,) = random.choices(captures, [CAPTURES[name].weight for name in captures])
    capture = CAPTURES[name]
    happening: list[tuple[str, float, Random]] = []
    for effect in EFFECTS:
        share = capture.effects.get(effect, 0)
        happens, amount = random.random() < share, random.uniform(MIN_SHARE, 1)
        own = Random(random.getrandbits(64))
        if happens:
            happening.append((effect, amount * strength, own))
    # What wears letters adds up: of several, each is weaker, or some pages were gone where others hardly suffer.
    wear = max(1, sum(effect in WEARING for effect, _, _ in happening)) ** -CROWDED
    chosen = [(effect, amount * wear if effect in WEARING else amount, own) for effect, amount, own in happening]
    surroundings = Random(random.getrandbits(64))
    if strength == 0 or not chosen:
        return Degraded(drawn=drawn, kept=np.arange(len(drawn.texts)), capture="none", effects=())
    cv2.setNumThreads(0)  # a reader has one core; threads also make a run's time depend on its neighbours
    picture = _taken(drawn, chosen, capture, surroundings)
    return _legible(drawn, picture, limits, name, tuple(effect for effect, _, _ in chosen))


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture taken.

    Args:
        pixels: (H, W, 3) RGB or (H, W) grey.
        quads: (N, 4, 2) of all words.
        flat: (H, W) luma of the page before anything happened to it.
        maps: of pixels to those of `flat`, as `pixel_maps` gives them; None if nothing is warped.
    """

    pixels: np.ndarray
    quads: np.ndarray
    flat: np.ndarray
    maps: tuple[np.ndarray, np.ndarray] | None

    def before(self, places: np.ndarray) -> np.ndarray:
        """(N, K) luma that would be at these (N, K) places of the flattened picture if it were warped only.

        Looked up at the places: warping the whole page once more would take as long as the picture itself.
        """
        if self.maps is None or not len(places):  # OpenCV refuses nothing
            return self.flat.ravel()[places]
        whole, parts = self.maps
        pairs = whole.view(np.int32).ravel()[places]  # x and y together: half the time
        return cv2.remap(
            self.flat, pairs.view(np.int16).reshape(*places.shape, 2), parts.ravel()[places], cv2.INTER_LINEAR
        )


def _taken(
    drawn: RenderedText, chosen: Sequence[tuple[str, float, Random]], capture: Capture, random: Random
) -> _Picture:
    height, width = drawn.pixels.shape[:2]
    flat = cv2.cvtColor(drawn.pixels, cv2.COLOR_RGB2GRAY)
    pixels, quads, maps = drawn.pixels, drawn.quads, None
    is_coloured = capture.on_surface or any(effect in COLOURED for effect, _, _ in chosen)
    if not is_coloured and grey_of(pixels) is not None:
        pixels = flat  # a third of the work
    for effect, amount, own in chosen:
        if effect in ON_PAPER:
            pixels = ON_PAPER[effect](pixels, amount, own)
    bends = [GEOMETRIC[effect](width, height, amount, own) for effect, amount, own in chosen if effect in GEOMETRIC]
    for bend in bends:
        if bend.light is not None:
            pixels = lit(pixels, bend.light)
    if bends:
        warp = Chain([bend.warp for bend in bends])
        maps = pixel_maps(warp, width, height)
        behind = _behind(pixels.shape, capture, random)
        pixels = cv2.remap(pixels, *maps, cv2.INTER_LINEAR, dst=behind, borderMode=cv2.BORDER_TRANSPARENT)
        quads = warp_quads(drawn.quads, warp)
    fields = [LIGHTING[effect](amount, own) for effect, amount, own in chosen if effect in LIGHTING]
    if fields:
        pixels = lit(pixels, np.prod(fields, axis=0))
    text_px = _text_px(drawn)
    for effect, amount, own in chosen:
        if effect in OPTICAL:
            pixels = OPTICAL[effect](pixels, amount, text_px, own)
    return _Picture(pixels, quads, flat, maps)


def _text_px(drawn: RenderedText) -> float:
    """Height of the page's words, as fine as their strokes are."""
    if not len(drawn.quads):
        return DEFAULT_TEXT_PX
    return float(np.median(heights(drawn.quads) * np.where(dense(drawn.texts), DENSE, 1)))


def _behind(shape: tuple[int, ...], capture: Capture, random: Random) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8: what the sheet lies on."""
    if not capture.on_surface:
        return np.full(shape, 250 if random.random() < WHITE_LID else 25, np.uint8)
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    return surface(random.choice(DESKS), shape[1], shape[0], generator)


def _legible(
    drawn: RenderedText, picture: _Picture, limits: Limits, capture: str, effects: tuple[str, ...]
) -> Degraded:
    """The words that can be read. Raises Illegible if they are few."""
    height, width = picture.pixels.shape[:2]
    is_grey = picture.pixels.ndim == 2
    final = picture.pixels if is_grey else cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    is_kept = inside(picture.quads, width, height) & large_enough(drawn.quads, picture.quads, limits)
    places = grid(picture.quads[is_kept], width, height)
    needed = limits.correlation + limits.dense_correlation * dense(drawn.texts)[is_kept]
    is_kept[is_kept] = distinct(picture.before(places), final.ravel()[places], needed, limits)
    kept = np.flatnonzero(is_kept)
    if len(drawn.texts) and len(kept) < limits.share * len(drawn.texts):
        raise Illegible("few_legible_words", f"only {len(kept)} of {len(drawn.texts)} words can be read")
    pixels = cv2.merge([final] * 3) if is_grey else picture.pixels
    left = RenderedText(pixels=pixels, texts=[drawn.texts[k] for k in kept], quads=picture.quads[kept])
    return Degraded(drawn=left, kept=kept, capture=capture, effects=effects)
