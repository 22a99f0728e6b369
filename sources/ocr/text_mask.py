"""Lettering: a line of text to masks of its words, each with the exact box of its ink."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageFont, features

from sources.text.fonts import Font, FontError, check_glyphs, script_of

# Letters of these scripts change with their neighbours; without HarfBuzz and FriBidi they would be drawn one by one.
SHAPED_SCRIPTS = frozenset(
    (
        "Arabic", "Bengali", "Devanagari", "Gujarati", "Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Malayalam",
        "Mongolian", "Myanmar", "Nko", "Oriya", "Sinhala", "Syriac", "Tamil", "Telugu", "Thaana", "Thai", "Tibetan",
    )
)  # fmt: skip
_RIGHT_TO_LEFT = ("R", "AL")
_CLOSING = "，。、；：？！）》”’」』】,.;:?!)]}%…—～·"
_OPENING = "（《“‘「『【([{"
MIN_GAP = 0.12  # of the size, between the ink of words: some faces let them run into each other
INK = 64  # of 255: a pixel of a mask that counts as ink; fainter ones are the soft edge of it


@dataclass(frozen=True, slots=True)
class LetteredWord:
    """A word's ink.

    Args:
        text: the word.
        mask: (h, w) uint8 coverage, cut to its ink.
        x, y: of the mask's top left corner from the line's start, y from the baseline and downwards.
    """

    text: str
    mask: np.ndarray
    x: int
    y: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        return self.x, self.y, self.x + self.mask.shape[1], self.y + self.mask.shape[0]


def is_right_to_left(text: str) -> bool:
    """Whether the first strong letter runs from right to left."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in _RIGHT_TO_LEFT:
            return True
        if direction == "L":
            return False
    return False


def check_shaping(text: str) -> None:
    """Raises FontError if a text is of a script that this machine cannot shape."""
    script = script_of(text)
    if script in SHAPED_SCRIPTS and not _shapes():
        raise FontError(
            f"the {script} script cannot be drawn: Pillow finds no FriBidi to shape it (Debian: libfribidi0)"
        )


@lru_cache(maxsize=1)
def _shapes() -> bool:
    return bool(features.check("raqm") and features.check("fribidi"))


@lru_cache(maxsize=256)
def _pillow_font(font: Font, size_px: int) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if _shapes() else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(font.path), size_px, index=font.index, layout_engine=engine)


def letter(text: str, font: Font, size_px: int) -> list[LetteredWord]:
    """The words of one line, in reading order, where they stand on it.

    Raises:
        FontError: the font lacks a glyph, or the script cannot be shaped here.
    """
    check_glyphs([text], font)
    check_shaping(text)
    pillow_font = _pillow_font(font, size_px)
    words = text.split()
    right_to_left = is_right_to_left(text)
    space = max(pillow_font.getlength(" "), 0.2 * size_px)
    placed: dict[int, LetteredWord] = {}
    x, end = 0.0, -math.inf
    for k in _visual_order(words, right_to_left):
        mask, left, top, advance = _mask(words[k], pillow_font)
        x = max(x, end + MIN_GAP * size_px - left)
        placed[k] = LetteredWord(words[k], mask, round(x) + left, top)
        x, end = x + advance + space, x + left + mask.shape[1]
    return [placed[k] for k in range(len(words))]


@lru_cache(maxsize=20_000)
def line_length(text: str, font: Font, size_px: int) -> float:
    """How long a line is, in pixels; spaces at its ends count."""
    return _pillow_font(font, size_px).getlength(text)


def breakable(text: str) -> list[str]:
    """The pieces between which a line may be broken: words with the space after them, and Chinese characters.

    A mark that closes stays with what it closes, and one that opens with what follows.
    """
    pieces: list[str] = []
    for word in text.split():
        if word.isascii():
            pieces.append(word + " ")
            continue
        piece = ""
        for character in word:
            can_break = piece and (_is_wide(character) or _is_wide(piece[-1]))
            if can_break and character not in _CLOSING and piece[-1] not in _OPENING:
                pieces.append(piece)
                piece = ""
            piece += character
        pieces.append(piece + " ")
    return pieces


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")


def paste(ink: np.ndarray, word: LetteredWord, x: int, baseline: int) -> tuple[float, float, float, float] | None:
    """Add a word's ink to a mask of the picture, in place; what is outside is cut off.

    Returns:
        The box of the ink inside the mask, None if there is none.
    """
    x0, y0 = x + word.x, baseline + word.y
    left, top = max(0, x0), max(0, y0)
    right, bottom = min(ink.shape[1], x0 + word.mask.shape[1]), min(ink.shape[0], y0 + word.mask.shape[0])
    if right <= left or bottom <= top:
        return None
    here = ink[top:bottom, left:right]
    np.maximum(here, word.mask[top - y0 : bottom - y0, left - x0 : right - x0], out=here)
    return left, top, right, bottom


def _mask(word: str, font: ImageFont.FreeTypeFont) -> tuple[np.ndarray, int, int, float]:
    """A word's mask cut to its ink, where that begins from the pen's start on the baseline, and the pen's way."""
    direction = None if not _shapes() else "rtl" if is_right_to_left(word) else "ltr"
    drawn, (x, y) = font.getmask2(word, "L", anchor="ls", direction=direction)
    image = Image.new("L", (max(1, drawn.size[0]), max(1, drawn.size[1])))
    image.im.paste(drawn, (0, 0, *drawn.size))
    found = np.asarray(image)
    left, top, width, height = cv2.boundingRect((found >= INK).view(np.uint8))
    mask = found[top : top + max(1, height), left : left + max(1, width)]
    return mask, round(x) + left, round(y) + top, font.getlength(word, direction=direction)


def _visual_order(words: Sequence[str], right_to_left: bool) -> list[int]:
    """Places of the words from left to right.

    In a line that runs from right to left, words of Latin letters run from left to right, and so do the numbers
    between them.
    """
    if not right_to_left:
        return list(range(len(words)))
    order: list[int] = []
    k = 0
    while k < len(words):
        end = k
        if _is_latin(words[k]):
            for j in range(k + 1, len(words)):
                if _is_latin(words[j]):
                    end = j
                elif is_right_to_left(words[j]):
                    break
        order += range(end, k - 1, -1)  # reversed once more below
        k = end + 1
    return order[::-1]


def _is_latin(word: str) -> bool:
    return any(unicodedata.bidirectional(character) == "L" for character in word) and not is_right_to_left(word)
