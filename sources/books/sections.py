"""Sections: the blocks of a book divided into samples at chapters, headings and paragraphs."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sources.books.blocks import Block
from sources.text.token_estimate import estimate_tokens

IMAGE_TOKENS = 576  # of one image in DeepSeek-VL
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n")
_STRENGTHS = {1: 3, 2: 2}  # of a boundary before a heading, by its level


def tokens_of(block: Block) -> int:
    """Return about how many tokens a block has; a picture that is dropped has none."""
    if block.figure is not None:
        return 0 if block.figure.drop else IMAGE_TOKENS
    return estimate_tokens(block.text) + 2


def divide(blocks: Sequence[Block], max_tokens: int, max_images: int) -> list[list[Block]]:
    """Return the blocks of each sample.

    A sample ends at the strongest boundary in the second half of its budget: a chapter, then a section, then a
    paragraph. A new chapter begins a new sample unless the one before it has hardly begun, such as a title page. A
    figure stays with its caption, even beyond the budget; a paragraph above the budget is divided between sentences.
    """
    parts = list(_pieces(blocks, max_tokens))
    strengths = [_strength(parts, place) for place in range(len(parts))]
    costs = [tokens_of(block) for block in parts]
    samples: list[list[Block]] = []
    first = 0
    while first < len(parts):
        end = _end(parts, costs, strengths, first, max_tokens, max_images)
        samples.append(parts[first:end])
        first = end
    return samples


def _end(
    parts: Sequence[Block],
    costs: Sequence[int],
    strengths: Sequence[int],
    first: int,
    max_tokens: int,
    max_images: int,
) -> int:
    """Return where the sample from `first` ends."""
    tokens = images = 0
    best, best_strength = None, -1
    for place in range(first, len(parts)):
        if place > first and not parts[place].joined:
            if strengths[place] == 3 and tokens >= max_tokens / 8:
                return place
            if tokens >= max_tokens / 2 and strengths[place] >= best_strength:
                best, best_strength = place, strengths[place]
        tokens += costs[place]
        figure = parts[place].figure
        images += figure is not None and not figure.drop
        if (tokens > max_tokens or images > max_images) and place > first:
            if best is not None:
                return best
            return _latest_boundary(parts, first, place)
    return len(parts)


def _latest_boundary(parts: Sequence[Block], first: int, place: int) -> int:
    """Return the last place up to `place` where a sample may end, or the first one after it."""
    before = next((k for k in range(place, first, -1) if not parts[k].joined), None)
    if before is not None:
        return before
    return next((k for k in range(place + 1, len(parts)) if not parts[k].joined), len(parts))


def _strength(parts: Sequence[Block], place: int) -> int:
    block = parts[place]
    if place and parts[place - 1].kind == "heading":
        return -1  # a heading stays with what follows
    if block.kind == "heading":
        return 3 if block.opens else _STRENGTHS.get(block.level, 1)
    if block.opens:
        return 2
    if block.goes_on or (block.kind in ("item", "term") and place and parts[place - 1].kind in ("item", "term")):
        return -1
    return 0


def _pieces(blocks: Sequence[Block], max_tokens: int) -> Iterator[Block]:
    """Divide paragraphs above the budget."""
    for block in blocks:
        if (
            block.figure is not None
            or estimate_tokens(block.text) <= max_tokens
            or block.kind in ("code", "table", "formula")
        ):
            yield block
            continue
        piece, tokens = "", 0
        is_first = True
        for sentence in _SENTENCE.split(block.text):
            cost = estimate_tokens(sentence) + 1
            if piece and tokens + cost > max_tokens:
                yield replace(block, text=piece, opens=block.opens and is_first, joined=block.joined and is_first)
                piece, tokens, is_first = "", 0, False
            piece = f"{piece} {sentence}" if piece else sentence
            tokens += cost
        yield replace(block, text=piece, opens=block.opens and is_first, joined=block.joined and is_first)
