"""The text of a sample: plain text, or a question about the picture and its answer."""

import random as random_module
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from sources.base.marks import escaped, with_images
from sources.base.sample import Message
from sources.config_file import load_data
from sources.images.boxes import hull, scaled
from sources.ocr.arrays import Bools, Floats, Ints
from sources.ocr.records import Record
from sources.ocr.rendered_text import RenderedText
from sources.ocr.spanning_table import SpanningTable
from sources.ocr.text_rendering import join_words
from sources.ocr.writing.traditional import in_script_of
from sources.text.languages import CHINESE, SQUARE

TASKS = ("text", "transcription", "markdown", "json", "table", "grounding")
WHOLE_TEXT = ("text", "transcription", "markdown", "json", "table")  # tasks whose answer is the whole text of the page

PRINTED = "recognition/ocr_and_transcription/printed_text"
HANDWRITING = "recognition/ocr_and_transcription/handwriting"
FORMAT = "recognition/ocr_and_transcription/specified_format"
LANGUAGE = "recognition/ocr_and_transcription/specified_language"
FORMULA = "conversion/image_to_code/formula"
TEXT_OF_BOX = "recognition/local_description/pointing"
BOX_OF_TEXT = "recognition/local_description/position"
ALL_USE_CASES = (PRINTED, HANDWRITING, FORMAT, LANGUAGE, FORMULA, TEXT_OF_BOX, BOX_OF_TEXT)

MIN_LINE = {"en": 6, **dict.fromkeys(SQUARE, 3)}  # least number of characters of a line in a question
MAX_LISTED = 60  # greatest number of lines in an answer that lists them


@dataclass(frozen=True, kw_only=True, slots=True)
class GroundTruth:
    """A picture and everything known about its text.

    Args:
        rendered: the picture and its legible words.
        lines: (N,) int, line number of each word.
        is_whole: (L,) bool, True if all words of the line are legible.
        is_glued: (N,) bool, True if no space stands before the word; None if its script tells.
        text, markdown: the whole text of the page.
        record: what the page says as keys and values; None if it is not a form.
        tables: the tables with merged cells, in order.
        text_by_language: the text in each language, for a bilingual page.
    """

    rendered: RenderedText
    lines: Ints
    is_whole: Bools
    text: str
    markdown: str
    language: str
    is_handwriting: bool = False
    record: Record | None = None
    text_by_language: Mapping[str, str] | None = None
    is_glued: Bools | None = None
    tables: Sequence[SpanningTable] = ()


