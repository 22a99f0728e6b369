"""Asks a judge about samples, in batches; texts that are too long for the model are cut shorter."""

from collections.abc import Mapping, Sequence

from filters.deepseek_vl.axes import Axis
from filters.deepseek_vl.questions import Answers, Ask, Fault, Judge, Question, asks_of, questions_about
from sources.base.sample import Sample

SHORTEST_CHARS = 60  # of a text in a question, before the sample is given up as too long


def answers(
    samples: Sequence[Sample],
    questions: Sequence[Sequence[Question]],
    axes: Mapping[str, Axis],
    judge: Judge,
    *,
    batch: int,
    max_chars: int,
) -> list[list[Answers | Fault]]:
    """The answers to the items of every sample, in order; none for a sample without questions.

    Args:
        questions: about each sample, with texts of at most `max_chars`.
        batch: samples that are computed together.
    """
    found: list[list[Answers | Fault]] = [[] for _ in samples]
    asked = dict(enumerate(questions))
    rows = [row for row, of_row in asked.items() if of_row]
    while rows:
        batches = [rows[k : k + batch] for k in range(0, len(rows), batch)]
        asks = [[asks_of(samples[row], asked[row]) for row in of_batch] for of_batch in batches]
        answered = judge.ask([_flat(of_batch) for of_batch in asks])
        for of_batch, of_rows, given in zip(batches, asks, answered, strict=True):
            rest = iter(given)
            for row, of_row in zip(of_batch, of_rows, strict=True):
                found[row] = [next(rest) for _ in of_row]
        max_chars //= 2
        rows = [row for row in rows if max_chars >= SHORTEST_CHARS and _is_too_long(found[row])]
        asked = {row: questions_about(samples[row], axes, max_chars) for row in rows}
    return found


def _flat(asks: Sequence[Sequence[Ask]]) -> list[Ask]:
    return [ask for of_row in asks for ask in of_row]


def _is_too_long(answers: Sequence[Answers | Fault]) -> bool:
    return any(isinstance(answer, Fault) and answer.code == "too_long" for answer in answers)
