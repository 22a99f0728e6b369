"""Data of shares of a whole: pie, donut, treemap, 100 % bars, and stages of a funnel."""

import dataclasses
import random as random_module
from collections.abc import Sequence
from decimal import Decimal

from sources.charts.axis import Axis
from sources.charts.chart import SeriesChart
from sources.charts.noun import Noun
from sources.charts.schema.quantities import NamedList, Topic
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table, snap
from sources.charts.titles import placed_title

Random = random_module.Random
MAX_GREYS = 4  # slices whose greys differ enough
LEAST_SHARE = 0.04  # of the whole; the label would not fit into a thinner slice


def share_chart(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> SeriesChart:
    """Make a pie, donut or treemap whose slices show their percentage or value."""
    topic = random.choice([topic for topic in vocabulary.topics if topic.additive] or [None])
    if topic is None:
        raise ValueError("the vocabulary has no additive topic; pies and treemaps need one")
    names = vocabulary.lists[random.choice(topic.by)]
    count = min(random.randint(4, 8 if kind == "treemap" else 6), len(names.items))
    chosen = random.sample(range(len(names.items)), count)
    if style.palette == "greys" and count > MAX_GREYS:
        style = dataclasses.replace(style, palette="okabe_ito")
    weights = _weights(count, random)
    in_percent = random.random() < 0.5
    if in_percent:
        values = percentages(weights, Decimal(1))
        measure, unit, degree = {"en": "Share", "zh": "占比"}[language], "%", "high"
    else:
        total = (topic.low + topic.high) / 2 * count
        step = Decimal(1).scaleb(-topic.decimals)
        values = [snap(max(weight * total, float(step)), step) for weight in weights]
        measure, unit, degree = localize(topic.measure, language), localize(topic.unit, language), topic.words
    _check_shares(values)
    first = Column(localize(names.noun, language), tuple(localize(names.items[k], language) for k in chosen))
    title = localize(topic.title, language)
    title = {"en": f"{title} by {first.name.lower()}", "zh": f"{title}（按{first.name}）"}[language]
    return SeriesChart(
        kind=kind, language=language, title=title, style=style, exact=True, measure=measure, unit=unit,
        table=Table((first, Column(measure, tuple(values), unit, Decimal(1), degree=degree))),
        additive=True, row_noun=_noun_of_shares(names, language) if in_percent else names.named(language),
        absent=tuple(localize(item, language) for k, item in enumerate(names.items) if k not in chosen),
    )  # fmt: skip


def _noun_of_shares(names: NamedList, language: str) -> Noun:
    """Return the noun of names that have shares: the share of the bus, not by bus."""
    return dataclasses.replace(names.named(language), preposition="of")


def percent_bar(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> SeriesChart:
    """Make bars of equal length, divided into percentages."""
    choices: list[tuple[Topic, str, str]] = [
        (topic, rows, columns)
        for topic in vocabulary.topics if topic.additive
        for rows in topic.by for columns in topic.by if rows != columns and vocabulary.can_cross(rows, columns)
    ]  # fmt: skip
    if not choices:
        raise ValueError("the vocabulary has no additive topic with two lists in `by`; 100 % bars need one")
    topic, rows_name, columns_name = random.choice(choices)
    rows, columns = vocabulary.lists[rows_name], vocabulary.lists[columns_name]
    chosen_rows = random.sample(range(len(rows.items)), min(random.randint(3, 6), len(rows.items)))
    chosen = random.sample(range(len(columns.items)), min(random.randint(2, 4), len(columns.items)))
    exact = style.value_labels
    step = Decimal(1) if exact else Decimal(2)
    shares = [percentages(_weights(len(chosen), random, 0.08), step) for _ in chosen_rows]
    first = Column(localize(rows.noun, language), tuple(localize(rows.items[k], language) for k in chosen_rows))
    series = [
        Column(localize(columns.items[k], language), tuple(share[j] for share in shares), "%", step)
        for j, k in enumerate(chosen)
    ]
    measure = {"en": "Share", "zh": "占比"}[language]
    ticks = tuple(Decimal(k) for k in range(0, 101, 20))
    return SeriesChart(
        kind=kind, language=language, title=localize(topic.title, language), table=Table((first, *series)), style=style,
        exact=exact, measure=measure, unit="%", axis=Axis(f"{measure} (%)", ticks[0], ticks[-1], ticks),
        row_noun=rows.named(language), series_noun=_noun_of_shares(columns, language),
        absent=tuple(localize(item, language) for k, item in enumerate(rows.items) if k not in chosen_rows),
    )  # fmt: skip


def funnel(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> SeriesChart:
    """Make stages, each a part of the one before."""
    entry = random.choice(vocabulary.funnels)
    value = random.uniform(entry.low, entry.high)
    middle = range(1, len(entry.stages) - 1)  # the first and the last stage are always there
    kept = sorted(random.sample(middle, random.randint(min(2, len(middle)), len(middle))))
    stages = [entry.stages[k] for k in (0, *kept, len(entry.stages) - 1)]
    values = []
    for _ in stages:
        values.append(snap(value, Decimal(1)))
        value *= random.uniform(0.45, 0.85)
    first = Column({"en": "Stage", "zh": "阶段"}[language], tuple(localize(stage, language) for stage in stages))
    measure, unit = localize(entry.measure, language), localize(entry.unit, language)
    return SeriesChart(
        kind=kind, language=language, style=style, exact=True, measure=measure,
        title=placed_title(entry.title, entry.where, vocabulary, language, random),
        unit=unit, table=Table((first, Column(measure, tuple(values), unit, Decimal(1), degree="much"))),
        row_noun={"en": Noun("stage", "stages", preposition="at"), "zh": Noun("阶段", "阶段")}[language],
    )  # fmt: skip


def _weights(count: int, random: Random, least: float = LEAST_SHARE) -> list[float]:
    """Return positive fractions that add up to 1, none below `least`."""
    raw = [random.gammavariate(1.6, 1) for _ in range(count)]
    free = 1 - least * count
    return [least + free * value / sum(raw) for value in raw]


def percentages(weights: Sequence[float], step: Decimal) -> list[Decimal]:
    """Return multiples of `step` that add up to exactly 100, by largest remainders.

    Raises:
        ValueError: a weight is negative or NaN, or all are 0.
    """
    if any(not weight >= 0 for weight in weights) or not sum(weights) > 0:
        raise ValueError(f"shares must be 0 or more, and not all 0; got {list(weights)}")
    units = int(100 / step)
    scaled = [weight / sum(weights) * units for weight in weights]
    counts = [int(value) for value in scaled]
    by_remainder = sorted(range(len(scaled)), key=lambda k: counts[k] - scaled[k])
    for k in by_remainder[: units - sum(counts)]:
        counts[k] += 1
    return [count * step for count in counts]


def _check_shares(values: Sequence[Decimal]) -> None:
    """Raise ValueError unless all values are positive, as a pie needs."""
    if any(value <= 0 for value in values):
        raise ValueError(f"slices of a whole must be positive, got {[f'{value:f}' for value in values]}")