@dataclass(frozen=True, slots=True)
class SampleText:
    """Text or messages of a sample, and its leaf of the taxonomy."""

    use_case: str
    text: str | None = None
    messages: tuple[Message, ...] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as printed, and its box in pixels."""

    text: str
    box: Floats


def make_sample_text(task: str, truth: GroundTruth, random: random_module.Random) -> SampleText | None:
    """Return the text or conversation for a task; None if the picture is not suitable."""
    use_case = HANDWRITING if truth.is_handwriting else PRINTED
    if task == "text":
        body = truth.markdown if random.random() < 0.5 else truth.text
        return SampleText(use_case, text=with_images(body))
    if truth.text_by_language is not None:
        language = random.choice(sorted(truth.text_by_language))
        kind = "chinese_only" if language == "zh" else "english_only"
        return _make_conversation(LANGUAGE, kind, truth, random, truth.text_by_language[language])
    if task == "transcription":
        return _make_conversation(use_case, "transcription", truth, random, truth.text)
    if task == "markdown":
        return _make_conversation(FORMAT, "markdown", truth, random, truth.markdown)
    if task == "json":
        if truth.record is None:
            return None
        answer, names = truth.record.to_json(), truth.record.names
        return _make_conversation(FORMAT, "json", truth, random, answer, names=names)
    if task == "table":
        return _ask_table(truth, random)
    assert task == "grounding"
    formulas = [k for k, word in enumerate(truth.rendered.texts) if word.startswith("$")]
    if formulas:
        k = random.choice(formulas)
        return _make_conversation(
            FORMULA, "formula", truth, random, truth.rendered.texts[k].strip("$"), box=_box(truth, [k])
        )
    writers = [_ask_text_of_box, _ask_box_of_text, _ask_all_lines]
    random.shuffle(writers)
    for writer in writers:
        sample_text = writer(truth, random)
        if sample_text is not None:
            return sample_text
    return None


def _ask_table(truth: GroundTruth, random: random_module.Random) -> SampleText | None:
    """Ask for one of the tables in a format."""
    if not truth.tables:
        return None
    number = random.randrange(len(truth.tables))
    table = truth.tables[number]
    kind = random.choice(("table_html", "table_otsl", "table_markdown"))
    answers = {"table_html": table.to_html, "table_otsl": table.to_otsl, "table_markdown": table.to_markdown}
    return _make_conversation(FORMAT, kind, truth, random, answers[kind](), n=str(number + 1))


def whole_lines(truth: GroundTruth) -> list[Line]:
    """Return the lines whose words are all legible, in order."""
    boxes = truth.rendered.boxes()
    found = []
    starts = np.flatnonzero(np.diff(truth.lines, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(truth.lines)], strict=True):
        if truth.is_whole[truth.lines[start]]:
            found.append(Line(_join(truth, range(start, end)), hull(boxes[start:end])))
    return found


def _join(truth: GroundTruth, words: Sequence[int]) -> str:
    """Return the text of some words of a line."""
    glued = None if truth.is_glued is None else truth.is_glued[list(words)]
    return join_words([truth.rendered.texts[k] for k in words], glued)


def _ask_text_of_box(truth: GroundTruth, random: random_module.Random) -> SampleText | None:
    """Ask for the text of a line by its box, which contains the centre of no other word."""
    boxes = truth.rendered.boxes()
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    candidates = _candidate_lines(truth)
    random.shuffle(candidates)
    for line in candidates[:20]:
        inside = ((middles > line.box[:2]) & (middles < line.box[2:])).all(axis=1)
        if _join(truth, np.flatnonzero(inside).tolist()) == line.text:
            return _make_conversation(
                TEXT_OF_BOX, "box_text", truth, random, line.text, box=_format_box(truth, line.box)
            )
    return None


def _ask_box_of_text(truth: GroundTruth, random: random_module.Random) -> SampleText | None:
    """Ask for the box of a line whose text appears once on the page."""
    text = "".join(truth.rendered.texts).replace(" ", "")
    candidates = [line for line in _candidate_lines(truth) if text.count(line.text.replace(" ", "")) == 1]
    if not candidates:
        return None
    line = random.choice(candidates)
    return _make_conversation(BOX_OF_TEXT, "text_box", truth, random, _format_box(truth, line.box), text=line.text)


def _ask_all_lines(truth: GroundTruth, random: random_module.Random) -> SampleText | None:
    lines = whole_lines(truth)
    if not 1 <= len(lines) <= MAX_LISTED or not truth.is_whole.all():
        return None
    return _make_conversation(
        FORMAT, "lines", truth, random, "\n".join(f"{line.text} {_format_box(truth, line.box)}" for line in lines)
    )


def _candidate_lines(truth: GroundTruth) -> list[Line]:
    """Return the lines that are long enough and unique."""
    lines = [line for line in whole_lines(truth) if len(line.text) >= MIN_LINE.get(truth.language, 4)]
    counts = Counter(line.text for line in lines)
    return [line for line in lines if counts[line.text] == 1]


def _box(truth: GroundTruth, words: Sequence[int]) -> str:
    return _format_box(truth, hull(truth.rendered.boxes()[list(words)]))


def _format_box(truth: GroundTruth, box: Floats) -> str:
    height, width = truth.rendered.pixels.shape[:2]
    return scaled(box, width, height)


def _make_conversation(
    use_case: str, kind: str, truth: GroundTruth, random: random_module.Random, answer: str, **values: str
) -> SampleText:
    english, chinese = random.choice(_load_questions()[kind])
    question = english if truth.language not in CHINESE else in_script_of(truth.language, chinese)
    question = question.format(**values)
    return SampleText(
        use_case,
        messages=(
            Message(role="user", content=with_images(question)),
            Message(role="assistant", content=escaped(answer)),
        ),
    )


@lru_cache(maxsize=1)
def _load_questions() -> Mapping[str, Sequence[tuple[str, str]]]:
    questions: Mapping[str, Sequence[tuple[str, str]]] = load_data(Path(__file__).with_name("questions.yaml"))
    return questions
