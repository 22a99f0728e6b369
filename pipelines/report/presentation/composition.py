"""The composition of the kept samples in words: counts from the ledger, descriptions from the sources of the recipe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.registry import SOURCES
from pipelines.report.presentation.statistics import Composition, Statistics
from sources.base.card import Example, SourceCard
from sources.base.sample import dataset_schema
from sources.base.synthetic import SyntheticSource

ASKED = "a question about the image and its answer, by one of the instruction writers"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceSection:
    """One source of the recipe: what it says of its samples, and what the ledger counts.

    Args:
        name: its type in the recipe.
        holdings: (column, what it holds) of the columns that are set in some kept sample.
        examples: those whose columns are set in some kept sample.
    """

    name: str
    card: SourceCard
    counted: Composition
    holdings: tuple[tuple[str, str], ...]
    examples: tuple[Example, ...]


def summary(statistics: Statistics) -> str:
    """A phrase for the kept samples, e.g. `34 conversations and 6 texts, each with an image`."""
    total = statistics.composition()
    kinds = [
        f"{count:,} {noun}{'s' if count != 1 else ''}"
        for count, noun in ((total.with_messages, "conversation"), (total.with_text, "text"))
        if count
    ]
    if not kinds:
        return "no samples"
    several = total.with_several_images
    if total.with_images == 0:
        images = "without images"
    elif total.with_images < total.samples:
        images = f"{total.with_images:,} of them with images"
    elif total.samples == 1:
        images = "with its images" if several else "with its image"
    else:
        images = "each with one image or more" if several else "each with an image"
    return f"{' and '.join(kinds)}, {images}"


def filled(count: int, total: int, empty: str) -> str:
    """How many samples have a column, as a sentence; `empty` is what the others have in it."""
    if count == total:
        return "Set in every sample."
    if count == 0:
        return f"{empty} in every sample of this dataset."
    return f"Set in {count:,} of {total:,} samples."


def sections(manifest: Mapping[str, Any], statistics: Statistics) -> list[SourceSection]:
    """The sources of the recipe that gave kept samples, in the recipe's order; those unknown here are left out."""
    names = dict.fromkeys(source["type"] for source in manifest["recipe"]["sources"])
    return [
        _section(name, SOURCES[name].card, statistics.compositions[name], manifest)
        for name in names
        if name in SOURCES and statistics.compositions[name].samples
    ]


def columns_of(manifest: Mapping[str, Any]) -> pa.Schema:
    """The columns of data/ that an output has."""
    keeps_html = any(source.get("keep_html") for source in manifest["recipe"]["sources"])
    return dataset_schema(manifest["scores"], keeps_html=keeps_html)


def cards(manifest: Mapping[str, Any]) -> dict[str, SourceCard]:
    """The card of every kind of source in the recipe, by its name."""
    names = dict.fromkeys(source["type"] for source in manifest["recipe"]["sources"])
    return {name: SOURCES[name].card for name in names if name in SOURCES}


def is_synthetic(source: Mapping[str, Any]) -> bool:
    """Return True if an entry of the recipe's sources makes its samples instead of reading them."""
    kind = SOURCES.get(source["type"])
    return kind is not None and issubclass(kind, SyntheticSource)


def _section(name: str, card: SourceCard, counted: Composition, manifest: Mapping[str, Any]) -> SourceSection:
    has = {
        "images": counted.with_images,
        "text": counted.with_text,
        "messages": counted.with_messages,
        "words": counted.with_words,
        "elements": counted.with_elements,
        "label": "labels" in manifest,
    }
    return SourceSection(
        name=name,
        card=card,
        counted=counted,
        holdings=tuple(_holdings(card, has, is_asked=manifest["recipe"].get("instructions") is not None)),
        examples=tuple(example for example in card.examples if all(has[column] for column in example.needs)),
    )


def _holdings(card: SourceCard, has: Mapping[str, int], *, is_asked: bool) -> Iterator[tuple[str, str]]:
    if has["images"]:
        yield "images", card.images
    if has["text"]:
        yield "text", card.text
    if has["messages"]:
        yield "messages", "; or ".join(filter(None, [card.messages, ASKED if is_asked else ""]))
    if has["words"]:
        yield "words", card.words
    if has["elements"]:
        yield "elements", card.elements
