"""The text of a sample from its blocks, with `<image>` in place of each figure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sources.base.marks import IMAGE_PLACEHOLDER, escaped
from sources.books.blocks import Block, Figure
from sources.books.notes import with_numbers
from sources.books.pictures import NoFigure, Picture

_TIGHT = ("item", "term")
_FIGURE = "\0"  # in place of a figure until the text around it is escaped; no document holds this character


@dataclass(frozen=True, slots=True)
class Composed:
    """The text and figures of a sample.

    Args:
        dropped: number of pictures that are no figures, by reason.
    """

    text: str
    pictures: Sequence[Picture]
    dropped: Mapping[str, int]


def compose(blocks: Sequence[Block], notes: Mapping[str, str], load: Callable[[Figure], Picture]) -> Composed:
    """Return blocks as Markdown.

    Args:
        load: returns a figure's pixels or raises NoFigure.
    """
    pictures: list[Picture] = []
    dropped: Counter[str] = Counter()
    written: list[Block] = []
    texts: list[str] = []
    lost = False  # a picture was left out since the last text
    for block in blocks:
        if block.figure is not None:
            try:
                if block.figure.drop:
                    raise NoFigure(block.figure.drop)
                pictures.append(load(block.figure))
            except NoFigure as reason:
                dropped[reason.reason] += 1
                lost = True
                continue
        if lost and block.goes_on and texts and written[-1].figure is None:
            texts[-1] += f" {block.text}"
            continue
        lost = False
        written.append(block)
        texts.append(_lines(block))
    pieces: list[str] = []
    for place, text in enumerate(texts):
        if place:
            is_tight = written[place].kind in _TIGHT and written[place - 1].kind in _TIGHT
            pieces.append("\n" if is_tight else "\n\n")
        pieces.append(text)
    whole = with_numbers("".join(pieces), notes)
    return Composed(IMAGE_PLACEHOLDER.join(map(escaped, whole.split(_FIGURE))), pictures, dropped)


def _lines(block: Block) -> str:
    if block.figure is not None:
        return _FIGURE
    text = f"{'#' * block.level} {block.text}" if block.kind == "heading" else block.text
    return block.first + text.replace(_FIGURE, "").replace("\n", f"\n{block.rest}")
