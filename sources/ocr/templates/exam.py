"""An examination paper: arithmetic, multiple choice and sentences with gaps."""

from sources.ocr.blocks import Block, heading, paragraph
from sources.ocr.page import Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.furniture import sample_furniture
from sources.ocr.vocabulary import label, words
from sources.ocr.writing.dictionary import pinyin_of, wrong_readings
from sources.ocr.writing.words_of_language import chinese_words, english_entries

GAP = "________"
NUM_QUESTIONS = 26


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
    asked: set[str] = set()
    while len(asked) < NUM_QUESTIONS:
        question = random.choice((_arithmetic, _choice, _gap))(sampler, style)
        if question[0] not in asked:
            asked.add(question[0])
            first, *options = question
            blocks.append(paragraph(f"{len(asked)}. {first}", "ask", is_divisible=False))
            blocks += [paragraph(option, "options", is_divisible=False) for option in options]
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
            *sample_furniture(sampler, style).foot(),
        ],
    )


def _arithmetic(sampler: ContentSampler, style: Style) -> list[str]:
    random = sampler.random
    a, b, c = random.randint(100, 999), random.randint(2, 99), random.randint(2, 60)
    total = random.choice(
        (f"{a} + {b} × {c}", f"({a} – {b}) × {c}", f"{a * b} ÷ {b} + {c}", f"{a / 10} × {b}", f"{a}² – {c}")
    )
    points = label("points", style.language, n=random.randint(1, 5))
    return [f"{label('compute', style.language, sum=total)} {points}"]


def _choice(sampler: ContentSampler, style: Style) -> list[str]:
    """Return a question of four options: for a word by its meaning, or in Chinese for the reading of a word."""
    random = sampler.random
    if style.language == "zh":
        word = chinese_words()["n"].pick(random.getrandbits(48))
        question = label("reading", style.language, text=word)
        terms = [pinyin_of(word), *wrong_readings(word, random)]
    else:
        entries = random.sample(english_entries(), 4)
        while len({entry.meaning for entry in entries}) < 4:
            entries = random.sample(english_entries(), 4)
        question = label("choose", style.language, text=entries[0].meaning.rstrip("."))
        terms = [entry.word for entry in entries]
    options = [f"{letter}. {word}" for letter, word in zip("ABCD", sorted(terms), strict=False)]
    return [question, "    ".join(options)] if random.random() < 0.5 else [question, *options]


def _gap(sampler: ContentSampler, style: Style) -> list[str]:
    random = sampler.random
    sentence = sampler.sentence(120)
    if style.language == "zh":
        places = [k for k in range(len(sentence) - 1) if sentence[k : k + 2].isalpha()]
        start = random.choice(places or [0])
        text = sentence[:start] + GAP + sentence[start + 2 :]
    else:
        parts = sentence.split(" ")
        places = [k for k, part in enumerate(parts) if part.isalpha()]
        parts[random.choice(places or [0])] = GAP
        text = " ".join(parts)
    return [label("blank", style.language, text=text)]
