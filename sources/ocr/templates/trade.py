"""Invoices and receipts whose amounts add up."""

import dataclasses
from collections.abc import Sequence

from sources.ocr.blocks import Block, heading, paragraph, table
from sources.ocr.fields import CURRENCIES, WHOLE_AMOUNTS
from sources.ocr.page import Area, Flow, Page
from sources.ocr.passages import ContentSampler
from sources.ocr.records import Record
from sources.ocr.style import Style
from sources.ocr.vocabulary import label, words

TAXES = {"en": (5, 7, 19, 20, 21), "zh": (3, 6, 9, 13), "zh-Hant": (5,), "ja": (8, 10), "ko": (10,), "th": (7,)}
ROW = 1.8  # height of a row of an invoice, in font sizes
OTHER_ROWS = 6  # the header and the totals, in rows
FILLED = 0.75  # of the rows that there is room for, at least
PRICE_STEP = {"ko": 10}  # of the least coin or hundredths, in which prices are counted


@dataclasses.dataclass(frozen=True, slots=True)
class Sale:
    """Goods with quantity and unit price in the smallest unit of the currency."""

    lines: tuple[tuple[str, int, int], ...]
    tax_percent: int

    @property
    def subtotal(self) -> int:
        return sum(quantity * price for _, quantity, price in self.lines)

    @property
    def tax(self) -> int:
        return round(self.subtotal * self.tax_percent / 100)


def format_money(amount: int, language: str) -> str:
    """Return an amount of hundredths, or of whole units of a currency without them."""
    return f"{amount:,}" if language in WHOLE_AMOUNTS else f"{amount / 100:,.2f}"


def _sample_sale(sampler: ContentSampler, language: str, low: int, high: int) -> Sale:
    random = sampler.random
    step = PRICE_STEP.get(language, 1)
    goods = random.sample(list(words("goods", language)), random.randint(low, high))
    lines = tuple((name, random.randint(1, 12), random.randint(30, 9000) * step) for name in goods)
    return Sale(lines, random.choice(TAXES[language]))


def _sums(sale: Sale, language: str) -> dict[str, str]:
    """Return the sums of a sale as they are printed, by label."""
    return {
        label("subtotal", language): format_money(sale.subtotal, language),
        label("tax", language, n=sale.tax_percent): format_money(sale.tax, language),
        label("total", language): format_money(sale.subtotal + sale.tax, language),
    }


