"""A document of a book as blocks: paragraphs, headings, lists, tables, code, formulas and figures in reading order."""

import base64
import binascii
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import unquote_to_bytes

from lxml import etree

from sources.books.blocks import (
    CODE_END,
    CODE_START,
    FORMULA_END,
    FORMULA_START,
    NOTE_END,
    NOTE_START,
    Block,
    Figure,
    Group,
    Kind,
)
from sources.books.epub import resolve
from sources.books.markup import attribute, local_name, text_of
from sources.books.mathml import to_tex
from sources.books.meaning import (
    CONTAINERS,
    HEADINGS,
    fragment,
    holds_figure,
    is_caption,
    is_formula,
    is_note,
    is_note_mark,
    is_skipped,
)
from sources.books.raised import lowered, raised
from sources.books.table import cells_of, is_layout, table_text

_BREAK, _FIGURE = "\x01", "\x04"  # a line break and a figure inside a paragraph; no XML text can have them
_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|brush:)[-\s:]?([A-Za-z+#]\w*)")
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")
_CJK = r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]"
_CJK_BREAK = re.compile(f"(?<={_CJK})[ \\t]*\\n\\s*(?={_CJK})")
_DATA_URI = re.compile(r"data:(image/[\w.+-]+)?[^,]*?(;base64)?,", re.IGNORECASE)
MAX_DATA_URI = 64 << 20


@dataclass(slots=True)
class _Prefix:
    """The marker of a list item or quotation, which the first block inside it takes."""

    marker: str
    indent: str
    is_used: bool = False


@dataclass(slots=True)
class DocumentReader:
    """Reads one document.

    Args:
        name: the document's path, against which links are resolved.
        is_marked: formulas and code inside a text have marks of their own (`sources/books/blocks.py`).
        blocks: what was read.
    """

    name: str
    is_marked: bool = False
    blocks: list[Block] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    _figures: list[Figure] = field(default_factory=list)
    _anchors: list[str] = field(default_factory=list)
    _prefixes: list[_Prefix] = field(default_factory=list)
    _group: Group | None = None
    _note: str = ""
    _kind: Kind = "text"
    _level: int = 0
    _raised: int = 0

    def read(self, root: etree._Element) -> list[Block]:
        """Return the blocks of a document."""
        body = next(root.iter("{*}body"), root)
        self._child(body)
        self._flush()
        if self.blocks:
            self.blocks[0].opens = True
        is_cover = "cover" in attribute(body, "epub:type").split() or any(
            "cover" in attribute(section, "epub:type").split() for section in body.iter("{*}section", "{*}div")
        )
        if is_cover and not any(block.text for block in self.blocks):
            for block in self.blocks:
                if block.figure is not None:
                    block.figure.drop = "cover"
        return self.blocks

    # The flow of a document: text and inline elements are collected until a block begins or ends.

    def _flow(self, element: etree._Element) -> None:
        self._add(element.text)
        for child in element:
            self._child(child)
            self._add(child.tail)

    def _child(self, element: etree._Element) -> None:
        name = local_name(element)
        if not name or is_skipped(element, name):
            return
        if anchor := element.get("id") or (element.get("name") if name == "a" else None):
            self._anchors.append(anchor)
        if name in CONTAINERS:
            self._flush()
            with self._inside(element, name):
                self._container(element, name)
                self._flush()
        elif name == "a" and is_note_mark(element, is_raised=self._raised > 0):
            key = "#".join((resolve(self.name, attribute(element, "href"))[0] or "", fragment(element)))
            self._pieces.append(f"{NOTE_START}{key}{NOTE_END}")
        else:
            self._inline(element, name)

    @contextmanager
    def _inside(self, element: etree._Element, name: str) -> Iterator[None]:
        """Keep the groups of figures and the footnotes that blocks are in."""
        group, note, kind, level = self._group, self._note, self._kind, self._level
        if name == "figure" or (group is None and name == "div" and holds_figure(element)):
            self._group = Group(group)
        if is_note(element):
            self._note = f"{self.name}#{element.get('id')}"
        if is_caption(element, name):
            self._kind = "caption"
        elif name in HEADINGS and kind != "caption":
            self._kind, self._level = "heading", HEADINGS[name]
        elif name == "dt":
            self._kind = "term"
        yield
        self._group, self._note, self._kind, self._level = group, note, kind, level

    def _container(self, element: etree._Element, name: str) -> None:
        if name == "pre":
            self._code(element)
        elif name == "table":
            self._table(element)
        elif name in ("ul", "ol", "dir"):
            self._list(element, name == "ol")
        elif name == "blockquote":
            self._within(_Prefix("> ", "> "), element)
        elif name == "dd":
            self._within(_Prefix(": ", "  "), element)
        elif name != "hr":
            self._flow(element)

    def _within(self, prefix: _Prefix, element: etree._Element) -> None:
        self._prefixes.append(prefix)
        self._flow(element)
        self._flush()
        self._prefixes.pop()

    def _list(self, element: etree._Element, is_ordered: bool) -> None:
        start = element.get("start", "1")
        number = int(start) if start.lstrip("-").isdecimal() and len(start) < 7 else 1
        for child in element:
            if local_name(child) != "li":
                self._child(child)
                continue
            if is_skipped(child, "li"):
                continue
            if anchor := child.get("id"):
                self._anchors.append(anchor)
            marker = f"{number}. " if is_ordered else "- "
            with self._inside(child, "li"):
                self._within(_Prefix(marker, " " * len(marker)), child)
            number += 1

    def _code(self, element: etree._Element) -> None:
        text = text_of(element).replace("\r\n", "\n").expandtabs(4).strip("\n")
        css = " ".join((element.get("class", ""), *(code.get("class", "") for code in element.iter("{*}code"))))
        language = _LANGUAGE.search(css)
        if text.strip():
            self._emit("code", f"```{language[1].lower() if language else ''}\n{text.rstrip()}\n```")

    # Tables.

    def _table(self, element: etree._Element) -> None:
        for caption in element.iterchildren("{*}caption"):
            self._flow(caption)
            self._flush()
        cells = cells_of(element)
        if is_layout(element, cells):
            for cell in chain.from_iterable(cells):
                self._child(cell)
        elif text := table_text(cells, self._cell):
            self._emit("table", text)

    def _cell(self, cell: etree._Element) -> str:
        inner = DocumentReader(self.name, self.is_marked)
        inner._flow(cell)
        inner._flush()
        lines = [line for block in inner.blocks for line in (block.first + block.text).split("\n")]
        return "<br>".join(line.strip() for line in lines).replace("|", "\\|")

    # Inline elements.

    def _inline(self, element: etree._Element, name: str) -> None:
        if name == "br":
            self._pieces.append(_BREAK)
        elif name in ("img", "image"):
            self._image(element)
        elif name == "svg":
            self._svg(element)
        elif name == "math":
            self._math(element)
        elif name in ("sup", "sub"):
            self._raise(element, name)
        elif name in ("code", "kbd", "samp", "tt"):
            text = _SPACES.sub(" ", text_of(element)).strip()
            self._add(self._inline_code(text))
        elif name == "q":
            self._add("“")
            self._flow(element)
            self._add("”")
        elif is_caption(element, name) and (self._figures or self._group is not None):
            self._flush()
            with self._inside(element, name):
                self._flow(element)
                self._flush()
        elif name != "wbr":
            self._flow(element)

    def _raise(self, element: etree._Element, name: str) -> None:
        start = len(self._pieces)
        self._raised += 1
        self._flow(element)
        self._raised -= 1
        added = "".join(self._pieces[start:])
        if NOTE_START not in added and added.strip():
            self._pieces[start:] = [raised(added) if name == "sup" else lowered(added)]

    def _math(self, element: etree._Element) -> None:
        tex = to_tex(element) or attribute(element, "alttext").strip()
        if not tex:
            return
        if element.get("display") == "block" or element.get("mode") == "display":
            self._flush()
            self._emit("formula", f"$$\n{tex}\n$$")
        else:
            self._pieces.append(self._formula(tex))

    def _formula(self, tex: str) -> str:
        return f"{FORMULA_START}{tex}{FORMULA_END}" if self.is_marked else f"${tex}$"

    def _inline_code(self, text: str) -> str:
        if self.is_marked:
            return f"{CODE_START}{text}{CODE_END}" if text else ""
        return f"`{text}`" if text and "`" not in text else text

    def _image(self, element: etree._Element) -> None:
        source = attribute(element, "src") or attribute(element, "xlink:href")
        alt = _SPACES.sub(" ", attribute(element, "alt")).strip()
        if is_formula(element, alt):
            self._pieces.append(self._formula(alt.strip("$")))
            return
        figure = Figure(alt=alt)
        if element.get("role") in ("presentation", "none"):
            figure.drop = "decoration"
        if source.lower().startswith("data:"):
            figure.data = _data(source)
        else:
            figure.name = resolve(self.name, source)[0] or ""
        if not figure.name and not figure.data:
            figure.drop = figure.drop or ("remote" if "//" in source else "missing")
        self._add_figure(figure)

    def _svg(self, element: etree._Element) -> None:
        images = list(element.iter("{*}image"))
        if len(images) == 1 and not any(local_name(part) in ("text", "path", "rect", "use") for part in element.iter()):
            self._image(images[0])
            return
        titles = [text_of(title) for title in element.iterchildren("{*}title")]
        data = etree.tostring(element, encoding="utf-8", with_tail=False)
        self._add_figure(Figure(data=data, alt=_SPACES.sub(" ", titles[0]).strip() if titles else ""))

    def _add_figure(self, figure: Figure) -> None:
        figure.base = self.name
        self._figures.append(figure)
        self._pieces.append(_FIGURE)

    # Blocks.

    def _add(self, text: str | None) -> None:
        if text:
            self._pieces.append(text)

    def _flush(self) -> None:
        """End the paragraph that was collected; figures inside it become blocks between its parts."""
        if not self._pieces:
            return
        raw = "".join(self._pieces)
        self._pieces.clear()
        if raw.isspace():  # between elements
            return
        if not raw.isascii():
            raw = _CJK_BREAK.sub("", raw).replace("\u00ad", "")
        figures, self._figures = self._figures, []
        kind: Kind = self._kind
        level = self._level
        had_text = False
        for number, part in enumerate(raw.split(_FIGURE)):
            if number:
                self._emit("figure", figure=figures[number - 1])
            lines = [" ".join(line.split()) for line in part.split(_BREAK)]
            text = "\n".join(lines).strip("\n")
            if text.strip():
                if kind == "heading":
                    text = " ".join(text.split())
                self._emit(kind, text, level)
                self.blocks[-1].goes_on = had_text
                had_text = True

    def _emit(self, kind: Kind, text: str = "", level: int = 0, figure: Figure | None = None) -> None:
        is_item = bool(self._prefixes) and kind == "text" and not self._prefixes[-1].marker.startswith(">")
        first = "".join(prefix.indent if prefix.is_used else prefix.marker for prefix in self._prefixes)
        if figure is None:
            for prefix in self._prefixes:
                prefix.is_used = True
        block = Block(
            kind="item" if is_item else kind,
            text=text,
            level=level,
            first="" if figure is not None else first,
            rest="".join(prefix.indent for prefix in self._prefixes),
            figure=figure,
            group=self._group,
            anchors=tuple(f"{self.name}#{anchor}" for anchor in self._anchors),
            note=self._note,
        )
        self._anchors.clear()
        if kind == "caption" and self._group is not None:
            self._group.captions.append(block)
        self.blocks.append(block)


def _data(uri: str) -> bytes:
    found = _DATA_URI.match(uri)
    if found is None or len(uri) > MAX_DATA_URI:
        return b""
    content = uri[found.end() :]
    if not found[2]:
        return unquote_to_bytes(content)
    try:
        return base64.b64decode(content)
    except (binascii.Error, ValueError):
        return b""
