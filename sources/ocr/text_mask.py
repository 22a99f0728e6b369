"""Masks of text: render a line of text as one mask per word, with the exact box of its ink."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageFont, features

from sources.ocr.arrays import Pixels
from sources.text.fonts import Font, FontError, check_glyphs, script_of
from sources.text.thai import has_thai, split_thai

# Letters of these scripts depend on their neighbours; without HarfBuzz and FriBidi they would be drawn separately.
SHAPED_SCRIPTS = frozenset(
    (
        "Arabic", "Bengali", "Devanagari", "Gujarati", "Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Malayalam",
        "Mongolian", "Myanmar", "Nko", "Oriya", "Sinhala", "Syriac", "Tamil", "Telugu", "Thaana", "Thai", "Tibetan",
    )
)  # fmt: skip
_RIGHT_TO_LEFT = ("R", "AL")
_CLOSING = "，。、；：？！）》”’」』】,.;:?!)]}%…—～·・ーっゃゅょぁぃぅぇぉッャュョァィゥェォ々"
_OPENING = "（《“‘「『【([{"
MIN_GAP = 0.12  # in font sizes, between the ink of words; in some fonts they would touch
INK = 64  # of 255: least coverage of a pixel that counts as ink; fainter pixels are its soft edge


@dataclass(frozen=True, slots=True)
class WordMask:
    """The ink of a word.

    Args:
        text: the word.
        mask: (h, w) uint8 coverage, cropped to its ink.
        x, y: position of the top left corner of the mask; x from the start of the line, y from the baseline, downwards.
    """

    text: str
    mask: Pixels
    x: int
    y: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        return self.x, self.y, self.x + self.mask.shape[1], self.y + self.mask.shape[0]


def is_right_to_left(text: str) -> bool:
    """Return True if the first letter with a direction runs from right to left."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in _RIGHT_TO_LEFT:
            return True
        if direction == "L":
            return False
    return False


def check_shaping(text: str) -> None:
    """Raise FontError if the script of a text cannot be shaped on this machine."""
    script = script_of(text)
    if script in SHAPED_SCRIPTS and not _can_shape():
        raise FontError(
            f"the {script} script cannot be drawn: Pillow finds no FriBidi to shape it (Debian: libfribidi0)"
        )


@lru_cache(maxsize=1)
def _can_shape() -> bool:
    return bool(features.check("raqm") and features.check("fribidi"))


@lru_cache(maxsize=256)
def _load_font(font: Font, size_px: int) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if _can_shape() else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(font.path), size_px, index=font.index, layout_engine=engine)


def render_words(text: str, font: Font, size_px: int) -> list[WordMask]:
    """Render the words of one line; return their masks in reading order.

    Raises:
        FontError: the font lacks a glyph, or the script cannot be shaped here.
    """
    check_glyphs([text], font)
    check_shaping(text)
    pillow_font = _load_font(font, size_px)
    words = text.split()
    right_to_left = is_right_to_left(text)
    space = max(pillow_font.getlength(" "), 0.2 * size_px)
    words_by_index: dict[int, WordMask] = {}
    x, end = 0.0, -math.inf
    for k in _visual_order(words, right_to_left):
        mask, left, top, advance = _render_mask(words[k], pillow_font)
        x = max(x, end + MIN_GAP * size_px - left)
        words_by_index[k] = WordMask(words[k], mask, round(x) + left, top)
        x, end = x + advance + space, x + left + mask.shape[1]
    return [words_by_index[k] for k in range(len(words))]


@lru_cache(maxsize=20_000)
def line_length(text: str, font: Font, size_px: int) -> float:
    """Return the length of a line in pixels, including spaces at its ends."""
    return _load_font(font, size_px).getlength(text)


def split_at_breaks(text: str) -> list[str]:
    """Split a text where a line may be broken: after words (with their space), and between characters of Chinese and
    Japanese, or words of Thai.

    Closing punctuation stays with the piece before it, opening punctuation with the piece after it.
    """
    pieces: list[str] = []
    for word in text.split():
        if word.isascii():
            pieces.append(word + " ")
            continue
        if has_thai(word):
            *first, last = split_thai(word)
            pieces += [*first, last + " "]
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
    return unicodedata.east_asian_width(character) in ("W", "F") and not "가" <= character <= "힣"


def paste(ink: Pixels, word: WordMask, x: int, baseline: int) -> tuple[float, float, float, float] | None:
    """Add the ink of a word to a mask of the picture, in place; ink outside is cut off.

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


def _render_mask(word: str, font: ImageFont.FreeTypeFont) -> tuple[Pixels, int, int, float]:
    """Return the cropped mask of a word, its x and y from the start of the baseline, and its advance width."""
    direction = None if not _can_shape() else "rtl" if is_right_to_left(word) else "ltr"
    rendered, (x, y) = font.getmask2(word, "L", anchor="ls", direction=direction)
    image = Image.new("L", (max(1, rendered.size[0]), max(1, rendered.size[1])))
    image.im.paste(rendered, (0, 0, *rendered.size))
    found = np.asarray(image)
    left, top, width, height = cv2.boundingRect((found >= INK).view(np.uint8))
    mask = found[top : top + max(1, height), left : left + max(1, width)]
    return mask, round(x) + left, round(y) + top, font.getlength(word, direction=direction)


def _visual_order(words: Sequence[str], right_to_left: bool) -> list[int]:
    """Return the indices of the words from left to right.

    In a line that runs from right to left, Latin words run from left to right, and so do the numbers between them.
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
