"""A page of a book: its content laid out in a style of its own, with exact boxes, by the engine of the OCR source."""

import random as random_module
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from sources.base.illegible import Illegible
from sources.base.source import ItemError
from sources.books.blocks import Block, Figure
from sources.books.drawable import Drawable
from sources.books.pictures import Picture
from sources.books.sheets import CHARS_PER_LINE, Sheet
from sources.ocr.blocks import paragraph
from sources.ocr.language_of_text import tell_east_asian
from sources.ocr.page import Area, Box, Flow, Page, PageLayout
from sources.ocr.story import lay_out
from sources.ocr.style import Family, Style, chosen_families, sample_style
from sources.ocr.templates.furniture import GREY
from sources.text.fonts import FontError, missing, script_of
from sources.text.languages import LANGUAGES, RIGHT_TO_LEFT, SHAPED

LINES = (22, 46)  # of a page of 60 characters a line: least and most
MIN_LINES_OF_TWO = 30  # fewer leave the second of two columns empty
ATTEMPTS = 5  # styles; each is tried at several sizes
SIZES = 9
SHRINK = 0.92  # factor of the font size per size
SMALLEST = 0.0098  # font size as a fraction of the long side: 10 px of 1024
FILLED = 0.9  # share of the characters that fit on a page, as the style estimates them, that a sheet should have
LARGEST = 1.6  # factor of the font size of a sheet with little content
MAX_HEAD_CHARS = 60
_HANGUL = re.compile("[\uac00-\ud7a3]")
_KANA_OR_HAN = re.compile("[\u3041-\u30fa\u4e00-\u9fff]")


def language_of(text: str) -> str:
    """Return the first of the drawable languages that is written in the script of a text. Raises ItemError.

    A few East Asian characters decide, because the fonts of these languages have Latin letters too.
    """
    if _HANGUL.search(text):
        return "ko"
    if _KANA_OR_HAN.search(text):
        return tell_east_asian(text)
    script = script_of(text)
    for name, language in LANGUAGES.items():
        if language.script == script or (script == "Common" and name == "en"):
            return name
    raise ItemError("unsupported_script", f"pages in {script} script cannot be drawn")


def draw_page(
    sheet: Sheet, notes: Mapping[str, str], number: int, load: Callable[[Figure], Picture], side_px: int, key: str
) -> tuple[PageLayout, tuple[str, ...]]:
    """Draw a page; also return its facts: the number of columns.

    Args:
        notes: texts of footnotes by key.
        number: page number, from 1.
        load: returns a figure's pixels or raises NoFigure.
        side_px: long side.
        key: what the style is drawn from at random.
    Raises:
        ItemError: its text cannot be drawn as it is, or does not fit.
    """
    text = "".join(block.text for block in sheet.blocks) + sheet.head
    language = language_of(text)
    try:
        names = _families_with(language, "".join(sorted(set(text))))
    except FontError as error:
        raise ItemError("missing_glyph", str(error)) from error
    failure = Illegible("overflow", "the content does not fit on a page")
    for attempt in range(ATTEMPTS):
        random = random_module.Random(f"{key}/{attempt}")
        style = sample_style(random, language, side_px, names)
        style = replace(style, width=round(style.side * random.uniform(0.62, 0.78)))
        several = random.random() < 0.5 and sheet.lines >= MIN_LINES_OF_TWO and attempt < ATTEMPTS - 1
        num_columns = 2 if several else 1
        style = _filled(style, sheet, num_columns)
        furniture = random.getrandbits(64)
        for _ in range(SIZES):
            try:
                page = _page(sheet, notes, number, load, style, num_columns, random_module.Random(furniture))
                page = replace(page, is_shaped=language in SHAPED, is_right_to_left=language in RIGHT_TO_LEFT)
                return lay_out(page), ("two_columns" if num_columns == 2 else "one_column",)
            except Illegible as error:
                failure = error
                style = replace(style, size=style.size * SHRINK)
                if error.reason != "overflow" or style.size < side_px * SMALLEST:
                    break
    raise ItemError(failure.reason, str(failure))


