r"""Formulas in text and on lines of their own, with their macros expanded."""

from sources.papers.blocks import Formula, Hole
from sources.papers.content_reader import ContentReader
from sources.papers.formulas import formula_of, num_numbers
from sources.papers.math_text import TEXT, text_in_formula
from sources.papers.tokens import PARAGRAPH

# Formulas of one sign are text: `$\backslash$` is how old papers print one.
_SIGNS = {
    "\\backslash": "\\", "\\langle": "⟨", "\\rangle": "⟩", "<": "<", ">": ">", "|": "|", "/": "/",
    "\\{": "{", "\\}": "}", "\\lbrace": "{", "\\rbrace": "}", "\\vert": "|", "\\mid": "|", "[": "[", "]": "]",
    "\\lbrack": "[", "\\rbrack": "]",
    "\\ldots": "…", "\\dots": "…",
}  # fmt: skip


def dollar(reader: ContentReader) -> None:
    """Read a formula after its first `$`."""
    following = reader.tokens.raw()
    if following == "$":
        _display(reader, _formula(reader, ("$", "$")), 0)
        return
    reader.tokens.push((following,))
    tokens = _formula(reader, ("$",))
    if "\\ref" in tokens or "\\cite" in tokens:  # a raised reference, `$^{\\ref{note}}$`
        reader.object(Hole("reference"))
        return
    _write_inline(reader, tokens)


def inline(reader: ContentReader, token: str) -> None:
    r"""Read a formula after `\(`."""
    _write_inline(reader, _formula(reader, ("\\)",)))


def _write_inline(reader: ContentReader, tokens: list[str]) -> None:
    tex = formula_of(tokens)
    sign = _SIGNS.get(tex.removesuffix("{}").strip())
    if sign is not None:
        reader.text.append(sign)
    elif tex:
        reader.object(Formula(tex))


def display(reader: ContentReader, token: str) -> None:
    r"""Read a formula after `\[`."""
    _display(reader, _formula(reader, ("\\]",)), 0)


def equations(reader: ContentReader, name: str) -> None:
    """Read an environment of formulas."""
    base = name.removesuffix("*")
    if base in ("alignat", "xalignat", "IEEEeqnarray", "xxalignat"):
        reader.tokens.optional()
        reader.tokens.argument()
    elif base in ("dmath", "empheq"):
        reader.tokens.optional()
    tokens = _formula(reader, end_of(name))
    if base == "math":
        reader.object(Formula(formula_of(tokens)))
        return
    _display(reader, tokens, num_numbers(tokens, name), base)


def end_of(name: str) -> tuple[str, ...]:
    r"""Return the tokens of \end of an environment."""
    letters = (name[:-1], "*") if name.endswith("*") else (name,)
    return ("\\end", "{", *letters, "}")


def _formula(reader: ContentReader, end: tuple[str, ...]) -> list[str]:
    """Read a formula with its macros expanded."""
    found: list[str] = []
    depth = 0
    was_math, reader.tokens.is_math = reader.tokens.is_math, True
    while token := reader.tokens.next():
        depth += (token == "{") - (token == "}")
        if token == PARAGRAPH:  # TeX would stop here
            break
        if token in TEXT:
            found += text_in_formula(reader.tokens, token)
            continue
        found.append(token)
        if depth <= 0 and tuple(found[-len(end) :]) == end:
            del found[-len(end) :]
            break
    reader.tokens.is_math = was_math
    return found


def _display(reader: ContentReader, tokens: list[str], num: int, environment: str = "") -> None:
    reader.flush()
    tex = formula_of(tokens, environment)
    if tex:
        reader.object(Formula(tex, is_display=True, num_numbers=num))
        kind, reader.kind = reader.kind, "formula"
        reader.flush()
        reader.kind = kind if kind != "item" else "paragraph"
