"""The conversation or text of a chart: table, code, description, questions."""

import random as random_module
from collections.abc import Sequence

from sources.base.marks import escaped, with_images
from sources.base.sample import Message
from sources.charts.chart import Chart, GraphChart
from sources.charts.description import describe
from sources.charts.graphs import to_dot, to_mermaid
from sources.charts.picture import Picture
from sources.charts.questions.ask_questions import ask_questions
from sources.charts.questions.question import Turn, load_templates
from sources.charts.schema.texts import localize
from sources.charts.table import format_value

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
TABLE = USE_CASES["table"]
ALL_USE_CASES = tuple(sorted({GRAPH, CODE, SUMMARY, *USE_CASES.values(), *CODE_USE_CASES.values()}))


def use_case(chart: Chart, task: str) -> str:
    """Return the leaf of the taxonomy for a chart and a task."""
    if task == "code":
        return CODE_USE_CASES.get(chart.kind, CODE)
    return SUMMARY if task == "description" else USE_CASES.get(chart.kind, GRAPH)


def secondary_use_cases(chart: Chart, task: str) -> tuple[str, ...]:
    """Return the further leaves of a conversation: its last answer is always the table."""
    return (TABLE,) if task != "text" and use_case(chart, task) != TABLE else ()


def choose_code(chart: Chart, picture: Picture, random: random_module.Random) -> tuple[str, str]:
    """Return language and text of the code of a picture: its program or specification, or the source of a graph."""
    if isinstance(chart, GraphChart):
        return random.choice((("mermaid", to_mermaid(chart)), ("dot", to_dot(chart))))
    return picture.code_language, picture.code


def make_conversation(
    chart: Chart,
    task: str,
    code: tuple[str, str],
    num_questions: int,
    choice: float,
    random: random_module.Random,
    names: Sequence[str] = (),
) -> list[Message]:
    """Return the messages of one sample. The table is always the last answer, so that all others can be checked.

    Args:
        task: one of TASKS except `text`.
        code: language (`python`, `json`, `mermaid`, `dot`) and text of the code.
        choice: fraction of multiple choice among questions with other plausible answers.
        names: names of the questions to choose from; empty for all.
    """
    turns: list[Turn] = []
    if task == "questions":
        turns = ask_questions(chart, num_questions, choice, random, names)
    elif task == "code":
        turns = [
            Turn(
                name="code",
                question=_choose_question(code[0], chart, random),
                answer=f"```{code[0]}\n{code[1].strip()}\n```",
            )
        ]
    elif task == "description":
        turns = [Turn(name="describe", question=_choose_question("describe", chart, random), answer=describe(chart))]
    turns.append(_table_turn(chart, random))
    if task == "table":
        turns += ask_questions(chart, 1, choice, random, names)
    return [message for k, turn in enumerate(turns) for message in _messages(turn, k == 0)]


def make_plain_text(chart: Chart) -> str:
    """Return a pre-training text: the picture, its description and its data."""
    return with_images(f"{describe(chart)}\n\n{chart.table.markdown()}")


def _table_turn(chart: Chart, random: random_module.Random) -> Turn:
    form = random.choice(("markdown", "csv"))
    question = _choose_question(form, chart, random) + describe_steps(chart)
    answer = chart.table.markdown() if form == "markdown" else f"```csv\n{chart.table.csv()}\n```"
    return Turn(name=form, question=question, answer=answer)


def describe_steps(chart: Chart) -> str:
    """Return sentences on the precision with which the columns of a table must be read; empty if it is printed."""
    if chart.exact:
        return ""
    return "".join(
        describe_step(column.header(), "" if column.one_digit else format_value(column.step), chart.language)
        for column in chart.table.columns
        if column.is_numeric
    )


def describe_step(column: str, step: str, language: str) -> str:
    """Return a sentence on the precision with which a column must be read; without a step, to one digit."""
    pair = load_templates()["tasks"]["step" if step else "digit"]
    return localize((str(pair[0]), str(pair[1])), language).format(column=column, step=step)


def _choose_question(task: str, chart: Chart, random: random_module.Random) -> str:
    pair: Sequence[str] = random.choice(load_templates()["tasks"][task])
    return localize((pair[0], pair[1]), chart.language)


def _messages(turn: Turn, is_first: bool) -> list[Message]:
    question = with_images(turn.question, int(is_first))
    return [Message(role="user", content=question), Message(role="assistant", content=escaped(turn.answer))]
