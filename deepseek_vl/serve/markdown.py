"""Renders answers for the page: Markdown to HTML, formulas to MathML, code with highlighting.

The text is a model's and is not trusted: HTML in it is shown as text, images become links, links lead only to the web
or to mail addresses, and formulas are built from an allowed set of elements.
"""

import html
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MAX_CHARS = 100_000
MAX_FORMULA_CHARS = 2_000
MAX_FORMULA_LINES = 50
MAX_CODE_CHARS = 20_000
CLOSING = {"\\(": "\\)", "\\[": "\\]"}
LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
# fmt: off
MATHML = frozenset({
    "math", "menclose", "merror", "mfenced", "mfrac", "mi", "mlabeledtr", "mmultiscripts", "mn", "mo", "mover",
    "mpadded", "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup",
    "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "none",
})
ATTRIBUTES = frozenset({
    "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth", "display", "displaystyle", "fence",
    "form", "height", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation",
    "rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "width",
})
# fmt: on


def to_html(text: str) -> str:
    """Render an answer as HTML without scripts, styles, images and forms. Every text is Markdown."""
    if len(text) > MAX_CHARS:
        return f"<pre>{html.escape(text)}</pre>"
    rendered: str = PARSER.render(text)
    return rendered


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "highlight": _highlighted})
    parser.enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_digits=False, double_inline=True, renderer=_formula)
    parser.use(amsmath_plugin, renderer=lambda text: _formula(text, {"display_mode": True}))
    parser.block.ruler.before(
        "fence", "bracket_math", _bracket_block, {"alt": ["paragraph", "reference", "blockquote"]}
    )
    parser.inline.ruler.before("escape", "bracket_math", _bracket_inline)
    parser.validateLink = lambda url: LINK.match(url) is not None  # type: ignore[method-assign]
    parser.add_render_rule("bracket_math", _bracket_math)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("th_open", _cell)
    parser.add_render_rule("td_open", _cell)
    return parser


def _bracket_inline(state: StateInline, silent: bool) -> bool:
    r"""Read a formula in `\(…\)` or `\[…\]` inside of a paragraph."""
    opening = state.src[state.pos : state.pos + 2]
    end = state.src.find(CLOSING.get(opening, "\0"), state.pos + 2, state.pos + 2 + MAX_FORMULA_CHARS)
    if end < 0:
        return False
    if not silent:
        token = state.push("bracket_math", "", 0)
        token.content, token.markup = state.src[state.pos + 2 : end], opening
    state.pos = end + 2
    return True


def _bracket_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    r"""Read a formula in `\[…\]` that fills whole lines; they would be lists or rules otherwise."""
    if not state.getLines(start, start + 1, state.blkIndent, False).lstrip().startswith("\\["):
        return False
    for last in range(start, min(end, start + MAX_FORMULA_LINES)):
        line = state.getLines(last, last + 1, state.blkIndent, False).rstrip()
        if "\\]" in line:
            if not line.endswith("\\]"):
                return False
            break
    else:
        return False
    if not silent:
        text = state.getLines(start, last + 1, state.blkIndent, False).strip()
        token = state.push("bracket_math", "", 0)
        token.content, token.markup, token.block = text[2:-2], "\\[", True
        token.map = [start, last + 1]
        state.line = last + 1
    return True


def _bracket_math(renderer: RendererProtocol, tokens: Sequence[Token], k: int, options: Any, env: Any) -> str:
    shown = _formula(tokens[k].content, {"display_mode": tokens[k].markup == "\\["})
    return f"<p>{shown}</p>\n" if tokens[k].block else shown


def _image(renderer: RendererProtocol, tokens: Sequence[Token], k: int, options: Any, env: Any) -> str:
    """Return a link: the page loads nothing from elsewhere."""
    url, label = str(tokens[k].attrGet("src") or ""), tokens[k].content or "image"
    if not LINK.match(url):
        return html.escape(label)
    return f'<a href="{html.escape(url)}" rel="noreferrer noopener" target="_blank">{html.escape(label)}</a>'


def _link_open(renderer: Any, tokens: Sequence[Token], k: int, options: Any, env: Any) -> str:
    tokens[k].attrSet("rel", "noreferrer noopener")
    tokens[k].attrSet("target", "_blank")
    opened: str = renderer.renderToken(tokens, k, options, env)
    return opened


def _cell(renderer: Any, tokens: Sequence[Token], k: int, options: Any, env: Any) -> str:
    """Return a cell that is aligned by a class: the page's policy allows no styles in elements."""
    style = str(tokens[k].attrs.pop("style", ""))
    if style:
        tokens[k].attrSet("class", style.rpartition(":")[2])
    opened: str = renderer.renderToken(tokens, k, options, env)
    return opened


def _highlighted(code: str, language: str, attributes: str) -> str:
    if not language or len(code) > MAX_CODE_CHARS:
        return ""  # the parser escapes it
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    shown: str = highlight(code, lexer, HtmlFormatter(nowrap=True))
    return shown


def _formula(text: str, options: dict[str, Any]) -> str:
    """Return a formula as MathML; a formula that cannot be converted is shown as it was written."""
    written = html.escape(text.strip())
    if len(text) > MAX_FORMULA_CHARS or text.count("{") > 200:
        return f"<code>{written}</code>"
    if "&" in text and "\\begin" not in text:
        text = f"\\begin{{align*}}{text}\\end{{align*}}"
    text = text.replace("{aligned}", "{align*}")  # which the converter does not know
    try:
        math = convert_to_element(text.strip(), display="block" if options.get("display_mode") else "inline")
        _restrict(math)
        return ElementTree.tostring(math, encoding="unicode")
    except Exception:  # the converter has no class for all its errors, and a formula must not cost the answer
        return f"<code>{written}</code>"


def _restrict(element: ElementTree.Element) -> None:
    """Keep only elements and attributes of formulas, and resolve the converter's escapes; ElementTree makes its own."""
    if element.tag not in MATHML:
        raise ValueError(f"{element.tag} is no element of a formula")
    element.attrib = {name: value for name, value in element.attrib.items() if name in ATTRIBUTES}
    if element.text:
        element.text = html.unescape(element.text)
    for child in element:
        _restrict(child)


PARSER = _parser()
