"""An examination paper: arithmetic, multiple choice and sentences with gaps."""

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import page_number
from sources.ocr.vocabulary import dictionary_entries, label, words

GAP = "________"


def exam(sampler: ContentSampler, style: Style) -> Page:
    """Return an examination paper."""
    random = sampler.random
    left, top, right, bottom = style.frame
    language = style.language
    topic = random.choice(words("topics", language))
    blocks: list[Block] = [
        heading(label("exam", language, topic=topic), 1, "title"),
        paragraph(label("time", language, n=random.choice((45, 60, 90, 120))), "centre", is_divisible=False),
        paragraph(label("student", language), "centre", is_divisible=False),
    ]
    for number in range(1, 27):
        question = random.choice((_arithmetic, _choice, _gap))
        blocks += question(sampler, style, number)
    css = style.css(
        title=style.display(1.5, margin=f"0 0 {style.size * 0.6:.0f}px 0", align="center"),
        ask=f"margin:{style.size * 0.7:.0f}px 0 {style.size * 0.3:.0f}px 0",
        options=f"margin:0 0 0 {style.size * 1.6:.0f}px",
    )
    num_columns = random.choice((1, 1, 2))
    head = top + style.size * 8.5
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        css=css,
        flows=[
            Flow(blocks=blocks[:3], boxes=[(left, top, right, head)], must_fit=True),
            Flow(blocks=blocks[3:], boxes=style.columns(num_columns, head + style.size, bottom)),
            *page_number(sampler, style),
        ],
    )


def _arithmetic(sampler: ContentSampler, style: Style, number: int) -> list[Block]:
    random = sampler.random
    a, b, c = random.randint(11, 999), random.randint(2, 99), random.randint(2, 60)
    total = random.choice(
        (f"{a} + {b} × {c}", f"({a} – {b}) × {c}", f"{a} ÷ {b} + {c}", f"{a / 10} × {b}", f"{a}² – {c}")
    )
    points = label("points", style.language, n=random.randint(1, 5))
    question = label("compute", style.language, sum=total)
    return [paragraph(f"{number}. {question} {points}", "ask", is_divisible=False)]


def _choice(sampler: ContentSampler, style: Style, number: int) -> list[Block]:
    random = sampler.random
    entries = random.sample(dictionary_entries(style.language), 4)
    question = f"{number}. {label('choose', style.language, text=entries[0][2].rstrip('.。'))}"
    terms = sorted(entry[0] for entry in entries)
    options = [f"{letter}. {word}" for letter, word in zip("ABCD", terms, strict=True)]
    if random.random() < 0.5:
        return [
            paragraph(question, "ask", is_divisible=False),
            paragraph("    ".join(options), "options", is_divisible=False),
        ]
    return [
        paragraph(question, "ask", is_divisible=False),
        *(paragraph(option, "options", is_divisible=False) for option in options),
    ]


def _gap(sampler: ContentSampler, style: Style, number: int) -> list[Block]:
    random = sampler.random
    sentence = sampler.sentence(120)
    if style.language == "zh":
        start = random.randrange(max(1, len(sentence) - 3))
        text = sentence[:start] + GAP + sentence[start + 2 :]
    else:
        parts = sentence.split(" ")
        parts[random.randrange(len(parts))] = GAP
        text = " ".join(parts)
    return [paragraph(f"{number}. {label('blank', style.language, text=text)}", "ask", is_divisible=False)]
