"""Components of shops and product sites: products, prices, quotes, answers."""

from sources.synthetic_pages.components.context import ComponentContext, Content
from sources.synthetic_pages.icons import stars


def hero(context: ComponentContext) -> Content:
    words = context.words
    action, second = words.sample("actions", 2)
    title = words.choose("taglines") if context.chance(0.3) else context.texts.headline(50)
    return {
        "split": context.chance(0.5),
        "tinted": context.chance(0.4),
        "title": title,
        "intro": words.choose("intros") if context.chance(0.3) else context.texts.sentence(130),
        "action": action,
        "second": second if context.chance(0.5) else "",
        "picture": context.picture(),
        "size": context.random.choice((2, 2.4, 2.8)),
        "height": round(context.random.choice((180, 220)) * context.density),
    }


def cards(context: ComponentContext) -> Content:
    columns = context.random.choice((2, 3, 3))
    number = columns * (1 if context.density < 0.8 or (columns == 3 and context.chance(0.5)) else 2)
    known = context.words.sample("features", number)
    return {
        "columns": columns,
        "title": context.words.phrase("why") if context.chance(0.7) else "",
        "entries": [
            each if context.chance(0.3) else (context.texts.heading(28), context.texts.sentence(100)) for each in known
        ],
        "icons": context.icons(number, 28) if context.chance(0.6) else [],
    }


def products(context: ComponentContext) -> Content:
    columns = context.random.choice((3, 4))
    names = [context.texts.thing() for _ in range(columns * (2 if context.density > 0.6 else 1))]
    is_rated = context.chance(0.4)
    return {
        "columns": columns,
        "height": round(context.random.choice((90, 120, 150)) * context.density),
        "entries": [
            {
                "name": name,
                "price": context.price(),
                "picture": context.picture(name, "still_life" if context.chance(0.7) else ""),
                "stars": stars(context.random.randint(2, 5), 14) if is_rated else "",
                "num_ratings": context.random.randint(3, 900),
            }
            for name in names
        ],
        "button": context.words.phrase("add") if context.chance(0.6) else "",
    }


def product(context: ComponentContext) -> Content:
    words = context.words
    return {
        "name": (name := context.texts.thing()),
        "price": context.price(),
        "picture": context.picture(name, "still_life"),
        "facts": [(context.texts.group(1)[0], context.texts.thing()) for _ in range(context.sample_count(2, 4))],
        "icons": context.icons(2, 18),
        "height": round(context.random.choice((280, 340)) * context.density),
        "stock": words.phrase("in_stock"),
        "text": context.texts.sentences(3),
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
    known = context.words.all("steps")[: context.random.choice((3, 4))]
    texts = context.texts
    entries = known if context.chance(0.3) else [(texts.heading(22), texts.sentence(70)) for _ in known]
    return {"title": context.words.phrase("how"), "entries": entries}


def quotes(context: ComponentContext) -> Content:
    words = context.words
    texts = [context.texts.sentence(110) for _ in range(context.random.choice((2, 3)))]
    return {
        "title": words.phrase("quotes"),
        "style": context.random.choice(("normal", "italic")),
        "entries": [(text, context.texts.person(), words.choose("jobs")) for text in texts],
    }


def faq(context: ComponentContext) -> Content:
    return {
        "title": context.words.phrase("faq"),
        "entries": [
            known if context.chance(0.3) else (context.texts.question(), context.texts.sentence(140))
            for known in context.words.sample("questions", context.sample_count(3, 6))
        ],
    }
