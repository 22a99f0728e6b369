"""A form: labels and fields, filled in or empty."""

from collections.abc import Sequence
from random import Random

from sources.ocr.blocks import Block, Inset, heading, paragraph, rich_paragraph, table
from sources.ocr.handwriting import sample_pen, write_entry
from sources.ocr.layouts import Layout
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.records import Record
from sources.ocr.style import Style
from sources.ocr.vocabulary import fields as form_fields
from sources.ocr.vocabulary import label, words
from sources.text.fonts import FontError
from sources.text.languages import UNSPACED

FIELDS, CONSENTS = (16, 26), (3, 7)  # ranges of their numbers
FILLED_IN = 0.75  # fraction of fields
HEIGHT = (0.88, 0.98)  # range of the fraction of the page that is filled: fields stand apart as far as there is room
LABELS, ENTRIES = 34, 66  # widths of the columns of fields in percent
HEADING, TABLE_LINE = 3.0, 1.35  # heights of the title and of a line of a table in font sizes
MIN_GAP, MAX_GAP = 0.3, 3.0  # font sizes between two fields
HAND_SIZE, HAND_LINE = (1.15, 1.5), 1.75  # font size of handwriting and height of its line, in font sizes
HAND_WIDTH = 0.55  # greatest length of what is written by hand, in widths of the type area
FIELDS_HEIGHT = 0.68  # greatest fraction of the page that the fields take


def form(sampler: ContentSampler, style: Style) -> Page:
    """Return a form."""
    random, language = sampler.random, style.language
    left, top, right, bottom = style.frame
    most = int(FIELDS_HEIGHT * (bottom - top) / (style.size * (style.leading + MIN_GAP)))
    layouts = [layout for layout in sampler.layouts if layout.language == sampler.text_language]
    layout = random.choice(layouts) if layouts else _bundled(random, language, most)
    title, note, number, name = layout.title, layout.note, sampler.code(), label("number", language)
    rows = [[key, _entry(sampler, kind) if random.random() < FILLED_IN else ""] for key, kind in layout.fields]
    shown, is_written = _written_by_hand(sampler, style, [row[1] for row in rows])
    ticks = {text: random.choice(("[ ]", "[x]")) for text in layout.consents}
    head: list[Block] = [heading(title, 1), paragraph(f"{name} {number}", "small-right", is_divisible=False)]
    if note:
        head.append(paragraph(note, "flat", is_divisible=False))
    foot = [paragraph(f"{tick} {text}", "flat", is_divisible=False) for text, tick in ticks.items()]
    has_tables = random.random() < 0.6
    row = style.size * max(TABLE_LINE if has_tables else style.leading, HAND_LINE if is_written else 0)
    texts = [*([note] if note else []), *(f"{tick} {text}" for text, tick in ticks.items())]
    gap = _gap(style, texts, len(rows), row, random.uniform(*HEIGHT))
    if has_tables:
        half = len(rows) // 2
        cells = [[key, entry] for (key, _), entry in zip(rows, shown, strict=True)]
        parts = [part for part in (cells[:half], cells[half:]) if part]
        body = [table(part[0], part[1:], widths=(LABELS, ENTRIES), css_class="fields") for part in parts]
    else:
        colon = "：" if language in UNSPACED else ":"
        body = [_line(f"{key}{colon} ", entry) for (key, _), entry in zip(rows, shown, strict=True)]
    css = (
        style.css(
            line=f"margin:0 0 {gap:.1f}px 0;border-bottom:1px solid #999999",
            fields=f"font-size:{style.size * 1.02:.1f}px",
        )
        + " .fields th{font-weight:normal;background-color:#ffffff;color:#000000}"
        + f" .fields th,.fields td{{padding-top:{gap / 2:.1f}px;padding-bottom:{gap / 2:.1f}px}}"
    )
    areas = [Area(box=(left - 8, top - 8, right + 8, top - 5), colour=style.accent)] if random.random() < 0.5 else []
    return Page(
        width=style.width,
        height=style.height,
        paper=(255, 255, 255),
        fonts=style.fonts,
        css=css,
        areas=areas,
        flows=[Flow(blocks=[*head, *body, *foot], boxes=[(left, top, right, bottom)], must_fit=True)],
        record=Record(
            labelled={name: number, **dict(rows), **ticks},
            unlabelled={"title": title, **({"note": note} if note else {})},
        ),
        flags=("handwriting",) * is_written,
    )


def _written_by_hand(
    sampler: ContentSampler, style: Style, entries: Sequence[str]
) -> tuple[Sequence[str | Inset], bool]:
    """Return entries as they are shown, some forms' by hand, and whether they are.

    Without a handwriting font that has all of their characters they are printed.
    """
    random, width = sampler.random, style.frame[2] - style.frame[0]
    if random.random() >= sampler.handwritten or not any(entries):
        return entries, False
    try:
        pen = sample_pen(entries, sampler.text_language, style.size * random.uniform(*HAND_SIZE), random)
        return [write_entry(text, pen, width * HAND_WIDTH, random) if text else "" for text in entries], True
    except FontError:
        return entries, False


def _line(label_text: str, entry: str | Inset) -> Block:
    """Return a field on a line of its own."""
    if isinstance(entry, Inset):
        return rich_paragraph([(label_text, ""), entry], "line")
    return paragraph(f"{label_text}{entry or '_' * 24}", "line", is_divisible=False)


def _bundled(random: Random, language: str, most: int) -> Layout:
    """Return a form of the bundled labels, with at most `most` fields."""
    fields = random.sample(form_fields(language), min(most, random.randint(*FIELDS)))
    title = random.choice(words("forms", language))
    note = random.choice(words("form_notes", language))
    consents = random.sample(words("consents", language), random.randint(*CONSENTS))
    return Layout(title=title, fields=tuple(fields), language=language, note=note, consents=tuple(consents))


def _entry(sampler: ContentSampler, kind: str | Sequence[str]) -> str:
    """Return what is written in a field: by its type, or one of its values."""
    return sampler.fields.entry(kind) if isinstance(kind, str) else sampler.random.choice(kind)


def _gap(style: Style, texts: Sequence[str], num_rows: int, row: float, share: float) -> float:
    """Return the distance between two fields in pixels with which a form takes about a share of the type area.

    Args:
        texts: paragraphs above and below the fields.
        row: height of a field in pixels.
    """
    left, top, right, bottom = style.frame
    head = (HEADING + 0.82 * style.leading) * style.size
    used = head + sum(style.height_of(text, right - left) + 0.4 * style.size for text in texts) + num_rows * row
    return min(max(((bottom - top) * share - used) / num_rows, style.size * MIN_GAP), style.size * MAX_GAP)
