"""Labels: text on signs, stickers, packaging, etc., drawn flat before perspective."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw

from sources.base.illegible import Illegible
from sources.ocr.arrays import Floats, Ints, Pixels
from sources.ocr.degradation.light import apply_light
from sources.ocr.ink import blend
from sources.ocr.text_mask import is_right_to_left, line_length, paste, render_words, split_at_breaks
from sources.text.fonts import Font

Colour = tuple[int, int, int]
WHITE, BLACK = (250, 250, 248), (18, 18, 20)
MIN_LETTER_PX = 16
MIN_SIZE_PX = 9  # for a word that is too long for MIN_LETTER_PX
LINE_PITCH = 1.3
MAX_SPREAD = 22.0  # grey levels: greatest standard deviation of a surface on which letters need no outline


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of label.

    Args:
        weight: sampling weight.
        colours: pairs of ground and letter colours; empty if the letters are painted directly on the surface behind.
        max_lines: greatest number of lines of text.
        font_kinds: kinds of fonts.
        bold: fraction with bold letters.
        border: fraction with a border.
        corner: corner radius as a fraction of the height; 0.5 is round.
        aspect: least and greatest width / height.
        curved: fraction on a curved strip.
    """

    weight: float
    colours: tuple[tuple[Colour, Colour], ...] = ()
    max_lines: int = 2
    font_kinds: tuple[str, ...] = ("sans", "serif")
    bold: float = 0.5
    border: float = 0.3
    corner: float = 0.0
    aspect: tuple[float, float] = (1.5, 3.5)
    curved: float = 0.0


KINDS: Mapping[str, Kind] = {
    "lettering": Kind(0.24, max_lines=2, font_kinds=("sans", "serif", "handwriting"), bold=0.7, curved=0.4),
    "road_sign": Kind(
        0.14,
        (((0, 98, 62), WHITE), ((0, 72, 152), WHITE), ((250, 205, 20), BLACK), (WHITE, BLACK), ((190, 20, 32), WHITE)),
        font_kinds=("sans",),
        bold=0.8,
        border=0.9,
        corner=0.12,
    ),
    "shop_sign": Kind(
        0.2,
        (
            ((150, 20, 30), (255, 225, 130)),
            ((20, 40, 70), WHITE),
            ((30, 30, 30), (240, 200, 90)),
            ((245, 240, 225), (120, 20, 20)),
            ((10, 90, 80), (250, 240, 210)),
            ((225, 90, 20), WHITE),
        ),
        max_lines=1,
        font_kinds=("sans", "serif", "handwriting"),
        bold=0.7,
        border=0.3,
        aspect=(2.5, 6.0),
        curved=0.3,
    ),
    "plate": Kind(
        0.12,
        (((176, 178, 180), BLACK), ((196, 160, 90), (50, 30, 10)), ((40, 42, 45), (205, 205, 200))),
        max_lines=3,
        border=0.6,
        corner=0.06,
    ),
    "sticker": Kind(
        0.14,
        (
            ((255, 232, 60), BLACK),
            ((235, 50, 60), WHITE),
            ((60, 170, 80), WHITE),
            ((90, 60, 150), WHITE),
            (WHITE, (200, 20, 40)),
        ),
        font_kinds=("sans", "handwriting"),
        border=0.4,
        corner=0.45,
        aspect=(1.2, 2.4),
        curved=0.3,
    ),
    "packaging": Kind(
        0.16,
        (
            ((240, 236, 225), (40, 60, 40)),
            ((20, 90, 150), WHITE),
            ((200, 220, 235), (20, 30, 90)),
            ((60, 35, 25), (235, 205, 160)),
            ((250, 170, 180), (110, 10, 50)),
        ),
        max_lines=5,
        bold=0.4,
        border=0.25,
        aspect=(0.8, 1.6),
    ),
}


