r"""Text in formulas: `\text{if $x>0$}` becomes `\text{if }x>0`, with macros expanded and signs that readers know."""

from collections.abc import Mapping

from sources.papers.expansion import Expander
from sources.papers.symbols import SIGNS
from sources.papers.tokens import Raw, is_command

# Commands whose argument is text, and those that readers of formulas know in their place.
TEXT: Mapping[str, str] = {
    **{f"\\{name}": f"\\{name}" for name in ("text", "mbox", "hbox", "textrm", "textit", "textbf", "texttt", "textsf",
                                             "textup", "textnormal", "textmd", "intertext")},
    "\\textsl": "\\textit", "\\emph": "\\textit", "\\textsc": "\\text",
}  # fmt: skip
_STOP = "\ue07c"
_KNOWN = frozenset(
    ("\\quad", "\\qquad", "\\ldots", "\\dots", "\\LaTeX", "\\TeX", "\\S", "\\P", "\\copyright", "\\pounds")
)
_ESCAPED = {sign: f"\\{sign}" for sign in "%&#_{}$"} | {
    "\\": "\\textbackslash ",
    "~": "\\textasciitilde ",
    "^": "\\textasciicircum ",
}


def text_in_formula(expander: Expander, command: str) -> list[str]:
    """Read the argument of a command for text in a formula, and return both as tokens."""
    expander.push([*expander.argument(), _STOP])
    opening = [TEXT[command], "{"]
    found = [*opening]
    depth, is_math = 0, False
    expander.is_math = False
    while (token := expander.next()) and token != _STOP:
        depth += (token == "{") - (token == "}")
        if token == "$" and depth == 0 and command != "\\intertext":
            is_math = not is_math
            found += ["}"] if is_math else opening
            expander.is_math = is_math
        elif is_math:
            found.append(token)
        else:
            found += _text(token)
    expander.is_math = True
    return _without_empty([*found, *([] if is_math else ["}"])], opening)


def _text(token: str) -> list[str]:
    """Return a token of text as readers of formulas know it."""
    if isinstance(token, Raw):
        return [_ESCAPED.get(sign, sign) for sign in token]
    if is_command(token) and token[1:].isalpha() and token not in _KNOWN and token in SIGNS:
        return [_ESCAPED.get(sign, sign) for sign in SIGNS[token]]
    return [TEXT.get(token, token)]


def _without_empty(tokens: list[str], opening: list[str]) -> list[str]:
    """Drop empty text before and after a formula."""
    empty = [*opening, "}"]
    if tokens[:3] == empty and len(tokens) > 3:
        tokens = tokens[3:]
    return tokens[:-3] if tokens[-3:] == empty and len(tokens) > 3 else tokens
