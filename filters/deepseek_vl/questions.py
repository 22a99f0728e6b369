"""From a sample to questions, and from the probabilities of answers to scores. No model is imported here."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from filters.deepseek_vl.axes import CONVERSATION, PLACEHOLDER, TEXT, Axis
from sources.base.marks import without_images
from sources.base.sample import Sample

MAX_TURNS = 4  # of a conversation are asked about
MAX_IMAGES = 8  # of a sample are shown; a server accepts no more
CHINESE = 0.2  # share of letters from which on a text is asked about in Chinese
SUM_TOLERANCE = 1e-3  # of the probabilities of a question's choices


@dataclass(frozen=True, slots=True)
class Ask:
    """Encoded images (zero or more) and questions about them, each with its choices."""

    images: tuple[bytes, ...]
    questions: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item has no answers: a stable code, and one sentence."""

    code: str
    message: str


Answers = list[list[float]]  # log probabilities of the choices of each question


class Judge(Protocol):
    """A model, here or behind an address."""

    def ask(self, batches: Sequence[Sequence[Ask]]) -> list[list[Answers | Fault]]:
        """Answer items. Two batches are computed separately, so the same batch has the same answers at any time."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of an axis about a sample, or about a turn of it.

    Args:
        values: value of each choice.
        compares: it is asked without images, too.
    """

    axis: str
    text: str
    choices: tuple[str, ...]
    values: tuple[float, ...]
    compares: bool


def language_of(text: str) -> str:
    """`zh` for a text with Chinese characters, else `en`."""
    letters = [character for character in text if character.isalpha()]
    num_chinese = sum("\u3400" <= character <= "\u9fff" for character in letters)
    return "zh" if letters and num_chinese >= CHINESE * len(letters) else "en"


def kind_of(sample: Sample) -> str:
    """`conversation` or `text`."""
    return TEXT if sample.messages is None else CONVERSATION


def questions_about(sample: Sample, axes: Mapping[str, Axis], max_chars: int) -> list[Question]:
    """The questions that apply to a sample; none without an image.

    Args:
        max_chars: characters of each text that is put into a question.
    """
    if not sample.images:
        return []
    text = sample.plain_text()
    language, kind = language_of(text), kind_of(sample)
    found = []
    for name, axis in axes.items():
        if kind not in axis.kinds or (axis.sources and sample.source not in axis.sources):
            continue
        template = axis.question.of(language)
        choices = tuple(choice.zh if language == "zh" else choice.en for choice in axis.choices)
        values = tuple(choice.value for choice in axis.choices)
        for fields in _fields(sample, template, text):
            asked = _filled(template, fields, max_chars)
            found.append(Question(name, asked, choices, values, axis.compare_without_images))
    return found


def _fields(sample: Sample, template: str, text: str) -> Iterator[Mapping[str, str]]:
    """Yield the texts for the placeholders of a question; for each turn in turn if it asks about turns."""
    names = set(PLACEHOLDER.findall(template))
    if not names & {"question", "answer"}:
        if "text" not in names or text:
            yield {"text": text}
        return
    messages = sample.messages or ()
    turns = [pair for pair in itertools.pairwise(messages) if (pair[0].role, pair[1].role) == ("user", "assistant")]
    for question, answer in turns[:MAX_TURNS]:
        yield {
            "text": text,
            "question": without_images(question.content).strip(),
            "answer": without_images(answer.content).strip(),
        }


def _filled(template: str, fields: Mapping[str, str], max_chars: int) -> str:
    return PLACEHOLDER.sub(lambda found: fields[found[1]][:max_chars], template)


def asks_of(sample: Sample, questions: Sequence[Question]) -> list[Ask]:
    """The items of a sample: its questions with its images and, for those that compare, without."""
    images = tuple(image.data for image in sample.images[:MAX_IMAGES])
    asks = [Ask(images, tuple((q.text, q.choices) for q in questions))]
    compared = tuple((q.text, q.choices) for q in questions if q.compares)
    return [*asks, Ask((), compared)] if compared else asks


def scores_of(questions: Sequence[Question], answers: Sequence[Answers]) -> dict[str, float]:
    """The score of each axis that was asked about: the mean over its questions of the expected value.

    Args:
        answers: to the items of `asks_of`, in order.
    """
    without = iter(answers[1]) if len(answers) > 1 else iter(())
    values: dict[str, list[float]] = {}
    for question, logs in zip(questions, answers[0], strict=True):
        value = _expected(question, logs)
        if question.compares:
            value -= _expected(question, next(without))
        values.setdefault(question.axis, []).append(value)
    return {axis: round(sum(found) / len(found), 4) for axis, found in values.items()}


def _expected(question: Question, logs: Sequence[float]) -> float:
    return sum(math.exp(log) * value for log, value in zip(logs, question.values, strict=True))


def is_answer(ask: Ask, answers: object) -> bool:
    """Return True if something has the form of an item's answers: as many as asked, probabilities that sum to one."""
    if not isinstance(answers, list) or len(answers) != len(ask.questions):
        return False
    for logs, (_, choices) in zip(answers, ask.questions, strict=True):
        if not isinstance(logs, list) or len(logs) != len(choices):
            return False
        if not all(isinstance(log, int | float) and not isinstance(log, bool) and log <= 0.01 for log in logs):
            return False
        if not abs(sum(math.exp(log) for log in logs) - 1) < SUM_TOLERANCE:
            return False
    return True
