"""Results of an evaluation: JSON, a table for the terminal, and a picture."""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deepseek_vl.evaluate.intervals import Estimate, difference, estimate
from deepseek_vl.evaluate.runner import Outcome
from deepseek_vl.evaluate.tasks import PERPLEXITY, Task


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The result of a task.

    Args:
        score: the mean of the records' values; for perplexity, the perplexity of all tokens.
        groups: the same by group.
        chance: the score of guessing, for multiple choice.
        num_errors: records that could not be asked, which count as wrong.
        unusable: rows that give no record, with the reason.
    """

    task: str
    metric: str
    score: Estimate
    groups: Mapping[str, Estimate]
    chance: float | None
    num_errors: int
    unusable: Sequence[tuple[str, str]]


def summarize(task: Task, outcomes: Sequence[Outcome], unusable: Sequence[tuple[str, str]]) -> TaskResult:
    """Return the result of a task from the outcomes of its records."""
    by_group: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.record.group:
            by_group.setdefault(outcome.record.group, []).append(outcome)
    choices = [len(outcome.record.choices) for outcome in outcomes if outcome.record.choices]
    return TaskResult(
        task=task.name,
        metric=task.metric,
        score=_score(task, outcomes),
        groups={group: _score(task, some) for group, some in sorted(by_group.items())},
        chance=sum(1 / n for n in choices) / len(choices) if choices else None,
        num_errors=sum(bool(outcome.error) for outcome in outcomes),
        unusable=unusable,
    )


def _score(task: Task, outcomes: Sequence[Outcome]) -> Estimate:
    if task.metric != PERPLEXITY:
        return estimate([outcome.value for outcome in outcomes])
    read = [outcome for outcome in outcomes if not outcome.error]
    mean = sum(outcome.weight for outcome in read) / max(1, len(read))
    losses = estimate([outcome.value * outcome.weight / mean for outcome in read])
    return Estimate(math.exp(losses.mean), math.exp(losses.low), math.exp(losses.high), losses.count)


def to_json(model: str, results: Sequence[TaskResult]) -> dict[str, Any]:
    """Return results as JSON values."""
    return {"model": model, "tasks": [asdict(result) for result in results]}


def compare(first: Sequence[Outcome], second: Sequence[Outcome]) -> Estimate:
    """Return how much better the first model is than the second on the same records."""
    return difference([outcome.value for outcome in first], [outcome.value for outcome in second])


def table(models: Sequence[str], results: Sequence[Sequence[TaskResult]]) -> str:
    """Return a table with a line per task and a column per model."""
    width = max(len(result.task) for result in results[0]) + 2
    lines = ["task".ljust(width) + "metric".ljust(20) + "n".rjust(7) + "".join(f"{model:>28}" for model in models)]
    for row in zip(*results, strict=True):
        scores = "".join(f"{result.score!s:>28}" for result in row)
        lines.append(row[0].task.ljust(width) + row[0].metric.ljust(20) + f"{row[0].score.count:>7}" + scores)
        if row[0].chance is not None:
            lines.append("".ljust(width) + f"guessing: {row[0].chance:.3f}")
        for result in row:
            if result.num_errors or result.unusable:
                count = f"{result.num_errors} records in error, {len(result.unusable)} rows not usable"
                lines.append("".ljust(width) + count)
    return "\n".join(lines)


def picture(models: Sequence[str], results: Sequence[Sequence[TaskResult]]) -> str:
    """Return an SVG of bars with intervals: a group of bars per task, a bar per model. Perplexities are left out."""
    shown = [row for row in zip(*results, strict=True) if row[0].metric != PERPLEXITY]
    colours = ("#3b6fb6", "#d9822b", "#4f9d69", "#9b5fa8")
    bar, gap, left, width = 18, 22, 200, 420
    height = sum(len(row) * bar + gap for row in shown) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    y = 30
    for row in shown:
        middle = y + len(row) * bar / 2 + 4
        parts.append(f'<text x="{left - 8}" y="{middle}" text-anchor="end">{html.escape(row[0].task)}</text>')
        for number, result in enumerate(row):
            score, colour = result.score, colours[number % len(colours)]
            parts.append(
                f'<rect x="{left}" y="{y}" width="{width * score.mean:.1f}" height="{bar - 4}" fill="{colour}"/>'
                f'<line x1="{left + width * score.low:.1f}" x2="{left + width * score.high:.1f}" y1="{y + bar / 2 - 2}"'
                f' y2="{y + bar / 2 - 2}" stroke="black"/>'
                f'<text x="{left + width * score.high + 6:.1f}" y="{y + 11}">{score.mean:.3f}</text>'
            )
            y += bar
        if row[0].chance is not None:
            x, top = left + width * row[0].chance, y - len(row) * bar
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{y}" stroke="grey" stroke-dasharray="3"/>')
        y += gap
    for number, model in enumerate(models):
        colour = colours[number % len(colours)]
        parts.append(
            f'<rect x="{left + number * 150}" y="8" width="10" height="10" fill="{colour}"/>'
            f'<text x="{left + number * 150 + 14}" y="17">{html.escape(model)}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
