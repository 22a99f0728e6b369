"""What people fill in, and what they say: forms, chats, profiles."""

from sources.synthetic_pages.components.draw import Content, Draw


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
