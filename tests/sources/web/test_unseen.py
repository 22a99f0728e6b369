"""Text without ink in the picture is not written into code."""

import numpy as np
import pytest

from sources.web.code.node import Node
from sources.web.code.similarity import Look
from sources.web.code.unseen import remove_unseen


def look(words: dict[str, tuple[float, float, float, float]], shown: set[str], scale: int = 2) -> Look:
    """Return a white picture of 100 × 60 CSS pixels, with a black bar below every word that is shown."""
    pixels = np.full((60 * scale, 100 * scale, 3), 255, np.uint8)
    boxes = np.array(list(words.values()), np.float32).reshape(-1, 4) * scale
    for word, box in zip(words, boxes.astype(int), strict=True):
        if word in shown:
            pixels[box[1] + 2 : box[3] - 2, box[0] + 2 : box[2] - 2] = 0
    return Look(pixels, list(words), boxes, np.zeros((0, 4), np.float32))


WORDS = {"visible": (0, 0, 40, 10), "hidden": (50, 0, 90, 10), "white": (0, 20, 30, 30), "中": (30, 20, 40, 30)}


def tree() -> tuple[Node, Node, Node, Node]:
    span = Node("span", children=["hidden"], box=(50, 0, 90, 10), is_inline=True)
    first = Node("p", children=["visible ", span], box=(0, 0, 100, 10))
    second = Node("p", children=["white 中"], box=(0, 20, 100, 30))
    return Node("body", children=[first, second], box=(0, 0, 100, 60)), first, span, second


def test_text_without_ink_is_removed_and_its_place_is_kept() -> None:
    body, first, span, second = tree()
    assert remove_unseen(body, look(WORDS, {"visible"}), 2) == 2
    assert first.children == ["visible ", span]
    assert (span.children, second.children) == ([], [])
    assert (second.style["min-width"], second.style["min-height"]) == ("100px", "10px")
    assert span.style["display"] == "inline-block"


@pytest.mark.parametrize("shown", [set(WORDS), {"visible", "hidden", "中"}])
def test_text_of_which_a_word_is_seen_is_kept(shown: set[str]) -> None:
    body, _, span, second = tree()
    assert remove_unseen(body, look(WORDS, shown), 2) == 0
    assert (span.children, second.children) == (["hidden"], ["white 中"])
    assert not second.style


def test_text_below_the_picture_is_kept() -> None:
    """Words without a place in the picture say nothing about ink."""
    node = Node("p", children=["elsewhere"], box=(0, 20, 100, 30))
    assert remove_unseen(Node("body", children=[node], box=(0, 0, 100, 60)), look(WORDS, {"visible"}), 2) == 0
