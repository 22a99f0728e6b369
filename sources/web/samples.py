"""Samples from captures: a screenshot with its text, its code, or questions about elements, title or description."""

import io
import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from PIL import Image

from sources.base.marks import with_images
from sources.base.sample import TASK_MARK, Element, EncodedImage, Message, Provenance, Sample, Words
from sources.base.source import ItemError
from sources.images.encoding import encode, grey_of, luma
from sources.web.capture import Capture, PageContent, PageElement
from sources.web.conversation import (
    CODE,
    ELEMENT,
    GROUNDING,
    code_turn,
    element_turns,
    identifiable_elements,
    messages_of,
    questions,
)
from sources.web.obstacles import signs_of
from sources.web.tasks import TEXT, TITLE, USE_CASES, draw_tasks, possible_tasks

SCREENSHOT, RENDER = "screenshot", "render"  # pictures that a sample about code may have
WORD_CONTRAST = 24  # least difference between the darkest and the lightest pixel of a word's box, in grey levels
_CHINESE = re.compile("[\u3400-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_CC = re.compile(r"creativecommons\.org/(licenses/([a-z-]+)/(\d\.\d)|publicdomain/zero/1\.0)")
_STRENGTH = ("", " ", "\t", "\n", "\n\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleSettings:
    """How samples are made from captures.

    Args:
        tasks: weight by task.
        tasks_per_page: maximum number of samples of a page, each about another task.
        num_questions: maximum number of questions about elements per sample.
        code_picture: picture of samples about code, SCREENSHOT or RENDER.
        min_similarity, max_code_tokens: code that renders to something less similar, or is longer, is no task.
        format, quality, grey: encoding of images, as in `sources/pdfs/source.py`.
    """

    tasks: Mapping[str, float]
    num_questions: int
    tasks_per_page: int = 1
    code_picture: str = SCREENSHOT
    min_similarity: float = 0.85
    max_code_tokens: int = 4000
    format: str
    quality: int
    grey: str


def samples_of(
    capture: Capture,
    digest: str,
    locator: str,
    settings: SampleSettings,
    elsewhere: Collection[tuple[str, str]] = (),
    *,
    is_copy: bool = False,
) -> list[Sample]:
    """Return the samples of a page in one view, one per task, in the order of TASKS.

    The tasks are drawn at random, by weight, from the possible ones. A sample does not depend on the others.

    Args:
        elsewhere: role and name of the elements that are asked about on other pages of the site.
        is_copy: the same page is kept under another address.

    Raises:
        ItemError: the screenshot shows nothing.
    """
    page = _Page.of(capture, settings, elsewhere)
    possible = possible_tasks(page.content, page.words.texts, page.askable, page.code_refusal)
    rng = random.Random(f"{digest}/{locator}")
    measures = {**signs_of(page.content, capture.final_url), "same_page": float(is_copy)}
    flags = [*page.content.flags, *([f"no_code:{page.code_refusal}"] if page.code_refusal else [])]
    samples = []
    for task in draw_tasks(possible, settings.tasks, settings.tasks_per_page, rng):
        provenance = Provenance(
            uri=capture.final_url or capture.url,
            locator=f"{locator}{TASK_MARK}{task}",
            digest=digest,
            license=license_of(page.content.licences),
            fetched_at=capture.fetched_at,
        )
        shown = page
        if task == CODE and settings.code_picture == RENDER and page.content.code.images:
            shown = _Page.of(replace(capture, content=_rendered(page.content)), settings, elsewhere)
        samples.append(shown.sample(task, provenance, settings, measures, flags))
    return samples


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """The parts that the samples of a page have in common.

    Args:
        greys: luma of each tile.
        words, separators: the words that the picture shows, and what is before each.
        elements: on the first tile; `askable` are the ones that can be asked about.
        images: the encoded tiles.
        code_refusal: why the code of the page is no task; empty if it is one.
    """

    content: PageContent
    greys: Sequence[np.ndarray]
    words: Words
    separators: Sequence[str]
    elements: Sequence[PageElement]
    askable: Sequence[PageElement]
    images: Sequence[EncodedImage]
    code_refusal: str

    @classmethod
    def of(cls, capture: Capture, settings: SampleSettings, elsewhere: Collection[tuple[str, str]]) -> "_Page":
        assert capture.content is not None
        content = capture.content
        tiles = [np.asarray(Image.open(io.BytesIO(image)).convert("RGB")) for image in content.screenshot.images]
        width, tops = content.screenshot.width, content.screenshot.tops
        if any(tile.shape[:2] != (b - a, width) for tile, (a, b) in zip(tiles, pairwise(tops), strict=True)):
            raise ItemError("bad_screenshot", "the screenshot is not as large as the window", capture.url)
        greys = [grey if (grey := grey_of(tile)) is not None else luma(Image.fromarray(tile)) for tile in tiles]
        if all(grey.min() == grey.max() for grey in greys):
            raise ItemError("blank_paint", "the screenshot is of one colour", capture.url)
        words, separators = _visible_words(content, greys)
        elements = [e for e in content.elements if e.box[3] <= tops[1]]
        return cls(
            content=content,
            greys=greys,
            words=words,
            separators=separators,
            elements=elements,
            askable=[e for e in identifiable_elements(elements) if (e.role, e.name) not in elsewhere],
            images=[_encoded(tile, settings) for tile in tiles],
            code_refusal=_code_refusal(content, settings),
        )

    def sample(
        self,
        task: str,
        provenance: Provenance,
        settings: SampleSettings,
        measures: Mapping[str, float],
        flags: Sequence[str],
    ) -> Sample:
        """Return the sample of a task. Its questions depend on the page and the task alone."""
        images, words = self.images, self.words
        messages = text = None
        if task == TEXT:
            text = _text(words, self.separators, len(images))
        else:
            if task != CODE:  # code describes the whole picture
                images, words = images[:1], _first(words)
            rng = random.Random(f"{provenance.digest}/{provenance.locator}")
            messages = _conversation(
                task, self.content, self.askable, images, language_of("".join(self.words.texts)), settings, rng
            )
        if task == CODE:
            code = self.content.code
            measures = {**measures, "render_similarity": code.similarity, "code_tokens": float(code.num_tokens)}
        return Sample.of_picture(
            self.greys[0],
            source="web",
            images=images,
            messages=messages,
            text=text,
            words=words,
            elements=[Element(e.role, e.name, e.box) for e in self.elements],
            html=self.content.html,
            flags=flags,
            measures=measures,
            use_case=USE_CASES[task],
            provenance=provenance,
        )


def _rendered(content: PageContent) -> PageContent:
    """Return the content of a page as its code draws it; the places of elements are not known there."""
    code = content.code
    return replace(
        content,
        screenshot=replace(content.screenshot, images=code.images),
        texts=code.texts,
        boxes=code.boxes,
        separators=[" "] * len(code.texts),
        elements=[],
    )


def _visible_words(content: PageContent, greys: Sequence[np.ndarray]) -> tuple[Words, list[str]]:
    """Return the words whose boxes contain ink, with boxes in pixels of their tile, and the separator before each.

    Text that is hidden in ways that scripts cannot detect (in the colour of its background, or below a picture that
    lets clicks through) has a box without contrast.
    """
    tops = content.screenshot.tops
    texts: list[str] = []
    kept: list[tuple[float, float, float, float]] = []
    images: list[int] = []
    separators: list[str] = []
    pending = ""
    for text, box, separator in zip(content.texts, content.boxes, content.separators, strict=True):
        pending = max(pending, separator, key=_STRENGTH.index)
        tile = int(np.searchsorted(tops, (box[1] + box[3]) / 2, side="right")) - 1
        if not 0 <= tile < len(greys):
            continue
        height, width = greys[tile].shape
        x0, x1 = np.clip(box[[0, 2]], 0, width)
        y0, y1 = np.clip(box[[1, 3]] - tops[tile], 0, height)
        inside = greys[tile][int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))]
        if not inside.size or int(inside.max()) - int(inside.min()) < WORD_CONTRAST:
            continue
        texts.append(text)
        kept.append((x0, y0, x1, y1))
        images.append(tile)
        separators.append(pending if len(texts) > 1 else "")
        pending = ""
    words = Words(texts=texts, boxes=np.array(kept, np.float32).reshape(-1, 4), images=np.array(images, np.int32))
    return words, separators


