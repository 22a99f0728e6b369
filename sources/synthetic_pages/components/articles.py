"""Components with articles, lists of articles and pictures."""

from sources.synthetic_pages.components.context import ComponentContext, Content
from sources.synthetic_pages.icons import icon


def article(context: ComponentContext) -> Content:
    words, texts = context.words, context.texts
    title = texts.headline(70)
    return {
        "title": title,
        "byline": f"{words.phrase('by', name=texts.person())} · {context.date()} · "
        f"{words.phrase('minutes', n=context.random.randint(3, 12))}",
        "parts": [
            (texts.heading(34) if k and context.chance(0.6) else "", texts.sentences(context.random.randint(3, 5)))
            for k in range(context.sample_count(2, 4))
        ],
        "height": round(context.random.choice((140, 200)) * context.density),
        "picture": context.picture(title) if context.chance(0.6) else "",
        "caption": texts.sentence(80) if context.chance(0.5) else "",
        "quote": texts.sentence(110) if context.chance(0.4) else "",
        "width": context.random.choice((620, 680, 740)),
        "centred": context.chance(0.4),
        "size": context.random.choice((1.8, 2.1, 2.4)),
    }


def entries(context: ComponentContext) -> Content:
    words, texts = context.words, context.texts
    has_pictures = context.random.choice((0, 0, 100, 130))
    groups = texts.group(3)
    return {
        "title": words.phrase("news") if context.chance(0.6) else "",
        "entries": [
            {
                "title": texts.headline(64),
                "meta": f"{context.random.choice(groups)} · {context.date()}",
                "text": texts.sentences(context.random.randint(1, 2)),
                "picture": context.picture() if has_pictures else "",
            }
            for _ in range(context.sample_count(4, 6))
        ],
        "pictures": has_pictures,
        "decoration": context.random.choice(("none", "underline")),
        "pad": context.random.choice((10, 14)),
    }


def results(context: ComponentContext) -> Content:
    content = dict(entries(context))
    query = context.texts.thing().lower()
    return content | {
        "title": context.words.phrase("results", n=context.random.randint(8, 900), query=query),
        "entries": [{**entry, "picture": ""} for entry in content["entries"]],
        "pictures": 0,
    }


def pages(context: ComponentContext) -> Content:
    numbers = list(range(1, context.random.randint(4, 7)))
    words = context.words
    return {
        "numbers": numbers,
        "current": context.random.choice(numbers),
        "previous": words.phrase("previous"),
        "next": words.phrase("next"),
    }


def gallery(context: ComponentContext) -> Content:
    columns = context.random.choice((3, 4))
    number = columns * (2 if context.density > 0.7 else 1)
    names = context.texts.group(number) if context.chance(0.5) else [context.texts.thing() for _ in range(number)]
    return {
        "title": context.words.phrase("photos"),
        "columns": columns,
        "height": round(context.random.choice((100, 130, 160)) * context.density),
        "entries": [(name, context.picture(name)) for name in names],
    }


def contents(context: ComponentContext) -> Content:
    """The list of an article's parts."""
    words, texts = context.words, context.texts
    return {
        "title": words.phrase("contents"),
        "entries": [texts.heading(26) for _ in range(context.sample_count(4, 7))],
        "numbered": context.chance(0.5),
    }


def path(context: ComponentContext) -> Content:
    """The way from the start page to this one."""
    return {
        "home": icon("home", 16) if context.chance(0.5) else "",
        "start": context.words.choose("navigation"),
        "entries": context.texts.group(context.random.randint(1, 2)),
        "current": context.texts.thing(),
        "mark": context.random.choice(("/", "›", "»")),
    }
