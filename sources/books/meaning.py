"""The meaning of elements: a caption, a footnote, a container of figures, or nothing that belongs to the text."""

import re

from lxml import etree

from sources.books.markup import attribute, text_of

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CONTAINER_NAMES = """
address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer form
frame h1 h2 h3 h4 h5 h6 header hgroup hr legend li main ol optgroup p pre section summary table tbody td tfoot
th thead tr ul level1 level2 level3 bodymatter
"""
CONTAINERS = frozenset(_CONTAINER_NAMES.split())
_SKIPPED_NAMES = """
audio button datalist del head iframe input link meta nav noscript option param rp rt script select source
style template textarea title track video
"""
_SKIPPED = frozenset(_SKIPPED_NAMES.split())
_SKIPPED_TYPES = frozenset(("toc", "landmarks", "page-list", "loi", "lot", "index", "pagebreak", "backlink"))
_NOTE_TYPES = frozenset(("footnote", "endnote", "rearnote", "note", "doc-footnote", "doc-endnote"))
_REFERENCE_TYPES = frozenset(("noteref", "doc-noteref", "annoref"))
_NOTE_CLASS = re.compile(r"noteref|footnote|fnref|endnote|fn-?link", re.IGNORECASE)
_NOTE_MARK = re.compile(r"[\[(]?(\d{1,4}|[*†‡§¶]{1,3}|[a-z])[\])]?", re.IGNORECASE)
_PAGE_CLASS = re.compile(r"^(pagenum(ber)?|page-?(break|number)|pageno)$", re.IGNORECASE)
_FIGURE_CLASS = re.compile(
    r"(^|[-_ ])(fig(ure)?s?|illus\w*|image|img|media|photo|picture|plate)([-_ \d]|$)", re.IGNORECASE
)
_CAPTION_CLASS = re.compile(
    r"(^|[-_ ])(caption\w*|\w*caption|cap|legend|"
    r"(fig(ure)?|ima?ge?|illus|photo|pic)[-_]?(title|text|legend|desc\w*|cap))([-_ \d]|$)",
    re.IGNORECASE,
)
_FORMULA_CLASS = re.compile(r"(^|[-_ ])(math\w*|tex|latex|equation|formula)([-_ ]|$)", re.IGNORECASE)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def is_skipped(element: etree._Element, name: str) -> bool:
    """Return True for what is not part of the text: contents, page numbers, hidden parts, scripts, forms."""
    if name in _SKIPPED:
        return True
    if not element.attrib:
        return False
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if _HIDDEN_STYLE.search(element.get("style", "")) or _PAGE_CLASS.match(element.get("class", "")):
        return True
    return not _SKIPPED_TYPES.isdisjoint(_types(element))


def holds_figure(element: etree._Element) -> bool:
    """Return True for a container that is named like one of figures."""
    return bool(_FIGURE_CLASS.search(element.get("class", "")))


def is_caption(element: etree._Element, name: str) -> bool:
    """Return True for a caption of a figure."""
    return name == "figcaption" or bool(_CAPTION_CLASS.search(element.get("class", "")))


def is_formula(element: etree._Element, alt: str) -> bool:
    """Return True for a picture of a formula whose alternative text is TeX."""
    return bool(_FORMULA_CLASS.search(element.get("class", "")) and re.search(r"[\\^_=]", alt))


def is_note(element: etree._Element) -> bool:
    """Return True for the text of a footnote that links can lead to."""
    return bool(element.get("id")) and not _NOTE_TYPES.isdisjoint(_types(element))


def is_note_mark(element: etree._Element, *, is_raised: bool) -> bool:
    """Return True for a link that is the mark of a footnote in a text."""
    if not fragment(element):
        return False
    if not _REFERENCE_TYPES.isdisjoint(_types(element)):
        return True
    if not _NOTE_MARK.fullmatch(text_of(element).strip()):
        return False
    has_sup = is_raised or next(element.iter("{*}sup"), None) is not None
    return has_sup or bool(_NOTE_CLASS.search(element.get("class", "")))


def fragment(element: etree._Element) -> str:
    """Return the id that a link leads to; empty without one."""
    return attribute(element, "href").partition("#")[2]


def _types(element: etree._Element) -> frozenset[str]:
    return frozenset((*attribute(element, "epub:type").split(), *element.get("role", "").split()))
