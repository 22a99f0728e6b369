"""Captions, footnotes and formulas among the paragraphs of a page."""

import re
from collections.abc import Sequence

from sources.pdfs.structure.block import CAPTION, FOOTNOTE, FORMULA, LIST_ITEM, PARAGRAPH, Block
from sources.pdfs.structure.body import Body
from sources.pdfs.structure.content import PageContent
from sources.pdfs.structure.headings import MATH_LETTERS

CAPTION_START = re.compile(
    r"^(table|figure|fig\.|tab\.|listing|algorithm|scheme|plate|abb\.|abbildung|tabelle|tableau|tabla|figura|таблица|рис\.?|рисунок)"
    r"\s*([A-Z]\.?)?\d{1,3}([.\-–]\d{1,3})*[a-z]?\s*[.:–—|]?(\s|$)",
    re.IGNORECASE,
)
_CJK_CAPTION = re.compile(r"^(表|图|圖|図)\s*\d")
_STRONG_CAPTION = re.compile(r"^\S+\s*\S*\d[a-z]?\s*[.:–—|](\s|$)")
MAX_CAPTION = 12  # lines
SMALL = 0.93  # font size of a footnote in sizes of running text
MIN_FOOT = 0.5  # of the page's height
NOTE_MARK = re.compile(r"^(\d{1,3}|[*†‡§¶#]{1,3}|[a-z])$|^[¹²³⁴⁵⁶⁷⁸⁹⁰*†‡§¶]")
MAX_SEPARATOR = 0.6  # of the line above footnotes over the width of the page
MIN_MATH = 0.25  # share of characters in math fonts
MAX_WORDS = 3  # longer than three letters, in a formula
MAX_PART = 40  # characters of a part of a formula that has no sign of being one
_OPERATOR = re.compile(r"[=<>≤≥≈≡∼→∈+−∑∫∏×·|]")
_EQUATION_NUMBER = re.compile(r"\s\(?[A-Z]?\d{1,2}(\.\d{1,3})*[a-z]?\)$")


def mark_captions(blocks: Sequence[Block]) -> None:
    """Mark paragraphs that begin with the name and number of a table or figure."""
    for block in blocks:
        if block.kind != PARAGRAPH or len(block.lines) > MAX_CAPTION:
            continue
        if begins_caption(block.text) or (len(block.lines) <= 2 and CAPTION_START.match(block.text)):
            block.kind = CAPTION


def begins_caption(text: str) -> bool:
    """Return True if a text begins as a caption does, and as no sentence about a figure would: `Figure 5. A tree`."""
    return bool(_CJK_CAPTION.match(text) or (CAPTION_START.match(text) and _STRONG_CAPTION.match(text)))


def mark_footnotes(blocks: Sequence[Block], content: PageContent, body: Body) -> None:
    """Mark the small text at the foot of each column of text that begins with a mark or is below a short line."""
    for k, block in enumerate(blocks):
        if block.kind not in (PARAGRAPH, LIST_ITEM) or block.box[1] < MIN_FOOT * content.height:
            continue
        if max(line.size for line in block.lines) > SMALL * body.size:
            continue
        first = block.lines[0]
        words = first.text.split(" ", 1)
        is_after_note = k > 0 and blocks[k - 1].kind == FOOTNOTE
        if NOTE_MARK.match(words[0]) or is_after_note or _is_below_line(first.all.y0, first.x0, content):
            block.kind, block.marker, block.cut = FOOTNOTE, "", 0


def _is_below_line(y: float, x: float, content: PageContent) -> bool:
    lines = content.horizontal
    near = (lines[:, 0] < y + 3) & (lines[:, 0] > y - 14) & (lines[:, 1] < x + 10) & (lines[:, 2] > x)
    return bool((near & (lines[:, 2] - lines[:, 1] < MAX_SEPARATOR * content.width)).any())


def mark_formulas(blocks: Sequence[Block]) -> None:
    """Mark displayed formulas: paragraphs mainly in math fonts, or with an operator and an equation number."""
    for block in blocks:
        if block.kind != PARAGRAPH or _num_words(block.text) > MAX_WORDS:
            continue
        text = block.text
        math = max(block.share("math"), sum(letter >= MATH_LETTERS for letter in text) / len(text))
        if math >= 2 * MIN_MATH or (_OPERATOR.search(text) and (math >= MIN_MATH or _EQUATION_NUMBER.search(text))):
            block.kind = FORMULA


def _num_words(text: str) -> int:
    return sum(len(word) > 3 and word.isalpha() and word < MATH_LETTERS for word in text.split(" "))


def join_formulas(blocks: Sequence[Block]) -> list[Block]:
    """Join the parts of one displayed formula: fractions and limits are separate lines."""
    result: list[Block] = []
    for block in blocks:
        last = result[-1] if result else None
        if last is not None and _are_one_formula(last, block):
            last.lines += block.lines
            last.kind = FORMULA
            continue
        result.append(block)
    return result


def _are_one_formula(above: Block, below: Block) -> bool:
    if FORMULA not in (above.kind, below.kind) or not (_is_part(above) and _is_part(below)):
        return False
    line = below.lines[0]
    return below.box[1] - above.box[3] < line.size and line.region == above.lines[0].region


def _is_part(block: Block) -> bool:
    """Return True if a block is a formula or a piece of one: a few signs or a number."""
    return block.kind == FORMULA or (
        block.kind == PARAGRAPH and len(block.text) < MAX_PART and _num_words(block.text) == 0
    )
