"""Questions about Gantt charts and timelines."""

import random as random_module
from collections.abc import Callable
from datetime import date

from sources.charts.chart import ScheduleChart
from sources.charts.questions.question import Question, fill_phrase
from sources.charts.table import format_value

Random = random_module.Random


class Plan:
    """View of a Gantt chart for its questions."""

    def __init__(self, chart: ScheduleChart, random: Random):
        self.chart = chart
        self.language = chart.language
        self.random = random
        names, starts, ends = (column.values for column in chart.table.columns)
        self.tasks: list[tuple[str, date, date]] = []
        for name, start, end in zip(names, starts, ends, strict=True):
            assert isinstance(start, date)
            assert isinstance(end, date)
            self.tasks.append((format_value(name), start, end))

    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.tasks)

    def days(self) -> tuple[str, ...]:
        """Return all dates as answers."""
        return tuple(sorted({day.isoformat() for _, start, end in self.tasks for day in (start, end)}))


def start_of(plan: Plan) -> Question | None:
    name, start, _ = plan.random.choice(plan.tasks)
    return Question(name="start_of", slots={"task": name}, answer=start.isoformat(), options=plan.days())


def end_of(plan: Plan) -> Question | None:
    name, _, end = plan.random.choice(plan.tasks)
    return Question(name="end_of", slots={"task": name}, answer=end.isoformat(), options=plan.days())


def weeks_of(plan: Plan) -> Question | None:
    name, start, end = plan.random.choice(plan.tasks)
    weeks = (end - start).days // 7
    return Question(name="weeks_of", slots={"task": name}, answer=str(weeks),
                    options=tuple(str(k) for k in range(1, 7)))  # fmt: skip


def longest(plan: Plan) -> Question | None:
    ordered = sorted(plan.tasks, key=lambda task: task[1] - task[2])
    lengths = [end - start for _, start, end in ordered]
    if lengths[0] == lengths[1]:
        return None
    return Question(name="longest", slots={}, answer=ordered[0][0], options=plan.names())


def ends_last(plan: Plan) -> Question | None:
    ordered = sorted(plan.tasks, key=lambda task: task[2], reverse=True)
    if ordered[0][2] == ordered[1][2]:
        return None
    return Question(name="ends_last", slots={}, answer=ordered[0][0], options=plan.names())


def count_tasks(plan: Plan) -> Question | None:
    return Question(name="count_tasks", slots={}, answer=str(len(plan.tasks)), options=("4", "5", "6", "7", "8", "9"))


def overlap(plan: Plan) -> Question | None:
    (a, start, end), (b, other_start, other_end) = plan.random.sample(plan.tasks, 2)
    answer = fill_phrase("yes" if start < other_end and other_start < end else "no", plan.language)
    return Question(name="overlap", slots={"a": a, "b": b}, answer=answer)


def starts_before(plan: Plan) -> Question | None:
    (a, start, _), (b, other, _) = plan.random.sample(plan.tasks, 2)
    if start == other:
        return None
    return Question(
        name="starts_before",
        slots={"a": a, "b": b},
        answer=fill_phrase("yes" if start < other else "no", plan.language),
    )


def total_weeks(plan: Plan) -> Question | None:
    weeks = (max(end for _, _, end in plan.tasks) - min(start for _, start, _ in plan.tasks)).days // 7
    return Question(
        name="total_weeks", slots={}, answer=str(weeks), options=tuple(str(weeks + k) for k in (-2, -1, 1, 2))
    )


def unanswerable(plan: Plan) -> Question | None:
    if not plan.chart.absent:
        return None
    task = plan.random.choice(plan.chart.absent)
    return Question(name="start_of", slots={"task": task}, answer=fill_phrase("not_shown", plan.language))


QUESTIONS: dict[str, Callable[[Plan], Question | None]] = {
    function.__name__: function
    for function in (
        start_of, end_of, weeks_of, longest, ends_last, count_tasks, overlap, starts_before, total_weeks, unanswerable,
    )
}  # fmt: skip


class Events:
    """View of a timeline for its questions."""

    def __init__(self, chart: ScheduleChart, random: Random):
        self.chart = chart
        self.language = chart.language
        self.random = random
        names, years = (column.values for column in chart.table.columns)
        self.events = [(format_value(name), int(format_value(year))) for name, year in zip(names, years, strict=True)]

    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.events)


def year_of(events: Events) -> Question | None:
    name, year = events.random.choice(events.events)
    years = tuple(str(year) for _, year in events.events)
    return Question(name="year_of", slots={"event": name}, answer=str(year), options=years)


def event_of(events: Events) -> Question | None:
    name, year = events.random.choice(events.events)
    return Question(name="event_of", slots={"year": str(year)}, answer=name, options=events.names())


def years_between(events: Events) -> Question | None:
    (a, first), (b, second) = sorted(events.random.sample(events.events, 2), key=lambda event: event[1])
    return Question(
        name="years_between", slots={"a": a, "b": b}, answer=str(second - first), working=f"{second} - {first}"
    )


def came_first(events: Events) -> Question | None:
    first, second = events.random.sample(events.events, 2)
    answer = min(first, second, key=lambda event: event[1])[0]
    return Question(name="came_first", slots={"a": first[0], "b": second[0]}, answer=answer)


def came_next(events: Events) -> Question | None:
    k = events.random.randrange(len(events.events) - 1)
    return Question(
        name="came_next", slots={"event": events.events[k][0]}, answer=events.events[k + 1][0], options=events.names()
    )


def count_events(events: Events) -> Question | None:
    return Question(name="count_events", slots={}, answer=str(len(events.events)), options=("3", "4", "5", "6", "7"))


def no_such_event(events: Events) -> Question | None:
    if not events.chart.absent:
        return None
    name = events.random.choice(events.chart.absent)
    return Question(name="year_of", slots={"event": name}, answer=fill_phrase("not_shown", events.language))


EVENT_ASKS: dict[str, Callable[[Events], Question | None]] = {
    function.__name__: function
    for function in (year_of, event_of, years_between, came_first, came_next, count_events, no_such_event)
}
