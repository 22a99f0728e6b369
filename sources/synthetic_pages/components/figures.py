"""Components of dashboards: numbers, charts, tables, calendars, files."""

import calendar
import random as random_module

from sources.synthetic_pages.components.context import ComponentContext, Content
from sources.synthetic_pages.drawings import trend as trend_path
from sources.synthetic_pages.icons import icon

ENDINGS = ("pdf", "docx", "xlsx", "csv", "jpg", "png", "zip", "txt", "odt", "mp4")
TREND = (600, 150)  # units of the drawing of a trend


def tiles(context: ComponentContext) -> Content:
    random = context.random

    def value() -> str:
        return random.choice(
            (
                f"{random.randint(10, 9999):,}",
                f"{random.randint(5, 97)}%",
                f"{random.randint(10, 99)}.{random.randint(0, 9)}k",
            )
        )

    names = context.words.sample("metrics", random.choice((3, 4)))
    changes = [f"{random.choice('+−')}{random.randint(0, 30)}.{random.randint(1, 9)}%" for _ in names]
    return {
        "entries": [{"label": n, "value": value(), "change": c} for n, c in zip(names, changes, strict=True)],
        "icons": context.icons(len(names), 20) if context.chance(0.5) else [],
    }


def bars(context: ComponentContext) -> Content:
    months = context.words.all("months")[: context.random.choice((6, 8, 12))]
    names = months if context.words.language == "zh" else [month[:3] for month in months]
    highest = round(context.random.choice((110, 150)) * context.density)
    return {
        "title": f"{context.words.choose('metrics')} · {context.words.phrase('by_month')}",
        "entries": [(name, context.random.randint(highest // 5, highest)) for name in names],
    }


def table(context: ComponentContext) -> Content:
    words, random = context.words, context.random
    first = random.randint(1000, 9000)
    rows = [
        [
            f"#{first + k}",
            context.texts.person(),
            context.texts.town(),
            context.texts.thing(),
            context.price(900),
            words.choose("statuses"),
        ]
        for k in range(context.sample_count(5, 9))
    ]
    dropped = random.sample((2, 3), random.randint(0, 1))
    kept = [k for k in range(6) if k not in dropped]
    return {
        "title": words.phrase("latest") if context.chance(0.7) else "",
        "columns": [words.all("columns")[k] for k in kept],
        "rows": [[row[k] for k in kept] for row in rows],
        "numeric": [kept.index(4)],
        "badges": context.chance(0.5),
        "tinted": context.chance(0.4),
        "pad": random.choice((6, 8, 10)),
    }


def month(context: ComponentContext) -> Content:
    words, random = context.words, context.random
    year, number = random.randint(2023, 2027), random.randint(1, 12)
    weeks = calendar.Calendar().monthdayscalendar(year, number)
    days = [day for week in weeks for day in week if day]
    busy = random.sample(days, random.randint(4, 8))
    name = words.all("months")[number - 1]
    return {
        "title": f"{year}年{number}月" if words.language == "zh" else f"{name} {year}",
        "weekdays": words.all("weekdays"),
        "weeks": weeks,
        "today": random.choice(days),
        "events": {day: words.choose("events") if context.chance(0.4) else context.texts.group(1)[0] for day in busy},
        "height": round(random.choice((68, 80)) * context.density),
    }


def files(context: ComponentContext) -> Content:
    words, random = context.words, context.random
    names = [
        known if context.chance(0.3) else f"{context.texts.thing()}.{random.choice(ENDINGS)}"
        for known in words.sample("files", context.sample_count(5, 10))
    ]
    return {
        "search": words.phrase("search"),
        "upload": words.phrase("upload"),
        "new": words.phrase("new"),
        "columns": [words.phrase(name) for name in ("name", "modified", "size")],
        "icons": [icon("folder" if context.chance(0.2) else "file", 18) for _ in names] if context.chance(0.6) else [],
        "rows": [
            (name, context.date(), random.choice((f"{random.randint(2, 900)} KB", f"{random.randint(1, 40)} MB")))
            for name in names
        ],
        "chosen": random.randrange(len(names)) if context.chance(0.5) else -1,
        "pad": random.choice((6, 9, 11)),
    }


def trend(context: ComponentContext) -> Content:
    """Lines over the months, with a legend."""
    words = context.words
    months = words.all("months")[: context.random.choice((6, 8, 12))]
    names = words.sample("metrics", context.random.choice((1, 2, 2, 3)))
    width, height = TREND
    return {
        "title": f"{context.texts.group(1)[0]} · {words.phrase('by_month')}",
        "width": width,
        "view": height,
        "height": round(context.random.choice((130, 170)) * context.density),
        "grid": [round(height * k / 4) for k in range(1, 4)],
        "months": months if words.language == "zh" else [month[:3] for month in months],
        "lines": [
            (name, trend_path(_walk(context.random, len(months)), width, height), colour)
            for name, colour in zip(
                names, (context.theme.accent, context.theme.muted, context.theme.text), strict=False
            )
        ],
        "filled": context.chance(0.4),
    }


def _walk(random: random_module.Random, number: int) -> list[float]:
    """Return values from 0.05 to 0.95 of which each is near the one before it."""
    values = [random.uniform(0.2, 0.8)]
    while len(values) < number:
        values.append(min(0.95, max(0.05, values[-1] + random.uniform(-0.25, 0.28))))
    return values


def activity(context: ComponentContext) -> Content:
    """The latest events, with times."""
    number = context.sample_count(3, 5)
    return {
        "title": context.words.phrase("activity"),
        "entries": [
            (mark, context.texts.person(), context.texts.sentence(70), context.time())
            for mark in context.icons(number, 18)
        ],
    }


def progress(context: ComponentContext) -> Content:
    return {
        "title": context.words.phrase("goals"),
        "entries": [(name, context.random.randint(4, 100)) for name in context.texts.group(context.sample_count(3, 5))],
        "height": context.random.choice((8, 12)),
    }


def comparison(context: ComponentContext) -> Content:
    """A table of what the plans include."""
    words = context.words
    return {
        "plans": words.sample("plans", context.random.choice((2, 3))),
        "points": [
            (point if context.chance(0.4) else context.texts.heading(30), [context.chance(0.6) for _ in range(3)])
            for point in words.sample("plan_points", context.sample_count(4, 7))
        ],
        "yes": icon("check", 18),
        "name": words.phrase("name"),
        "pad": context.random.choice((7, 10)),
    }
