"""What of a page's tree its code does not need."""

import pytest

from sources.web.code.node import Node
from sources.web.code.simplify import simplify

LINK = {"color": "#000", "text-decoration-line": "none"}


def _heading(child: Node) -> list[Node | str]:
    parent = Node(tag="h2", children=["One ", child, "two"])
    simplify(parent)
    return parent.children


def test_marks_that_links_lead_to_are_left_out() -> None:
    assert _heading(Node(tag="a", style=LINK, is_inline=True)) == ["One two"]


@pytest.mark.parametrize(
    "kept",
    [
        Node(tag="a", style=LINK, is_inline=True, children=["link"]),
        Node(tag="a", style=LINK, is_inline=True, is_picture=True),
        Node(tag="a", style=LINK | {"line-height": "90px"}, is_inline=True),  # makes its line higher
        Node(tag="a", style=LINK | {"display": "inline-block"}, is_inline=True),
        Node(tag="a", style=LINK),
        Node(tag="br"),
    ],
)
def test_what_shows_or_takes_room_stays(kept: Node) -> None:
    assert _heading(kept) == ["One ", kept, "two"]


def test_an_empty_link_counts_among_boxes() -> None:
    """In a flex container it is a box of its own, with a gap beside it."""
    empty = Node(tag="a", style=LINK, is_inline=True)
    parent = Node(tag="div", style={"display": "flex"}, children=[empty, Node(tag="p", children=["One"])])
    simplify(parent)
    assert parent.children[0] is empty
