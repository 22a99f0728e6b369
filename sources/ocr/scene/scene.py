"""A scene: a surface in the street or on a table, with labels on it, seen at an angle."""

from collections.abc import Callable, Sequence
from random import Random

import cv2
import numpy as np

from sources.base.illegible import Illegible
from sources.ocr.arrays import Bools, Floats, Pixels
from sources.ocr.degradation.legibility import grid_places
from sources.ocr.degradation.light import apply_light, uneven_light
from sources.ocr.material import Draw, plain_patches
from sources.ocr.rendered_text import RenderedText
from sources.ocr.scene.labels import KINDS, Kind, Label, draw_label, max_characters
from sources.ocr.text_rendering import TextRendering
from sources.ocr.textures import SURFACES, draw_surface
from sources.ocr.warps import Arc, Chain, Homography, Warp, pixel_maps, warp_quads
from sources.text.fonts import Font, draw_font, fonts_for
from sources.text.languages import SQUARE

Phrase = Callable[[int], str]
SIZES = ((640, 480), (768, 576), (480, 640), (720, 720), (960, 640), (1024, 768), (640, 960))
SLOTS = ((1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (2, 3))  # columns and rows
SLOT_WEIGHTS = (4, 3, 2, 1, 1, 1)
MIN_CONTRAST = 32.0  # grey levels between the ink of a word and its surroundings
MIN_DISTANCE = 1.2  # the same in standard deviations of the surroundings
MAX_TURN = 12.0  # degrees
MAX_BEND = 0.35  # radians, for lines of one word: a quad fits a bent word badly


def draw_scene(phrase: Phrase, language: str, random: Random, photograph: Draw | None = None) -> TextRendering:
    """Draw words on labels and surfaces.

    Args:
        phrase: returns a text of at least one word and at most the given number of characters; called once per label.
        language: one of LANGUAGES in `sources/text/languages.py`.
        photograph: draws what the labels are put on, in its plainest places; a surface is drawn without it.
    Raises:
        Illegible: `low_contrast`, a word does not stand out; `small_letters`, a word is too long for its label.
        FontError: no installed font has the characters, or the script cannot be shaped here.
        ValueError: the phrase has no word.
    """
    cv2.setNumThreads(0)
    width, height = random.choice(SIZES)
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    if photograph is None:
        pixels = draw_surface(random.choice(tuple(SURFACES)), width, height, generator)
    else:
        pixels = photograph(width, height, random)
    ink = np.zeros((height, width), np.uint8)
    ((columns, rows),) = random.choices(SLOTS, SLOT_WEIGHTS)
    slots = _grid(width, height, columns, rows) if photograph is None else plain_patches(pixels, columns, rows)
    texts: list[str] = []
    quads: list[Floats] = []
    lines: list[int] = []
    styles: list[str] = []
    for slot in slots:
        style = random.choices(tuple(KINDS), [kind.weight for kind in KINDS.values()])[0]
        label, warp = _place_label(phrase, language, KINDS[style], pixels, slot, random)
        quads.append(_attach(pixels, ink, label, warp))
        first = lines[-1] + 1 if lines else 0
        lines += [first + int(number) for number in label.lines]
        texts += label.texts
        styles.append(style)
    pixels = apply_light(pixels, uneven_light(random.uniform(0.1, 0.9), random))
    rendered = RenderedText(pixels=pixels, texts=texts, quads=np.concatenate(quads))
    check_contrast(rendered, ink)
    return TextRendering(rendered=rendered, lines=np.array(lines, np.int32), style=tuple(dict.fromkeys(styles)))


def _grid(width: int, height: int, columns: int, rows: int) -> list[tuple[int, int, int, int]]:
    """Return the cells of a grid over a picture, row by row."""
    return [
        (width * x // columns, height * y // rows, width * (x + 1) // columns, height * (y + 1) // rows)
        for y in range(rows)
        for x in range(columns)
    ]


def _place_label(
    phrase: Phrase, language: str, kind: Kind, pixels: Pixels, slot: tuple[int, int, int, int], random: Random
) -> tuple[Label, Warp]:
    """Draw a label for a part of the picture; return it with the warp that moves it there."""
    x0, y0, x1, y1 = slot
    max_width, max_height = 0.9 * (x1 - x0), 0.85 * (y1 - y0)
    aspect = random.uniform(*kind.aspect)
    width = min(max_width, max_height * aspect) * random.uniform(0.75, 1.0)
    height = int(width / aspect)
    text = phrase(max_characters(kind, int(width), height, language in SQUARE))
    if not text.split():
        raise ValueError(f"a phrase for a scene must have a word, got {text!r}")
    font = _choose_font(text, language, kind, random)
    behind = pixels[y0:y1:8, x0:x1:8].reshape(-1, 3)
    label = draw_label(text, kind, font, int(width), height, behind, random)
    warps: list[Warp] = []
    if random.random() < kind.curved:
        angle = random.uniform(0.2, 1.0) if len(label.texts) > label.lines[-1] + 1 else random.uniform(0.15, MAX_BEND)
        warps.append(Arc((width / 2, height / 2), random.choice((-1, 1)) * width / angle))
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    warps.append(_project_label(int(width), height, warps, middle, (x1 - x0, y1 - y0), random))
    return label, Chain(warps)


def _choose_font(text: str, language: str, kind: Kind, random: Random) -> Font:
    """Choose a font for a kind of label; if none has the right kind or weight, any font."""
    bold = random.random() < kind.bold
    fonts = fonts_for(language)
    of_kind = [font for font in fonts if font.kind in kind.font_kinds] or fonts
    return draw_font(text, [font for font in of_kind if font.bold == bold] or of_kind, random)


def _project_label(
    width: int, height: int, bends: Sequence[Warp], middle: Floats, slot_size: tuple[int, int], random: Random
) -> Homography:
    """Return a rotation and perspective about the middle of a part of the picture, scaled to fit into it.

    Args:
        bends: warps that were applied to the label before.
    """
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    angle = np.radians(random.triangular(-MAX_TURN, MAX_TURN, 0))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    depth = np.array([1 + random.uniform(-0.18, 0.18) for _ in range(4)])[:, None]
    projected = ((corners - (width / 2, height / 2)) * depth) @ turn.T
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), projected.astype(np.float32)).astype(np.float64)
    outline = warp_quads(corners[None], Chain([*bends, Homography(matrix)]))[0]
    low, high = outline.min(axis=0), outline.max(axis=0)
    scale = min(1.0, *((np.array(slot_size) - 4) / (high - low)))
    shift = middle - scale * (low + high) / 2
    return Homography(np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]]) @ matrix)


