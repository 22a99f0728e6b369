"""A page of Chinese or Japanese in vertical columns from right to left."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random

import numpy as np
from pymupdf import mupdf

from sources.base.illegible import Illegible
from sources.ocr.alignment import split_unspaced
from sources.ocr.arrays import Floats
from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Area, Page, PageLayout, boxes_to_quads, draw_paper
from sources.ocr.passages import ContentSampler
from sources.ocr.rendered_text import RenderedText
from sources.ocr.style import Family, Style, font_families
from sources.ocr.typefaces import Glyphs, ink_box, load_glyphs
from sources.ocr.vocabulary import label
from sources.ocr.writing.traditional import in_script_of
from sources.text.fonts import missing, vertical_forms

# Punctuation that is rotated or moved in vertical text has separate code points.
UPRIGHT = str.maketrans("，、。：；！？（）《》〈〉「」『』【】…—", "︐︑︒︓︔︕︖︵︶︽︾︿﹀﹁﹂﹃﹄︻︼︙︱")
HANGING = "，、。：；！？）》〉」』】"
LAGGING = HANGING + "ーっゃゅょぁぃぅぇぉッャュョァィゥェォ々・…"  # must not begin a column
OPENING = "（《〈「『【"  # must not end one
MAX_HANGING = 2
QUOTES = str.maketrans("“”‘’", "「」『』")
DIGITS = str.maketrans("0123456789%", "〇一二三四五六七八九％")
_YEAR = re.compile(r"\d{4}(?=年)|\d{5,}")  # read digit by digit; other numbers are read as numbers
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_ONE_OF_MANY = re.compile("一(?=[十百千])")


def vertical(sampler: ContentSampler, style: Style) -> PageLayout:
    """Return a vertical page. Raises Illegible if no font has the vertical punctuation or a character is missing."""
    random = sampler.random
    style = dataclasses.replace(style, body=_choose_family(style, random))
    face = load_glyphs(style.body.regular)
    forms = vertical_forms(style.body.regular) if sampler.text_language == "ja" else {}
    size = style.size * random.uniform(1.05, 1.35)
    step, pitch = size * random.uniform(1.05, 1.2), size * random.uniform(1.6, 2.1)
    left, top, right, bottom = style.frame
    per_column = int((bottom - top) / step)
    blocks: list[Block] = []
    columns: list[tuple[int, int, str]] = []  # block, first row, characters
    number = int((right - left) / pitch)
    if random.random() < 0.5:
        blocks.append(
            heading(_to_vertical(label("chapter", style.language, n=random.randint(1, 9)), style.language), 1)
        )
        columns += [(0, 2, blocks[0].text), (0, 0, "")]
    while len(columns) < number:
        text = _to_vertical(sampler.paragraph(), style.language)
        if not text:
            raise Illegible("nothing_vertical", "a paragraph has no characters that stand upright")
        blocks.append(paragraph(text))
        indent = "　" if sampler.text_language == "ja" else "　　"
        columns += [(len(blocks) - 1, 0, column) for column in _split_columns(indent + text, per_column)]
    columns = columns[:number]
    signs = "".join(text for _, _, text in columns).replace("　", "")
    missing_signs = missing(signs if forms else signs.translate(UPRIGHT), style.body.regular)
    if missing_signs:
        raise Illegible(
            "missing_glyph", f"the font {style.body.regular.family} has no {missing_signs[0]!r} for vertical text"
        )
    rules = [
        Area(box=(right - pitch * k, top - 6, right - pitch * k + 1, bottom + 6), colour=(170, 60, 50))
        for k in range(number + 1)
    ]
    page = Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=(),
        css="",
        flows=(),
        areas=rules if random.random() < 0.35 else (),
    )
    return _render(page, columns, blocks, (face, forms), style, (size, step, pitch))


def _choose_family(style: Style, random: Random) -> Family:
    """Return the family of the style if it has vertical punctuation, else one that has."""
    if style.language == "ja":
        having = [family for family in font_families("ja", ("serif", "sans")) if vertical_forms(family.regular)]
        if not having:
            raise Illegible("missing_glyph", "no Japanese font that is installed has glyphs for vertical text")
        return style.body if style.body in having else random.choice(having)
    signs = "".join(map(chr, UPRIGHT.values()))
    fitting = [
        family for family in font_families(style.language, ("serif", "sans")) if not missing(signs, family.regular)
    ]
    if not fitting:
        raise Illegible("missing_glyph", "no Chinese font that is installed has the signs of vertical text")
    return style.body if style.body in fitting else random.choice(fitting)


def _split_columns(text: str, length: int) -> Iterator[str]:
    """Yield columns of `length` characters; punctuation that must not begin a column hangs below the one before."""
    while text:
        end = length
        while text[end : end + 1] and text[end] in HANGING and end < length + MAX_HANGING:
            end += 1
        while end < len(text) and end > 1 and (text[end] in LAGGING or text[end - 1] in OPENING):
            end -= 1
        yield text[:end]
        text = text[end:]


def _to_vertical(text: str, language: str) -> str:
    """Convert a text to vertical setting: Chinese numerals and corner quotes; other characters are dropped."""
    text = _THOUSANDS.sub("", text.translate(QUOTES))
    replaced = _YEAR.sub(lambda found: found[0].translate(DIGITS), text)
    write = japanese_number if language == "ja" else lambda digits: in_script_of(language, chinese_number(digits))
    replaced = _NUMBER.sub(lambda found: write(found[0]), replaced).replace("%", "％")
    return "".join(sign for sign in replaced if ord(sign) > 0x2000 and not sign.isspace())


def chinese_number(digits: str) -> str:
    """Return a decimal number in Chinese numerals: 14 is 十四, 205 二百零五, 0.5 〇点五."""
    whole, _, decimals = digits.partition(".")
    text = _whole_number(int(whole)) if whole.strip("0") else "〇"
    return f"{text}点{decimals.translate(DIGITS)}" if decimals else text


def japanese_number(digits: str) -> str:
    """Return a decimal number in the numerals of Japanese, without 一 and 零: 218 is 二百十八, 4203 四千二百三."""
    whole, _, decimals = digits.partition(".")
    text = _ONE_OF_MANY.sub("", _whole_number(int(whole)).replace("零", "")) if whole.strip("0") else "〇"
    return f"{text}・{decimals.translate(DIGITS)}" if decimals else text


def _whole_number(number: int) -> str:
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        return _whole_number(high) + "万" + ("零" * (0 < low < 1000) + _whole_number(low) if low else "")
    text, is_gap = "", False
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            text += ("零" if is_gap and text else "") + str(digit).translate(DIGITS) + unit
            is_gap = False
        else:
            is_gap = True
    return text.removeprefix("一") if text.startswith("一十") else text


def _render(
    page: Page,
    columns: Sequence[tuple[int, int, str]],
    blocks: Sequence[Block],
    glyphs: tuple[Glyphs, Mapping[int, int]],
    style: Style,
    lengths: tuple[float, float, float],
) -> PageLayout:
    (face, forms), (size, step, pitch) = glyphs, lengths
    _, top, right, _ = style.frame
    text = mupdf.FzText()
    texts: list[str] = []
    boxes: list[Floats] = []
    lines: list[int] = []
    shown = [0] * len(blocks)
    for column, (block, first, characters) in enumerate(columns):
        start = 0
        for piece in split_unspaced(characters.strip("　")):
            start = characters.index(piece, start)
            around = []
            for row, sign in enumerate(piece, start=first + start):
                glyph = sign if forms else sign.translate(UPRIGHT)
                x = right - pitch * column - (pitch + size) / 2
                y = top + row * step + size * 0.88
                plain = mupdf.fz_encode_character(face.font, ord(glyph))
                index = forms.get(plain, plain)
                mupdf.fz_show_glyph(
                    text,
                    face.font,
                    mupdf.FzMatrix(size, 0, 0, -size, x, y),
                    index,
                    ord(sign),
                    0,
                    0,
                    mupdf.FZ_BIDI_LTR,
                    mupdf.FZ_LANG_zh,
                )
                ink = face[glyph] if index == plain else ink_box(face.font, index)
                around.append(np.array(ink) * size + np.array([x, y, x, y]))
            start += len(piece)
            hull = np.array(around)
            texts.append(piece)
            boxes.append(np.concatenate([np.floor(hull[:, :2].min(0)), np.ceil(hull[:, 2:].max(0))]))
            lines.append(column)
            shown[block] += len(piece)
    pixmap = mupdf.fz_new_pixmap(
        mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB), page.width, page.height, mupdf.FzSeparations(), 0
    )
    canvas = np.frombuffer(mupdf.fz_pixmap_samples_memoryview(pixmap), np.uint8).reshape(page.height, page.width, 3)
    canvas[:] = draw_paper(page)
    device = mupdf.fz_new_draw_device(mupdf.FzMatrix(), pixmap)
    colour = [channel / 255 for channel in style.ink]
    mupdf.fz_fill_text(
        device,
        text,
        mupdf.FzMatrix(),
        mupdf.FzColorspace(mupdf.FzColorspace.Fixed_RGB),
        colour,
        1,
        mupdf.FzColorParams(),
    )
    mupdf.fz_close_device(device)
    on_page = [
        paragraph(block.text[:count]) if count < len(block.text) else block
        for block, count in zip(blocks, shown, strict=True)
        if count
    ]
    return PageLayout(
        rendered=RenderedText(pixels=canvas.copy(), texts=texts, quads=boxes_to_quads(np.array(boxes).reshape(-1, 4))),
        lines=np.array(lines, int),
        blocks=on_page,
    )
