"""Components of dashboards: numbers, charts, tables, calendars, files."""

import calendar

from sources.synthetic_pages.components.context import ComponentContext, Content


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
    return {"entries": [{"label": n, "value": value(), "change": c} for n, c in zip(names, changes, strict=True)]}


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
            words.choose("people"),
            words.choose("cities"),
            words.choose("products"),
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
        "events": {day: words.choose("events") for day in busy},
        "height": round(random.choice((68, 80)) * context.density),
    }


def files(context: ComponentContext) -> Content:
    words, random = context.words, context.random
    names = words.sample("files", context.sample_count(5, 10))
    return {
        "search": words.phrase("search"),
        "upload": words.phrase("upload"),
        "new": words.phrase("new"),
        "columns": [words.phrase(name) for name in ("name", "modified", "size")],
        "rows": [
            (name, context.date(), random.choice((f"{random.randint(2, 900)} KB", f"{random.randint(1, 40)} MB")))
            for name in names
        ],
        "chosen": random.randrange(len(names)) if context.chance(0.5) else -1,
        "pad": random.choice((6, 9, 11)),
    }
