"""A question with its answer, and how both are put into words."""

import random as random_module
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from sources.charts.vocabulary_schema import say
from sources.config_file import load_data

TEMPLATES = Path(__file__).with_name("templates.yaml")
MAX_CHOICES = 4
LETTERS = "ABCD"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked, before it is put into words.

    Args:
        name: of the template.
        slots: what fills the template.
        answer: as a text.
        options: other answers that could be right, for multiple choice.
        precision: a sentence on rounding, put after the question.
        working: how the answer comes about, e.g. `3 + 4 = 7`; empty if it is read off.
    """

    name: str
    slots: Mapping[str, str]
    answer: str
    options: tuple[str, ...] = ()
    precision: str = ""
    working: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A question and its answer in words."""

    name: str
    question: str
    answer: str


@lru_cache(maxsize=1)
def templates() -> Mapping[str, Mapping[str, list[tuple[str, str]]]]:
    """The templates of every family of charts."""
    content: Mapping[str, Mapping[str, list[tuple[str, str]]]] = load_data(TEMPLATES)
    return content


def phrase(name: str, language: str, **slots: str) -> str:
    """A phrase of the templates, filled in."""
    text = templates()["phrases"][name]
    return say((str(text[0]), str(text[1])), language).format(**slots)


def in_words(question: Question, family: str, language: str, random: random_module.Random, choice: float) -> Turn:
    """Put a question into words; with probability `choice` as multiple choice, where there are other options."""
    pair = random.choice(templates()[family][question.name])
    text = say((pair[0], pair[1]), language).format(**question.slots) + question.precision
    others = [option for option in dict.fromkeys(question.options) if option != question.answer]
    if len(others) >= 2 and random.random() < choice:
        options = [question.answer, *random.sample(others, min(MAX_CHOICES - 1, len(others)))]
        random.shuffle(options)
        listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
        text = f"{text}\n{listed}\n{phrase('choose', language)}"
        return Turn(name=question.name, question=text, answer=LETTERS[options.index(question.answer)])
    answer = question.answer
    if question.working and random.random() < 0.5:
        answer = f"{question.working} = {answer}"
    return Turn(name=question.name, question=text, answer=answer)


def lowered(name: str) -> str:
    """A name inside a sentence: its first letter small, unless the second is a capital (pH, GDP)."""
    return name if name[1:2].isupper() or not name[1:2].isalpha() else name[0].lower() + name[1:]


def rounded(value: Fraction, places: int) -> Decimal:
    """A fraction rounded half up (away from zero) to `places` decimals, exactly."""
    scaled = value * 10**places
    whole = (abs(scaled.numerator) * 2 + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if scaled >= 0 else -whole).scaleb(-places) + 0


def with_unit(value: Decimal, unit: str, language: str) -> str:
    """A number with its unit as an answer says it."""
    space = "" if unit in ("", "%", "°C") or language == "zh" else " "
    return f"{value:f}{space}{unit}"
