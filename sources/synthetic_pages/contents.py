"""What stands in each component of a page: a mapping that its template is filled with.

`Draw.many` scales the number of entries down from attempt to attempt, until the page fits its window.
"""

import calendar
import random as random_module
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sources.synthetic_pages.theme import Theme
from sources.synthetic_pages.vocabulary import Words

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draw:
    """All that a component is drawn from.

    Args:
        site: the page's name.
        heading: of its main part.
        density: 0 to 1, the share of the usual number of entries.
    """

    random: random_module.Random
    words: Words
    theme: Theme
    site: str
    heading: str
    density: float

    def many(self, lowest: int, highest: int) -> int:
        """A random number of entries, fewer where there is less room."""
        return max(2, round(self.random.randint(lowest, highest) * self.density))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def tint(self) -> str:
        """The colours of a picture's place."""
        first, second = self.random.sample(self.theme.tints, 2)
        return (
            first
            if self.chance(0.4)
            else f"linear-gradient({self.random.choice((90, 135, 180))}deg, {first}, {second})"
        )

    def price(self, highest: int = 200) -> str:
        amount = self.random.randint(4, highest)
        if self.words.language == "zh":
            return f"¥{amount * 7}"
        return f"${amount}.{self.random.choice(('00', '50', '95', '99'))}"

    def date(self) -> str:
        month, day = self.random.randint(1, 12), self.random.randint(1, 28)
        if self.words.language == "zh":
            return f"{month}月{day}日"
        return f"{self.words.all('months')[month - 1][:3]} {day}"

    def time(self) -> str:
        return f"{self.random.randint(8, 19)}:{self.random.choice((0, 5, 10, 15, 20, 30, 40, 45)):02d}"


def header(draw: Draw) -> Content:
    words = draw.words
    return {
        "site": draw.site,
        "links": words.some("navigation", draw.random.randint(3, 5)),
        "pad": draw.random.choice((1, 2, 2)),
        "line": draw.chance(0.5),
        "right": draw.chance(0.5),
        "search": words.phrase("search") if draw.chance(0.3) else "",
        "button": words.phrase("sign_in") if draw.chance(0.6) else "",
    }


def hero(draw: Draw) -> Content:
    words = draw.words
    title, action, second = words.one("taglines"), *words.some("actions", 2)
    return {
        "split": draw.chance(0.5),
        "tinted": draw.chance(0.4),
        "title": title,
        "intro": words.one("intros"),
        "action": action,
        "second": second if draw.chance(0.5) else "",
        "tint": draw.tint(),
        "size": draw.random.choice((2, 2.4, 2.8)),
        "height": round(draw.random.choice((180, 220)) * draw.density),
    }


def cards(draw: Draw) -> Content:
    columns = draw.random.choice((2, 3, 3))
    return {
        "columns": columns,
        "title": draw.words.phrase("why") if draw.chance(0.7) else "",
        "entries": draw.words.some(
            "features", columns * (1 if draw.density < 0.8 or (columns == 3 and draw.chance(0.5)) else 2)
        ),
        "icons": draw.chance(0.4),
        "round": draw.random.choice(("50%", "25%")),
    }


def products(draw: Draw) -> Content:
    columns = draw.random.choice((3, 4))
    names = draw.words.some("products", columns * (2 if draw.density > 0.6 else 1))
    return {
        "columns": columns,
        "height": round(draw.random.choice((90, 120, 150)) * draw.density),
        "entries": [{"name": name, "price": draw.price(), "tint": draw.tint()} for name in names],
        "button": draw.words.phrase("add") if draw.chance(0.6) else "",
    }


def product(draw: Draw) -> Content:
    words = draw.words
    return {
        "name": words.one("products"),
        "price": draw.price(),
        "tint": draw.tint(),
        "height": round(draw.random.choice((280, 340)) * draw.density),
        "stock": words.phrase("in_stock"),
        "text": words.text(3),
        "add": words.phrase("add"),
        "buy": words.phrase("buy"),
    }


