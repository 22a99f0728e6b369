"""Removes text that a picture does not show, as white text on white, from the tree of its page."""

import re
from collections import Counter

from sources.web.code.node import Node
from sources.web.code.similarity import Look, inked

_PIECE = re.compile(  # as in `snapshot.js`
    "[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]|[^\\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+"
)


def remove_unseen(tree: Node, look: Look, scale: float) -> int:
    """Remove the texts of which no word has ink, in place; their elements keep their size.

    Args:
        look: the picture with all words of the page.
        scale: pixels of the picture per CSS pixel.
    Returns:
        The number of texts that were removed.
    """
    shown = inked(look)
    if len(shown) == len(look.words):
        return 0
    seen, centres = set(shown), (look.boxes[:, :2] + look.boxes[:, 2:]) / (2 * scale)
    num_removed = 0
    for node in tree.walk():
        texts = [child for child in node.children if isinstance(child, str)]
        pieces = Counter(piece for text in texts for piece in _PIECE.findall(text))
        if not pieces or node.box is None:
            continue
        x0, y0, x1, y1 = node.box
        inside = (centres >= (x0, y0)).all(axis=1) & (centres <= (x1, y1)).all(axis=1)
        within = [k for k in inside.nonzero()[0].tolist() if look.words[k] in pieces]
        if not within or not seen.isdisjoint(within) or {look.words[k] for k in within} != set(pieces):
            continue
        node.children = [child for child in node.children if not isinstance(child, str)]
        node.style |= {"box-sizing": "border-box", "min-width": f"{x1 - x0:g}px", "min-height": f"{y1 - y0:g}px"}
        if node.is_inline:
            node.style.setdefault("display", "inline-block")
        num_removed += len(texts)
    return num_removed