def _attach(pixels: Pixels, ink: Pixels, label: Label, warp: Warp) -> Floats:
    """Blend a label into the picture, in place; return the quads of its words there."""
    height, width = label.cover.shape
    outline = warp_quads(np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32), warp)[0]
    x0, y0 = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, pixels.shape[1::-1])
    maps = pixel_maps(warp, int(x1 - x0), int(y1 - y0), (int(x0), int(y0)))
    solid = cv2.multiply(label.pixels, cv2.merge([label.cover] * 3), scale=1 / 255)
    projected = cv2.remap(cv2.merge([solid, label.cover]), *maps, cv2.INTER_LINEAR)  # black and transparent outside
    left = cv2.bitwise_not(cv2.extractChannel(projected, 3))
    here = pixels[y0:y1, x0:x1]
    here[:] = cv2.add(
        cv2.multiply(here, cv2.merge([left] * 3), scale=1 / 255), cv2.cvtColor(projected, cv2.COLOR_RGBA2RGB)
    )
    ink_here = ink[y0:y1, x0:x1]
    np.maximum(ink_here, cv2.remap(label.ink, *maps, cv2.INTER_LINEAR), out=ink_here)
    return warp_quads(label.quads, warp)


def check_contrast(rendered: RenderedText, ink: Pixels) -> None:
    """Raise Illegible if the ink of a word is not much lighter or darker than its surroundings."""
    height, width = ink.shape
    places = grid_places(rendered.quads, width, height)
    coverage = ink.ravel()[places].astype(np.float32) / 255
    luma = cv2.cvtColor(rendered.pixels, cv2.COLOR_RGB2GRAY).ravel()[places].astype(np.float32)
    inside, outside = coverage > 0.7, coverage < 0.1
    mean_inside = _masked_mean(luma, inside)
    mean_outside = _masked_mean(luma, outside)
    spread = np.sqrt(_masked_mean((luma - mean_outside[:, None]) ** 2, outside))
    faint = np.abs(mean_inside - mean_outside) < np.maximum(MIN_CONTRAST, MIN_DISTANCE * spread)
    if faint.any():
        word = rendered.texts[int(faint.argmax())]
        raise Illegible("low_contrast", f"the word {word!r} does not stand out from what is behind it")


def _masked_mean(values: Floats, chosen: Bools) -> Floats:
    """Return the (N,) means of the chosen ones of (N, K) values; 0 where none is chosen."""
    means: Floats = (values * chosen).sum(axis=1) / np.maximum(chosen.sum(axis=1), 1)
    return means