def _filled(style: Style, sheet: Sheet, num_columns: int) -> Style:
    """Return a style whose letters are larger, up to a limit, if the sheet would leave much of its page empty."""
    _, top, _, bottom = style.frame
    share = sheet.lines * CHARS_PER_LINE / style.capacity(style.columns(num_columns, top, bottom))
    return style if share > FILLED else replace(style, size=style.size * min(LARGEST, (FILLED / share) ** 0.5))


def _page(
    sheet: Sheet,
    notes: Mapping[str, str],
    number: int,
    load: Callable[[Figure], Picture],
    style: Style,
    num_columns: int,
    random: random_module.Random,
) -> Page:
    _, top, _, bottom = style.frame
    columns = style.columns(num_columns, top, bottom)
    drawable = Drawable(style, columns[0][2] - columns[0][0], load, notes)
    heads, areas = _head(sheet.head, style, random)
    body = Flow(blocks=drawable.convert(sheet.blocks), boxes=columns, must_fit=True)
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        areas=[*areas, *_rule_between(columns, style, random)],
        css=style.css(),
        flows=[*heads, body, *_number(number, style, random)],
    )


def _head(text: str, style: Style, random: random_module.Random) -> tuple[list[Flow], list[Area]]:
    """A running head with or without a rule below it, or nothing."""
    css_class = random.choice(("small", "small-centre", "small-right"))
    has_head, has_rule = random.random() < 0.6, random.random() < 0.5
    if not text or not has_head or len(text) > MAX_HEAD_CHARS or not text.isprintable():
        return [], []
    left, top, right, _ = style.frame
    flow = Flow(
        blocks=[paragraph(text, css_class, is_divisible=False)], boxes=[(left, top - style.size * 1.9, right, top)]
    )
    return [flow], [Area(box=(left, top - 3, right, top - 2), colour=GREY)] if has_rule else []


def _number(number: int, style: Style, random: random_module.Random) -> list[Flow]:
    """A page number below the text, or nothing."""
    text, css_class = (
        random.choice((str(number), f"– {number} –")),
        random.choice(("small-centre", "small-right", "small")),
    )
    if random.random() < 0.25:
        return []
    left, _, right, bottom = style.frame
    box: Box = (left, bottom + style.size * 0.4, right, bottom + style.size * 2.6)
    return [Flow(blocks=[paragraph(text, css_class, is_divisible=False)], boxes=[box])]


def _rule_between(columns: Sequence[Box], style: Style, random: random_module.Random) -> list[Area]:
    if random.random() < 0.7 or len(columns) == 1:
        return []
    return [
        Area(box=(box[2] + style.size * 0.8, box[1], box[2] + style.size * 0.8 + 1, box[3]), colour=GREY)
        for box in sorted(columns)[:-1]
    ]


@lru_cache(maxsize=256)
def _families_with(language: str, characters: str) -> tuple[str, ...]:
    """Return the names of the families that have all characters. Raises FontError if there is none."""
    drawn = "".join(sign for sign in characters if sign.isprintable() and not sign.isspace())
    lacks = {family.regular.family: _lacking(family, drawn) for family in chosen_families(language, ())}
    names = tuple(name for name, lacking in lacks.items() if not lacking)
    if not names:
        name, lacking = min(lacks.items(), key=lambda each: len(each[1]))
        raise FontError(f"no font family of {language} has all characters; {name} lacks {''.join(lacking)[:20]}")
    return names


def _lacking(family: Family, drawn: str) -> list[str]:
    return [sign for font in (family.regular, family.bold) for sign in missing(drawn, font)]


def drawable_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks without the pictures that are no figures."""
    return [block for block in blocks if block.figure is None or not block.figure.drop]
