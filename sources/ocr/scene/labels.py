"""Labels: lettering on what carries it in the street and on things, flat, before it is seen from aside."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw

from sources.base.illegible import Illegible
from sources.ocr.degradation.light import lit
from sources.ocr.ink import blend
from sources.ocr.text_mask import breakable, is_right_to_left, letter, line_length, paste
from sources.text.fonts import Font

Colour = tuple[int, int, int]
WHITE, BLACK = (250, 250, 248), (18, 18, 20)
MIN_LETTER_PX = 16
MIN_SIZE_PX = 9  # of a word so long that it needs smaller letters than that
LINE_PITCH = 1.3
MAX_SPREAD = 22.0  # grey levels: standard deviation of what is behind letters that need no outline


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of label.

    Args:
        weight: how often it is drawn.
        colours: of ground and letters; empty if the letters stand on what is behind.
        max_lines: of text.
        font_kinds: of its letters.
        bold: share of bold letters.
        border: share with a line around.
        corner: radius of the corners, as a share of the height; 0.5 is round.
        aspect: width to height, at least and at most.
        curved: share on a curved strip.
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
        cover: (h, w) uint8 how much it hides of what is behind.
        ink: (h, w) uint8 coverage of the letters.
        texts: of its words.
        quads: (N, 4, 2) float32 of their ink.
        lines: (N,) int32 numbers of their lines, from 0.
    """

    pixels: np.ndarray
    cover: np.ndarray
    ink: np.ndarray
    texts: list[str]
    quads: np.ndarray
    lines: np.ndarray


def max_characters(kind: Kind, width: int, height: int, wide: bool) -> int:
    """How long a text may be so that its letters are large enough on a label of this size.

    Args:
        wide: letters are as wide as high, as the Chinese are.
    """
    lines = min(kind.max_lines, int(height / (LINE_PITCH * MIN_LETTER_PX * 1.4)))
    return max(2, int(lines * 0.8 * width / (MIN_LETTER_PX * (1.3 if wide else 0.75))))


def draw_label(text: str, kind: Kind, font: Font, width: int, height: int, behind: np.ndarray, random: Random) -> Label:
    """Letter a text on a label of a kind, as large as fits.

    Args:
        behind: (K, 3) uint8 colours of what is behind, for letters without a ground.
    Raises:
        FontError: the font cannot draw the text.
        Illegible: `small_letters`, the text is too long for the label.
    """
    if kind.colours:
        ground, ink_colour = random.choice(kind.colours)
    else:
        red, green, blue = (int(level) for level in behind.mean(axis=0))
        ground, ink_colour = (red, green, blue), _opposite((red, green, blue), random)
    margin = 0.08 * min(width, height) + 3
    rows, size = _fitted(text, font, width - 2 * margin, height - 2 * margin, kind.max_lines)
    if size < MIN_SIZE_PX:
        raise Illegible("small_letters", f"a text of {len(text)} characters fits its label at {size} px")
    ink, texts, boxes, lines = _set(
        rows, size, font, width, height, random.choice(("middle", "middle", "start")), margin
    )
    canvas = cv2.merge([np.full((height, width), level, np.uint8) for level in ground])
    cover = np.full((height, width), 255, np.uint8) if kind.colours else np.zeros((height, width), np.uint8)
    if kind.colours:
        _shape(canvas, cover, kind, ink_colour, random)
    is_bare = not kind.colours
    is_outlined = random.random() < (0.4 if is_bare else 0.1)
    is_outlined |= is_bare and float(behind.mean(axis=1).std()) > MAX_SPREAD
    _paint(canvas, cover, ink, ground, ink_colour, is_bare=is_bare, is_outlined=is_outlined, random=random)
    x0, y0, x1, y1 = np.array(boxes, np.float32).reshape(-1, 4).T
    quads = np.stack([np.stack([x0, x1, x1, x0], 1), np.stack([y0, y0, y1, y1], 1)], 2)
    return Label(canvas, cover, ink, texts, quads, np.array(lines, np.int32))


def _opposite(colour: Colour, random: Random) -> Colour:
    """A colour that stands out from another: light on dark, dark on light."""
    level = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    low, high = (205, 255) if level < 125 else (0, 55)
    tone = random.randint(low, high)
    red, green, blue = (min(255, max(0, tone + random.randint(-35, 35))) for _ in range(3))
    return red, green, blue


