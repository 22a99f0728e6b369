"""Data of candlestick and waterfall charts."""

import random as random_module
from datetime import date, timedelta
from decimal import Decimal

from sources.charts.axis import make_axis
from sources.charts.chart import SeriesChart
from sources.charts.noun import Noun
from sources.charts.schema.texts import localize
from sources.charts.schema.vocabulary import Vocabulary
from sources.charts.style import Style
from sources.charts.table import Column, Table, snap

Random = random_module.Random
PLOT_SHARE = 0.55  # least length of the price axis, as a fraction of the height of the picture
PRICES = {"en": ("Open", "High", "Low", "Close"), "zh": ("开盘价", "最高价", "最低价", "收盘价")}
CURRENCIES = {"en": "dollars", "zh": "元"}


def candlestick(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> SeriesChart:
    """Make a chart of open, high, low and close of a share on consecutive trading days."""
    stocks = vocabulary.lists["stocks"] if "stocks" in vocabulary.lists else next(iter(vocabulary.lists.values()))
    share = localize(random.choice(stocks.items), language)
    price = random.choice((12.0, 48.0, 130.0, 420.0)) * random.uniform(0.7, 1.3)
    day = date(2024, 1, 1) + timedelta(days=random.randrange(300))
    days, rows = [], []
    for _ in range(random.randint(8, 14)):
        while day.weekday() > 4:
            day += timedelta(days=1)
        days.append(f"{day.month:02d}-{day.day:02d}")
        close = price * (1 + random.gauss(0, 0.022))
        high = max(price, close) * (1 + abs(random.gauss(0, 0.008)))
        low = min(price, close) * (1 - abs(random.gauss(0, 0.008)))
        rows.append((price, high, low, close))
        price = close * (1 + random.gauss(0, 0.004))
        day += timedelta(days=1)
    unit = CURRENCIES[language]
    measure = {"en": "Price", "zh": "价格"}[language]
    axis = make_axis(f"{measure} ({unit})", [value for row in rows for value in row], from_zero=False)
    step = axis.step(style.height_px * PLOT_SHARE)
    exact_rows = [_candle(row, step) for row in rows]
    columns = [Column(name, tuple(row[k] for row in exact_rows), unit, step) for k, name in enumerate(PRICES[language])]
    first = Column({"en": "Day", "zh": "日期"}[language], tuple(days))
    return SeriesChart(
        kind=kind, language=language, title={"en": f"{share}, daily prices", "zh": f"{share}每日股价"}[language],
        table=Table((first, *columns)), style=style, exact=False, measure=measure, unit=unit, axis=axis, over_time=True,
        row_noun={"en": Noun("day", "days", "time", "on"), "zh": Noun("天", "天", "time", counter="")}[language],
    )  # fmt: skip


def _candle(row: tuple[float, ...], step: Decimal) -> tuple[Decimal, ...]:
    """Round a row to the step; a body or wick that would vanish becomes one step long."""
    opened, high, low, close = (snap(value, step) for value in row)
    if opened == close:
        close += step if row[3] >= row[0] else -step
    return opened, max(high, opened, close), min(low, opened, close), close


def waterfall(kind: str, vocabulary: Vocabulary, language: str, style: Style, random: Random) -> SeriesChart:
    """Make a chart of a start, signed changes and the resulting end, all printed."""
    bridge = random.choice(vocabulary.bridges)
    start = round(random.uniform(bridge.low, bridge.high))
    named = [*((name, 1) for name in bridge.gains), *((name, -1) for name in bridge.losses)]
    chosen = random.sample(named, random.randint(4, min(6, len(named))))
    changes = [sign * max(2, round(start * random.uniform(0.05, 0.14))) for _, sign in chosen]
    end = start + sum(changes)
    rows = [bridge.start, *(name for name, _ in chosen), bridge.end]
    values = [Decimal(value) for value in (start, *changes, end)]
    unit, measure = localize(bridge.unit, language), localize(bridge.measure, language)
    levels = [float(start)]
    for change in changes:
        levels.append(levels[-1] + change)
    axis = make_axis(f"{measure} ({unit})", levels, from_zero=True, headroom=0.1)
    first = Column({"en": "Step", "zh": "环节"}[language], tuple(localize(row, language) for row in rows))
    return SeriesChart(
        kind=kind, language=language, title=localize(bridge.title, language), style=style, exact=True, measure=measure,
        unit=unit, axis=axis, table=Table((first, Column(measure, tuple(values), unit, Decimal(1), degree="much"))),
        row_noun={"en": Noun("step", "steps", preposition="for"), "zh": Noun("环节", "环节")}[language],
    )  # fmt: skip
