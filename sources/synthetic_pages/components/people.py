"""Components for users: forms, chats, profiles."""

from sources.synthetic_pages.components.context import ComponentContext, Content


def form(context: ComponentContext) -> Content:
    words, random = context.words, context.random
    columns = random.choice((1, 2))
    names = words.all("fields")
    name = context.texts.person()
    values = {
        names[0]: name,
        names[1]: f"mail{random.randint(10, 99)}@example.org",
        names[2]: f"0{random.randint(20, 99)} {random.randint(100000, 999999)}",
        names[4]: str(random.randint(10000, 99999)),
        names[5]: context.texts.town(),
    }
    chosen = sorted(
        random.sample(range(len(names)), context.sample_count(3, 4) if columns == 1 else 2 * context.sample_count(2, 3))
    )
    is_filled = context.chance(0.5)
    title, button = random.choice((("contact", "send"), ("checkout", "pay"), ("account", "save")))
    return {
        "title": words.phrase(title),
        "columns": columns,
        "width": random.choice((420, 520)),
        "weight": random.choice((400, 600)),
        "fields": [(names[k], values.get(names[k], "") if is_filled else "") for k in chosen],
        "choice": (words.phrase("subject"), words.choose("subjects")) if context.chance(0.4) else None,
        "area": words.phrase("your_message") if context.chance(0.5) else "",
        "radios": (words.phrase("size"), words.sample("plans", 3), random.randrange(3))
        if context.chance(0.3)
        else None,
        "hint": context.texts.sentence(90) if context.chance(0.4) else "",
        "rows": random.choice((3, 4)),
        "button": words.phrase(button),
        "second": words.phrase("cancel") if context.chance(0.5) else "",
    }


def switches(context: ComponentContext) -> Content:
    words, has_hints = context.words, context.chance(0.5)
    return {
        "title": words.phrase("notifications"),
        "entries": [
            (text, context.texts.sentence(80) if has_hints else "", context.chance(0.5))
            for text in words.sample("options", context.sample_count(3, 6))
        ],
    }


def login(context: ComponentContext) -> Content:
    words, random = context.words, context.random
    is_filled = context.chance(0.6)
    return {
        "title": words.phrase(random.choice(("welcome", "sign_in"))),
        "width": random.choice((320, 360, 400)),
        "top": random.choice((20, 60, 110)),
        "email": words.phrase("email"),
        "address": f"mail{random.randint(10, 99)}@example.org" if is_filled else "",
        "password": words.phrase("password"),
        "secret": "secret" if is_filled else "",
        "remember": words.phrase("remember") if context.chance(0.6) else "",
        "button": words.phrase("sign_in"),
        "forgot": words.phrase("forgot"),
        "no_account": words.phrase("no_account"),
        "register": words.phrase("register"),
    }


def chat(context: ComponentContext) -> Content:
    words = context.words
    hour = context.random.randint(8, 19)
    bubbles = []
    for k, (question, answer) in enumerate(words.sample("dialogue", context.sample_count(3, 5))):
        asker, answerer = context.random.choice((("theirs", "mine"), ("mine", "theirs")))
        if context.chance(0.7):
            question, answer = context.texts.sentence(80), context.texts.sentence(80)
        bubbles += [(asker, question, f"{hour}:{8 * k + 1:02d}"), (answerer, answer, f"{hour}:{8 * k + 5:02d}")]
    return {
        "name": (name := context.texts.person()),
        "face": context.picture(name, "portrait", "face") if context.chance(0.5) else "",
        "bubbles": bubbles,
        "write": words.phrase("message"),
        "send": words.phrase("send"),
    }


def profile(context: ComponentContext) -> Content:
    words, random = context.words, context.random
    names = ("posts", "followers", "following")
    return {
        "name": (name := context.texts.person()),
        "job": words.choose("jobs"),
        "city": context.texts.town(),
        "about": context.texts.sentences(1) if context.chance(0.5) else "",
        "size": random.choice((80, 100, 120)),
        "face": context.picture(name, "portrait", "face"),
        "counts": [(words.phrase(name), f"{random.randint(3, 4000):,}") for name in names],
        "follow": words.phrase("follow"),
    }
