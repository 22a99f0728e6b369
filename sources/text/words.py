"""Words of a page: their texts, boxes and fonts, and the lines and blocks in which they are."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from sources.text.characters import Letters
from sources.text.hulls import hulls

# Forms of Hebrew and Arabic letters, which old files have for the letters themselves.
_PRESENTATION_FORMS = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]")
_REPLACEMENT = 0xFFFD


_EMPTY = np.zeros(0)  # for the words of an empty page, and for fields that get their default


@dataclass(frozen=True, slots=True)
class LayoutWords:
    """N words of one page in the order of its content stream.

    Args:
        texts: never empty.
        boxes: (N, 4) float64 x0, y0, x1, y1 on the page, in points; y points down.
        blocks: (N,) paragraph of each word.
        lines: (N,) line of each word; words of one line follow each other.
        directions: (N, 2) unit vector along the baseline: (1, 0) upright, also for Arabic; (0, -1) upwards; (0, 1) for
            vertical text. By default upright.
        frames: (N, 4) least and greatest coordinates along the direction and across it, towards the next line: along,
            across, along, across. By default the boxes.
        vertical: (N,) bool; True for Chinese and Japanese from top to bottom.
        sizes: (N,) font size in points; 0 if it is unknown.
        colours: (N,) ARGB of the first letter; by default black.
        painted: (N,) bool; False for words with letters that are neither filled nor stroked. By default True.
        fonts: (N,) number of the first letter's font, from 0 in the order in which the fonts appear.
    """

    texts: Sequence[str] = ()
    boxes: np.ndarray = field(default_factory=lambda: _EMPTY)
    blocks: np.ndarray = field(default_factory=lambda: _EMPTY)
    lines: np.ndarray = field(default_factory=lambda: _EMPTY)
    directions: np.ndarray = field(default_factory=lambda: _EMPTY)
    frames: np.ndarray = field(default_factory=lambda: _EMPTY)
    vertical: np.ndarray = field(default_factory=lambda: _EMPTY)
    sizes: np.ndarray = field(default_factory=lambda: _EMPTY)
    colours: np.ndarray = field(default_factory=lambda: _EMPTY)
    painted: np.ndarray = field(default_factory=lambda: _EMPTY)
    fonts: np.ndarray = field(default_factory=lambda: _EMPTY)

    def __post_init__(self) -> None:
        num_words = len(self.texts)
        if not num_words:
            object.__setattr__(self, "boxes", np.zeros((0, 4)))
        defaults = {
            "directions": np.array([1.0, 0.0]),
            "frames": self.boxes,
            "vertical": np.array(False),
            "sizes": np.array(0.0),
            "colours": np.array(0xFF000000, np.uint32),
            "painted": np.array(True),
            "fonts": np.array(0),
        }
        for name, default in defaults.items():
            if len(getattr(self, name)) != num_words:
                shape = (num_words, *default.shape[-1:]) if name in ("directions", "frames") else (num_words,)
                object.__setattr__(self, name, np.broadcast_to(default, shape))


def words_of_letters(letters: Letters, lines: np.ndarray, ends: np.ndarray) -> LayoutWords:
    """Return the words of letters in the order of reading.

    Args:
        lines: (N,) line of each letter, ascending.
        ends: (N,) True for the last letter of each word.
    """
    last = np.flatnonzero(ends)
    starts = np.concatenate([[0], last[:-1] + 1])
    pieces = letters.pieces[starts]
    first_of_line = np.concatenate([[True], np.diff(lines[starts]) != 0])
    blocks = letters.blocks[pieces[first_of_line]][np.cumsum(first_of_line) - 1]
    boxes = hulls(letters.boxes, starts)
    return LayoutWords(
        texts=_texts(letters.codes, starts, last + 1),
        boxes=boxes,
        blocks=blocks,
        lines=lines[starts],
        directions=letters.directions[pieces],
        frames=boxes if letters.frames is letters.boxes else hulls(letters.frames, starts),
        vertical=letters.vertical[pieces],
        sizes=np.maximum.reduceat(letters.sizes, starts),
        colours=letters.colours[starts],
        painted=np.logical_and.reduceat(letters.painted, starts),
        fonts=_numbered(letters.fonts[starts]),
    )


def _numbered(fonts: np.ndarray) -> np.ndarray:
    """Return the fonts numbered from 0 in the order in which they appear; the numbers may be addresses."""
    _, first, inverse = np.unique(fonts, return_index=True, return_inverse=True)
    numbers: np.ndarray = np.argsort(np.argsort(first))[inverse]
    return numbers


def _texts(codes: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> list[str]:
    """Return the composed text of each word. Control characters become U+FFFD, which counts as damage."""
    is_control = (codes < 0x20) | ((codes >= 0x7F) & (codes < 0xA0))
    page = np.where(is_control, _REPLACEMENT, codes).astype("<u4").tobytes().decode("utf-32-le", "replace")
    texts = [page[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    if page.isascii():
        return texts
    if not unicodedata.is_normalized("NFC", page):
        texts = [unicodedata.normalize("NFC", text) for text in texts]
    if _PRESENTATION_FORMS.search(page):
        texts = [_PRESENTATION_FORMS.sub(_letters_of_form, text) for text in texts]
    return texts


def _letters_of_form(form: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", form[0]).replace(" ", "")


def choose(words: LayoutWords, chosen: np.ndarray) -> LayoutWords:
    """Return the words for which the (N,) mask is True."""
    texts = [text for text, is_chosen in zip(words.texts, chosen, strict=True) if is_chosen]
    arrays = (getattr(words, item.name)[chosen] for item in fields(words)[1:])
    return LayoutWords(texts, *arrays)


def boxes_in_pixels(boxes: np.ndarray, zoom: float, origin: tuple[int, int]) -> np.ndarray:
    """Return (N, 4) float32 boxes in pixels, rounded to a quarter pixel.

    Args:
        boxes: (N, 4) in points.
        zoom: pixels per point.
        origin: top left corner of the image, in pixels of the page.
    """
    pixels = boxes * zoom - np.array([*origin, *origin])
    rounded: npt.NDArray[np.float32] = (np.round(pixels * 4) / 4).astype(np.float32)
    return rounded
