"""All kinds of pages by name."""

from collections.abc import Callable, Iterable, Mapping

from sources.ocr.manuscript import Manuscript
from sources.ocr.page import Page, PageLayout
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.article import article
from sources.ocr.templates.bilingual import bilingual
from sources.ocr.templates.book import book
from sources.ocr.templates.close_up import CLOSE_UPS
from sources.ocr.templates.dictionary import dictionary
from sources.ocr.templates.exam import exam
from sources.ocr.templates.form import form
from sources.ocr.templates.formulas import formulas
from sources.ocr.templates.letter import letter
from sources.ocr.templates.listing import listing
from sources.ocr.templates.newspaper import newspaper
from sources.ocr.templates.note import note
from sources.ocr.templates.own import document, own_template
from sources.ocr.templates.report import report
from sources.ocr.templates.slide import slide
from sources.ocr.templates.statement import statement
from sources.ocr.templates.trade import invoice, receipt
from sources.ocr.templates.vertical import vertical
from sources.ocr.vocabulary import BUNDLED, LANGUAGES
from sources.text.fonts import FontError, fonts_for
from sources.text.languages import RIGHT_TO_LEFT, UNSPACED

Write = Callable[[ContentSampler, Style, int], Manuscript]
# Kinds of documents that go on from page to page, from the number of their pages.
CONTINUED: Mapping[str, Write] = {"article": article, "book": book, "report": report, "statement": statement}
# Kinds that are made of what the user gives: templates of HTML, and Markdown documents.
OWN: Mapping[str, Write] = {"document": document, "template": own_template}


def _first_page(write: Write) -> Callable[[ContentSampler, Style], Page]:
    return lambda sampler, style: write(sampler, style, 1).page()


TEMPLATES: Mapping[str, Callable[[ContentSampler, Style], Page]] = {
    "article": _first_page(article),
    "book": _first_page(book),
    "exam": exam,
    "form": form,
    "invoice": invoice,
    "receipt": receipt,
    "slide": slide,
    "report": _first_page(report),
    "statement": _first_page(statement),
    "letter": letter,
    "listing": lambda sampler, style: listing(sampler, style).page(),
    "formulas": lambda sampler, style: formulas(sampler, style).page(),
    "dictionary": dictionary,
    "newspaper": newspaper,
    "bilingual": bilingual,
}
# Rendered without a layout engine: engines have no handwriting, and MuPDF's Story has no vertical text.
DIRECT_TEMPLATES: Mapping[str, Callable[[ContentSampler, Style], PageLayout]] = {"note": note, "vertical": vertical}
KINDS = (*TEMPLATES, *DIRECT_TEMPLATES)
# Kinds that exist in languages without bundled words: mostly running text, as their labels are English.
RUNNING = frozenset(("article", "book", "formulas", "letter", "newspaper", "report", "slide", "statement"))
LEXICAL = frozenset(("dictionary", "exam"))  # kinds with facts about English or Chinese words
RECORDED = frozenset(("form", "invoice", "receipt"))  # kinds with keys and values, for the task `json`
TABLED = frozenset(("statement",))  # kinds with merged cells, for the task `table`
MIRRORED = frozenset(("article", "book", "newspaper", "slide"))  # kinds that exist in right-to-left languages too


def supported_languages(kind: str, languages: Iterable[str] = LANGUAGES) -> tuple[str, ...]:
    """Return the languages, out of some, that a kind of page supports; for a note, those with a handwriting font."""
    return tuple(language for language in languages if _exists_in(kind, language))


def _exists_in(kind: str, language: str) -> bool:
    if kind == "note":
        return _has_handwriting(language)
    if kind in CLOSE_UPS:
        return language == "en"
    if kind in OWN:  # in the languages of what the user gives
        return True
    if kind == "bilingual":
        return language == "zh"
    if kind == "vertical":
        return language in UNSPACED
    if language in BUNDLED:
        return language in LANGUAGES or kind not in LEXICAL
    return kind in (MIRRORED if language in RIGHT_TO_LEFT else RUNNING)


def _has_handwriting(language: str) -> bool:
    try:
        return bool(fonts_for(language, ("handwriting",)))
    except FontError:
        return False


def required_languages(kind: str, language: str) -> tuple[str, ...]:
    """Return the languages in which a page needs text."""
    return LANGUAGES if kind == "bilingual" else (language,)
