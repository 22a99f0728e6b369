"""What is read or looked at: articles, lists of them, pictures."""

from sources.synthetic_pages.components.draw import Content, Draw


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


def gallery(draw: Draw) -> Content:
    columns = draw.random.choice((3, 4))
    names = draw.words.some(draw.random.choice(("products", "categories")), columns * (2 if draw.density > 0.7 else 1))
    return {
        "title": draw.words.phrase("photos"),
        "columns": columns,
        "height": round(draw.random.choice((100, 130, 160)) * draw.density),
        "entries": [(name, draw.tint()) for name in names],
    }
