"""The conversation or text of a diagram: questions, data, SVG code, description."""

import random as random_module
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from sources.base.marks import escaped, with_images
from sources.base.sample import Message
from sources.charts.questions.question import Templates, Turn, write_turn
from sources.charts.schema.texts import localize
from sources.config_file import load_data
from sources.diagrams.diagram import Diagram
from sources.diagrams.registry import KINDS

TASKS = ("questions", "data", "svg", "description", "text")
SVG, SUMMARY = "conversion/image_to_code/photo_to_svg", "conversion/image_to_text/text_summary"
ALL_USE_CASES = tuple(
    sorted({SVG, SUMMARY, *(leaf for kind in KINDS.values() for leaf in (kind.use_case, kind.code_use_case) if leaf)})
)


@lru_cache(maxsize=1)
def load_templates() -> Templates:
    """Return the wordings of questions by kind, and of tasks."""
    templates: Templates = load_data(Path(__file__).with_name("templates.yaml"))
    return templates


def use_case(diagram: Diagram, task: str) -> str:
    """Return the leaf of the taxonomy for a diagram and a task."""
    kind = KINDS[diagram.kind]
    if task == "data" and kind.code_use_case:
        return kind.code_use_case
    return {"svg": SVG, "description": SUMMARY}.get(task, kind.use_case)


def make_conversation(
    diagram: Diagram, task: str, num_questions: int, choice: float, random: random_module.Random
) -> list[Message]:
    """Return the messages of one sample. The data are always the last answer, so that all others can be checked.

    Args:
        task: one of TASKS except `text`.
        choice: fraction of multiple choice among questions with other plausible answers.
    """
    turns: list[Turn] = []
    if task == "questions":
        questions = random.sample(diagram.questions, min(num_questions, len(diagram.questions)))
        turns = [
            write_turn(question, diagram.kind, diagram.language, random, choice, load_templates())
            for question in questions
        ]
    elif task == "svg":
        turns = [_turn("svg", diagram, _fenced("svg", diagram.canvas.svg()), random)]
    elif task == "description":
        turns = [_turn("describe", diagram, diagram.description, random)]
    turns.append(_turn(diagram.data[0], diagram, _fenced(*diagram.data), random))
    return [message for k, turn in enumerate(turns) for message in _messages(turn, k == 0)]


def make_plain_text(diagram: Diagram) -> str:
    """Return a pre-training text: the picture, its description and its data."""
    return with_images(f"{diagram.description}\n\n{_fenced(*diagram.data)}")


def _turn(task: str, diagram: Diagram, answer: str, random: random_module.Random) -> Turn:
    pair: Sequence[str] = random.choice(load_templates()["tasks"][task])
    return Turn(name=task, question=localize((pair[0], pair[1]), diagram.language), answer=answer)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _messages(turn: Turn, is_first: bool) -> list[Message]:
    question = with_images(turn.question, int(is_first))
    return [Message(role="user", content=question), Message(role="assistant", content=escaped(turn.answer))]
