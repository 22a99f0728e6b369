"""Questions and answers, and their wording."""

import random as random_module
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from sources.charts.noun import unit_of_one
from sources.charts.schema.texts import localize
from sources.config_file import load_data

TEMPLATES = Path(__file__).with_name("templates.yaml")
MAX_CHOICES = 4
LETTERS = "ABCD"
Templates = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question before wording.

    Args:
        name: name of the template.
        kind: kind of the noun that the question is about, where wordings depend on it.
        slots: values for the template.
        answer: answer as text.
        options: other plausible answers, for multiple choice.
        precision: a sentence on rounding, appended to the question.
        working: calculation of the answer, e.g. `3 + 4 = 7`; empty if it can be read directly.
    """

    name: str
    slots: Mapping[str, str]
    kind: str = "thing"
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
def load_templates() -> Templates:
    """Return the templates of all families of charts."""
    templates: Templates = load_data(TEMPLATES)
    return templates


def fill_phrase(name: str, language: str, **slots: str) -> str:
    """Return a phrase of the templates with its slots filled."""
    text = load_templates()["phrases"][name]
    return localize((str(text[0]), str(text[1])), language).format(**slots)


def write_turn(
    question: Question,
    family: str,
    language: str,
    random: random_module.Random,
    choice: float,
    templates: Templates | None = None,
) -> Turn:
    """Word a question; with probability `choice` as multiple choice, if there are other options.

    Args:
        templates: wordings by family and name; without them the wordings of charts.
    """
    pair = random.choice(_wordings(templates or load_templates(), family, question))
    text = localize((pair[0], pair[1]), language).format(**question.slots)
    others = [option for option in dict.fromkeys(question.options) if option != question.answer]
    if len(others) >= 2 and random.random() < choice:
        options = [question.answer, *random.sample(others, min(MAX_CHOICES - 1, len(others)))]
        random.shuffle(options)
        listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
        text = f"{text}\n{listed}\n{fill_phrase('choose', language)}"
        return Turn(name=question.name, question=text, answer=LETTERS[options.index(question.answer)])
    text += question.precision  # a choice needs no rule for rounding
    answer = question.answer
    if question.working and random.random() < 0.5:
        answer = f"{question.working} = {answer}"
    return Turn(name=question.name, question=text, answer=answer)


def _wordings(templates: Templates, family: str, question: Question) -> list[tuple[str, str]]:
    """Return the templates of a question: those for its kind of noun, if there are any, else those for any kind."""
    found: Any = templates[family][question.name]
    return list(found.get(question.kind) or found["any"]) if isinstance(found, dict) else list(found)


def round_half_up(value: Fraction, places: int) -> Decimal:
    """Round a fraction half up (away from zero) to `places` decimals, exactly."""
    scaled = value * 10**places
    whole = (abs(scaled.numerator) * 2 + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if scaled >= 0 else -whole).scaleb(-places) + 0


def format_with_unit(value: Decimal, unit: str, language: str) -> str:
    """Return a number with its unit."""
    if language == "en" and abs(value) == 1:
        unit = unit_of_one(unit)
    space = "" if unit in ("", "%", "°C") or language == "zh" else " "
    return f"{value:f}{space}{unit}"
