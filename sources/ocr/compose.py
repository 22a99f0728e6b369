"""One attempt at a sample: render a page or a scene, degrade it and write its text or conversation."""

import random as random_module
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sources.base.illegible import Illegible
from sources.ocr.arrays import Bools, Ints
from sources.ocr.countable import countable
from sources.ocr.degradation import PAGES, SCENES, DegradedText, degrade
from sources.ocr.manuscript import lay_out_pages
from sources.ocr.material import NONE, Material, print_on
from sources.ocr.messages import WHOLE_TEXT, GroundTruth, SampleText, make_sample_text
from sources.ocr.page import Page, PageLayout
from sources.ocr.passages import ContentSampler, Passages
from sources.ocr.records import Record
from sources.ocr.rendered_text import RenderedText
from sources.ocr.scene import draw_scene
from sources.ocr.style import Style, sample_style
from sources.ocr.templates.close_up import CLOSE_UPS
from sources.ocr.templates.registry import CONTINUED, DIRECT_TEMPLATES, OWN, TEMPLATES
from sources.ocr.vocabulary import BUNDLED, words
from sources.text.languages import SHAPED

HANDWRITTEN = ("note",)
ON_PAPER = 0.8  # fraction of pages on a photographed sheet, where there are some
SCENE_RUNNING = 0.4  # fraction of phrases in a scene that are running text
MIN_RUNNING = 30  # characters of a label on which a sentence has room


