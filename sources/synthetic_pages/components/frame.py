"""Components around the main part: header, side, headings, notices, footer."""

from sources.synthetic_pages.components.context import ComponentContext, Content
from sources.synthetic_pages.icons import icon


def header(context: ComponentContext) -> Content:
    words = context.words
    tools = [icon(name, 20) for name in context.random.choice((("bell", "user"), ("heart", "cart"), ("cart",)))]
    has_tools = context.chance(0.4)  # then there is less room for links, and none for a search
    return {
        "site": context.site,
        "links": words.sample("navigation", context.random.randint(2, 3)) + context.texts.group(1 if has_tools else 2),
        "logo": context.icons(1, 22)[0] if context.chance(0.5) else "",
        "tools": tools if has_tools else [],
        "pad": context.random.choice((1, 2, 2)),
        "line": context.chance(0.5),
        "right": context.chance(0.5),
        "search": words.phrase("search") if context.chance(0.3) and not has_tools else "",
        "button": words.phrase("sign_in") if context.chance(0.6) else "",
    }


def side(context: ComponentContext) -> Content:
    entries = context.words.sample("menu", context.sample_count(5, 8))
    return {
        "icons": context.icons(len(entries), 18) if context.chance(0.6) else [],
        "title": context.site if context.chance(0.5) else "",
        "entries": entries,
        "current": context.random.choice(entries),
    }


def filters(context: ComponentContext) -> Content:
    entries = [context.words.phrase("all"), *context.texts.group(context.sample_count(4, 7))]
    return {
        "icons": [],
        "title": context.words.phrase("categories"),
        "entries": entries,
        "current": context.random.choice(entries),
    }


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
    text = context.words.choose("notices") if context.chance(0.4) else context.texts.sentence(80)
    return {"text": text, "icon": icon("bell", 16) if context.chance(0.4) else ""}


def footer(context: ComponentContext) -> Content:
    return {
        "site": context.site,
        "year": context.random.randint(2019, 2027),
        "rights": context.words.phrase("rights"),
        "links": context.words.sample("links", context.random.randint(2, 4)),
        "plain": context.chance(0.5),
    }


def tabs(context: ComponentContext) -> Content:
    entries = context.words.sample("menu", context.random.randint(3, 5))
    return {"entries": entries, "current": context.random.choice(entries), "boxed": context.chance(0.5)}


def checks(context: ComponentContext) -> Content:
    """Filters for a list: two groups of boxes to tick."""
    words = context.words
    return {
        "title": words.phrase("filter"),
        "groups": [
            [(name, context.random.randint(2, 240), context.chance(0.3)) for name in context.texts.group(number)]
            for number in (context.sample_count(3, 5), context.sample_count(2, 4))
        ],
        "names": [words.phrase("categories"), words.phrase("more")],
        "button": words.phrase("apply") if context.chance(0.5) else "",
    }
