"""What frames a page: header, side, headings, notices, footer."""

from sources.synthetic_pages.components.draw import Content, Draw


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


def notice(draw: Draw) -> Content:
    return {"text": draw.words.one("notices")}


def footer(draw: Draw) -> Content:
    return {
        "site": draw.site,
        "year": draw.random.randint(2019, 2027),
        "rights": draw.words.phrase("rights"),
        "links": draw.words.some("links", draw.random.randint(2, 4)),
        "plain": draw.chance(0.5),
    }
