"""A diagram: its drawing, its data as text, a description and questions, all from one specification."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from sources.charts.questions.question import Question
from sources.diagrams.canvas import Canvas
from sources.diagrams.style import DiagramStyle


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """One diagram.

    Args:
        kind: name of the kind, e.g. `circuit`.
        language: language of all texts, `en` or `zh`.
        canvas: the drawing.
        data: language of the data (`netlist`, `json`, `mermaid`, `abc`, `smiles`) and the data as text.
        description: a paragraph.
        questions: questions with their answers; the data gives every answer.
    """

    kind: str
    language: str
    title: str
    canvas: Canvas
    data: tuple[str, str]
    description: str
    questions: tuple[Question, ...]


Make = Callable[[str, DiagramStyle, Random], Diagram]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the function that makes it, the leaf of its questions, and the leaf of its data as code, if any."""

    make: Make
    use_case: str
    code_use_case: str = ""


Pair = Mapping[str, str]


def pick(texts: Pair, language: str, **slots: object) -> str:
    """Return the text of a language with its slots filled."""
    return texts[language].format(**slots)
