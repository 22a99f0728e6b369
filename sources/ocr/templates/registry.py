"""All kinds of pages by name."""

from collections.abc import Callable, Iterable, Mapping

from sources.ocr.page import Page, PageLayout
from sources.ocr.passages import ContentSampler
from sources.ocr.style import Style
from sources.ocr.templates.article import article
from sources.ocr.templates.bilingual import bilingual
from sources.ocr.templates.book import book
from sources.ocr.templates.dictionary import dictionary
from sources.ocr.templates.exam import exam
from sources.ocr.templates.form import form
from sources.ocr.templates.formulas import formulas
from sources.ocr.templates.letter import letter
from sources.ocr.templates.listing import listing
from sources.ocr.templates.newspaper import newspaper
from sources.ocr.templates.note import note
from sources.ocr.templates.report import report
from sources.ocr.templates.slide import slide
from sources.ocr.templates.trade import invoice, receipt
from sources.ocr.templates.vertical import vertical
from sources.ocr.vocabulary import LANGUAGES
from sources.text.fonts import FontError, fonts_for
from sources.text.languages import RIGHT_TO_LEFT

TEMPLATES: Mapping[str, Callable[[ContentSampler, Style], Page]] = {
    "article": article,
    "book": book,
    "exam": exam,
    "form": form,
    "invoice": invoice,
    "receipt": receipt,
    "slide": slide,
    "report": report,
    "letter": letter,
    "listing": listing,
    "formulas": formulas,
    "dictionary": dictionary,
    "newspaper": newspaper,
    "bilingual": bilingual,
}
# Drawn without an engine: none writes by hand, and MuPDF's Story knows no vertical text.
DRAWN: Mapping[str, Callable[[ContentSampler, Style], PageLayout]] = {"note": note, "vertical": vertical}
KINDS = (*TEMPLATES, *DRAWN)
# In other languages than the bundled ones there are the kinds that are mostly running text, as labels stay English.
RUNNING = frozenset(("article", "book", "formulas", "letter", "newspaper", "report", "slide"))
MIRRORED = frozenset(("article", "book", "newspaper", "slide"))  # from right to left too


def languages_of(kind: str, languages: Iterable[str] = LANGUAGES) -> tuple[str, ...]:
    """Those of some languages that a kind of page exists in; of handwriting, those that there is a font for."""
    return tuple(language for language in languages if _is_written(kind, language))


def _is_written(kind: str, language: str) -> bool:
    if kind == "note":
        return _has_handwriting(language)
    if kind in ("vertical", "bilingual"):
        return language == "zh"
    return language in LANGUAGES or kind in (MIRRORED if language in RIGHT_TO_LEFT else RUNNING)


def _has_handwriting(language: str) -> bool:
    try:
        return bool(fonts_for(language, ("handwriting",)))
    except FontError:
        return False


def texts_of(kind: str, language: str) -> tuple[str, ...]:
    """The languages that a page needs text in."""
    return LANGUAGES if kind == "bilingual" else (language,)
