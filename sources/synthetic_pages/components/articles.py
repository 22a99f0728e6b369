"""Components with articles, lists of articles and pictures."""

from sources.synthetic_pages.components.context import ComponentContext, Content


def article(context: ComponentContext) -> Content:
    words = context.words
    num_parts = context.sample_count(2, 4)
    headings = words.sample("headlines", num_parts)
    return {
        "title": headings[0],
        "byline": f"{words.phrase('by', name=words.choose('people'))} · {context.date()} · "
        f"{words.phrase('minutes', n=context.random.randint(3, 12))}",
        "parts": [
            (headings[k] if k and context.chance(0.6) else "", words.sentences(context.random.randint(3, 5)))
            for k in range(num_parts)
        ],
        "picture": round(context.random.choice((140, 200)) * context.density) if context.chance(0.6) else 0,
        "tint": context.tint(),
        "quote": words.choose("quotes") if context.chance(0.4) else "",
        "width": context.random.choice((620, 680, 740)),
        "centred": context.chance(0.4),
        "size": context.random.choice((1.8, 2.1, 2.4)),
    }


def entries(context: ComponentContext) -> Content:
    words = context.words
    titles = words.sample("headlines", context.sample_count(4, 6))
    return {
        "title": words.phrase("news") if context.chance(0.6) else "",
        "entries": [
            {
                "title": title,
                "meta": f"{words.choose('categories')} · {context.date()}",
                "text": words.sentences(context.random.randint(1, 2)),
                "tint": context.tint(),
            }
            for title in titles
        ],
        "pictures": context.random.choice((0, 0, 100, 130)),
        "decoration": context.random.choice(("none", "underline")),
        "pad": context.random.choice((10, 14)),
    }


def results(context: ComponentContext) -> Content:
    content = dict(entries(context))
    query = context.words.choose("queries")
    return content | {
        "title": context.words.phrase("results", n=context.random.randint(8, 900), query=query),
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
    names = context.words.sample(
        context.random.choice(("products", "categories")), columns * (2 if context.density > 0.7 else 1)
    )
    return {
        "title": context.words.phrase("photos"),
        "columns": columns,
        "height": round(context.random.choice((100, 130, 160)) * context.density),
        "entries": [(name, context.tint()) for name in names],
    }
