"""What sells: products, prices, praise, answers."""

from sources.synthetic_pages.components.draw import Content, Draw


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


def faq(draw: Draw) -> Content:
    return {"title": draw.words.phrase("faq"), "entries": draw.words.some("questions", draw.many(3, 6))}
