"""Degrade a rendered page: warp, stain, light and blur it, and move its words with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from sources.base.illegible import Illegible
from sources.images.encoding import grey_of
from sources.ocr.arrays import Floats, Ints, Pixels
from sources.ocr.degradation.captures import (
    CAPTURES,
    COLOUR_EFFECTS,
    EFFECTS,
    GEOMETRIC,
    LIGHTING,
    LOSSY_EFFECTS,
    ON_PAPER,
    OPTICAL,
    PAGES,
    Capture,
)
from sources.ocr.degradation.legibility import (
    Limits,
    grid_places,
    is_dense,
    is_distinct,
    is_inside,
    is_large_enough,
    word_heights,
)
from sources.ocr.degradation.light import apply_light
from sources.ocr.rendered_text import RenderedText
from sources.ocr.textures import draw_surface
from sources.ocr.warps import Chain, pixel_maps, warp_quads

Background = Callable[[int, int, Random], Pixels]
DESKS = ("fabric", "metal", "stone", "wood", "wood")
WHITE_LID = 0.7  # fraction of scanners and copiers
DEFAULT_TEXT_PX = 12.0  # text height of a page without words
DENSE_HEIGHT = 0.62  # Latin words of this fraction of the height of Chinese words blur as badly
LIMITS = Limits()
MIN_AMOUNT = 0.6  # least amount of an effect, relative to the strength
CROWDING_EXPONENT = 0.5  # each of n lossy effects is weaker by a factor of n to this power


@dataclass(frozen=True, kw_only=True, slots=True)
class DegradedText:
    """A degraded picture and the words that can still be read.

    Args:
        rendered: pixels of the original size, the words that are kept and their quads.
        kept: (M,) int64 indices of the kept words among the original words, increasing.
        capture: name of the capture; `none` if nothing was changed.
        effects: names of the applied effects, in order.
    """

    rendered: RenderedText
    kept: Ints
    capture: str
    effects: tuple[str, ...]


def degrade(
    rendered: RenderedText,
    strength: float,
    random: Random,
    captures: Sequence[str] = PAGES,
    limits: Limits = LIMITS,
    background: Background | None = None,
) -> DegradedText:
    """Degrade a page.

    `random` alone decides which effects are applied, `strength` how strong they are: with the same seed, the same
    effects are applied at every strength.

    Args:
        strength: 0 (none) to 1 (about as bad as people can read).
        captures: names of CAPTURES to choose from: `PAGES`, or `SCENES` for pictures that already have perspective.
        limits: which words count as legible.
        background: draws what lies below a photographed sheet, of a width and a height; a desk is drawn without it.
    Raises:
        Illegible: `few_legible_words`, fewer than half of the words can be read.
        ValueError: strength is not between 0 and 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be between 0 and 1, got {strength}")
    (name,) = random.choices(captures, [CAPTURES[name].weight for name in captures])
    capture = CAPTURES[name]
    candidates: list[tuple[str, float, Random]] = []
    for effect in EFFECTS:
        share = capture.effects.get(effect, 0)
        happens, amount = random.random() < share, random.uniform(MIN_AMOUNT, 1)
        effect_random = Random(random.getrandbits(64))
        if happens:
            candidates.append((effect, amount * strength, effect_random))
    # Lossy effects add up. Without this factor some pages would be illegible at strengths that hardly change others.
    wear = max(1, sum(effect in LOSSY_EFFECTS for effect, _, _ in candidates)) ** -CROWDING_EXPONENT
    chosen = [
        (effect, amount * wear if effect in LOSSY_EFFECTS else amount, effect_random)
        for effect, amount, effect_random in candidates
    ]
    surroundings = Random(random.getrandbits(64))
    if strength == 0 or not chosen:
        return DegradedText(rendered=rendered, kept=np.arange(len(rendered.texts)), capture="none", effects=())
    cv2.setNumThreads(0)  # each worker process has one core
    picture = _apply_effects(rendered, chosen, capture, surroundings, background)
    return _select_legible(rendered, picture, limits, name, tuple(effect for effect, _, _ in chosen))


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture after all effects.

    Args:
        pixels: (H, W, 3) RGB or (H, W) grey.
        quads: (N, 4, 2) quads of all words.
        flat: (H, W) luma of the page before any effect.
        maps: pixel maps into `flat`, from `pixel_maps`; None if nothing is warped.
    """

    pixels: Pixels
    quads: Floats
    flat: Pixels
    maps: tuple[Pixels, Pixels] | None

    def clean_luma(self, places: Ints) -> Pixels:
        """Return the (N, K) luma at (N, K) indices into the flattened picture as if it were only warped.

        Only these pixels are looked up: to warp the whole page again would take as long as the degradation itself.
        """
        if self.maps is None or not len(places):  # OpenCV rejects empty arrays
            return self.flat.ravel()[places]
        whole, parts = self.maps
        pairs = whole.view(np.int32).ravel()[places]  # x and y as one integer: half the time
        return cv2.remap(
            self.flat, pairs.view(np.int16).reshape(*places.shape, 2), parts.ravel()[places], cv2.INTER_LINEAR
        )


def _apply_effects(
    rendered: RenderedText,
    chosen: Sequence[tuple[str, float, Random]],
    capture: Capture,
    random: Random,
    background: Background | None,
) -> _Picture:
    height, width = rendered.pixels.shape[:2]
    flat = cv2.cvtColor(rendered.pixels, cv2.COLOR_RGB2GRAY)
    pixels, quads, maps = rendered.pixels, rendered.quads, None
    is_coloured = capture.on_surface or any(effect in COLOUR_EFFECTS for effect, _, _ in chosen)
    if not is_coloured and grey_of(pixels) is not None:
        pixels = flat  # one channel instead of three
    for effect, amount, effect_random in chosen:
        if effect in ON_PAPER:
            pixels = ON_PAPER[effect](pixels, amount, effect_random)
    bends = [
        GEOMETRIC[effect](width, height, amount, effect_random)
        for effect, amount, effect_random in chosen
        if effect in GEOMETRIC
    ]
    for bend in bends:
        if bend.light is not None:
            pixels = apply_light(pixels, bend.light)
    if bends:
        warp = Chain([bend.warp for bend in bends])
        maps = pixel_maps(warp, width, height)
        behind = _draw_background(pixels.shape, capture, random, background)
        pixels = cv2.remap(pixels, *maps, cv2.INTER_LINEAR, dst=behind, borderMode=cv2.BORDER_TRANSPARENT)
        quads = warp_quads(rendered.quads, warp)
    fields = [LIGHTING[effect](amount, effect_random) for effect, amount, effect_random in chosen if effect in LIGHTING]
    if fields:
        pixels = apply_light(pixels, np.prod(fields, axis=0))
    text_px = _measure_text_px(rendered)
    for effect, amount, effect_random in chosen:
        if effect in OPTICAL:
            pixels = OPTICAL[effect](pixels, amount, text_px, effect_random)
    return _Picture(pixels, quads, flat, maps)


def _measure_text_px(rendered: RenderedText) -> float:
    """Return the median height of the words in pixels, adjusted for the finer strokes of Chinese characters."""
    if not len(rendered.quads):
        return DEFAULT_TEXT_PX
    return float(np.median(word_heights(rendered.quads) * np.where(is_dense(rendered.texts), DENSE_HEIGHT, 1)))


def _draw_background(shape: tuple[int, ...], capture: Capture, random: Random, background: Background | None) -> Pixels:
    """Return (H, W) or (H, W, 3) uint8 pixels of the surface below the sheet."""
    if not capture.on_surface:
        return np.full(shape, 250 if random.random() < WHITE_LID else 25, np.uint8)
    if background is not None:
        return background(shape[1], shape[0], random)
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    return draw_surface(random.choice(DESKS), shape[1], shape[0], generator)


def _select_legible(
    rendered: RenderedText, picture: _Picture, limits: Limits, capture: str, effects: tuple[str, ...]
) -> DegradedText:
    """Return the picture with the words that can be read. Raises Illegible if they are too few."""
    height, width = picture.pixels.shape[:2]
    is_grey = picture.pixels.ndim == 2
    final = picture.pixels if is_grey else cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    is_kept = is_inside(picture.quads, width, height) & is_large_enough(rendered.quads, picture.quads, limits)
    places = grid_places(picture.quads[is_kept], width, height)
    needed = limits.correlation + limits.dense_correlation * is_dense(rendered.texts)[is_kept]
    is_kept[is_kept] = is_distinct(picture.clean_luma(places), final.ravel()[places], needed, limits)
    kept = np.flatnonzero(is_kept)
    if len(rendered.texts) and len(kept) < limits.share * len(rendered.texts):
        raise Illegible("few_legible_words", f"only {len(kept)} of {len(rendered.texts)} words can be read")
    pixels = cv2.merge([final] * 3) if is_grey else picture.pixels
    left = RenderedText(pixels=pixels, texts=[rendered.texts[k] for k in kept], quads=picture.quads[kept])
    return DegradedText(rendered=left, kept=kept, capture=capture, effects=effects)
