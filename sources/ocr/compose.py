"""One attempt at a sample: a page or a scene drawn, degraded, and what it says."""

import random as random_module
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sources.base.illegible import Illegible
from sources.ocr.degradation import PAGES, SCENES, Degraded, degrade
from sources.ocr.messages import WHOLE_TEXT, Reading, SampleText, say
from sources.ocr.page import Page, PageLayout
from sources.ocr.passages import ContentSampler, Passages
from sources.ocr.rendered_text import RenderedText
from sources.ocr.scene import draw_scene
from sources.ocr.style import draw_style
from sources.ocr.templates.registry import DRAWN, TEMPLATES
from sources.ocr.vocabulary import words
from sources.text.languages import SHAPED

HANDWRITTEN = ("note",)
SCENE_WORDS = ("companies", "streets", "towns", "goods", "topics", "newspapers", "sections")
SCENE_RUNNING = 0.4  # share of phrases in a scene that are running text


class Engine(Protocol):
    """What lays out a page and draws it."""

    def __call__(self, page: Page) -> PageLayout: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A picture with what is known of it, and what its sample says."""

    reading: Reading
    said: SampleText
    flags: tuple[str, ...]


def attempt(
    kind: str,
    language: str,
    task: str,
    *,
    passages: Passages,
    mixed: float,
    strength: float,
    side_px: int,
    engine: Engine,
    random: random_module.Random,
) -> Draft:
    """Make a sample of a kind (a template, or `scene`).

    Raises:
        Illegible: this one cannot be used; another attempt may be.
        FontError: no font has a character.
    """
    supply = ContentSampler(passages, language, random, mixed)
    if kind == "scene":
        reading, flags = _scene(language, task, supply, strength)
    else:
        reading, flags = _document(kind, language, task, supply, strength, side_px, engine)
    said = say(task, reading, random)
    if said is None:
        raise Illegible("nothing_to_ask", f"nothing on this page can be asked about for the task {task}")
    return Draft(reading=reading, said=said, flags=(kind, language, *flags))


def _scene(language: str, task: str, supply: ContentSampler, strength: float) -> tuple[Reading, tuple[str, ...]]:
    def phrase(max_characters: int) -> str:
        fitting = (
            [text for kind in SCENE_WORDS for text in words(kind, language) if len(text) <= max_characters]
            if language in ("en", "zh")
            else []
        )
        if fitting and supply.random.random() >= SCENE_RUNNING:
            return supply.random.choice(fitting)
        return supply.line(max(1, max_characters))

    written = draw_scene(phrase, language, supply.random)
    degraded, is_whole = _degraded(written.drawn, written.lines, task, strength, SCENES, supply)
    text = written.text()
    reading = Reading(
        drawn=degraded.drawn,
        lines=written.lines[degraded.kept],
        is_whole=is_whole,
        text=text,
        markdown=text.replace("\n", "  \n"),
        language=language,
    )
    return reading, tuple(dict.fromkeys((*written.style, *degraded.effects)))


def _document(
    kind: str, language: str, task: str, supply: ContentSampler, strength: float, side_px: int, engine: Engine
) -> tuple[Reading, tuple[str, ...]]:
    style = draw_style(supply.random, language, side_px)
    if kind in DRAWN:
        laid = DRAWN[kind](supply, style)
    else:
        page = TEMPLATES[kind](supply, style)
        laid = engine(replace(page, is_shaped=language in SHAPED, is_right_to_left=style.is_right_to_left))
    if not laid.drawn.texts:
        raise Illegible("empty_page", "nothing is written on the page")
    degraded, is_whole = _degraded(laid.drawn, laid.lines, task, strength, PAGES, supply)
    reading = Reading(
        drawn=degraded.drawn,
        lines=laid.lines[degraded.kept],
        is_whole=is_whole,
        text=laid.text,
        markdown=laid.markdown,
        language=language,
        is_handwriting=kind in HANDWRITTEN,
        other=laid.by_language() if kind == "bilingual" else None,
    )
    return reading, tuple(dict.fromkeys((degraded.capture, *degraded.effects)))


def _degraded(
    drawn: RenderedText, lines: np.ndarray, task: str, strength: float, captures: Sequence[str], supply: ContentSampler
) -> tuple[Degraded, np.ndarray]:
    """A picture taken of what was drawn, and which of its lines have lost no word.

    Raises Illegible if words are lost of a text that is asked for whole.
    """
    degraded = degrade(drawn, strength, supply.random, captures)
    is_lost = np.ones(len(drawn.texts), bool)
    is_lost[degraded.kept] = False
    if task in WHOLE_TEXT and is_lost.any():
        raise Illegible("illegible_words", f"{is_lost.sum()} words of a text that is asked for whole cannot be read")
    is_whole = np.ones(int(lines.max(initial=-1)) + 1, bool)
    is_whole[lines[is_lost]] = False
    return degraded, is_whole
