"""Words of a page: their texts, boxes and fonts, and the lines and blocks in which the layout engine found them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BIDI_CONTROLS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class LayoutWords:
    """Words of one page in the order of its content stream.

    Args:
        texts: N words, never empty.
        boxes: (N, 4) float64 x0, y0, x1, y1 in points; y points down.
        blocks: (N,) paragraph of each word.
        lines: (N,) line of each word in its paragraph.
        directions: (N, 2) unit vector along the baseline of each word's line: (1, 0) upright, (0, -1) upwards, and
            (0, 1) for vertical text; right-to-left text that is upright has (1, 0), too.
        sizes: (N,) font size in points; 0 if it is unknown.
    """

    texts: Sequence[str] = ()
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    blocks: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    lines: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    directions: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    sizes: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        num_words = len(self.texts)
        if len(self.directions) != num_words:
            object.__setattr__(self, "directions", np.tile([1.0, 0.0], (num_words, 1)))
        if len(self.sizes) != num_words:
            object.__setattr__(self, "sizes", np.zeros(num_words))


def choose(words: LayoutWords, chosen: np.ndarray) -> LayoutWords:
    """Return the words for which the (N,) mask is True."""
    texts = [text for text, is_chosen in zip(words.texts, chosen, strict=True) if is_chosen]
    arrays = (getattr(words, item.name)[chosen] for item in fields(words)[1:])
    return LayoutWords(texts, *arrays)


def clean(text: str) -> str:
    """Compose characters, remove direction marks, and replace control characters by U+FFFD, which counts as damage."""
    if text.isprintable() and unicodedata.is_normalized("NFC", text):
        return text
    return _UNPRINTABLE.sub("\ufffd", _BIDI_CONTROLS.sub("", unicodedata.normalize("NFC", text)))


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