@dataclass(frozen=True, slots=True)
class Label:
    """A flat label.

    Args:
        pixels: (h, w, 3) uint8.
        cover: (h, w) uint8 opacity.
        ink: (h, w) uint8 coverage of the letters.
        texts: N words.
        quads: (N, 4, 2) float32 quads of their ink.
        lines: (N,) int32, 0-based line numbers.
    """

    pixels: Pixels
    cover: Pixels
    ink: Pixels
    texts: list[str]
    quads: Floats
    lines: Ints


def max_characters(kind: Kind, width: int, height: int, wide: bool) -> int:
    """Return the greatest length of a text whose letters are large enough on a label of this size.

    Args:
        wide: letters are as wide as high, as in Chinese.
    """
    lines = min(kind.max_lines, int(height / (LINE_PITCH * MIN_LETTER_PX * 1.4)))
    return max(2, int(lines * 0.8 * width / (MIN_LETTER_PX * (1.3 if wide else 0.75))))


def draw_label(text: str, kind: Kind, font: Font, width: int, height: int, behind: Pixels, random: Random) -> Label:
    """Draw a text on a label of a kind, as large as fits.

    Args:
        behind: (K, 3) uint8 colours of the surface, for letters without a ground.
    Raises:
        FontError: the font cannot render the text.
        Illegible: `small_letters`, the text is too long for the label.
    """
    if kind.colours:
        ground, ink_colour = random.choice(kind.colours)
    else:
        red, green, blue = (int(level) for level in behind.mean(axis=0))
        ground, ink_colour = (red, green, blue), _contrasting_colour((red, green, blue), random)
    margin = 0.08 * min(width, height) + 3
    rows, size = _fit_lines(text, font, width - 2 * margin, height - 2 * margin, kind.max_lines)
    if size < MIN_SIZE_PX:
        raise Illegible("small_letters", f"a text of {len(text)} characters fits its label at {size} px")
    ink, texts, boxes, lines = _set_lines(
        rows, size, font, width, height, random.choice(("middle", "middle", "start")), margin
    )
    canvas = cv2.merge([np.full((height, width), level, np.uint8) for level in ground])
    cover = np.full((height, width), 255, np.uint8) if kind.colours else np.zeros((height, width), np.uint8)
    if kind.colours:
        _shape_ground(canvas, cover, kind, ink_colour, random)
    is_bare = not kind.colours
    is_outlined = random.random() < (0.4 if is_bare else 0.1)
    is_outlined |= is_bare and float(behind.mean(axis=1).std()) > MAX_SPREAD
    _paint(canvas, cover, ink, ground, ink_colour, is_bare=is_bare, is_outlined=is_outlined, random=random)
    x0, y0, x1, y1 = np.array(boxes, np.float32).reshape(-1, 4).T
    quads = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], 2)
    return Label(canvas, cover, ink, texts, quads, np.array(lines, np.int32))


def _contrasting_colour(colour: Colour, random: Random) -> Colour:
    """Return a random light colour for a dark one, a dark colour for a light one."""
    level = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    low, high = (205, 255) if level < 125 else (0, 55)
    tone = random.randint(low, high)
    red, green, blue = (min(255, max(0, tone + random.randint(-35, 35))) for _ in range(3))
    return red, green, blue


def _fit_lines(text: str, font: Font, width: float, height: float, max_lines: int) -> tuple[list[str], int]:
    """Break a text into lines; return them and the largest font size in pixels at which they fit."""
    reference = 40
    pieces = split_at_breaks(text)
    lengths = np.array([line_length(piece, font, reference) for piece in pieces])
    best: tuple[list[str], int] = ([text], 0)
    for num_lines in range(1, min(max_lines, len(pieces)) + 1):
        ends = np.searchsorted(np.cumsum(lengths), lengths.sum() * np.arange(1, num_lines) / num_lines - 1e-3)
        starts = [0, *dict.fromkeys(int(end) + 1 for end in ends if end + 1 < len(pieces)), len(pieces)]
        rows = ["".join(pieces[a:b]).strip() for a, b in pairwise(starts)]
        longest = max(lengths[a:b].sum() for a, b in pairwise(starts))
        size = int(min(reference * width / longest, height / (LINE_PITCH * len(rows))))
        if size > best[1]:
            best = rows, size
    return best


