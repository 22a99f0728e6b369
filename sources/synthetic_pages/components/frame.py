"""Components around the main part: header, side, headings, notices, footer."""

from sources.synthetic_pages.components.context import ComponentContext, Content


def header(context: ComponentContext) -> Content:
    words = context.words
    return {
        "site": context.site,
        "links": words.sample("navigation", context.random.randint(3, 5)),
        "pad": context.random.choice((1, 2, 2)),
        "line": context.chance(0.5),
        "right": context.chance(0.5),
        "search": words.phrase("search") if context.chance(0.3) else "",
        "button": words.phrase("sign_in") if context.chance(0.6) else "",
    }


def side(context: ComponentContext) -> Content:
    entries = context.words.sample("menu", context.sample_count(5, 8))
    return {
        "title": context.site if context.chance(0.5) else "",
        "entries": entries,
        "current": context.random.choice(entries),
    }


def filters(context: ComponentContext) -> Content:
    entries = [context.words.phrase("all"), *context.words.sample("categories", context.sample_count(4, 7))]
    return {"title": context.words.phrase("categories"), "entries": entries, "current": context.random.choice(entries)}


def heading(context: ComponentContext) -> Content:
    words = context.words
    return {
        "title": context.heading,
        "buttons": [
            words.phrase(name)
            for name in context.random.choice(((), ("export",), ("filter", "new"), ("export", "edit")))
        ],
    }


def notice(context: ComponentContext) -> Content:
    return {"text": context.words.choose("notices")}


def footer(context: ComponentContext) -> Content:
    return {
        "site": context.site,
        "year": context.random.randint(2019, 2027),
        "rights": context.words.phrase("rights"),
        "links": context.words.sample("links", context.random.randint(2, 4)),
        "plain": context.chance(0.5),
    }