def pricing(draw: Draw) -> Content:
    words = draw.words
    names = words.some("plans", draw.random.choice((2, 3, 3)))
    best = draw.random.randrange(len(names))
    points = draw.many(3, 5)
    unit = "¥" if words.language == "zh" else draw.random.choice("$€")
    amounts = sorted(draw.random.sample(range(5, 90), len(names)))
    return {
        "title": words.phrase("pricing"),
        "popular": words.phrase("popular"),
        "per": words.phrase("per_month"),
        "choose": words.phrase("choose"),
        "plans": [
            {"name": name, "price": f"{unit}{amount}", "points": words.some("plan_points", points), "best": k == best}
            for k, (name, amount) in enumerate(zip(names, amounts, strict=True))
        ],
    }


def tiles(draw: Draw) -> Content:
    random = draw.random

    def value() -> str:
        return random.choice(
            (
                f"{random.randint(10, 9999):,}",
                f"{random.randint(5, 97)}%",
                f"{random.randint(10, 99)}.{random.randint(0, 9)}k",
            )
        )

    names = draw.words.some("metrics", random.choice((3, 4)))
    changes = [f"{random.choice('+−')}{random.randint(0, 30)}.{random.randint(1, 9)}%" for _ in names]
    return {"entries": [{"label": n, "value": value(), "change": c} for n, c in zip(names, changes, strict=True)]}


