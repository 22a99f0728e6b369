"""The content of a page as numbers: words with their fonts, ruling lines, filled areas and images."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sources.text.words import LayoutWords

BOLD, ITALIC, MONO, MATH = 1, 2, 4, 8  # bits of a word's style
_MUPDF_ITALIC, _MUPDF_MONO, _MUPDF_BOLD = 2, 8, 16
_BOLD_FONT = re.compile(r"bold|black|heavy|demi|CMBX|SFBX|ECBX|-Medi", re.IGNORECASE)
_MONO_FONT = re.compile(
    r"mono|NimbusMon|courier|typewriter|CMTT|SFTT|LMTT|CMSLTT|CMITT|txtt|consol|menlo|inconsol|typewr|zi4",
    re.IGNORECASE,
)
_MATH_FONT = re.compile(
    r"CMMI|CMSY|CMEX|MSAM|MSBM|EUFM|EURM|RSFS|Symbol|Math|MTSY|MTMI|MTEX|txsy|txex|txmi|rtxmi|NewTX.*MI|LMSY|zplmr",
    re.IGNORECASE,
)
MAX_RULE = 5.0  # thickness of a ruling line, in points; MuPDF adds the mitre of the ends
MIN_RULE = 6.0  # length of a ruling line, in points
MIN_FILL = 6.0  # sides of a filled area, in points
MAX_VECTORS = 4000  # a page with more is a drawing or a map
WHITE = 0xFFFFFF
TAGS = frozenset(
    [
        "P",
        "H",
        "H1",
        "H2",
        "H3",
        "H4",
        "H5",
        "H6",
        "L",
        "LI",
        "Lbl",
        "LBody",
        "Table",
        "TR",
        "TH",
        "TD",
        "Caption",
        "Note",
        "FENote",
        "Formula",
        "Code",
        "BlockQuote",
        "Title",
    ]
)
UNNAMED = re.compile(r"^(Unnamed|Type3|T3|F\d+$|$)", re.IGNORECASE)
NEAR_SPANS = 40  # looked at first for the font of the next word
MIN_LETTERS = 8  # different letters of a font that show whether its font has a fixed width
MAX_WIDTH_RANGE = 0.02  # of the widths of letters in such a font
ASCENT, DESCENT = 0.75, 0.22  # of a line above and below its base line, in font sizes


@dataclass(frozen=True, slots=True)
class Tag:
    """The place of a text in the structure tree: names from the root, and the numbers of these elements on the page."""

    names: tuple[str, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PageContent:
    """Words and drawings of one page, in points, y pointing down.

    Args:
        texts: N words in the order of the content stream.
        boxes: (N, 4) boxes of the words, as tall as their font size around the base line.
        lines: (N,) number of the layout engine's line of each word, increasing.
        sizes: (N,) font sizes.
        styles: (N,) bits BOLD, ITALIC, MONO, MATH.
        tags: tag of each word, None on pages without tags.
        box_rows, half_sizes, style_bits, line_numbers: `boxes`, `sizes` rounded to halves, `styles` and `lines` as
            lists, which are faster word by word.
        horizontal, vertical: (M, 3) ruling lines: position, start, end.
        fills: (M, 4) boxes of filled areas, white ones excluded.
        drawings: (M, 4) boxes of other vector drawings.
        images: (M, 4) boxes of raster images.
        width, height: size of the page.
    """

    texts: Sequence[str]
    boxes: np.ndarray
    lines: np.ndarray
    sizes: np.ndarray
    styles: np.ndarray
    horizontal: np.ndarray
    vertical: np.ndarray
    fills: np.ndarray
    drawings: np.ndarray
    images: np.ndarray
    width: float
    height: float
    tags: Sequence[Tag | None] | None = None
    box_rows: list[list[float]] = field(init=False)
    half_sizes: list[float] = field(init=False)
    style_bits: list[int] = field(init=False)
    line_numbers: list[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "box_rows", self.boxes.tolist())
        object.__setattr__(self, "half_sizes", (np.round(self.sizes * 2) / 2).tolist())
        object.__setattr__(self, "style_bits", self.styles.tolist())
        object.__setattr__(self, "line_numbers", self.lines.tolist())


@dataclass(slots=True)
class _Found:
    spans: list[tuple[float, ...]] = field(default_factory=list)
    span_tags: list[Tag | None] = field(default_factory=list)
    fonts: list[str] = field(default_factory=list)
    horizontal: list[tuple[float, float, float]] = field(default_factory=list)
    vertical: list[tuple[float, float, float]] = field(default_factory=list)
    fills: list[Sequence[float]] = field(default_factory=list)
    drawings: list[Sequence[float]] = field(default_factory=list)


def page_content(words: LayoutWords, page: Mapping[str, Any], images: Sequence[Sequence[float]]) -> PageContent:
    """Join the words of a page with their fonts and the page's drawings.

    Args:
        words: the words that are seen, in stream order.
        page: PyMuPDF's `dict` of the page, extracted with vectors and, for tags, with structure.
        images: boxes of the images.
    """
    found = _Found()
    styles: dict[tuple[str, int], int] = {}
    num_vectors = 0
    for tag, block in _leaves(page["blocks"], (), ()):
        kind = block["type"]
        if kind == 0:
            for line in block["lines"]:
                for span in line["spans"]:
                    key = (span["font"], span["flags"])
                    style = styles.get(key)
                    if style is None:
                        style = styles[key] = style_of(*key)
                    found.spans.append((*span["bbox"], span["origin"][1], span["size"], style))
                    found.span_tags.append(tag)
                    found.fonts.append(span["font"])
        elif kind == 3 and num_vectors < MAX_VECTORS:
            num_vectors += 1
            _sort_vector(block, found)
    boxes, sizes, bits, which = _styled(words.boxes, found.spans)
    if any(UNNAMED.match(name) for name, _ in styles):
        fonts = [found.fonts[k] if k >= 0 else "-" for k in which]
        _mark_equal_widths(words.texts, fonts, (boxes[:, 2] - boxes[:, 0]) / sizes, bits)
    is_tagged = any(found.span_tags)
    return PageContent(
        texts=words.texts,
        boxes=boxes,
        lines=_line_numbers(words),
        sizes=sizes,
        styles=bits,
        horizontal=_rows(found.horizontal, 3),
        vertical=_rows(found.vertical, 3),
        fills=_rows(found.fills, 4),
        drawings=_rows(found.drawings, 4),
        images=_rows(images, 4),
        width=page["width"],
        height=page["height"],
        tags=[found.span_tags[k] if k >= 0 else None for k in which] if is_tagged else None,
    )


def style_of(font: str, flags: int) -> int:
    """Return the style bits of a font, from its flags in the file and its name."""
    style = 0
    if flags & _MUPDF_BOLD or _BOLD_FONT.search(font):
        style |= BOLD
    if flags & _MUPDF_ITALIC:
        style |= ITALIC
    if flags & _MUPDF_MONO or _MONO_FONT.search(font):
        style |= MONO
    if _MATH_FONT.search(font):
        style |= MATH
    return style


def _leaves(
    blocks: Sequence[Mapping[str, Any]], names: tuple[str, ...], ids: tuple[int, ...]
) -> Iterator[tuple[Tag | None, Mapping[str, Any]]]:
    for block in blocks:
        if block["type"] == 2:
            standard = block.get("std") or ""
            name = standard if standard in TAGS else block.get("raw") or standard
            yield from _leaves(block.get("blocks", ()), (*names, name), (*ids, block["number"]))
        else:
            yield Tag(names, ids) if names else None, block


def _sort_vector(block: Mapping[str, Any], found: _Found) -> None:
    x0, y0, x1, y1 = block["bbox"]
    width, height = x1 - x0, y1 - y0
    if block["alpha"] == 0:
        return
    is_white = block["color"] == WHITE and not block["stroked"]
    if height <= MAX_RULE and width >= max(MIN_RULE, 3 * height):
        if not is_white:
            found.horizontal.append(((y0 + y1) / 2, x0, x1))
    elif width <= MAX_RULE and height >= max(MIN_RULE, 3 * width):
        if not is_white:
            found.vertical.append(((x0 + x1) / 2, y0, y1))
    elif not block["isrect"]:
        found.drawings.append(block["bbox"])
    elif block["stroked"]:
        found.horizontal += [(y0, x0, x1), (y1, x0, x1)]
        found.vertical += [(x0, y0, y1), (x1, y0, y1)]
    elif not is_white and min(width, height) >= MIN_FILL:
        found.fills.append(block["bbox"])


def _styled(
    boxes: np.ndarray, spans: Sequence[Sequence[float]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return boxes around the base line, sizes, styles and the number of the span of every word; -1 without a span.

    Args:
        spans: x0, y0, x1, y1, base line, size and style of each, in the order of the content stream like the words.
    """
    which = np.full(len(boxes), -1)
    heights = boxes[:, 3] - boxes[:, 1]
    base, size = boxes[:, 3] - 0.2 * heights, heights.copy()
    style = np.zeros(len(boxes), np.int64)
    at = 0
    for k, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        found = _span_at(spans, x, y, range(at, min(at + NEAR_SPANS, len(spans))))
        if found < 0:
            found = _span_at(spans, x, y, range(len(spans)))
        if found >= 0:
            at = which[k] = found
            base[k], size[k], style[k] = spans[found][4:7]
    placed = np.stack([boxes[:, 0], base - ASCENT * size, boxes[:, 2], base + DESCENT * size], axis=1)
    return placed, size, style, which


