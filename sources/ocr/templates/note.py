"""A handwritten note on plain or ruled paper."""

from sources.ocr.blocks import paragraph
from sources.ocr.handwriting import draw_handwriting
from sources.ocr.page import PageLayout
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.text_rendering import joined
from sources.ocr.vocabulary import LANGUAGES, label, words


def note(supply: ContentSampler, style: Style) -> PageLayout:
    """Raises FontError if no handwriting font is installed."""
    language, random = style.language, supply.random
    is_bundled = supply.text_language in LANGUAGES

    def phrase(max_characters: int) -> str:
        said = [supply.date(), label("dear", language, name=random.choice(words("people", language)))] * is_bundled
        room = random.uniform(0.3, 1) * max_characters
        while sum(map(len, said)) < room:
            said.append(supply.sentence())
        return joined(said)

    written = draw_handwriting(phrase, supply.text_language, random)
    return PageLayout(drawn=written.drawn, lines=written.lines, blocks=[paragraph(joined(written.drawn.texts))])
