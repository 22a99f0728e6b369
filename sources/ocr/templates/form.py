"""A form: labels and fields, filled in or empty."""

from sources.ocr.blocks import Block, heading, paragraph, table
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.vocabulary import label, words

FILLED = 0.75  # fraction of fields that are filled in


def form(sampler: ContentSampler, style: Style) -> Page:
    """Return a form."""
    random, language = sampler.random, style.language
    left, top, right, bottom = style.frame
    fields = random.sample(list(words("fields", language)), random.randint(7, 14))
    blocks: list[Block] = [
        heading(random.choice(words("forms", language)), 1),
        paragraph(f"{label('number', language)} {sampler.code()}", "small-right", is_divisible=False),
        paragraph(sampler.sentence(160), "flat", is_divisible=False),
    ]
    rows = [[name, _entry(sampler, style, name) if random.random() < FILLED else ""] for name in fields]
    colon = "：" if language == "zh" else ":"
    if random.random() < 0.6:
        half = len(rows) // 2
        parts = (rows[:half], rows[half:])
        blocks += [table(part[0], part[1:], widths=(34, 66), css_class="fields") for part in parts]
    else:
        blocks += [paragraph(f"{name}{colon} {entry or '_' * 24}", "line", is_divisible=False) for name, entry in rows]
    blocks += [
        paragraph(f"[ ] {sampler.sentence(90)}", "flat", is_divisible=False) for _ in range(random.randint(1, 4))
    ]
    css = (
        style.css(
            line=f"margin:0 0 {style.size * 0.9:.0f}px 0;border-bottom:1px solid #999999",
            fields=f"font-size:{style.size * 1.02:.1f}px",
        )
        + " .fields th{font-weight:normal;background-color:#ffffff;color:#000000}"
    )
    areas = [Area(box=(left - 8, top - 8, right + 8, top - 5), colour=style.accent)] if random.random() < 0.5 else []
    return Page(
        width=style.width,
        height=style.height,
        paper=(255, 255, 255),
        fonts=style.fonts,
        css=css,
        areas=areas,
        flows=[Flow(blocks=blocks, boxes=[(left, top, right, bottom)], must_fit=True)],
    )


def _entry(sampler: ContentSampler, style: Style, name: str) -> str:
    """Return a plausible entry for a field."""
    random, language = sampler.random, style.language
    fitting = {
        "en": {
            "name": "people",
            "Address": "streets",
            "Town": "towns",
            "Employer": "companies",
            "contact": "people",
            "Signature": "people",
        },
        "zh": {
            "姓名": "people",
            "住址": "streets",
            "城市": "towns",
            "单位": "companies",
            "联系人": "people",
            "签名": "people",
        },
    }[language]
    for part, kind in fitting.items():
        if part in name:
            return random.choice(words(kind, language))
    if any(part in name for part in ("ate", "日期")):
        return sampler.date()
    if any(part in name for part in ("Tele", "电话")):
        return sampler.telephone()
    if any(part in name for part in ("mail", "邮箱")):
        return (
            f"{random.choice(('office', 'anna.k', 'desk7', 'li.mei'))}@example.{random.choice(('org', 'com', 'net'))}"
        )
    if any(part in name for part in ("Number", "人数")):
        return str(random.randint(1, 9))
    if any(part in name for part in ("Postal", "邮政", "number", "号码")):
        return "".join(random.choices("0123456789", k=random.choice((5, 6, 9))))
    return sampler.line(24 if language == "en" else 10)
