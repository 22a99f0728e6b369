r"""Formulas as TeX that stands alone: without labels, with the environments that renderers know inside of `$$`."""

import re
from collections.abc import Mapping

from sources.papers.definitions import Tokens, as_tex

_LABEL = re.compile(r"\\label\s*\{[^{}]*\}|\\(?:nonumber|notag|displaylimits|allowdisplaybreaks)\b(?:\[\d\])?")
_SPACE = re.compile(r"\s+")
_NUMBERED = ("equation", "align", "gather", "multline", "eqnarray", "flalign", "alignat", "dmath", "IEEEeqnarray")
_BY_ROW = ("align", "gather", "eqnarray", "flalign", "alignat", "IEEEeqnarray")
_INNER: Mapping[str, str] = {
    "align": "aligned", "flalign": "aligned", "alignat": "aligned", "xalignat": "aligned", "eqnarray": "aligned",
    "gather": "gathered", "multline": "gathered", "IEEEeqnarray": "aligned",
}  # fmt: skip
_COMMAND = re.compile(
    r"\\(?:begin|end)\s*\{[^{}]*\}(?:\{[^{}]*\})?|\\(?:left|right|big|Big|bigg|Bigg)[lr]?\b"
    r"|\\(?:hspace|vspace|kern)\*?\s*\{[^{}]*\}|\\(sin|cos|tan|log|ln|exp|lim|max|min|sup|inf|det|dim|ker|arg|Pr|gcd|limsup"
    r"|liminf|sinh|cosh|tanh|cot|sec|csc|mod|bmod)\b|\\[A-Za-z]+"
)
_GREEK = dict.fromkeys(
    (  # noqa: SIM905  # easier to read
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
        "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega hbar ell partial "
        "infty sum prod int in nabla forall exists"
    ).split(),
    "x",
)


def formula_of(tokens: Tokens, environment: str = "") -> str:
    """Return the tokens of a formula as TeX; empty if nothing is left.

    Args:
        environment: the one that it was in, without a star.
    """
    tex = _SPACE.sub(" ", _LABEL.sub("", as_tex(tokens))).strip()
    inner = _INNER.get(environment)
    if inner and tex and ("\\\\" in tex or "&" in tex):
        if environment in ("eqnarray", "IEEEeqnarray"):
            tex = re.sub(r"&\s*((?:[^&\\{}]|\\[A-Za-z]+(?=[\s&]))*?)\s*&", r"&\1 ", tex)
        tex = f"\\begin{{{inner}}} {tex} \\end{{{inner}}}"
    return tex


def num_numbers(tokens: Tokens, name: str) -> int:
    """Return how many numbers an environment prints next to its formula."""
    if name not in _NUMBERED:
        return 0
    num_rows, depth = 1, 0
    if name in _BY_ROW:
        for token in tokens:
            depth += (token in ("{", "\\begin")) - (token in ("}", "\\end"))
            num_rows += token == "\\\\" and depth == 0
    unnumbered = sum(token in ("\\nonumber", "\\notag") for token in tokens)
    return max(0, num_rows - unnumbered)


def printed_length(tex: str) -> int:
    """Return about how many letters and digits a formula has in print; Greek letters are letters."""
    text = _COMMAND.sub(lambda found: found[1] or _GREEK.get(found[0][1:], ""), tex)
    return sum(map(str.isalnum, text))
