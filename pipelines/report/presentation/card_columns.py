"""The columns of data/ on the card and in Croissant: their types and meaning, with counts of this data set."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipelines.report.presentation.composition import columns_of, filled, sections
from pipelines.report.presentation.escaping import Markdown, prose
from pipelines.report.presentation.statistics import Statistics

# Meaning of every column of data/, in the order of `sources.base.sample.dataset_schema`; `fields` adds counts.
FIELDS = {
    "id": "Content id: a hash of the input's bytes and the place inside it, never of its name.",
    "source": "The kind of source.",
    "images": "The encoded images, one for each `<image>` in the text.",
    "messages": "Turns of an instruction sample, each a role and its content; null if `text` is set.",
    "text": "A pre-training sample, `<image>` where an image stands; null if `messages` is set.",
    "words": "Every word with its box on the image, in pixels from the top left, and the index of the image.",
    "elements": "Parts of the first image: role, name (may be empty) and box as x0, y0, x1, y1 in pixels.",
    "html": "The HTML document as its host sent it, before scripts, as text; null if it was too long (flag "
    "`long_html`) or its source keeps none. Nothing of it is filtered: scripts and comments are in it.",
    "flags": "Facts that are no verdict, such as `scan` or `ocr_layer`.",
    "language": "ISO 639 code of the text as fastText names it; null if unknown.",
    "label": "Use case from the taxonomy, its confidence, who gave it, and further use cases separated by spaces.",
    "scores": "Every filter's score; null where it has no meaning.",
    "phash": "256-bit perceptual hash of the first image.",
    "provenance": "The input's name, the place in it, its licence, when it was fetched, and its SHA-256.",
    "split": "`train` or `validation`.",
}


def fields(manifest: Mapping[str, Any], statistics: Statistics) -> dict[str, str]:
    """The meaning of every column of data/, with how many samples of this dataset have it."""
    total = statistics.composition()
    found = dict(FIELDS)
    for name, count, empty in (
        ("images", total.with_images, "Empty"),
        ("messages", total.with_messages, "Null"),
        ("text", total.with_text, "Null"),
        ("words", total.with_words, "Empty"),
        ("elements", total.with_elements, "Empty"),
        ("language", total.samples - statistics.languages[""], "Null"),
        ("label", statistics.labels.total(), "Null"),
    ):
        if total.samples:
            found[name] += f" {filled(count, total.samples, empty)}"
    rules = {section.name: section.card.splits for section in sections(manifest, statistics)}
    several = len(set(rules.values())) > 1
    for rule in dict.fromkeys(rules.values()):
        names = ", ".join(name for name, other in rules.items() if other == rule)
        found["split"] += f" Source {names}: {rule[0].lower()}{rule[1:]}" if several else f" {rule}"
    columns = columns_of(manifest).names
    return {name: meaning for name, meaning in found.items() if name in columns}


def column_rows(manifest: Mapping[str, Any], statistics: Statistics) -> list[dict[str, Any]]:
    schema = columns_of(manifest)
    meanings = fields(manifest, statistics)
    return [
        {
            "name": field.name,
            "type": Markdown(_type(field.name, field.type)),
            "meaning": prose(meanings[field.name]),
        }
        for field in schema
    ]


def _type(name: str, arrow_type: pa.DataType) -> str:
    if name == "images":
        return "list of images"
    if pa.types.is_list(arrow_type):
        return f"list of {_type('', arrow_type.value_type)}s"
    if pa.types.is_struct(arrow_type):
        return "struct"
    if pa.types.is_fixed_size_binary(arrow_type):
        return f"{arrow_type.byte_width} bytes"
    return str(arrow_type)