def bars(draw: Draw) -> Content:
    months = draw.words.all("months")[: draw.random.choice((6, 8, 12))]
    names = months if draw.words.language == "zh" else [month[:3] for month in months]
    highest = round(draw.random.choice((110, 150)) * draw.density)
    return {
        "title": f"{draw.words.one('metrics')} · {draw.words.phrase('by_month')}",
        "entries": [(name, draw.random.randint(highest // 5, highest)) for name in names],
    }


def table(draw: Draw) -> Content:
    words, random = draw.words, draw.random
    first = random.randint(1000, 9000)
    rows = [
        [
            f"#{first + k}",
            words.one("people"),
            words.one("cities"),
            words.one("products"),
            draw.price(900),
            words.one("statuses"),
        ]
        for k in range(draw.many(5, 9))
    ]
    dropped = random.sample((2, 3), random.randint(0, 1))
    kept = [k for k in range(6) if k not in dropped]
    return {
        "title": words.phrase("latest") if draw.chance(0.7) else "",
        "columns": [words.all("columns")[k] for k in kept],
        "rows": [[row[k] for k in kept] for row in rows],
        "numeric": [kept.index(4)],
        "badges": draw.chance(0.5),
        "tinted": draw.chance(0.4),
        "pad": random.choice((6, 8, 10)),
    }


def article(draw: Draw) -> Content:
    words = draw.words
    num_parts = draw.many(2, 4)
    headings = words.some("headlines", num_parts)
    return {
        "title": headings[0],
        "byline": f"{words.phrase('by', name=words.one('people'))} · {draw.date()} · "
        f"{words.phrase('minutes', n=draw.random.randint(3, 12))}",
        "parts": [
            (headings[k] if k and draw.chance(0.6) else "", words.text(draw.random.randint(3, 5)))
            for k in range(num_parts)
        ],
        "picture": round(draw.random.choice((140, 200)) * draw.density) if draw.chance(0.6) else 0,
        "tint": draw.tint(),
        "quote": words.one("quotes") if draw.chance(0.4) else "",
        "width": draw.random.choice((620, 680, 740)),
        "centred": draw.chance(0.4),
        "size": draw.random.choice((1.8, 2.1, 2.4)),
    }


def entries(draw: Draw) -> Content:
    words = draw.words
    titles = words.some("headlines", draw.many(4, 6))
    return {
        "title": words.phrase("news") if draw.chance(0.6) else "",
        "entries": [
            {
                "title": title,
                "meta": f"{words.one('categories')} · {draw.date()}",
                "text": words.text(draw.random.randint(1, 2)),
                "tint": draw.tint(),
            }
            for title in titles
        ],
        "pictures": draw.random.choice((0, 0, 100, 130)),
        "decoration": draw.random.choice(("none", "underline")),
        "pad": draw.random.choice((10, 14)),
    }


def results(draw: Draw) -> Content:
    content = dict(entries(draw))
    query = draw.words.one("queries")
    return content | {"title": draw.words.phrase("results", n=draw.random.randint(8, 900), query=query), "pictures": 0}


def pages(draw: Draw) -> Content:
    numbers = list(range(1, draw.random.randint(4, 7)))
    words = draw.words
    return {
        "numbers": numbers,
        "current": draw.random.choice(numbers),
        "previous": words.phrase("previous"),
        "next": words.phrase("next"),
    }


def chat(draw: Draw) -> Content:
    words = draw.words
    hour = draw.random.randint(8, 19)
    bubbles = []
    for k, (asked, answered) in enumerate(words.some("dialogue", draw.many(3, 5))):
        asker, answerer = draw.random.choice((("theirs", "mine"), ("mine", "theirs")))
        bubbles += [(asker, asked, f"{hour}:{8 * k + 1:02d}"), (answerer, answered, f"{hour}:{8 * k + 5:02d}")]
    return {
        "name": words.one("people"),
        "bubbles": bubbles,
        "write": words.phrase("message"),
        "send": words.phrase("send"),
    }


def form(draw: Draw) -> Content:
    words, random = draw.words, draw.random
    columns = random.choice((1, 2))
    names = words.all("fields")
    name = words.one("people")
    values = {
        names[0]: name,
        names[1]: f"mail{random.randint(10, 99)}@example.org",
        names[2]: f"0{random.randint(20, 99)} {random.randint(100000, 999999)}",
        names[4]: str(random.randint(10000, 99999)),
        names[5]: words.one("cities"),
    }
    chosen = sorted(random.sample(range(len(names)), draw.many(3, 4) if columns == 1 else 2 * draw.many(2, 3)))
    is_filled = draw.chance(0.5)
    title, button = random.choice((("contact", "send"), ("checkout", "pay"), ("account", "save")))
    return {
        "title": words.phrase(title),
        "columns": columns,
        "width": random.choice((420, 520)),
        "weight": random.choice((400, 600)),
        "fields": [(names[k], values.get(names[k], "") if is_filled else "") for k in chosen],
        "choice": (words.phrase("subject"), words.one("subjects")) if draw.chance(0.4) else None,
        "area": words.phrase("your_message") if draw.chance(0.5) else "",
        "rows": random.choice((3, 4)),
        "button": words.phrase(button),
        "second": words.phrase("cancel") if draw.chance(0.5) else "",
    }


def switches(draw: Draw) -> Content:
    words = draw.words
    return {
        "title": words.phrase("notifications"),
        "entries": [(text, draw.chance(0.5)) for text in words.some("options", draw.many(3, 6))],
    }


def login(draw: Draw) -> Content:
    words, random = draw.words, draw.random
    is_filled = draw.chance(0.6)
    return {
        "title": words.phrase(random.choice(("welcome", "sign_in"))),
        "width": random.choice((320, 360, 400)),
        "top": random.choice((20, 60, 110)),
        "email": words.phrase("email"),
        "address": f"mail{random.randint(10, 99)}@example.org" if is_filled else "",
        "password": words.phrase("password"),
        "secret": "secret" if is_filled else "",
        "remember": words.phrase("remember") if draw.chance(0.6) else "",
        "button": words.phrase("sign_in"),
        "forgot": words.phrase("forgot"),
        "no_account": words.phrase("no_account"),
        "register": words.phrase("register"),
    }


def month(draw: Draw) -> Content:
    words, random = draw.words, draw.random
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
        "events": {day: words.one("events") for day in busy},
        "height": round(random.choice((68, 80)) * draw.density),
    }


def faq(draw: Draw) -> Content:
    return {"title": draw.words.phrase("faq"), "entries": draw.words.some("questions", draw.many(3, 6))}


def profile(draw: Draw) -> Content:
    words, random = draw.words, draw.random
    names = ("posts", "followers", "following")
    return {
        "name": words.one("people"),
        "job": words.one("jobs"),
        "city": words.one("cities"),
        "size": random.choice((80, 100, 120)),
        "tint": draw.tint(),
        "counts": [(words.phrase(name), f"{random.randint(3, 4000):,}") for name in names],
        "follow": words.phrase("follow"),
    }


def gallery(draw: Draw) -> Content:
    columns = draw.random.choice((3, 4))
    names = draw.words.some(draw.random.choice(("products", "categories")), columns * (2 if draw.density > 0.7 else 1))
    return {
        "title": draw.words.phrase("photos"),
        "columns": columns,
        "height": round(draw.random.choice((100, 130, 160)) * draw.density),
        "entries": [(name, draw.tint()) for name in names],
    }


def files(draw: Draw) -> Content:
    words, random = draw.words, draw.random
    names = words.some("files", draw.many(5, 10))
    return {
        "search": words.phrase("search"),
        "upload": words.phrase("upload"),
        "new": words.phrase("new"),
        "columns": [words.phrase(name) for name in ("name", "modified", "size")],
        "rows": [
            (name, draw.date(), random.choice((f"{random.randint(2, 900)} KB", f"{random.randint(1, 40)} MB")))
            for name in names
        ],
        "chosen": random.randrange(len(names)) if draw.chance(0.5) else -1,
        "pad": random.choice((6, 9, 11)),
    }


def steps(draw: Draw) -> Content:
    all_steps = draw.words.all("steps")
    return {"title": draw.words.phrase("how"), "entries": all_steps[: draw.random.choice((3, 4))]}


def quotes(draw: Draw) -> Content:
    words = draw.words
    said = words.some("quotes", draw.random.choice((2, 3)))
    people = words.some("people", len(said))
    return {
        "title": words.phrase("quotes"),
        "style": draw.random.choice(("normal", "italic")),
        "entries": [(text, name, words.one("jobs")) for text, name in zip(said, people, strict=True)],
    }


def notice(draw: Draw) -> Content:
    return {"text": draw.words.one("notices")}


def side(draw: Draw) -> Content:
    entries = draw.words.some("menu", draw.many(5, 8))
    return {"title": draw.site if draw.chance(0.5) else "", "entries": entries, "current": draw.random.choice(entries)}


def filters(draw: Draw) -> Content:
    entries = [draw.words.phrase("all"), *draw.words.some("categories", draw.many(4, 7))]
    return {"title": draw.words.phrase("categories"), "entries": entries, "current": draw.random.choice(entries)}


def heading(draw: Draw) -> Content:
    words = draw.words
    return {
        "title": draw.heading,
        "buttons": [
            words.phrase(name) for name in draw.random.choice(((), ("export",), ("filter", "new"), ("export", "edit")))
        ],
    }


def footer(draw: Draw) -> Content:
    return {
        "site": draw.site,
        "year": draw.random.randint(2019, 2027),
        "rights": draw.words.phrase("rights"),
        "links": draw.words.some("links", draw.random.randint(2, 4)),
        "plain": draw.chance(0.5),
    }


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a page: the name of its template, and what draws its content."""

    template: str
    draw: Callable[[Draw], Content]


COMPONENTS: Mapping[str, Component] = {
    **{
        function.__name__: Component(function.__name__, function)
        for function in (
            header, hero, cards, products, product, pricing, tiles, bars, table, article, entries, pages, chat, form,
            switches, login, faq, profile, gallery, files, steps, quotes, notice, side, heading, footer,
        )
    },
    "results": Component("entries", results),
    "filters": Component("side", filters),
    "month": Component("calendar", month),
}  # fmt: skip
