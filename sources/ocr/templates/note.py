"""A handwritten note on plain or ruled paper."""

from sources.ocr.blocks import paragraph
from sources.ocr.handwriting import draw_handwriting
from sources.ocr.page import PageLayout
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.text_rendering import join_words
from sources.ocr.vocabulary import BUNDLED, label


def note(sampler: ContentSampler, style: Style) -> PageLayout:
    """Return a note. Raises FontError if no handwriting font is installed."""
    language, random = style.language, sampler.random
    is_bundled = sampler.text_language in BUNDLED

    def phrase(max_characters: int) -> str:
        sentences = [
            sampler.fields.recent_date(),
            label("dear", language, name=sampler.fields.person()),
        ] * is_bundled
        wanted = random.uniform(0.3, 1) * max_characters
        while sum(map(len, sentences)) < wanted:
            sentences.append(sampler.sentence())
        return join_words(sentences)

    rendering = draw_handwriting(phrase, sampler.text_language, random)
    return PageLayout(
        rendered=rendering.rendered, lines=rendering.lines, blocks=[paragraph(join_words(rendering.rendered.texts))]
    )
