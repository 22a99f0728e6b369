"""Data of Gantt charts and timelines."""

import random as random_module
from datetime import date, timedelta

from sources.charts.chart import ScheduleChart
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table
from sources.charts.titles import placed_title

Random = random_module.Random
WEEK = timedelta(days=7)
NAMES = {
    "en": {"task": "Task", "start": "Start", "end": "End", "event": "Event", "year": "Year"},
    "zh": {"task": "任务", "start": "开始", "end": "结束", "event": "事件", "year": "年份"},
}


def gantt(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> ScheduleChart:
    """Make a Gantt chart of tasks that begin and end on Mondays, where the grid lines are."""
    project = random.choice(vocabulary.projects)
    monday = date(2024, 1, 1) + WEEK * random.randrange(60)
    chosen = sorted(random.sample(range(len(project.tasks)), min(random.randint(5, 8), len(project.tasks))))
    starts, ends = [], []
    start = 0
    for _ in chosen:
        length = random.randint(1, 5)
        starts.append(monday + WEEK * start)
        ends.append(monday + WEEK * (start + length))
        start += random.randint(max(0, length - 2), length)
    last = max(ends)
    weeks = (last - monday).days // 7
    every = -(-weeks // 9)  # at most ten dates fit below the axis
    ticks = tuple(monday + WEEK * k for k in range(0, weeks + 1, every))
    names = NAMES[language]
    columns = (
        Column(names["task"], tuple(localize(project.tasks[k], language) for k in chosen)),
        Column(names["start"], tuple(starts)),
        Column(names["end"], tuple(ends)),
    )
    return ScheduleChart(
        kind=kind, language=language, title=placed_title(project.title, project.where, vocabulary, language, random),
        table=Table(columns), style=style,
        exact=True,
        first=monday, last=last, ticks=ticks,
        absent=tuple(localize(task, language) for k, task in enumerate(project.tasks) if k not in chosen),
    )  # fmt: skip


def timeline(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> ScheduleChart:
    """Make a timeline of events with printed years."""
    history = random.choice(vocabulary.histories)
    chosen = sorted(random.sample(range(len(history.events)), min(random.randint(4, 6), len(history.events))))
    year = random.randint(1950, 1995)
    years = []
    for _ in chosen:
        years.append(date(year, 1, 1))
        year += random.randint(2, 9)
    names = NAMES[language]
    columns = (
        Column(names["event"], tuple(localize(history.events[k], language) for k in chosen)),
        Column(names["year"], tuple(str(day.year) for day in years)),
    )
    return ScheduleChart(
        kind=kind, language=language, title=localize(history.title, language), table=Table(columns), style=style,
        exact=True,
        first=years[0], last=years[-1], ticks=tuple(years),
        absent=tuple(localize(event, language) for k, event in enumerate(history.events) if k not in chosen),
    )  # fmt: skip
