"""What a sample says about its picture: a text, or a question and its answer."""

import random as random_module
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sources.base.sample import IMAGE_PLACEHOLDER, Message
from sources.config_file import load_data
from sources.images.boxes import hull, scaled
from sources.ocr.rendered_text import RenderedText
from sources.ocr.text_rendering import joined

TASKS = ("text", "transcription", "markdown", "grounding")
WHOLE_TEXT = ("text", "transcription", "markdown")  # tasks whose answer is all that stands on the page

PRINTED = "recognition/ocr_and_transcription/printed_text"
HANDWRITING = "recognition/ocr_and_transcription/handwriting"
FORMAT = "recognition/ocr_and_transcription/specified_format"
LANGUAGE = "recognition/ocr_and_transcription/specified_language"
FORMULA = "conversion/image_to_code/formula"
TEXT_OF_BOX = "recognition/local_description/pointing"
BOX_OF_TEXT = "recognition/local_description/position"
ALL_USE_CASES = (PRINTED, HANDWRITING, FORMAT, LANGUAGE, FORMULA, TEXT_OF_BOX, BOX_OF_TEXT)

MIN_LINE = {"en": 6, "zh": 3}  # characters of a line that is asked for
MAX_LISTED = 60  # lines of an answer that lists all of them


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A picture and all that is known of its text.

    Args:
        drawn: the picture as it is shown, and the words that can be read.
        lines: (N,) int the line of each of its words.
        is_whole: (L,) bool by line: none of its words was lost.
        text, markdown: what stands on the page.
        other: by language, the part of the text in it, where a page is in two.
    """

    drawn: RenderedText
    lines: np.ndarray
    is_whole: np.ndarray
    text: str
    markdown: str
    language: str
    is_handwriting: bool = False
    other: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SampleText:
    """Text or messages of a sample, and the leaf of the taxonomy it is of."""

    use_case: str
    text: str | None = None
    messages: tuple[Message, ...] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as printed, and its box in pixels."""

    text: str
    box: np.ndarray


def say(task: str, reading: Reading, random: random_module.Random) -> SampleText | None:
    """What a sample with a task says; None if the picture does not lend itself to it."""
    written = HANDWRITING if reading.is_handwriting else PRINTED
    if task == "text":
        body = reading.markdown if random.random() < 0.5 else reading.text
        return SampleText(written, text=f"{IMAGE_PLACEHOLDER}\n{body}")
    if reading.other is not None:
        language = random.choice(sorted(reading.other))
        kind = "chinese_only" if language == "zh" else "english_only"
        return _turn(LANGUAGE, kind, reading, random, reading.other[language])
    if task == "transcription":
        return _turn(written, "transcription", reading, random, reading.text)
    if task == "markdown":
        return _turn(FORMAT, "markdown", reading, random, reading.markdown)
    assert task == "grounding"
    formulas = [k for k, word in enumerate(reading.drawn.texts) if word.startswith("$")]
    if formulas:
        k = random.choice(formulas)
        return _turn(FORMULA, "formula", reading, random, reading.drawn.texts[k].strip("$"), box=_box(reading, [k]))
    asks = [_text_of_box, _box_of_text, _all_lines]
    random.shuffle(asks)
    for ask in asks:
        said = ask(reading, random)
        if said is not None:
            return said
    return None


def lines_of(reading: Reading) -> list[Line]:
    """Lines that can be read as a whole, in order."""
    boxes = reading.drawn.boxes()
    found = []
    starts = np.flatnonzero(np.diff(reading.lines, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(reading.lines)], strict=True):
        if reading.is_whole[reading.lines[start]]:
            found.append(Line(joined(reading.drawn.texts[start:end]), hull(boxes[start:end])))
    return found


def _text_of_box(reading: Reading, random: random_module.Random) -> SampleText | None:
    """The text of a line by its box, which no other word's middle lies in."""
    boxes = reading.drawn.boxes()
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    candidates = _askable(reading)
    random.shuffle(candidates)
    for line in candidates[:20]:
        inside = ((middles > line.box[:2]) & (middles < line.box[2:])).all(axis=1)
        if joined([reading.drawn.texts[k] for k in np.flatnonzero(inside)]) == line.text:
            return _turn(TEXT_OF_BOX, "box_text", reading, random, line.text, box=_scaled(reading, line.box))
    return None


def _box_of_text(reading: Reading, random: random_module.Random) -> SampleText | None:
    """The box of a line that stands on the page once."""
    text = joined(reading.drawn.texts).replace(" ", "")
    candidates = [line for line in _askable(reading) if text.count(line.text.replace(" ", "")) == 1]
    if not candidates:
        return None
    line = random.choice(candidates)
    return _turn(BOX_OF_TEXT, "text_box", reading, random, _scaled(reading, line.box), text=line.text)


def _all_lines(reading: Reading, random: random_module.Random) -> SampleText | None:
    lines = lines_of(reading)
    if not 1 <= len(lines) <= MAX_LISTED or not reading.is_whole.all():
        return None
    return _turn(
        FORMAT, "lines", reading, random, "\n".join(f"{line.text} {_scaled(reading, line.box)}" for line in lines)
    )


def _askable(reading: Reading) -> list[Line]:
    lines = [line for line in lines_of(reading) if len(line.text) >= MIN_LINE.get(reading.language, 4)]
    counts = Counter(line.text for line in lines)
    return [line for line in lines if counts[line.text] == 1]


def _box(reading: Reading, words: Sequence[int]) -> str:
    return _scaled(reading, hull(reading.drawn.boxes()[list(words)]))


def _scaled(reading: Reading, box: np.ndarray) -> str:
    height, width = reading.drawn.pixels.shape[:2]
    return scaled(box, width, height)


def _turn(
    use_case: str, kind: str, reading: Reading, random: random_module.Random, answer: str, **values: str
) -> SampleText:
    english, chinese = random.choice(_questions()[kind])
    question = (chinese if reading.language == "zh" else english).format(**values)
    return SampleText(
        use_case,
        messages=(
            Message(role="user", content=f"{IMAGE_PLACEHOLDER}\n{question}"),
            Message(role="assistant", content=answer),
        ),
    )


@lru_cache(maxsize=1)
def _questions() -> Mapping[str, Any]:
    content: Mapping[str, Any] = load_data(Path(__file__).with_name("questions.yaml"))
    return content
