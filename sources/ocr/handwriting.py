"""Handwriting: text in a handwriting font, with irregular letters, on paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import cv2
import numpy as np

from sources.ocr.arrays import Floats, Pixels
from sources.ocr.blocks import Inset
from sources.ocr.escapes import escape_markdown
from sources.ocr.ink import blend
from sources.ocr.rendered_text import RenderedText
from sources.ocr.text_mask import is_right_to_left, line_length, render_words, split_at_breaks
from sources.ocr.text_rendering import TextRendering
from sources.ocr.textures import noise_field
from sources.text.fonts import Font, draw_font, fonts_for

SIZES = ((768, 1024), (1024, 768), (640, 832), (960, 540))
INKS = ((22, 38, 110), (18, 20, 26), (30, 30, 34), (60, 62, 66), (120, 24, 30), (16, 70, 52), (38, 60, 160))
PAPERS = ((253, 252, 248), (250, 246, 230), (255, 249, 196), (236, 240, 244))
RULINGS = ("plain", "lined", "lined", "squared")
MIN_ENTRY_PX = 9  # font size of an entry of a form
PIECE_SIGNS = 6  # characters per word of Chinese: the box of a whole line would be loose on bent paper


@dataclass(frozen=True, slots=True)
class Pen:
    """The style of one writer.

    Args:
        slant: slant of the letters, x per y.
        jitter: irregularity, 0 (steady) to 1.
        ink: colour.
        drift: slope of the lines, y per x.
    """

    font: Font
    size_px: int
    slant: float
    jitter: float
    ink: tuple[int, int, int]
    drift: float


def draw_handwriting(phrase: Callable[[int], str], language: str, random: Random) -> TextRendering:
    """Write a text by hand on a page.

    Args:
        phrase: returns a text of at least one word and at most the given number of characters; called once. Text that
            does not fit on the page is left out.
        language: one of LANGUAGES in `sources/text/languages.py`.
    Raises:
        FontError: no handwriting font with the characters is installed, or the script cannot be shaped here.
        ValueError: the phrase has no word.
    """
    cv2.setNumThreads(0)
    width, height = random.choice(SIZES)
    pitch = random.randint(36, 60)
    margin = random.randint(40, 90)
    fonts = fonts_for(language, ("handwriting",))
    text = phrase(int((height - 2 * margin) / pitch * (width - 2 * margin) / (0.45 * pitch) * 0.8))
    if not text.split():
        raise ValueError(f"a phrase to write must have a word, got {text!r}")
    hand = Pen(
        font=draw_font(text, fonts, random),
        size_px=int(pitch * random.uniform(0.62, 0.78)),
        slant=random.uniform(-0.1, 0.25),
        jitter=random.uniform(0.3, 1.0),
        ink=random.choice(INKS),
        drift=random.uniform(-0.012, 0.012),
    )
    pixels = _draw_paper(width, height, pitch, margin, random)
    ink = np.zeros((height, width), np.uint8)
    texts: list[str] = []
    quads: list[Floats] = []
    lines: list[int] = []
    for number, line in enumerate(_break_lines(text, hand, width - 2 * margin)):
        baseline = margin + (number + 1) * pitch
        if baseline + 0.5 * pitch > height:
            break
        for word, quad in _write_line(ink, line, hand, margin, baseline, random):
            texts.append(word)
            quads.append(quad)
            lines.append(number)
    generator = np.random.Generator(np.random.PCG64(random.getrandbits(64)))
    pressure = cv2.convertScaleAbs(noise_field(width, height, 40, 2, generator), alpha=40, beta=210)
    blend(pixels, cv2.multiply(ink, pressure, scale=1 / 255), hand.ink)
    rendered = RenderedText(pixels=pixels, texts=texts, quads=np.array(quads, np.float32).reshape(-1, 4, 2))
    return TextRendering(rendered=rendered, lines=np.array(lines, np.int32), style=("handwriting",))


def sample_pen(texts: Sequence[str], language: str, size_px: float, random: Random) -> Pen:
    """Return a steady hand for the fields of a form.

    Args:
        texts: all that it writes.
        size_px: font size.
    Raises:
        FontError: no handwriting font has all characters, or the script cannot be shaped here.
    """
    fonts = fonts_for(language, ("handwriting",))
    return Pen(
        font=draw_font("".join(texts), fonts, random),
        size_px=round(size_px),
        slant=random.uniform(-0.05, 0.2),
        jitter=random.uniform(0.2, 0.7),
        ink=random.choice(INKS),
        drift=random.uniform(-0.006, 0.006),
    )


def write_entry(text: str, pen: Pen, width: float, random: Random) -> Inset:
    """Return a line written by hand for a field of a form, at most `width` pixels wide.

    Raises:
        FontError: the font lacks a character.
    """
    cv2.setNumThreads(0)
    length = line_length(text, pen.font, pen.size_px) * 1.08 + pen.size_px
    if length > width:
        pen = replace(pen, size_px=max(MIN_ENTRY_PX, round(pen.size_px * width / length)))
    height = 3 * pen.size_px
    mask = np.zeros((height, round(line_length(text, pen.font, pen.size_px) * 1.15) + 3 * pen.size_px), np.uint8)
    baseline = 2 * pen.size_px
    words = _write_line(mask, text, pen, pen.size_px, baseline, random)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = rows[0], columns[0]
    ink = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    pixels = np.empty((*ink.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = pen.ink, ink
    quads = np.array([quad for _, quad in words]) - (left, top)
    boxes = np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)
    return Inset(
        pixels=pixels,
        drop=int(np.clip(rows[-1] + 1 - baseline, 0, len(ink) - 1)),
        text=text,
        markdown=escape_markdown(text),
        words=tuple(word for word, _ in words),
        boxes=np.clip(boxes, 0, [ink.shape[1], ink.shape[0]] * 2),
    )


def _draw_paper(width: int, height: int, pitch: int, margin: int, random: Random) -> Pixels:
    pixels = cv2.merge([np.full((height, width), level, np.uint8) for level in random.choice(PAPERS)])
    ruling = random.choice(RULINGS)
    colour = random.choice(((170, 190, 220), (190, 190, 190), (200, 175, 175)))
    if ruling != "plain":
        pixels[margin + pitch + 4 :: pitch] = colour
    if ruling == "squared":
        pixels[:, margin % pitch :: pitch] = colour
    if ruling == "lined" and random.random() < 0.5:
        pixels[:, max(2, margin - 12)] = (225, 130, 140)
    return pixels


def _break_lines(text: str, hand: Pen, width: int) -> list[str]:
    """Break a text into lines of at most `width` pixels."""
    rows: list[str] = []
    row, length = "", 0.0
    for piece in split_at_breaks(text):
        piece_length = line_length(piece, hand.font, hand.size_px)
        if row and length + piece_length > width:
            rows.append(row.strip())
            row, length = "", 0.0
        row += piece
        length += piece_length
    return [*rows, row.strip()]


def _write_line(
    ink: Pixels, line: str, hand: Pen, margin: int, baseline: float, random: Random
) -> list[tuple[str, Floats]]:
    """Write one line into a mask of the page, in place; return its words and their (4, 2) quads."""
    placed_words: list[tuple[str, Floats]] = []
    words = render_words(line, hand.font, hand.size_px)
    right = max(word.box[2] for word in words)
    start = ink.shape[1] - margin - right if is_right_to_left(line) else margin
    wave, phase = random.uniform(0, 0.05) * hand.size_px * hand.jitter, random.uniform(0, 6)
    for word in words:
        signs = split_at_breaks(word.text)
        # Chinese characters are placed one by one.
        placed = [(word.mask, word.x, word.y)] if len(signs) == 1 else _render_characters(signs, hand, word.x)
        corners: list[Floats] = []
        for mask, x, y in placed:
            middle = start + x + mask.shape[1] / 2
            shift = hand.drift * (middle - margin) + wave * np.sin(middle / 90 + phase)
            shift += random.gauss(0, 0.025) * hand.jitter * hand.size_px
            corners.append(_stamp(ink, mask, (start + x, baseline + y + shift), y, hand, random))
        if len(corners) == 1:
            placed_words.append((word.text, corners[0]))
            continue
        for first in range(0, len(signs), PIECE_SIGNS):
            piece = slice(first, first + PIECE_SIGNS)
            placed_words.append(("".join(signs[piece]).strip(), _bounding_quad(np.concatenate(corners[piece]))))
    return placed_words


def _render_characters(pieces: list[str], hand: Pen, x: int) -> list[tuple[Pixels, int, int]]:
    placed: list[tuple[Pixels, int, int]] = []
    pen = float(x)
    for piece in pieces:
        words = render_words(piece, hand.font, hand.size_px)
        placed += [(word.mask, round(pen) + word.x, word.y) for word in words]
        pen += line_length(piece, hand.font, hand.size_px)
    return placed


def _stamp(ink: Pixels, mask: Pixels, place: tuple[float, float], ascent: int, hand: Pen, random: Random) -> Floats:
    """Add a slightly slanted, rotated and scaled mask to the mask of the page; return its (4, 2) corners there.

    Args:
        place: x and y of the top left corner of the mask.
        ascent: y of that corner relative to the baseline, about which letters slant.
    """
    height, width = mask.shape
    scale = 1 + random.gauss(0, 0.03) * hand.jitter
    angle = random.gauss(0, 0.012) * hand.jitter
    slant = hand.slant + random.gauss(0, 0.03) * hand.jitter
    linear = scale * np.array([[1, -slant - angle], [angle, 1]])
    pivot = np.array([width / 2, -ascent])  # on the baseline
    offset = np.array(place) + pivot - linear @ pivot
    corners: Floats = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ linear.T + offset
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, ink.shape[::-1])
    if x1 > x0 and y1 > y0:
        # OpenCV places the origin at the centre of the first pixel.
        shift = linear @ (0.5, 0.5) + offset - 0.5 - (x0, y0)
        moved = cv2.warpAffine(mask, np.column_stack([linear, shift]), (int(x1 - x0), int(y1 - y0)))
        here = ink[y0:y1, x0:x1]
        pressed = cv2.convertScaleAbs(moved, alpha=1 - 0.2 * hand.jitter * random.random())
        np.maximum(here, pressed, out=here)
    return corners.astype(np.float32)


def _bounding_quad(points: Floats) -> Floats:
    """Return the (4, 2) corners of the upright box around points."""
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
