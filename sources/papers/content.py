r"""The content of a LaTeX paper: its commands and environments as blocks with formulas, tables and references."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sources.base.source import InputError
from sources.papers import commands
from sources.papers.archive import PaperFiles
from sources.papers.blocks import (
    CELL,
    CODE,
    CODE_END,
    LINE_BREAK,
    OPENING,
    ROW,
    STRONG,
    STRONG_END,
    Block,
    Content,
    Formula,
    Hole,
    Kind,
    Object,
    Picture,
    Span,
    Stream,
    object_mark,
)
from sources.papers.definitions import as_tex
from sources.papers.expansion import Expander
from sources.papers.formulas import formula_of, num_numbers
from sources.papers.reading import END
from sources.papers.symbols import ACCENTS, SIGNS, accented
from sources.papers.tokens import PARAGRAPH, Raw

MAX_BLOCKS = 100_000
_TEXT = {"~": " ", "``": "“", "''": "”"}
_LENGTH = re.compile(r"\s*=?\s*-?[\d.]*\s*(?:true\s*)?(?:pt|mm|cm|in|ex|em|mu|bp|pc|dd|cc|sp|fil+)?")
_FIXED = frozenset(
    (*commands.SECTIONS, *commands.LEFT_OUT, *commands.TRANSPARENT, *commands.STYLES, *commands.DECLARATIONS,
     *commands.REFERENCES, *commands.CITATIONS, *commands.FRONT, *commands.LENGTHS, *SIGNS, *ACCENTS, "\\begin",
     "\\end",
     "\\caption", "\\item", "\\footnote", "\\footnotetext", "\\thanks", "\\maketitle", "\\includegraphics", "\\bibitem",
     "\\multicolumn", "\\multirow", "\\url", "\\\\", "\\par", "\\(", "\\)", "\\[", "\\]", *commands.FIXED_ENVIRONMENTS)
)  # fmt: skip


def read_content(files: PaperFiles, main: str) -> Content:
    """Return the content of a paper.

    Args:
        main: name of its main file.
    Raises:
        InputError: the file is no LaTeX document, reads itself, or its macros have no end.
    """
    return _Reader(Expander(files, main, _FIXED)).read()


class _Reader:
    """Turns expanded tokens into blocks."""

    def __init__(self, expander: Expander):
        self._in = expander
        self._content = Content()
        self._text: list[str] = []
        self._kind: Kind = "paragraph"
        self._level = 0
        self._stream: Stream = "main"
        self._group = self._num_groups = 0
        self._closers: list[list[str]] = [[]]
        self._lists: list[str] = []
        self._front: list[Block] = []
        self._is_book = False

    def read(self) -> Content:
        """Read to the end of the document."""
        self._preamble()
        self._in.is_in_document = True
        while token := self._in.next():
            if token == "\\end" and self._end():
                break
            self._take(token)
        self._flush()
        if not self._content.blocks:
            raise InputError("no_text", "the paper has no text")
        self._content.missing = sorted(self._in.missing)
        self._content.read = self._in.read_names
        return self._content

    def _preamble(self) -> None:
        is_latex = False
        while token := self._in.next():
            if token in ("\\documentclass", "\\documentstyle"):
                self._in.optional()
                name = "".join(self._in.argument())
                self._is_book = any(part in name for part in ("book", "report", "memoir", "thesis"))
                is_latex = True
            elif token == "\\begin":
                if "".join(self._in.argument()) == "document":
                    return
            elif token in commands.FRONT:
                self._front_part(token)
        if not is_latex:
            raise InputError("not_latex", "the file is no LaTeX document: it has no \\documentclass")
        raise InputError("no_text", "the paper has no \\begin{document}")

    # Text

    def _take(self, token: str) -> None:
        if isinstance(token, Raw):
            self._raw(token)
        elif token[0] != "\\" or len(token) == 1:
            self._character(token)
        elif token in SIGNS:
            self._text.append(SIGNS[token])
        elif token in ACCENTS:
            base = self._in.expanded(self._in.argument())
            letters = "".join(SIGNS.get(part, part) for part in base if part not in "{}")
            self._text.append(accented(token, letters))
        elif token in _COMMANDS:
            _COMMANDS[token](self)
        elif token in commands.LEFT_OUT:
            self._arguments(commands.LEFT_OUT[token])
        elif token in commands.LENGTHS:
            self._length()
        elif token in commands.STYLES:
            self._styled(commands.STYLES[token])
        elif token in commands.DECLARATIONS:
            self._declared(commands.DECLARATIONS[token])
        elif token in commands.SECTIONS:
            self._heading(commands.SECTIONS[token])
        elif token in commands.REFERENCES:
            self._reference(2 if token in commands.TWO_LABELS else 1)
        elif token in commands.CITATIONS:
            self._citation()
        elif token in commands.TRANSPARENT:
            self._transparent(commands.TRANSPARENT[token])
        elif token in commands.FRONT:
            self._front_part(token)
        else:
            self._unknown()

    def _character(self, token: str) -> None:
        if token == "$":
            self._dollar()
        elif token == "{":
            self._closers.append([])
        elif token == "}":
            self._close_group()
        elif token == "`" or token == "'":
            self._quote(token)
        elif token == "-" and self._text:
            last = self._text[-1]
            self._text[-1:] = {"-": ["–"], "–": ["—"]}.get(last, [last, "-"])
        elif token == "&":
            self._text.append(" ")
        else:
            self._text.append(_TEXT.get(token, token))

    def _quote(self, token: str) -> None:
        last = self._text[-1] if self._text else ""
        single, double = ("‘", "“") if token == "`" else ("’", "”")
        if last == single:
            self._text[-1] = double
        else:
            self._text.append(single)

    def _unknown(self) -> None:
        following = self._in.raw()
        self._in.push((following,))
        if following == "[":
            self._in.optional()

    def _raw(self, token: Raw) -> None:
        if token.kind == "text":
            self._text.append(str(token))
            return
        if token.kind == "inline":
            self._text += [CODE, str(token), CODE_END]
            return
        self._flush()
        if token.strip():
            self._add(Block("code", token.rstrip().lstrip("\n"), stream=self._stream, group=self._group))

    def _styled(self, mark: str) -> None:
        content = self._in.argument()
        self._in.push([mark, *content, OPENING[mark]])

    def _declared(self, mark: str) -> None:
        self._text.append(mark)
        self._closers[-1].append(OPENING[mark])

    def _close_group(self) -> None:
        if len(self._closers) > 1:
            self._text += reversed(self._closers.pop())

    def _transparent(self, spec: str) -> None:
        parts = [self._one(letter) for letter in spec]
        if spec[:1] == "M":
            self._in.push(["{", *(parts[0] or ()), "}"])
        elif parts:
            self._in.push(["{", *(parts[-1] or ()), "}"])

    def _arguments(self, spec: str) -> None:
        for letter in spec:
            self._one(letter)

    def _one(self, letter: str) -> list[str] | None:
        if letter == "s":
            self._in.star()
            return None
        if letter == "d":
            while (token := self._in.raw()) not in (END, " ", PARAGRAPH, "}"):
                pass
            self._in.push((token,))
            return None
        if letter == "o":
            return self._in.optional()
        # A group must follow: what is left out takes no letter of the text along.
        return self._in.argument() if self._in.skip_spaces() == "{" or letter == "M" else None

    def _length(self) -> None:
        taken: list[str] = []
        token = self._in.raw()
        while token in ("=", " ", "-", ".") or token[:1].isdigit():
            taken.append(token)
            token = self._in.raw()
            if taken[-1][:1].isdigit() and token[:1].isalpha():
                taken.append(token)
                token = self._in.raw()
        if token.startswith("\\") and taken[:1] == ["="]:
            return
        text = "".join(taken)
        found = _LENGTH.match(text)
        rest = text[found.end() :] if found else text
        self._in.push((rest, token) if rest else (token,))
        if token in ("plus", "minus"):
            self._in.raw()
            self._length()

    # References

    def _object(self, item: Object) -> None:
        self._text.append(object_mark(len(self._content.objects)))
        self._content.objects.append(item)

    def _reference(self, num: int) -> None:
        self._in.star()
        for _ in range(num):
            self._in.argument()
        self._object(Hole("reference"))

    def _citation(self) -> None:
        self._in.star()
        self._in.optional()
        self._in.optional()
        self._in.argument()
        self._object(Hole("citation"))

    def _note(self, *, is_marked: bool = True) -> None:
        self._in.optional()
        if is_marked:
            self._object(Hole("note"))
        with self._apart("note", "notes"):
            self._object(Hole("label"))
            self._text.append(" ")
            self._run(self._in.argument())

    def _note_mark(self) -> None:
        self._in.optional()
        self._object(Hole("note"))

    @contextmanager
    def _apart(self, kind: Kind, stream: Stream | None = None, *, level: int = 0) -> Iterator[None]:
        """Collect separate text, and go on with the text around it afterwards."""
        kept = self._text, self._kind, self._stream, self._level, self._closers
        self._text, self._kind, self._stream, self._level = [], kind, stream or self._stream, level
        self._closers = [[]]
        yield
        self._flush()
        self._text, self._kind, self._stream, self._level, self._closers = kept

    def _run(self, tokens: list[str]) -> None:
        """Read tokens to their end."""
        mark = "\ue07d"
        self._in.push([*tokens, mark])
        while (token := self._in.next()) and token != mark:
            if token == "\\end":
                self._end()
            else:
                self._take(token)

    # Blocks

    def _add(self, block: Block) -> None:
        self._content.blocks.append(block)
        if len(self._content.blocks) > MAX_BLOCKS:
            raise InputError("too_large", f"the paper has more than {MAX_BLOCKS:,} blocks")

    def _flush(self) -> None:
        """End the block that is open."""
        text = "".join(self._text)
        self._text = []
        if text.strip():
            self._add(Block(self._kind, text, self._level, self._stream, self._group))
        if self._kind == "item":  # the item's further paragraphs
            self._kind = "paragraph"

    def _heading(self, level: int) -> None:
        self._flush()
        is_numbered = not self._in.star()
        self._in.optional()
        title = self._in.argument()
        with self._apart("heading", level=level):
            if is_numbered:
                self._object(Hole("label"))
                self._text.append(" ")
            self._run(title)

    def _literal(self, kind: Kind, text: str, level: int = 0) -> None:
        self._flush()
        self._add(Block(kind, text, level, self._stream, self._group))

    def _front_part(self, token: str) -> None:
        spec = commands.FRONT[token]
        parts = [self._one(letter) for letter in spec]
        kept, self._content.blocks = self._content.blocks, []
        with self._apart("title" if token == "\\title" else "front", "front"):
            self._run(parts[-1] or [])
        self._front += self._content.blocks
        self._content.blocks = kept

    def _make_title(self) -> None:
        self._flush()
        self._content.blocks += self._front
        self._front = []

    def _caption(self) -> None:
        self._in.star()
        self._in.optional()
        content = self._in.argument()
        self._flush()
        with self._apart("caption"):
            self._object(Hole("label"))
            self._text.append(" ")
            self._run(content)

    def _caption_of(self) -> None:
        self._in.star()
        self._in.argument()
        self._caption()

    def _item(self) -> None:
        self._flush()
        label = self._in.optional()
        self._kind, self._level = "item", max(0, len(self._lists) - 1)
        if label is not None:
            is_description = self._lists and "desc" in self._lists[-1]
            self._run([STRONG, *label, STRONG_END] if is_description else label)
            self._text.append(" ")
        elif self._lists and "enum" in self._lists[-1]:
            self._object(Hole("label"))
            self._text.append(" ")

    def _bib_item(self) -> None:
        self._flush()
        self._in.optional()
        self._in.argument()
        self._kind = "reference"
        self._object(Hole("label"))
        self._text.append(" ")

    def _graphics(self) -> None:
        self._in.star()
        self._in.optional()
        self._in.optional()
        self._picture(as_tex(self._in.argument()).strip())

    def _picture(self, name: str = "") -> None:
        self._object(Picture(name))
        if not self._group:
            return
        self._kind = "picture"
        self._flush()
        self._kind = "paragraph"

    def _url(self) -> None:
        self._text.append(as_tex(self._in.argument()))

    # Formulas

    def _dollar(self) -> None:
        following = self._in.raw()
        if following == "$":
            self._display(self._math(("$", "$")), 0)
            return
        self._in.push((following,))
        tokens = self._math(("$",))
        if "\\ref" in tokens or "\\cite" in tokens:  # a raised reference, `$^{\\ref{note}}$`
            self._object(Hole("reference"))
            return
        tex = formula_of(tokens)
        if tex:
            self._object(Formula(tex))

    def _math(self, end: tuple[str, ...]) -> list[str]:
        """Read a formula with its macros expanded."""
        found: list[str] = []
        depth = 0
        was_math, self._in.is_math = self._in.is_math, True
        while token := self._in.next():
            depth += (token == "{") - (token == "}")
            if token == PARAGRAPH:  # TeX would stop here
                break
            if token in ("\\text", "\\mbox", "\\textrm", "\\hbox", "\\textit", "\\textbf", "\\intertext"):
                found += [token, "{", *self._in.argument(), "}"]
                continue
            found.append(token)
            if depth <= 0 and tuple(found[-len(end) :]) == end:
                del found[-len(end) :]
                break
        self._in.is_math = was_math
        return found

    def _display(self, tokens: list[str], num: int, environment: str = "") -> None:
        self._flush()
        tex = formula_of(tokens, environment)
        if tex:
            self._object(Formula(tex, is_display=True, num_numbers=num))
            kind, self._kind = self._kind, "formula"
            self._flush()
            self._kind = kind if kind != "item" else "paragraph"

    def _equations(self, name: str) -> None:
        base = name.removesuffix("*")
        if base in ("alignat", "xalignat", "IEEEeqnarray", "xxalignat"):
            self._in.optional()
            self._in.argument()
        elif base in ("equation", "align", "gather", "multline", "dmath", "empheq"):
            self._in.optional() if base in ("dmath", "empheq") else None
        tokens = self._math(("\\end", "{", *self._letters(name), "}"))
        if base == "math":
            self._object(Formula(formula_of(tokens)))
            return
        self._display(tokens, num_numbers(tokens, name), base)

    @staticmethod
    def _letters(name: str) -> tuple[str, ...]:
        """The tokens of a name."""
        return (name[:-1], "*") if name.endswith("*") else (name,)

    # Environments

    def _begin(self) -> None:
        name = "".join(self._in.argument())
        if self._in.begin(name):
            return
        base = name.removesuffix("*")
        self._in.open_scope()
        if base in commands.MATH:
            self._equations(name)
            self._in.close_scope()
            return
        self._closers.append([])
        if base in commands.DRAWN or name in commands.DRAWN:
            self._in.until(("\\end", "{", *self._letters(name), "}"))
            self._picture()
            self._close_environment()
        elif base in commands.TABLES:
            self._table(name)
            self._close_environment()
        elif base in commands.FLOATS:
            self._arguments(commands.ENVIRONMENTS.get(base, "o"))
            self._float(commands.FLOATS[base], name)
        elif base in commands.LISTS:
            self._flush()
            self._arguments(commands.ENVIRONMENTS.get(name, "o"))
            self._lists.append(name)
        elif base in self._in.theorems or base in commands.THEOREMS:
            self._theorem(base)
        else:
            self._arguments(commands.ENVIRONMENTS.get(name, "o"))
            self._other(base)

    def _close_environment(self) -> None:
        self._in.close_scope()
        self._close_group()

    def _other(self, name: str) -> None:
        self._flush()
        if name == "abstract":
            self._literal("heading", "Abstract", 2)
        elif name == "thebibliography":
            self._literal("heading", "Bibliography" if self._is_book else "References", 2)

    def _theorem(self, name: str) -> None:
        self._flush()
        self._kind = "paragraph"
        self._text.append(STRONG)
        self._object(Hole("label"))
        self._text.append(STRONG_END + " ")
        note = self._in.optional()
        if note is not None:
            self._run(["(", *note, ")", " "])

    def _float(self, stream: str, name: str) -> None:
        self._flush()
        kept = self._stream, self._group, self._kind, self._level
        if not self._group:
            self._num_groups += 1
            self._group = self._num_groups
        self._stream = "tables" if stream == "tables" else "figures"
        self._kind, self._level = "paragraph", 0
        while token := self._in.next():
            if token == "\\end" and self._end(stop=name):
                break
            if token != "\\end":
                self._take(token)
        self._flush()
        self._stream, self._group, self._kind, self._level = kept

    def _end(self, stop: str = "document") -> bool:
        r"""Handle \end; True for the environment that is waited for."""
        name = "".join(self._in.argument())
        if self._in.end(name):
            return False
        if name == "document" or name == stop:
            if name != "document":
                self._close_environment()
            return True
        self._close_environment()
        if name in self._lists:
            self._flush()
            while self._lists.pop() != name:
                pass
            self._kind, self._level = "paragraph", max(0, len(self._lists) - 1)
        elif name != "minipage":
            self._flush()
            self._kind = "paragraph"
        if name == "frontmatter":
            self._make_title()
        return False

    # Tables

    def _table(self, name: str) -> None:
        base = name.removesuffix("*")
        self._arguments(commands.TABLES[base])
        outer, self._text = self._text, []
        self._closers.append([])
        while token := self._in.next():
            if token == "\\end":
                inner = "".join(self._in.argument())
                if inner == name or inner == "document":
                    break
                if not self._in.end(inner):
                    self._close_environment()
            elif token == "&":
                self._text += [*reversed(self._closers[-1]), CELL]
                self._closers[-1].clear()
            elif token in ("\\\\", "\\tabularnewline", "\\cr"):
                self._in.star()
                self._in.optional()
                self._text += [*reversed(self._closers[-1]), ROW]
                self._closers[-1].clear()
            elif token == "\\multicolumn":
                self._span(columns=self._int(), spec=True)
            elif token == "\\multirow":
                self._in.optional()
                self._span(rows=self._int(), spec=True)
            elif token == PARAGRAPH:
                self._text.append(" ")
            elif token in ("\\caption", "\\endhead", "\\endfirsthead", "\\endfoot", "\\endlastfoot"):
                self._longtable(token)
            else:
                self._take_cell(token)
        self._close_group()
        text, self._text = "".join(self._text), outer
        if CELL not in text and ROW not in text.strip().rstrip(ROW):  # one cell only arranges its content
            self._text.append(text.replace(ROW, " "))
            return
        if self._text and CELL in "".join(self._text):  # a table in a cell
            self._text.append(text.replace(CELL, " ").replace(ROW, LINE_BREAK))
            return
        self._flush()
        self._add(Block("table", text, stream=self._stream, group=self._group))

    def _take_cell(self, token: str) -> None:
        num = len(self._content.blocks)
        kind, self._kind = self._kind, "paragraph"
        self._take(token)
        self._kind = kind
        # Blocks inside of cells stay in their cells.
        inner = [block for block in self._content.blocks[num:] if block.kind not in ("note", "caption")]
        if inner:
            self._content.blocks[num:] = [b for b in self._content.blocks[num:] if b.kind in ("note", "caption")]
            self._text[:0] = [" ".join(block.text for block in inner if block.kind != "table")]

    def _longtable(self, token: str) -> None:
        if token == "\\caption":
            self._in.star()
            self._in.optional()
            content = self._in.argument()
            with self._apart("caption"):
                self._object(Hole("label"))
                self._text.append(" ")
                self._run(content)
        elif token == "\\endfoot" or token == "\\endlastfoot":
            self._text[:] = []

    def _int(self) -> int:
        text = "".join(self._in.argument()).strip()
        return max(1, min(int(text), 100)) if text.isascii() and text.isdecimal() else 1

    def _span(self, *, columns: int = 1, rows: int = 1, spec: bool) -> None:
        if spec:
            self._in.argument()
            self._in.optional()
        self._object(Span(columns, rows))
        self._in.push(["{", *self._in.argument(), "}"])

    def _new_line(self) -> None:
        self._in.star()
        following = self._in.raw()
        self._in.push((following,))
        if following == "[":
            self._in.optional()
        self._text.append(LINE_BREAK)


_COMMANDS: dict[str, Callable[[_Reader], None]] = {
    PARAGRAPH: _Reader._flush,
    "\\begin": _Reader._begin,
    "\\caption": _Reader._caption,
    "\\captionof": _Reader._caption_of,
    "\\footnote": _Reader._note,
    "\\thanks": _Reader._note,
    "\\footnotemark": _Reader._note_mark,
    "\\footnotetext": lambda reader: reader._note(is_marked=False),
    "\\item": _Reader._item,
    "\\bibitem": _Reader._bib_item,
    "\\includegraphics": _Reader._graphics,
    "\\epsfig": _Reader._graphics,
    "\\maketitle": _Reader._make_title,
    "\\url": _Reader._url,
    "\\path": _Reader._url,
    "\\nolinkurl": _Reader._url,
    "\\(": lambda reader: reader._object(Formula(formula_of(reader._math(("\\)",))))),
    "\\[": lambda reader: reader._display(reader._math(("\\]",)), 0),
    "\\\\": _Reader._new_line,
    "\\and": lambda reader: reader._text.append(" "),
    "\\AND": lambda reader: reader._text.append(" "),
}
