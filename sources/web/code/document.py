"""Writes a tree as an HTML document, with one block element per line, and inline content on the line of its text."""

import html
import re

from sources.web.code.node import Node
from sources.web.code.stylesheet import Stylesheet

INDENT = "  "
LONG_LINE = 100  # characters
VOID = frozenset(("br", "hr", "input"))
RAW = ("pre", "textarea")
_SPACE = re.compile(r"[ \t\n\r\f]+")


def document(root: Node, title: str, styles: Stylesheet) -> str:
    """Return the document, ending in a line break. `root` is the `html` element."""
    lines = ["<!DOCTYPE html>", f"<html{_attributes(root, None)}>", "<head>", '<meta charset="utf-8">']
    if title.strip():
        lines.append(f"<title>{_text(_SPACE.sub(' ', title.strip()))}</title>")
    if styles.rules:
        lines.append("<style>")
        lines += [
            f"{selector} {{ {'; '.join(f'{name}: {value}' for name, value in entries)} }}"
            for selector, entries in styles.rules
        ]
        lines.append("</style>")
    lines.append("</head>")
    for child in root.children:
        if isinstance(child, Node):
            lines += _block(child, styles, "", keep_space=False)
    return "\n".join([*lines, "</html>"]) + "\n"


def _block(node: Node, styles: Stylesheet, indent: str, *, keep_space: bool) -> list[str]:
    """Return the lines of a block element."""
    opening, closing = _tags(node, styles)
    if keep_space or _keeps_space(node, keep_space) or node.tag in VOID:
        return [indent + _inline(node, styles, keep_space=keep_space)]
    inner = indent + INDENT
    lines: list[str] = []
    run: list[Node | str] = []  # inline content of one line
    for child in [*node.children, None]:
        if child is not None and (isinstance(child, str) or child.is_inline):
            run.append(child)
            continue
        text = _run(run, styles, line_break="\n" + inner).strip(" \n")
        if text:
            lines.append(inner + text)
        run = []
        if child is not None:
            lines += _block(child, styles, inner, keep_space=False)
    if not lines:
        return [indent + opening + closing]
    if len(lines) == 1 and not any(isinstance(child, Node) and not child.is_inline for child in node.children):
        return [indent + opening + lines[0].strip(" ") + closing]
    return [indent + opening, *lines, indent + closing]


def _inline(node: Node, styles: Stylesheet, *, keep_space: bool) -> str:
    opening, closing = _tags(node, styles)
    keep_space = _keeps_space(node, keep_space)
    content = _run(node.children, styles, keep_space=keep_space)
    if node.tag in RAW and content.startswith("\n"):
        content = "\n" + content  # the parser removes the first line break
    return opening + content + closing


def _run(children: "list[Node | str]", styles: Stylesheet, *, keep_space: bool = False, line_break: str = " ") -> str:
    """Return inline content as one line; if it is long, spaces between elements become `line_break`."""
    parts = [
        (_text(child if keep_space else _SPACE.sub(" ", child)))
        if isinstance(child, str)
        else _inline(child, styles, keep_space=keep_space)
        for child in children
    ]
    if not keep_space and sum(map(len, parts)) > LONG_LINE:
        parts = [line_break if part == " " else part for part in parts]
    return "".join(parts)


def _keeps_space(node: Node, inherited: bool) -> bool:
    """Return True if white space inside is preserved."""
    value = node.style.get("white-space")
    if value is not None:
        return value.startswith(("pre", "break-spaces"))
    return inherited or node.tag in RAW


def _tags(node: Node, styles: Stylesheet) -> tuple[str, str]:
    return f"<{node.tag}{_attributes(node, styles)}>", "" if node.tag in VOID else f"</{node.tag}>"


def _attributes(node: Node, styles: Stylesheet | None) -> str:
    attributes = dict(node.attributes)
    name = None if styles is None else styles.classes.get(id(node))
    entries = [*([("class", name)] if name else []), *attributes.items()]
    return "".join(
        f" {key}"
        if value == "" and key in ("checked", "disabled", "selected", "reversed")
        else f' {key}="{_quoted(value)}"'
        for key, value in entries
    )


def _text(text: str) -> str:
    return html.escape(_printable(text), quote=False).replace("\u00a0", "&nbsp;")


def _quoted(text: str) -> str:
    return html.escape(_SPACE.sub(" ", _printable(text)), quote=True).replace("&#x27;", "'")


def _printable(text: str) -> str:
    """Remove control characters, which are not allowed in documents, and lone surrogates."""
    return "".join(c for c in text if (c >= " " and not "\ud800" <= c <= "\udfff" and c != "\x7f") or c in "\t\n\r")