class Engine(Protocol):
    """A layout engine: lays out and renders a page."""

    def __call__(self, page: Page) -> PageLayout: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A picture with its ground truth and the text of its sample."""

    truth: GroundTruth
    sample_text: SampleText
    flags: tuple[str, ...]


def compose_draft(
    kind: str,
    language: str,
    task: str,
    *,
    passages: Passages,
    strength: float,
    side_px: int,
    engine: Engine,
    random: random_module.Random,
    families: Sequence[str] = (),
    material: Material = NONE,
) -> Draft:
    """Compose a sample of a kind (the name of a template, or `scene`).

    Args:
        strength: strength of degradation, 0 to 1.
        side_px: long side of a page in pixels.
        families: names of the font families of running text; empty for all.
        material: what is taken from folders of the user.
    Raises:
        Illegible: this attempt is unusable; another one may succeed.
        FontError: no font has one of the characters.
    """
    sampler = _sampler(passages, language, random, material)
    if kind == "scene":
        truth, flags = _compose_scene(language, task, sampler, strength, material)
    else:
        style = sample_style(random, language, side_px, families, material.fonts)
        drawn = _draw_page(kind, sampler, engine, style)
        truth, flags = _photograph(drawn, language, task, random, strength, material)
    return _draft(truth, task, random, (kind, language, *flags))


def draw_document(
    kind: str,
    language: str,
    num_pages: int,
    *,
    passages: Passages,
    side_px: int,
    engine: Engine,
    random: random_module.Random,
    families: Sequence[str] = (),
    material: Material = NONE,
) -> Sequence["Drawn"]:
    """Draw the pages of a document of a kind that goes on from page to page. Arguments and errors: `compose_draft`."""
    sampler = _sampler(passages, language, random, material)
    style = sample_style(random, language, side_px, families, material.fonts)
    manuscript = {**CONTINUED, **OWN}[kind](sampler, style, num_pages)
    pages = lay_out_pages(manuscript, num_pages, lambda page: engine(_in_script(page, sampler, style)))
    return [Drawn(kind=kind, layout=layout) for layout in pages]


def draft_of_page(
    page: "Drawn",
    language: str,
    task: str,
    *,
    strength: float,
    random: random_module.Random,
    material: Material = NONE,
) -> Draft:
    """Compose a sample of a page of a document. Arguments and errors: `compose_draft`."""
    truth, flags = _photograph(page, language, task, random, strength, material)
    return _draft(truth, task, random, (page.kind, language, *flags))


def _sampler(passages: Passages, language: str, random: random_module.Random, material: Material) -> ContentSampler:
    sampler = ContentSampler(passages, language, random)
    sampler.layouts, sampler.templates, sampler.handwritten = (
        material.layouts,
        material.templates,
        material.handwritten,
    )
    return sampler


def _draft(truth: GroundTruth, task: str, random: random_module.Random, flags: tuple[str, ...]) -> Draft:
    sample_text = make_sample_text(task, truth, random)
    if sample_text is None:
        raise Illegible("nothing_to_ask", f"nothing on this page can be asked about for the task {task}")
    return Draft(truth=truth, sample_text=sample_text, flags=flags)


def _compose_scene(
    language: str, task: str, sampler: ContentSampler, strength: float, material: Material
) -> tuple[GroundTruth, tuple[str, ...]]:
    def phrase(max_characters: int) -> str:
        short = _short_phrases(sampler, language, max_characters)
        if short and (max_characters < MIN_RUNNING or sampler.random.random() >= SCENE_RUNNING):
            return sampler.random.choice(short)
        return sampler.line(max(1, max_characters))

    rendering = draw_scene(phrase, language, sampler.random, material.scene)
    degraded, is_whole = _degrade(rendering.rendered, rendering.lines, task, strength, SCENES, sampler.random, material)
    text = countable(rendering.text())
    truth = GroundTruth(
        rendered=degraded.rendered,
        lines=rendering.lines[degraded.kept],
        is_whole=is_whole,
        text=text,
        markdown=text.replace("\n", "  \n"),
        language=language,
    )
    return truth, tuple(dict.fromkeys((*rendering.style, *degraded.effects)))


def _short_phrases(sampler: ContentSampler, language: str, max_characters: int) -> list[str]:
    """Return what is written on signs and labels: notices, firms, streets, goods."""
    if language not in BUNDLED:
        return []
    fields = sampler.fields
    named = [
        fields.company(),
        fields.street(),
        fields.town(),
        fields.plate(),
        sampler.random.choice(words("goods", language)),
    ]
    found = [*named, *sampler.random.sample(words("signs", language), 5)]
    return [text for text in found if len(text) <= max_characters]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """A page before it is photographed or scanned.

    Args:
        record: what it says as keys and values, if it is a form.
        flags: what is special about it.
    """

    kind: str
    layout: PageLayout
    record: Record | None = None
    flags: tuple[str, ...] = ()


def _draw_page(kind: str, sampler: ContentSampler, engine: Engine, style: Style) -> Drawn:
    direct = DIRECT_TEMPLATES.get(kind) or CLOSE_UPS.get(kind)
    if direct is not None:
        return Drawn(kind=kind, layout=direct(sampler, style))
    page = OWN[kind](sampler, style, 1).page() if kind in OWN else TEMPLATES[kind](sampler, style)
    layout = engine(_in_script(page, sampler, style))
    return Drawn(kind=kind, layout=layout, record=page.record, flags=page.flags)


def _in_script(page: Page, sampler: ContentSampler, style: Style) -> Page:
    is_shaped = sampler.text_language in SHAPED
    return replace(page, is_shaped=is_shaped, is_right_to_left=style.is_right_to_left)


def _photograph(
    page: Drawn, language: str, task: str, random: random_module.Random, strength: float, material: Material
) -> tuple[GroundTruth, tuple[str, ...]]:
    """Put a page on paper, degrade it, and return what is known about it then, with its flags."""
    layout, rendered = page.layout, page.layout.rendered
    if not rendered.texts:
        raise Illegible("empty_page", "nothing is written on the page")
    if material.paper is not None and random.random() < ON_PAPER:
        height, width = rendered.pixels.shape[:2]
        rendered = replace(rendered, pixels=print_on(rendered.pixels, material.paper(width, height, random)))
    degraded, is_whole = _degrade(rendered, layout.lines, task, strength, PAGES, random, material)
    truth = GroundTruth(
        rendered=degraded.rendered,
        lines=layout.lines[degraded.kept],
        is_whole=is_whole,
        text=layout.text,
        markdown=layout.markdown,
        language=language,
        is_handwriting=page.kind in HANDWRITTEN,
        record=page.record,
        text_by_language=layout.by_language() if page.kind == "bilingual" else None,
        tables=tuple(block.table for block in layout.blocks if block.table is not None),
        is_glued=None if layout.is_glued is None else layout.is_glued[degraded.kept],
    )
    return truth, tuple(dict.fromkeys((*page.flags, degraded.capture, *degraded.effects)))


def _degrade(
    rendered: RenderedText,
    lines: Ints,
    task: str,
    strength: float,
    captures: Sequence[str],
    random: random_module.Random,
    material: Material,
) -> tuple[DegradedText, Bools]:
    """Degrade a picture; also return (L,) bool, whether each line has kept all of its words.

    Raises Illegible if words are lost and the task asks for the whole text.
    """
    rendered = replace(rendered, texts=[countable(text) for text in rendered.texts])
    degraded = degrade(rendered, strength, random, captures, background=material.background)
    is_lost = np.ones(len(rendered.texts), bool)
    is_lost[degraded.kept] = False
    if task in WHOLE_TEXT and is_lost.any():
        raise Illegible("illegible_words", f"{is_lost.sum()} words of a text that is asked for whole cannot be read")
    is_whole = np.ones(int(lines.max(initial=-1)) + 1, bool)
    is_whole[lines[is_lost]] = False
    return degraded, is_whole
