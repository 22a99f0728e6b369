"""A page of a template of the user's own, or of a Markdown document of theirs."""

from dataclasses import replace

from sources.ocr.blocks import INSET, Block
from sources.ocr.manuscript import Manuscript
from sources.ocr.markup.elements import Element, parse
from sources.ocr.markup.page_blocks import PageBlocks
from sources.ocr.markup.slots import filled
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style, to_hex
from sources.ocr.templates.furniture import Furniture, sample_furniture
from sources.text.fonts import FontError, missing

CODE = (0.6, 0.9)  # range of the font size of code, in that of the text
CODE_WIDTH = 0.62  # of a character of code, in its font size


def own_template(sampler: ContentSampler, style: Style, num_pages: int = 1) -> Manuscript:
    """Return a document of one of the templates in the language of the text, with its slots filled."""
    fitting = [template for template in sampler.templates if template.language == sampler.text_language]
    template = sampler.random.choice(fitting)
    body = filled(template.body, template.slots, sampler)
    style, built = _built([body], style, sampler)
    furniture = sample_furniture(sampler, style) if num_pages > 1 else Furniture(style=style)
    return Manuscript(
        style=style,
        blocks=built.blocks,
        columns=[style.frame],
        furniture=furniture,
        css=_css(style, built.blocks),
        extra_css=_rules(style),
        record=built.record() if num_pages == 1 else None,
        must_fit=num_pages == 1,
    )


def document(sampler: ContentSampler, style: Style, num_pages: int = 1) -> Manuscript:
    """Return pages of a Markdown document of the user: one page from a place in it, several from its beginning."""
    wanted = round(style.capacity([style.frame]) * num_pages)
    bodies = [parse(html)[0] for html in sampler.markdown_blocks(wanted, is_start=num_pages > 1)]
    style, built = _built(bodies, style, sampler)
    return Manuscript(
        style=style,
        blocks=built.blocks,
        columns=[style.frame],
        furniture=sample_furniture(sampler, style),
        css=_css(style, built.blocks),
        extra_css=_rules(style),
    )


def _rules(style: Style) -> str:
    """Return rules of code in a line, and of tables of keys and values, which have no row of heads."""
    colours = f"background-color:{to_hex(style.paper)};color:{to_hex(style.ink)}"
    return f" .tt{{font-family:mono}} .fields th{{font-weight:normal;{colours}}}"


def _css(style: Style, blocks: list[Block]) -> dict[str, str]:
    """Return the rules of the classes that only markup has, and of code whose longest line fits, if it can."""
    size = style.size
    left, _, right, _ = style.frame
    longest = max((len(line) for block in blocks if block.is_verbatim for line in block.text.split("\n")), default=1)
    code_size = min(CODE[1] * size, max(CODE[0] * size, (right - left - 1.5 * size) / (CODE_WIDTH * longest)))
    items = {
        f"li{depth}": f"margin:0 0 {size * 0.3:.1f}px {size * (0.3 + 1.5 * depth):.1f}px;"
        f"text-indent:-{size * 1.3:.1f}px;text-align:left"
        for depth in (1, 2, 3)
    }
    opening = style.display(2.0, margin=f"{size * 1.2:.1f}px 0 {size * 0.5:.1f}px 0", is_coloured=True)
    return {**items, "h1": opening, "code": style.code(code_size)}


def _built(bodies: list[Element], style: Style, sampler: ContentSampler) -> tuple[Style, PageBlocks]:
    """Return the blocks of some elements, and the style with faces that have all of their characters.

    Raises:
        FontError: the family of the text lacks a character.
    """
    left, _, right, _ = style.frame
    text = "".join(part.text for body in bodies for part in body.texts())
    signs = "".join(sorted({sign for sign in text if not sign.isspace()}))
    if lacking := missing(signs, style.body.regular):
        raise FontError(f"{style.body.regular.family} lacks {lacking[0]!r}")
    if missing(signs, style.head.regular):
        style = replace(style, head=style.body)
    in_code = (part.text for body in bodies for element in _code(body) for part in element.texts())
    if missing("".join("".join(in_code).split()), style.mono.regular):
        style = replace(style, mono=style.body)
    built = PageBlocks(style, right - left, sampler.random)
    for body in bodies:
        built.add(body)
    if not _has_words(built.blocks):
        raise FontError("there is nothing to write in it")
    return style, built


def _code(body: Element) -> list[Element]:
    return [element for element in body.elements() if element.tag == "code"]


def _has_words(blocks: list[Block]) -> bool:
    return any(block.text.replace(INSET, "").strip() for block in blocks)
