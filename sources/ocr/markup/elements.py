"""A small subset of HTML as a tree with line numbers. Nothing in it is run, and no file that it names is opened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from sources.config_file import Problem

INLINE = frozenset(("a", "b", "br", "code", "em", "i", "img", "s", "span", "strong", "u"))
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
CONTAINERS = frozenset(("article", "body", "div", "footer", "header", "html", "main", "section"))
BLOCKS = frozenset((*HEADINGS, "blockquote", "dl", "hr", "ol", "p", "pre", "table", "ul"))
PARTS = {
    "dd": ("dl",),
    "dt": ("dl",),
    "li": ("ol", "ul"),
    "tbody": ("table",),
    "td": ("tr",),
    "th": ("tr",),
    "thead": ("table",),
    "tr": ("table", "tbody", "thead"),
}  # elements that stand in certain others only
IGNORED = frozenset(("head", "meta", "title"))  # what a browser does not print
ALLOWED = tuple(sorted(INLINE | CONTAINERS | BLOCKS | PARTS.keys() | IGNORED))
VOID = frozenset(("br", "hr", "img", "meta"))
# Elements that end where one of these begins, as in HTML.
ENDED_BY: Mapping[str, frozenset[str]] = {
    "dd": frozenset(("dd", "dt")),
    "dt": frozenset(("dd", "dt")),
    "li": frozenset(("li",)),
    "p": BLOCKS | CONTAINERS | frozenset(("dd", "dt", "li")),
    "tbody": frozenset(("tbody",)),
    "td": frozenset(("td", "th", "tr", "tbody")),
    "th": frozenset(("td", "th", "tr", "tbody")),
    "thead": frozenset(("tbody",)),
    "tr": frozenset(("tr", "tbody")),
}
ANYWHERE = frozenset(("align", "repeat"))
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "a": frozenset(("href", "title")),
    "code": frozenset(("class",)),
    "html": frozenset(("lang",)),
    "img": frozenset(("alt", "height", "src", "title", "width")),
    "meta": frozenset(("charset", "content", "name")),
    "ol": frozenset(("start",)),
    "td": frozenset(("colspan", "rowspan")),
    "th": frozenset(("colspan", "rowspan", "scope")),
}
MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Text:
    """Characters between tags, and the line on which they begin."""

    text: str
    line: int


@dataclass(slots=True)
class Element:
    """An element with what is in it."""

    tag: str
    line: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list["Element | Text"] = field(default_factory=list)

    def elements(self) -> Iterator["Element"]:
        """Yield this element and all below it, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.elements()

    def texts(self) -> Iterator[Text]:
        """Yield the texts in this element and below it, in order."""
        for child in self.children:
            if isinstance(child, Element):
                yield from child.texts()
            else:
                yield child


def parse(html: str) -> tuple[Element, list[Problem]]:
    """Return the tree of a text of HTML below an element `body`, and what is wrong with it, each with its line."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.root, parser.finish()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("body", 1)
        self._open = [self.root]
        self._problems: list[Problem] = []

    def finish(self) -> list[Problem]:
        """Return all problems; an element that is never closed is one, unless HTML allows it."""
        for element in self._open[1:]:
            if element.tag not in ENDED_BY:
                self._problems.append(Problem(element.line, f"<{element.tag}> is never closed"))
        return self._problems

    @property
    def _line(self) -> int:
        return self.getpos()[0]

    def _wrong(self, message: str) -> None:
        self._problems.append(Problem(self._line, message))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while len(self._open) > 1 and tag in ENDED_BY.get(self._open[-1].tag, ()):
            self._open.pop()
        if tag not in ALLOWED:
            self._wrong(f"<{tag}> is not known here; there are {', '.join(ALLOWED)}")
        elif (why := self._misplaced(tag)) is not None:
            self._wrong(why)
        known = ANYWHERE | ATTRIBUTES.get(tag, frozenset())
        for name, _ in attrs:
            if tag in ALLOWED and name not in known:
                self._wrong(f"<{tag}> has no attribute {name} here; it may have {', '.join(sorted(known))}")
        element = Element(tag, self._line, {name: value or "" for name, value in attrs})
        if tag == "html":
            self.root.attributes = element.attributes
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def _misplaced(self, tag: str) -> str | None:
        """Return why an element cannot stand where it is; None if it can."""
        parent = self._open[-1].tag
        if len(self._open) > MAX_DEPTH:
            return f"elements are nested more than {MAX_DEPTH} deep"
        if tag in PARTS:
            return None if parent in PARTS[tag] else f"<{tag}> stands in <{parent}>; it belongs in <{PARTS[tag][0]}>"
        if parent in ("dl", "ol", "table", "tbody", "thead", "tr", "ul"):
            inside = ", ".join(f"<{name}>" for name, parents in sorted(PARTS.items()) if parent in parents)
            return f"<{tag}> stands in <{parent}>, which holds {inside} only"
        if tag in BLOCKS | CONTAINERS and (parent in INLINE or parent in HEADINGS or parent in ("dt", "td", "th")):
            return f"<{tag}> stands in <{parent}>, which holds text only"
        return None

    def handle_endtag(self, tag: str) -> None:
        depth = next((k for k in range(len(self._open) - 1, 0, -1) if self._open[k].tag == tag), None)
        if tag in VOID:
            return
        if depth is None:
            self._wrong(f"</{tag}> closes nothing")
            return
        for element in self._open[depth + 1 :]:
            if element.tag not in ENDED_BY:
                self._wrong(f"</{tag}> comes before <{element.tag}> of line {element.line} is closed")
        del self._open[depth:]

    def handle_data(self, data: str) -> None:
        parent = self._open[-1].tag
        if data.strip() and parent in ("dl", "ol", "table", "tbody", "thead", "tr", "ul"):
            self._wrong(f"there is text in <{parent}> itself: {data.strip()[:20]!r}")
        self._open[-1].children.append(Text(data, self._line))

    def handle_pi(self, data: str) -> None:
        self._wrong(f"<?{data[:20]} is no HTML")

    def unknown_decl(self, data: str) -> None:
        self._wrong(f"<![{data[:20]} is no HTML")
