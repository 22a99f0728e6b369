"""The visible part of a page as a tree of elements; the data come from a renderer and are checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

TAGS = frozenset(
    [
        "a",
        "abbr",
        "article",
        "aside",
        "b",
        "blockquote",
        "body",
        "br",
        "button",
        "caption",
        "cite",
        "code",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "i",
        "input",
        "ins",
        "kbd",
        "label",
        "legend",
        "li",
        "main",
        "mark",
        "menu",
        "meter",
        "nav",
        "ol",
        "optgroup",
        "option",
        "p",
        "pre",
        "progress",
        "q",
        "s",
        "samp",
        "search",
        "section",
        "select",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "textarea",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "u",
        "ul",
        "var",
    ]
)
ATTRIBUTES = frozenset(
    [
        "aria-label",
        "checked",
        "cols",
        "colspan",
        "dir",
        "disabled",
        "high",
        "href",
        "lang",
        "low",
        "max",
        "min",
        "optimum",
        "placeholder",
        "reversed",
        "role",
        "rows",
        "rowspan",
        "selected",
        "size",
        "start",
        "type",
        "value",
    ]
)
MAX_DEPTH = 250  # Python's recursion limit is 1,000 frames


class TreeError(ValueError):
    """A tree that our script cannot have produced."""


@dataclass(slots=True)
class Node:
    """One element.

    Args:
        style: value by property, where it differs from an unstyled element.
        name: first class given by the page's author; possibly empty.
        box: x0, y0, x1, y1 in CSS pixels of the viewport; None for generated content.
        is_inline: True if it is part of a line of text.
        is_picture: True if it replaces an image, a drawing or a frame.
        has_backdrop: True if it had a background image.
        placeholder: colour of the text that shows in an empty field; empty for the browser's own.
    """

    tag: str
    style: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node | str"] = field(default_factory=list)
    name: str = ""
    box: tuple[float, float, float, float] | None = None
    is_inline: bool = False
    is_picture: bool = False
    has_backdrop: bool = False
    placeholder: str = ""

    def shape(self) -> str:
        """Return the tags of this element and its descendants, as `(div(p)(p))`."""
        inner = "".join(child.shape() for child in self.children if isinstance(child, Node))
        return f"({self.tag}{inner})"

    def walk(self) -> Iterator["Node"]:
        """Yield this element and its descendants in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()


def node_of(content: Any, depth: int = 0) -> Node:
    """Build the tree from the script's JSON. Raises BadTree."""
    if not isinstance(content, Mapping) or depth > MAX_DEPTH:
        raise TreeError("an element is no mapping" if depth <= MAX_DEPTH else "elements are nested too deeply")
    tag, attributes, box = content.get("tag"), _texts(content.get("attributes")), content.get("box")
    if tag not in TAGS or not set(attributes) <= ATTRIBUTES:
        raise TreeError(f"an element {tag!r} with {sorted(attributes)}")
    if attributes.get("href", "#") != "#":
        raise TreeError("a link that leads somewhere")
    if box is not None and not (
        isinstance(box, list) and len(box) == 4 and all(isinstance(x, int | float) for x in box)
    ):
        raise TreeError("a box that is none")
    children = content.get("children")
    if not isinstance(children, list):
        raise TreeError("an element without children")
    return Node(
        tag=tag,
        style=_texts(content.get("style")),
        attributes=attributes,
        children=[child if isinstance(child, str) else node_of(child, depth + 1) for child in children],
        name=str(content.get("name", "")),
        box=None if box is None else (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        is_inline=bool(content.get("inline")),
        is_picture=bool(content.get("picture")),
        has_backdrop=bool(content.get("backdrop")),
        placeholder=str(content.get("placeholder", "")),
    )


def _texts(content: Any) -> dict[str, str]:
    if not isinstance(content, Mapping) or not all(isinstance(value, str) for value in content.values()):
        raise TreeError("a mapping of texts is none")
    return dict(content)