def _text(words: Words, separators: Sequence[str], num_images: int) -> str:
    """Return the text of a pre-training sample: each image, followed by its words."""
    of_images: list[list[str]] = [[] for _ in range(num_images)]
    image = -1
    for text, separator, on in zip(words.texts, separators, words.images, strict=True):
        if on > image:  # reading order may return to an earlier tile; its words keep their order
            image = int(on)
            separator = ""
        of_images[image] += [separator, text]
    return "\n".join(with_images("".join(pieces)).strip() for pieces in of_images)


def _first(words: Words) -> Words:
    """Return the words of the first image."""
    chosen = words.images == 0
    texts = [text for text, is_chosen in zip(words.texts, chosen, strict=True) if is_chosen]
    return Words(texts=texts, boxes=words.boxes[chosen], images=words.images[chosen])


def _code_refusal(content: PageContent, settings: SampleSettings) -> str:
    """Return the cause why the code of a page is no task, named as the filter of code names it; empty if it is one."""
    code = content.code
    if not code.html:
        return code.refusal
    if code.similarity < settings.min_similarity:
        return "render_similarity"
    return "long_code" if code.num_tokens > settings.max_code_tokens else ""


def _conversation(
    task: str,
    content: PageContent,
    elements: Sequence[PageElement],
    images: Sequence[EncodedImage],
    language: str,
    settings: SampleSettings,
    rng: random.Random,
) -> list[Message]:
    if task in (GROUNDING, ELEMENT):
        return messages_of(element_turns(elements, images[0], task, language, settings.num_questions, rng))
    if task == CODE:
        return messages_of([code_turn(content.code.html, language, rng)], len(images))
    return messages_of(
        [(rng.choice(questions()[task][language]), content.title if task == TITLE else content.description)]
    )


def language_of(text: str) -> str:
    """Return the language for questions: `zh` if a fifth of the characters are Chinese, not Japanese, else `en`."""
    is_chinese = len(_CHINESE.findall(text)) * 5 > len(text) and len(_KANA.findall(text)) * 20 < len(text)
    return "zh" if is_chinese else "en"


def license_of(licences: Sequence[str]) -> str | None:
    """Return the SPDX id of the Creative Commons licence that a page names; None if it names none or several."""
    found = {match for url in licences if (match := _CC.search(url))}
    names = {f"CC-{match[2].upper()}-{match[3]}" if match[2] else "CC0-1.0" for match in found}
    return names.pop() if len(names) == 1 else None


def _encoded(tile: np.ndarray, settings: SampleSettings) -> EncodedImage:
    grey = grey_of(tile) if settings.grey == "png" else None
    if grey is not None:
        return encode(grey, "png")
    pixels = tile if settings.format == "png" else Image.fromarray(tile)
    return encode(pixels, settings.format, settings.quality)