def _span_at(spans: Sequence[Sequence[float]], x: float, y: float, numbers: range) -> int:
    for j in numbers:
        span = spans[j]
        if span[0] - 0.5 <= x <= span[2] + 0.5 and span[1] <= y <= span[3]:
            return j
    return -1


def _mark_equal_widths(texts: Sequence[str], fonts: Sequence[str], widths: np.ndarray, styles: np.ndarray) -> None:
    """Mark the words in fonts without a real name (Type 3) whose letters are all equally wide.

    Args:
        fonts: name of the font of every word.
        widths: (N,) width of every word in font sizes.
    """
    for font in set(fonts):
        if UNNAMED.match(font):
            words = [k for k, name in enumerate(fonts) if name == font]
            each = np.array([widths[k] / len(texts[k]) for k in words])
            if (
                len(set("".join(texts[k] for k in words))) >= MIN_LETTERS
                and np.ptp(each) < MAX_WIDTH_RANGE * each.mean()
            ):
                styles[words] |= MONO


def _line_numbers(words: LayoutWords) -> np.ndarray:
    if not len(words.texts):
        return np.zeros(0, np.int64)
    begins = (np.diff(words.blocks) != 0) | (np.diff(words.lines) != 0)
    numbers: np.ndarray = np.concatenate([[0], np.cumsum(begins)])
    return numbers


def _rows(found: Sequence[Sequence[float]], width: int) -> np.ndarray:
    return np.array(found, np.float64).reshape(-1, width)
