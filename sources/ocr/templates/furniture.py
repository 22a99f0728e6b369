"""Running heads and page numbers."""

from dataclasses import dataclass

from sources.ocr.blocks import Block, paragraph
from sources.ocr.page import Area, Flow
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.vocabulary import label, words

GREY = (150, 150, 150)
SIDES = ("small", "small-centre", "small-right")
NUMBERS = ("{n}", "– {n} –", "")  # forms of a page number; empty for the label of the language


@dataclass(frozen=True, kw_only=True, slots=True)
class Furniture:
    """What is printed above and below the type area, alike on all pages of a document.

    Args:
        head_text: a line above; empty for none. `head_class` is its CSS class, `has_rule` a line below it.
        number: of the first page; None for no numbers. `number_form` is one of `NUMBERS`, `number_class` its class.
    """

    style: Style
    head_text: str = ""
    head_class: str = "small"
    has_rule: bool = False
    number: int | None = None
    number_form: str = NUMBERS[0]
    number_class: str = "small"
    skips_first: bool = False  # the first page has no head

    def head(self, page: int = 0) -> tuple[list[Flow], list[Area]]:
        """Return the running head of a page, counted from 0, and the rule below it."""
        if not self.head_text or (page == 0 and self.skips_first):
            return [], []
        left, top, right, _ = self.style.frame
        block = paragraph(self.head_text, self.head_class, is_divisible=False)
        flow = Flow(blocks=[block], boxes=[(left, top - self.style.size * 1.9, right, top)])
        return [flow], [Area(box=(left, top - 3, right, top - 2), colour=GREY)] if self.has_rule else []

    def foot(self, page: int = 0) -> list[Flow]:
        """Return the number of a page, counted from 0."""
        if self.number is None:
            return []
        left, _, right, bottom = self.style.frame
        number, size = self.number + page, self.style.size
        text = self.number_form.format(n=number) or label("page", self.style.language, n=number)
        block: Block = paragraph(text, self.number_class, is_divisible=False)
        return [Flow(blocks=[block], boxes=[(left, bottom + size * 0.4, right, bottom + size * 2.6)])]


def sample_furniture(sampler: ContentSampler, style: Style, head: str = "", *, skips_first: bool = False) -> Furniture:
    """Return the furniture of a document: a running head, a page number, both or nothing.

    Args:
        head: text of the running head; empty for a topic or a firm.
        skips_first: the first page has no running head (a chapter begins on it).
    """
    random = sampler.random
    has_head, has_number = random.random() >= 0.4, random.random() >= 0.25
    if has_head:
        head = head or random.choice((random.choice(words("topics", style.language)), sampler.fields.company()))
    return Furniture(
        style=style,
        head_text=head if has_head else "",
        head_class=random.choice(SIDES),
        has_rule=random.random() < 0.5,
        number=random.randint(1, 480) if has_number else None,
        number_form=random.choice(NUMBERS),
        number_class=random.choice(("small-centre", "small-right", "small")),
        skips_first=skips_first,
    )
