"""A drawn chart as a conversation or a text: table, code, description, questions."""

import random as random_module
from collections.abc import Sequence

from sources.base.sample import IMAGE_PLACEHOLDER, Message
from sources.charts.chart import Chart, GraphChart
from sources.charts.description import describe
from sources.charts.graphs import dot, mermaid
from sources.charts.picture import Picture
from sources.charts.questions.ask import ask
from sources.charts.questions.question import Turn, templates
from sources.charts.table import plain
from sources.charts.vocabulary_schema import say

TASKS = ("questions", "table", "code", "description", "text")
CODE_USE_CASES = {"flow_chart": "conversion/image_to_code/flowchart", "network": "conversion/image_to_code/flowchart"}
USE_CASES = {
    "table": "analysis/data_chart/table",
    "candlestick": "analysis/professional_chart/financial",
    "waterfall": "analysis/professional_chart/financial",
    "flow_chart": "analysis/professional_chart/flowchart",
    "network": "analysis/professional_chart/flowchart",
    "gantt": "analysis/professional_chart/other",
    "timeline": "analysis/professional_chart/other",
}


GRAPH, CODE, SUMMARY = (
    "analysis/data_chart/graph",
    "conversion/image_to_code/chart",
    "conversion/image_to_text/text_summary",
)
ALL_USE_CASES = tuple(sorted({GRAPH, CODE, SUMMARY, *USE_CASES.values(), *CODE_USE_CASES.values()}))


def use_case(chart: Chart, task: str) -> str:
    """The leaf of the taxonomy that a chart and a task belong to."""
    if task == "code":
        return CODE_USE_CASES.get(chart.kind, CODE)
    return SUMMARY if task == "description" else USE_CASES.get(chart.kind, GRAPH)


def code_of(chart: Chart, picture: Picture, random: random_module.Random) -> tuple[str, str]:
    """Language and text of what draws the picture: its program or specification, or the source of a graph."""
    if isinstance(chart, GraphChart):
        return random.choice((("mermaid", mermaid(chart)), ("dot", dot(chart))))
    return picture.code_language, picture.code


def conversation(
    chart: Chart, task: str, code: tuple[str, str], num_questions: int, choice: float, random: random_module.Random
) -> list[Message]:
    """The turns of one sample. Whatever is asked first, the data come last: every answer can be checked.

    Args:
        task: one of TASKS but `text`.
        code: language (`python`, `json`, `mermaid`, `dot`) and text of what draws the picture.
        choice: share of multiple choice among questions that have other possible answers.
    """
    turns: list[Turn] = []
    if task == "questions":
        turns = ask(chart, num_questions, choice, random)
    elif task == "code":
        turns = [
            Turn(name="code", question=_put(code[0], chart, random), answer=f"```{code[0]}\n{code[1].strip()}\n```")
        ]
    elif task == "description":
        turns = [Turn(name="describe", question=_put("describe", chart, random), answer=describe(chart))]
    turns.append(_table_turn(chart, random))
    if task == "table":
        turns += ask(chart, 1, choice, random)
    return [message for k, turn in enumerate(turns) for message in _messages(turn, k == 0)]


def plain_text(chart: Chart) -> str:
    """A pre-training text: the picture, then what it says, with its data."""
    return f"{IMAGE_PLACEHOLDER}\n{describe(chart)}\n\n{chart.table.markdown()}"


def _table_turn(chart: Chart, random: random_module.Random) -> Turn:
    form = random.choice(("markdown", "csv"))
    question = _put(form, chart, random)
    if not chart.exact:
        question += "".join(
            phrase_of_step(column.header(), plain(column.step), chart.language)
            for column in chart.table.columns
            if column.is_numeric
        )
    answer = chart.table.markdown() if form == "markdown" else f"```csv\n{chart.table.csv()}\n```"
    return Turn(name=form, question=question, answer=answer)


def phrase_of_step(column: str, step: str, language: str) -> str:
    """How fine a column is to be read."""
    pair = templates()["tasks"]["step"]
    return say((str(pair[0]), str(pair[1])), language).format(column=column, step=step)


def _put(task: str, chart: Chart, random: random_module.Random) -> str:
    pair: Sequence[str] = random.choice(templates()["tasks"][task])
    return say((pair[0], pair[1]), chart.language)


def _messages(turn: Turn, is_first: bool) -> list[Message]:
    question = f"{IMAGE_PLACEHOLDER}\n{turn.question}" if is_first else turn.question
    return [Message(role="user", content=question), Message(role="assistant", content=turn.answer)]