def _set_lines(
    rows: list[str], size: int, font: Font, width: int, height: int, align: str, margin: float
) -> tuple[Pixels, list[str], list[tuple[float, float, float, float]], list[int]]:
    """Render lines in the middle of a label; return the ink, the words, their boxes and their line numbers."""
    ink = np.zeros((height, width), np.uint8)
    texts: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    lines: list[int] = []
    pitch = LINE_PITCH * size
    top = (height - pitch * len(rows)) / 2
    for number, row in enumerate(rows):
        words = render_words(row, font, size)
        left, right = min(word.box[0] for word in words), max(word.box[2] for word in words)
        free_width = width - (right - left)
        if align == "middle" or free_width < 2 * margin:
            start = free_width / 2
        else:
            start = free_width - margin if is_right_to_left(row) else margin
        x0, baseline = round(start - left), round(top + (number + 0.78) * pitch)
        for word in words:
            box = paste(ink, word, x0, baseline)
            if box is not None:
                texts.append(word.text)
                boxes.append(box)
                lines.append(number)
    return ink, texts, boxes, lines


def _shape_ground(canvas: Pixels, cover: Pixels, kind: Kind, ink_colour: Colour, random: Random) -> None:
    """Give a ground its shape, shading and border, in place."""
    height, width = cover.shape
    corner = int(kind.corner * height * random.uniform(0.5, 1))
    if corner:
        cover[:] = _rounded_mask(width, height, corner, 0)
    shade = np.linspace(1, random.uniform(0.78, 1.0), height, dtype=np.float32)
    canvas[:] = apply_light(canvas, shade[:: random.choice((-1, 1)), None])
    if random.random() < kind.border:
        inset, thickness = max(2, int(0.03 * height)), max(1, int(0.025 * height))
        outer = _rounded_mask(width, height, max(0, corner - inset), inset)
        inner = _rounded_mask(width, height, max(0, corner - inset - thickness), inset + thickness)
        canvas[cv2.subtract(outer, inner) > 0] = ink_colour


def _rounded_mask(width: int, height: int, corner: int, inset: int) -> Pixels:
    """Return a (height, width) uint8 mask of a rectangle with round corners."""
    image = Image.new("L", (width, height))
    box = (inset, inset, width - 1 - inset, height - 1 - inset)
    ImageDraw.Draw(image).rounded_rectangle(box, corner, fill=255)
    return np.array(image)


def _paint(
    canvas: Pixels,
    cover: Pixels,
    ink: Pixels,
    ground: Colour,
    ink_colour: Colour,
    *,
    is_bare: bool,
    is_outlined: bool,
    random: Random,
) -> None:
    """Paint the letters, some of them with a shadow or an outline, in place."""
    height = len(ink)
    if random.random() < (0.5 if is_bare else 0.2):  # a shadow to one side
        offset = max(1, int(0.012 * height))
        shadow = cv2.GaussianBlur(ink, (0, 0), 0.6 * offset + 0.5)
        shadow = np.roll(shadow, (offset, random.choice((-1, 1)) * offset), (0, 1))
        shadow = cv2.convertScaleAbs(shadow, alpha=0.6)
        blend(canvas, shadow, _outline_colour(ink_colour, ground))
        if is_bare:
            np.maximum(cover, shadow, out=cover)
    if is_outlined:
        reach = max(1, int(0.012 * height))
        outline = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        blend(canvas, outline, _outline_colour(ink_colour, ground))
        if is_bare:
            np.maximum(cover, outline, out=cover)
    blend(canvas, ink, ink_colour)
    if is_bare:
        np.maximum(cover, ink, out=cover)


def _outline_colour(ink_colour: Colour, ground: Colour) -> Colour:
    """Return the colour of an outline or shadow: dark for light letters, light for dark ones."""
    return (235, 235, 235) if sum(ink_colour) < sum(ground) else (25, 25, 28)
