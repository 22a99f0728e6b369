"""Commands in the formulas of a page that no reader of formulas knows: what a paper's own package draws with them."""

import re
from functools import cache

_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_FORMULA = re.compile(r"\$\$.*?\$\$|(?<!\\)\$[^$\n]+(?<!\\)\$", re.DOTALL)
_COMMAND = re.compile(r"\\[A-Za-z]+")
# Known to KaTeX or MathJax, though not to latex2mathml.
_ALSO_KNOWN = (
    *(
        "\\LaTeXe",
        "\\P",
        "\\allowbreak",
        "\\arg",
        "\\copyright",
        "\\dag",
        "\\ddag",
        "\\enskip",
        "\\hdotsfor",
        "\\hfill",
        "\\intertext",
    ),
    *("\\label", "\\nobreak", "\\raisebox", "\\shortintertext", "\\textasciicircum", "\\textasciitilde"),
    *("\\textbackslash", "\\textdegree", "\\texteuro", "\\textquotesingle", "\\textvisiblespace"),
)


def unknown_commands(markdown: str) -> int:
    """Return how many commands in the formulas of a page readers of formulas do not know.

    Args:
        markdown: the page, with formulas between dollar signs.
    """
    known = _known()
    formulas = _FORMULA.findall(_CODE.sub("", markdown))
    return sum(command not in known for formula in formulas for command in _COMMAND.findall(formula))


@cache
def _known() -> frozenset[str]:
    from latex2mathml import commands, symbols_parser  # an optional dependency

    found = {*_ALSO_KNOWN, *symbols_parser.SYMBOLS}
    for value in vars(commands).values():
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, tuple | list | set | frozenset | dict):
            found.update(name for name in value if isinstance(name, str))
    return frozenset(found)
