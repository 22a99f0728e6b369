"""From a sample to questions, and from the probabilities of answers to scores. No model is imported here."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from filters.deepseek_vl.axes import CONVERSATION, PLACEHOLDER, TEXT, Axis
from sources.base.marks import without_images
from sources.base.sample import Sample

MAX_TURNS = 4  # of a conversation are asked about
MAX_IMAGES = 8  # of a sample are shown; a server accepts no more
CHINESE = 0.2  # share of letters from which on a text is asked about in Chinese
SUM_TOLERANCE = 1e-3  # of the probabilities of a question's choices


class Asked(NamedTuple):
    """What a judge is asked.

    Args:
        text: the question; None: the answer follows the images, as in pre-training.
        choices: the answers to choose from.
        answer: a single answer, whose likelihood is asked for, in place of choices.
    """

    text: str | None
    choices: tuple[str, ...] = ()
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Encoded images (zero or more) and questions about them."""

    images: tuple[bytes, ...]
    questions: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item has no answers: a stable code, and one sentence."""

    code: str
    message: str


Answers = list[list[float]]  # log probabilities of each question's choices, or of the tokens of its answer


class Judge(Protocol):
    """A model, here or behind an address."""

    def ask(self, batches: Sequence[Sequence[Ask]]) -> list[list[Answers | Fault]]:
        """Answer items. Two batches are computed separately, so the same batch has the same answers at any time."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of an axis about a sample, or about a turn of it.

    Args:
        values: value of each choice; none for a likelihood.
        compares: it is asked without images, too.
    """

    axis: str
    asked: Asked
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
        template = None if axis.question is None else axis.question.of(language)
        if axis.score == "likelihood":
            values: tuple[float, ...] = ()
            asked = _likelihoods(sample, template, text, max_chars)
        else:
            assert template is not None, "checked with the axis"
            choices = tuple(choice.zh if language == "zh" else choice.en for choice in axis.choices)
            values = tuple(choice.value for choice in axis.choices)
            fields = _fields(sample, template, text)
            asked = [Asked(_filled(template, of_question, max_chars), choices) for of_question in fields]
        found += [Question(name, each, values, axis.compare_without_images) for each in asked]
    return found


def _likelihoods(sample: Sample, question: str | None, text: str, max_chars: int) -> list[Asked]:
    """What the sample says: its text as the answer to a question, or its answers to their own questions."""
    if sample.messages is None:
        return [Asked(question, answer=text[:max_chars])] if text.strip() else []
    return [Asked(asked[:max_chars], answer=answer[:max_chars]) for asked, answer in _turns(sample) if answer.strip()]


def _turns(sample: Sample) -> list[tuple[str, str]]:
    """The questions and answers of the first turns of a conversation, without marks of images."""
    pairs = itertools.pairwise(sample.messages or ())
    turns = [(user, reply) for user, reply in pairs if (user.role, reply.role) == ("user", "assistant")]
    return [
        (without_images(user.content).strip(), without_images(reply.content).strip())
        for user, reply in turns[:MAX_TURNS]
    ]


def _fields(sample: Sample, template: str, text: str) -> Iterator[Mapping[str, str]]:
    """Yield the texts for the placeholders of a question; for each turn in turn if it asks about turns."""
    names = set(PLACEHOLDER.findall(template))
    if not names & {"question", "answer"}:
        if "text" not in names or text:
            yield {"text": text}
        return
    for question, answer in _turns(sample):
        yield {"text": text, "question": question, "answer": answer}


def _filled(template: str, fields: Mapping[str, str], max_chars: int) -> str:
    return PLACEHOLDER.sub(lambda found: fields[found[1]][:max_chars], template)


def asks_of(sample: Sample, questions: Sequence[Question]) -> list[Ask]:
    """The items of a sample: its different questions with its images and, for those that compare, without."""
    images = tuple(image.data for image in sample.images[:MAX_IMAGES])
    asks = [Ask(images, _different(q.asked for q in questions))]
    compared = _different(q.asked for q in questions if q.compares)
    return [*asks, Ask((), compared)] if compared else asks


def _different(asked: Iterable[Asked]) -> tuple[Asked, ...]:
    return tuple(dict.fromkeys(asked))


def scores_of(questions: Sequence[Question], answers: Sequence[Answers]) -> dict[str, float]:
    """The score of each axis that was asked about: the mean over its questions.

    Args:
        answers: to the items of `asks_of`, in order.
    """
    found = dict(zip(_different(q.asked for q in questions), answers[0], strict=True))
    compared = _different(q.asked for q in questions if q.compares)
    without = dict(zip(compared, answers[1], strict=True)) if compared else {}
    values: dict[str, list[float]] = {}
    for question in questions:
        value = _expected(question, found[question.asked])
        if question.compares:
            value -= _expected(question, without[question.asked])
        values.setdefault(question.axis, []).append(value)
    return {axis: round(sum(of_axis) / len(of_axis), 4) for axis, of_axis in values.items()}


def _expected(question: Question, logs: Sequence[float]) -> float:
    """The expected value of the choice, or the mean log probability of a token."""
    if not question.values:
        return sum(logs) / len(logs)
    return sum(math.exp(log) * value for log, value in zip(logs, question.values, strict=True))


def is_answer(ask: Ask, answers: object) -> bool:
    """Return True if something has the form of an item's answers: as many as asked; those of choices sum to one."""
    if not isinstance(answers, list) or len(answers) != len(ask.questions):
        return False
    for logs, asked in zip(answers, ask.questions, strict=True):
        if not isinstance(logs, list) or not logs or (asked.choices and len(logs) != len(asked.choices)):
            return False
        if not all(isinstance(log, int | float) and not isinstance(log, bool) and log <= 0.01 for log in logs):
            return False
        if not asked.choices:
            if not all(map(math.isfinite, logs)):
                return False
        elif not abs(sum(math.exp(log) for log in logs) - 1) < SUM_TOLERANCE:
            return False
    return True
