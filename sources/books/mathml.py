"""MathML to TeX.

Both Python packages that do this were tried on the 10,281 formulas of a textbook and gave wrong ones; docs/decisions.md
has the faults.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

from lxml import etree

from sources.books import math_symbols as symbols
from sources.books.markup import local_name, text_of

_TEX = ("application/x-tex", "application/x-latex", "tex", "latex", "text/x-tex")
_MATRICES = {"()": "pmatrix", "[]": "bmatrix", "{}": "Bmatrix", "||": "vmatrix", "‖‖": "Vmatrix"}
_PRIMES = frozenset("′″‴'")
_DOTS = frozenset("…⋯⋮⋱")
_SPACE = re.compile(r"\s+")
MAX_KNOWN = 4096  # formulas whose TeX is kept: in a textbook of 10,281, 62 % are the same as an earlier one
_known: dict[bytes, str] = {}
_SPACES = re.compile(" {2,}")
_ENDS_IN_WORD = re.compile(r"\\[A-Za-z]+$")
_EDGE_SPACE = re.compile(r"^(\\quad\s*|\\[;, ]\s*)+|(\s*\\quad|\s*\\[;,])+\s*$")
_EM = re.compile(r"([\d.]+)em")
_OPEN, _CLOSE = frozenset("([{⟨〈⌊⌈|‖∥∣"), frozenset(")]}⟩〉⌋⌉|‖∥∣")
_TALL = re.compile(r"\\frac|\\begin|\\sum|\\prod|\\int|\\genfrac|\\sqrt|\\big")


def to_tex(math: etree._Element) -> str:
    """Return the TeX of a `math` element, without dollar signs. TeX that it was made from is taken as it is."""
    source = etree.tostring(math, with_tail=False)
    tex = _known.get(source)
    if tex is None:
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        tex = _known[source] = _tex_of(math)
    return tex


def _tex_of(math: etree._Element) -> str:
    for annotation in math.iter("{*}annotation"):
        if annotation.get("encoding", "").lower() in _TEX and (annotation.text or "").strip():
            return _SPACE.sub(" ", annotation.text or "").strip().strip("$")
    return _row(_children(math)).strip()


def _children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _text(element: etree._Element) -> str:
    text = text_of(element) if len(element) else element.text or ""
    return text if len(text) == 1 else _SPACE.sub(" ", text).strip()


def _tex(element: etree._Element) -> str:
    return _ELEMENTS.get(local_name(element), _group)(element)


def _group(element: etree._Element) -> str:
    children = _children(element)
    return _row(children) if children else _spelled(_text(element))


def _spelled(text: str) -> str:
    return _joined([symbols.tex_of(character) for character in text])


def _joined(pieces: Sequence[str]) -> str:
    """Join pieces, with a space where a command would run into a letter."""
    joined = ""
    for piece in pieces:
        if piece and joined and piece[0].isalpha() and _ENDS_IN_WORD.search(joined):
            joined += " "
        joined += piece
    return joined


def _row(children: Sequence[etree._Element]) -> str:
    """Return elements side by side, with spaces around operators that have a term on their left."""
    fenced = _fenced_table(children)
    if fenced is not None:
        return fenced
    pieces: list[str] = []
    has_term = False  # on the left of the next piece
    for child in children:
        name = local_name(child)
        operator = _text(child) if name == "mo" else ""
        piece = _ELEMENTS.get(name, _group)(child)
        if not piece:
            continue
        if name == "mspace":
            if has_term or "quad" in piece:  # a comma has its space already
                pieces.append(piece)
            continue
        if operator in symbols.RELATIONS or (operator in symbols.BINARY and has_term and operator != "/"):
            pieces.append(f" {piece} ")
            has_term = False
        elif operator in (",", ";"):
            pieces.append(f"{piece} ")
            has_term = False
        else:
            pieces.append(piece)
            has_term = not operator or operator in _CLOSE or operator in _PRIMES or operator in _DOTS
    row = _joined(pieces)
    return (_SPACES.sub(" ", row) if "  " in row else row).strip()


def _fenced_table(children: Sequence[etree._Element]) -> str | None:
    """Return a matrix or cases if the row is a table between two fences, or after a brace."""
    if not 2 <= len(children) <= 3 or local_name(children[0]) != "mo":
        return None
    table = _only(children[1])
    if local_name(table) != "mtable":
        return None
    closing = _text(children[2]) if len(children) == 3 and local_name(children[2]) == "mo" else ""
    if len(children) == 3 and closing == "" and _tex(children[2]):
        return None
    return _matrix(table, _text(children[0]), closing)


def _only(element: etree._Element) -> etree._Element:
    """Return the element inside rows of one element."""
    while local_name(element) in ("mrow", "mstyle", "mpadded") and len(_children(element)) == 1:
        element = _children(element)[0]
    return element


def _identifier(element: etree._Element) -> str:
    text = _text(element)
    variant = symbols.VARIANTS.get(element.get("mathvariant", ""))
    if text in symbols.FUNCTIONS:
        return f"\\{text}"
    spelled = _spelled(text if variant is None else unicodedata.normalize("NFKC", text))
    if len(text) > 1 and text.isascii() and text.isalpha():
        return f"\\{variant or 'mathrm'}{{{spelled}}}"
    if variant is None or not text or (variant == "mathrm" and not text.isalpha()):
        return spelled
    return f"\\{variant}{{{spelled}}}"


def _number(element: etree._Element) -> str:
    return _spelled(_text(element))


def _operator(element: etree._Element) -> str:
    text = _text(element)
    if text in symbols.FUNCTIONS:
        return f"\\{text}"
    return f"\\operatorname{{{text}}}" if len(text) > 1 and text.isalpha() else _spelled(text)


def _words(element: etree._Element) -> str:
    if _children(element):  # HTML inside
        return f"\\text{{{_escaped(_text(element))}}}"
    text = _SPACE.sub(" ", (element.text or "").replace("\u00a0", " "))
    if not text.strip():
        return r"\ " if text else ""
    return f"\\text{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return re.sub(r"([#$%&_{}])", r"\\\1", text.replace("\\", r"\backslash "))


def _space(element: etree._Element) -> str:
    if element.get("linebreak") == "newline":
        return r"\\ "
    width = _EM.match(element.get("width", ""))
    ems = float(width[1]) if width and width[1].count(".") <= 1 and width[1] != "." else 0.0
    return r"\quad " if ems >= 0.9 else r"\;" if ems > 0.25 else r"\," if ems > 0.1 else ""


def _parts(element: etree._Element, number: int) -> list[str]:
    """Return the first children as TeX; a missing one is empty."""
    found = [_tex(child) for child in _children(element)[:number]]
    return found + [""] * (number - len(found))


def _fraction(element: etree._Element) -> str:
    above, below = _parts(element, 2)
    if re.match(r"0(\D|$)", element.get("linethickness", "")):
        return f"\\genfrac{{}}{{}}{{0pt}}{{}}{{{above}}}{{{below}}}"
    return f"\\frac{{{above}}}{{{below}}}"


def _root(element: etree._Element) -> str:
    inside, degree = _parts(element, 2)
    return f"\\sqrt[{degree}]{{{inside}}}"


def _scripts(element: etree._Element) -> str:
    name = local_name(element)
    base, first, second = _parts(element, 3)
    below, above = {"msub": (first, ""), "msup": ("", first)}.get(name, (first, second))
    return _base(base) + _script("_", below) + _script("^", above)


def _base(base: str) -> str:
    is_simple = len(base) <= 1 or re.fullmatch(r"\\[A-Za-z]+(\{[^{}]*\})?|\d+|.*[)\]]|\\right.", base)
    return base if is_simple else f"{{{base}}}"


def _script(mark: str, script: str) -> str:
    if not script:
        return ""
    if mark == "^" and set(script) <= {"'"}:
        return script
    return f"{mark}{{{script}}}"


def _limits(element: etree._Element) -> str:
    name = local_name(element)
    base, first, second = _parts(element, 3)
    below, above = {"munder": (first, ""), "mover": ("", first)}.get(name, (first, second))
    children = _children(element)
    core = _text(children[0]) if children else ""
    marks = [_text(child) for child in children[1:3]]
    if name == "mover" and marks and marks[0] in symbols.OVER:
        command = symbols.OVER[marks[0]]
        return f"\\{symbols.WIDE.get(command, command) if len(core) > 1 else command}{{{base}}}"
    if name == "munder" and marks and marks[0] in symbols.UNDER:
        return f"\\{symbols.UNDER[marks[0]]}{{{base}}}"
    if core in symbols.ARROWS:
        return f"\\{symbols.ARROWS[core]}{f'[{below}]' if below else ''}{{{above}}}"
    if core in symbols.LIMITS or core in symbols.INTEGRALS or core in symbols.FUNCTIONS or "brace{" in base:
        return base + _script("_", below) + _script("^", above)
    if above:
        base = f"\\overset{{{above}}}{{{base}}}"
    return f"\\underset{{{below}}}{{{base}}}" if below else base


def _multiple_scripts(element: etree._Element) -> str:
    children = _children(element)
    if not children:
        return ""
    before: list[str] = []
    after: list[str] = []
    place = after
    for child in children[1:]:
        if local_name(child) == "mprescripts":
            place = before
        else:
            place.append("" if local_name(child) == "none" else _tex(child))
    left = _script("_", "".join(before[::2])) + _script("^", "".join(before[1::2]))
    right = _script("_", "".join(after[::2])) + _script("^", "".join(after[1::2]))
    return f"{'{}' + left if left else ''}{_base(_tex(children[0]))}{right}"


def _fenced(element: etree._Element) -> str:
    opening, closing = element.get("open", "("), element.get("close", ")")
    children = _children(element)
    if len(children) == 1 and local_name(_only(children[0])) == "mtable":
        return _matrix(_only(children[0]), opening, closing)
    separators = element.get("separators", ",").replace(" ", "")
    if not separators or len(children) < 2:
        content = _row(children)
    else:
        content = _tex(children[0])
        for k, child in enumerate(children[1:]):
            content += f"{_spelled(separators[min(k, len(separators) - 1)])} {_tex(child)}"
    return _fence(opening, content, closing)


def _fence(opening: str, content: str, closing: str) -> str:
    left, right = _spelled(opening) or ".", _spelled(closing) or "."
    if _TALL.search(content) or "." in (left, right):
        return _joined([f"\\left{left}", f" {content} " if left.isalpha() else content, f"\\right{right}"])
    return _joined([left, content, right])


def _matrix(table: etree._Element, opening: str, closing: str) -> str:
    body = _table_body(table)
    if (opening, closing) == ("{", ""):
        return f"\\begin{{cases}}{body}\\end{{cases}}"
    environment = _MATRICES.get(opening + closing)
    if environment is not None:
        return f"\\begin{{{environment}}}{body}\\end{{{environment}}}"
    return _fence(opening, f"\\begin{{matrix}}{body}\\end{{matrix}}", closing)


def _table(element: etree._Element) -> str:
    is_aligned = "align" in element.get("class", "") or element.get("columnalign", "").startswith("right left")
    is_aligned |= any("align" in cell.get("class", "") for cell in element.iter("{*}mtd"))
    rows = [row for row in _children(element) if local_name(row) in ("mtr", "mlabeledtr")]
    body = _table_body(element)
    if len(rows) == 1 and "&" not in body:
        return body.strip()
    environment = "aligned" if is_aligned else "matrix"
    return f"\\begin{{{environment}}}{body}\\end{{{environment}}}"


def _table_body(table: etree._Element) -> str:
    rows = []
    for row in _children(table):
        cells = [_EDGE_SPACE.sub("", _row(_children(cell))) for cell in _children(row)]
        if local_name(row) == "mlabeledtr":
            cells = cells[1:]
        while cells and not cells[-1]:
            cells.pop()
        rows.append(" & ".join(cells))
    joined = r" \\ ".join(rows)
    return f" {joined} "


def _enclosed(element: etree._Element) -> str:
    content = _group(element)
    notation = element.get("notation", "longdiv")
    if "box" in notation:
        return f"\\boxed{{{content}}}"
    if "strike" in notation:
        return f"\\cancel{{{content}}}"
    if notation == "top":
        return f"\\overline{{{content}}}"
    return f"\\underline{{{content}}}" if notation == "bottom" else content


def _first(element: etree._Element) -> str:
    children = _children(element)
    return _tex(children[0]) if children else ""


_ELEMENTS: dict[str, Callable[[etree._Element], str]] = {
    "mi": _identifier,
    "mn": _number,
    "mo": _operator,
    "mtext": _words,
    "ms": _words,
    "mspace": _space,
    "mfrac": _fraction,
    "msqrt": lambda element: f"\\sqrt{{{_group(element)}}}",
    "mroot": _root,
    "msub": _scripts,
    "msup": _scripts,
    "msubsup": _scripts,
    "munder": _limits,
    "mover": _limits,
    "munderover": _limits,
    "mmultiscripts": _multiple_scripts,
    "mfenced": _fenced,
    "mtable": _table,
    "menclose": _enclosed,
    "mphantom": lambda element: f"\\phantom{{{_group(element)}}}",
    "semantics": _first,
    "maction": _first,
    "annotation": lambda element: "",
    "annotation-xml": lambda element: "",
    "none": lambda element: "",
    "mglyph": lambda element: f"\\text{{{_escaped(element.get('alt', ''))}}}",
}