def _fitted(text: str, font: Font, width: float, height: float, max_lines: int) -> tuple[list[str], int]:
    """The lines of a text, and the largest size in pixels at which they fit."""
    reference = 40
    pieces = breakable(text)
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


def _set(
    rows: list[str], size: int, font: Font, width: int, height: int, align: str, margin: float
) -> tuple[np.ndarray, list[str], list[tuple[float, float, float, float]], list[int]]:
    """Letter lines in the middle of a label: the ink, the words, their boxes and lines."""
    ink = np.zeros((height, width), np.uint8)
    texts: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    lines: list[int] = []
    pitch = LINE_PITCH * size
    top = (height - pitch * len(rows)) / 2
    for number, row in enumerate(rows):
        words = letter(row, font, size)
        left, right = min(word.box[0] for word in words), max(word.box[2] for word in words)
        room = width - (right - left)
        if align == "middle" or room < 2 * margin:
            start = room / 2
        else:
            start = room - margin if is_right_to_left(row) else margin
        x0, baseline = round(start - left), round(top + (number + 0.78) * pitch)
        for word in words:
            box = paste(ink, word, x0, baseline)
            if box is not None:
                texts.append(word.text)
                boxes.append(box)
                lines.append(number)
    return ink, texts, boxes, lines


def _shape(canvas: np.ndarray, cover: np.ndarray, kind: Kind, ink_colour: Colour, random: Random) -> None:
    """Give a ground its outline, border and wear, in place."""
    height, width = cover.shape
    corner = int(kind.corner * height * random.uniform(0.5, 1))
    if corner:
        cover[:] = _rounded(width, height, corner, 0)
    shade = np.linspace(1, random.uniform(0.78, 1.0), height, dtype=np.float32)
    canvas[:] = lit(canvas, shade[:: random.choice((-1, 1)), None])
    if random.random() < kind.border:
        inset, thickness = max(2, int(0.03 * height)), max(1, int(0.025 * height))
        outer = _rounded(width, height, max(0, corner - inset), inset)
        inner = _rounded(width, height, max(0, corner - inset - thickness), inset + thickness)
        canvas[cv2.subtract(outer, inner) > 0] = ink_colour


def _rounded(width: int, height: int, corner: int, inset: int) -> np.ndarray:
    """(height, width) uint8 mask of a rectangle with round corners."""
    image = Image.new("L", (width, height))
    box = (inset, inset, width - 1 - inset, height - 1 - inset)
    ImageDraw.Draw(image).rounded_rectangle(box, corner, fill=255)
    return np.array(image)


def _paint(
    canvas: np.ndarray,
    cover: np.ndarray,
    ink: np.ndarray,
    ground: Colour,
    ink_colour: Colour,
    *,
    is_bare: bool,
    is_outlined: bool,
    random: Random,
) -> None:
    """Put the letters on, with a shadow or an outline now and then, in place."""
    height = len(ink)
    if random.random() < (0.5 if is_bare else 0.2):  # a shadow to one side
        offset = max(1, int(0.012 * height))
        shadow = cv2.GaussianBlur(ink, (0, 0), 0.6 * offset + 0.5)
        shadow = np.roll(shadow, (offset, random.choice((-1, 1)) * offset), (0, 1))
        shadow = cv2.convertScaleAbs(shadow, alpha=0.6)
        blend(canvas, shadow, _contrary(ink_colour, ground))
        if is_bare:
            np.maximum(cover, shadow, out=cover)
    if is_outlined:
        reach = max(1, int(0.012 * height))
        outline = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
        blend(canvas, outline, _contrary(ink_colour, ground))
        if is_bare:
            np.maximum(cover, outline, out=cover)
    blend(canvas, ink, ink_colour)
    if is_bare:
        np.maximum(cover, ink, out=cover)


def _contrary(ink_colour: Colour, ground: Colour) -> Colour:
    """Of an outline or shadow: darker than light letters and lighter than dark ones."""
    return (235, 235, 235) if sum(ink_colour) < sum(ground) else (25, 25, 28)