def _items(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """Return the rows of a table by the labels of its columns."""
    return [dict(zip(header, row, strict=True)) for row in rows]


def invoice(sampler: ContentSampler, style: Style) -> Page:
    """Return an invoice."""
    random, language = sampler.random, style.language
    left, top, right, bottom = style.frame
    line = style.size * style.leading
    second, third = top + line * 7.5, top + line * 13.5
    most = int((bottom - third) / (ROW * style.size)) - OTHER_ROWS
    most = max(3, min(most, len(words("goods", language))))
    sale = _sample_sale(sampler, language, max(3, round(FILLED * most)), most)
    currency = random.choice(CURRENCIES[language])
    middle = left + (right - left) * 0.55
    title, to = label("invoice", language), label("to", language)

    def flat(text: str, css_class: str = "tight") -> Block:
        return paragraph(text, css_class, is_divisible=False)

    fields = sampler.fields
    seller = [fields.company(), fields.street(), fields.town(), fields.telephone()]
    facts = {label("number", language): sampler.code(), label("date", language): fields.recent_date()}
    buyer = [fields.company(), fields.street(), fields.town()]
    header = [label(name, language) for name in ("item", "quantity", "price", "amount")]
    rows = [
        [name, str(quantity), format_money(price, language), format_money(quantity * price, language)]
        for name, quantity, price in sale.lines
    ]
    grid = table(header, rows, widths=(52, 12, 18, 18), right=(1, 2, 3))
    totals = {name: f"{currency}{amount}" for name, amount in _sums(sale, language).items()}
    terms = label("payable", language, n=random.choice((7, 14, 30)))
    *others, total = (f"{name}  {amount}" for name, amount in totals.items())
    foot = [*(flat(text, "right") for text in others), flat(total, "total"), flat(terms, "small")]
    css = style.css(
        title=style.display(2, margin="0 0 6px 0", is_coloured=True),
        bold="margin:0;font-weight:bold",
        total=f"margin:4px 0 {style.size:.0f}px 0;font-weight:bold;text-align:right",
    )
    areas = [Area(box=(0, 0, style.width, style.margin * 0.35), colour=style.accent)] if random.random() < 0.5 else []
    return Page(
        width=style.width,
        height=style.height,
        paper=style.paper,
        fonts=style.fonts,
        css=css,
        areas=areas,
        flows=[
            Flow(
                blocks=[flat(seller[0], "bold"), *map(flat, seller[1:])],
                boxes=[(left, top, middle - style.size, second)],
                must_fit=True,
            ),
            Flow(
                blocks=[heading(title, 1, "title"), *(flat(" ".join(fact)) for fact in facts.items())],
                boxes=[(middle, top, right, second)],
                must_fit=True,
            ),
            Flow(blocks=[flat(to, "bold"), *map(flat, buyer)], boxes=[(left, second, right, third)], must_fit=True),
            Flow(blocks=[grid, *foot], boxes=[(left, third, right, bottom)], must_fit=True),
        ],
        record=Record(
            labelled={**facts, to: buyer, **totals},
            unlabelled={"title": title, "seller": seller, "items": _items(header, rows), "terms": terms},
        ),
    )


def receipt(sampler: ContentSampler, style: Style) -> Page:
    """Return a receipt."""
    random, language = sampler.random, style.language
    size = style.side * random.uniform(0.018, 0.024)
    width = round(size * random.uniform(22, 30))
    mono = style.mono if language == "en" and random.random() < 0.7 else style.body
    style = dataclasses.replace(
        style,
        width=width,
        size=size,
        margin=round(size * 1.2),
        body=mono,
        justify=False,
        indent=False,
        leading=1.3,
        table_style="open",
        paper=random.choice(((255, 255, 255), (250, 249, 244))),
        ink=random.choice(((20, 20, 20), (60, 60, 70))),
    )
    sale = _sample_sale(sampler, language, 3, 9)
    total = sale.subtotal + sale.tax
    paid = -(-total // 5000) * 5000

    def flat(text: str, css_class: str = "centre") -> Block:
        return paragraph(text, css_class, is_divisible=False)

    rows = [[f"{quantity} x {name}", format_money(quantity * price, language)] for name, quantity, price in sale.lines]
    sums = {
        **_sums(sale, language),
        label("cash", language): format_money(paid, language),
        label("change", language): format_money(paid - total, language),
    }
    header = [label("item", language), label("amount", language)]
    fields = sampler.fields
    seller = [fields.company(), fields.street(), fields.telephone()]
    date, time = fields.recent_date(), f"{random.randint(7, 21):02d}:{random.randint(0, 59):02d}"
    number, thanks = sampler.code(), label("thanks", language)
    blocks = [
        flat(seller[0], "bold"),
        *map(flat, seller[1:]),
        flat(f"{date}  {time}", "tight"),
        table(header, [*rows, *map(list, sums.items())], widths=(68, 32), right=(1,)),
        flat(thanks),
        flat(number),
    ]
    css = style.css(bold=f"margin:0 0 4px 0;font-weight:bold;font-size:{size * 1.15:.1f}px;text-align:center")
    left, top, right, bottom = style.frame
    return Page(
        width=style.width,
        height=style.side,
        paper=style.paper,
        fonts=style.fonts,
        css=css,
        bottom=style.margin,
        flows=[Flow(blocks=blocks, boxes=[(left, top, right, bottom)], must_fit=True)],
        record=Record(
            labelled=sums,
            unlabelled={
                "seller": seller,
                "date": date,
                "time": time,
                "items": _items(header, rows),
                "note": thanks,
                "number": number,
            },
        ),
    )
