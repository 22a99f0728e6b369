"""Removes invisible parts from a tree: wrappers without a style, empty boxes, and marks that links lead to."""

from sources.web.code.node import Node

WRAPPERS = ("div", "span")
# What concerns text alone.
COLOURS = frozenset(["color", "-webkit-text-fill-color", "text-decoration-line", "text-decoration-color"])
BOXED = ("flex", "grid", "inline-flex", "inline-grid")  # these lay out each child separately


def simplify(node: Node) -> None:
    """Reduce the tree below `node`, in place."""
    children: list[Node | str] = []
    for child in node.children:
        if isinstance(child, Node):
            simplify(child)
            children += _without_wrapper(child, node)
        elif children and isinstance(children[-1], str):
            children[-1] += child
        else:
            children.append(child)
    node.children = _joined(children)


def _without_wrapper(child: Node, parent: Node) -> list[Node | str]:
    if child.tag == "a" and _is_empty(child) and parent.style.get("display") not in BOXED:
        return []
    if child.tag not in WRAPPERS or child.style or child.attributes or child.is_picture or child.has_backdrop:
        return [child]
    if parent.style.get("display") in BOXED:
        return [child]
    if child.is_inline:
        return child.children
    if not child.children:
        return []
    inner = [each for each in child.children if isinstance(each, Node) or each.strip(" \t\n\r\f")]
    if len(inner) == 1 and isinstance(inner[0], Node) and not inner[0].is_inline and not _is_lifted(inner[0]):
        return list(inner)
    return [child]


def _is_empty(node: Node) -> bool:
    """Return True for an inline element that shows nothing and makes its line no higher, as `<a name=top></a>`."""
    shows = node.children or node.attributes or node.is_picture or node.has_backdrop
    return node.is_inline and not shows and set(node.style) <= COLOURS


def _is_lifted(node: Node) -> bool:
    """Return True if an element is out of its parent's flow, so that its parent's box matters to others."""
    return node.style.get("position") in ("absolute", "fixed") or "float" in node.style


def _joined(children: list[Node | str]) -> list[Node | str]:
    """Join consecutive texts."""
    joined: list[Node | str] = []
    for child in children:
        if isinstance(child, str) and joined and isinstance(joined[-1], str):
            joined[-1] += child
        else:
            joined.append(child)
    return joined
