"""Components of shops and product sites: products, prices, quotes, answers."""

from sources.synthetic_pages.components.context import ComponentContext, Content


def hero(context: ComponentContext) -> Content:
    words = context.words
    title, action, second = words.choose("taglines"), *words.sample("actions", 2)
    return {
        "split": context.chance(0.5),
        "tinted": context.chance(0.4),
        "title": title,
        "intro": words.choose("intros"),
        "action": action,
        "second": second if context.chance(0.5) else "",
        "tint": context.tint(),
        "size": context.random.choice((2, 2.4, 2.8)),
        "height": round(context.random.choice((180, 220)) * context.density),
    }


def cards(context: ComponentContext) -> Content:
    columns = context.random.choice((2, 3, 3))
    return {
        "columns": columns,
        "title": context.words.phrase("why") if context.chance(0.7) else "",
        "entries": context.words.sample(
            "features", columns * (1 if context.density < 0.8 or (columns == 3 and context.chance(0.5)) else 2)
        ),
        "icons": context.chance(0.4),
        "round": context.random.choice(("50%", "25%")),
    }


def products(context: ComponentContext) -> Content:
    columns = context.random.choice((3, 4))
    names = context.words.sample("products", columns * (2 if context.density > 0.6 else 1))
    return {
        "columns": columns,
        "height": round(context.random.choice((90, 120, 150)) * context.density),
        "entries": [{"name": name, "price": context.price(), "tint": context.tint()} for name in names],
        "button": context.words.phrase("add") if context.chance(0.6) else "",
    }


def product(context: ComponentContext) -> Content:
    words = context.words
    return {
        "name": words.choose("products"),
        "price": context.price(),
        "tint": context.tint(),
        "height": round(context.random.choice((280, 340)) * context.density),
        "stock": words.phrase("in_stock"),
        "text": words.sentences(3),
        "add": words.phrase("add"),
        "buy": words.phrase("buy"),
    }


def pricing(context: ComponentContext) -> Content:
    words = context.words
    names = words.sample("plans", context.random.choice((2, 3, 3)))
    best = context.random.randrange(len(names))
    points = context.sample_count(3, 5)
    unit = "¥" if words.language == "zh" else context.random.choice("$€")
    amounts = sorted(context.random.sample(range(5, 90), len(names)))
    return {
        "title": words.phrase("pricing"),
        "popular": words.phrase("popular"),
        "per": words.phrase("per_month"),
        "choose": words.phrase("choose"),
        "plans": [
            {"name": name, "price": f"{unit}{amount}", "points": words.sample("plan_points", points), "best": k == best}
            for k, (name, amount) in enumerate(zip(names, amounts, strict=True))
        ],
    }


def steps(context: ComponentContext) -> Content:
    all_steps = context.words.all("steps")
    return {"title": context.words.phrase("how"), "entries": all_steps[: context.random.choice((3, 4))]}


def quotes(context: ComponentContext) -> Content:
    words = context.words
    texts = words.sample("quotes", context.random.choice((2, 3)))
    people = words.sample("people", len(texts))
    return {
        "title": words.phrase("quotes"),
        "style": context.random.choice(("normal", "italic")),
        "entries": [(text, name, words.choose("jobs")) for text, name in zip(texts, people, strict=True)],
    }


def faq(context: ComponentContext) -> Content:
    return {
        "title": context.words.phrase("faq"),
        "entries": context.words.sample("questions", context.sample_count(3, 6)),
    }
