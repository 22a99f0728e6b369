"""Sentences of a paragraph in any language, with a verdict on whether both of their ends are certain.

`sentencex` (Wikimedia, about 300 languages with their abbreviations) proposes where sentences end. A question quotes a
sentence, so a doubtful end is worse than a missed sentence: a proposed end is dropped where the text goes on in lower
case, and a sentence that ends or begins at a number, a single letter or an abbreviation is not `is_whole`.
"""

import re
from dataclasses import dataclass

import sentencex

CHINESE = re.compile("[\u3400-\u9fff]")
KANA = re.compile("[\u3040-\u30ff]")
_STOPWORDS = {  # words that are frequent in one language; the language with most of them on a page is taken
    "de": "der die das und ist nicht mit von zu auf ein eine werden bis für",
    "fr": "le la les et des est une dans que pour pas du sur avec",
    "es": "el los las una que por con para del como más está son",
    "it": "il di che una per non con del della sono gli nel",
    "pt": "os uma que não com para dos da mais são em um",
    "nl": "de het een van en niet met voor zijn op te dat",
    "en": "the of and is to in that for with this are be",
}
_STOPS = {language: frozenset(words.split()) for language, words in _STOPWORDS.items()}
_OTHER_SCRIPTS = (("ja", KANA), ("zh", CHINESE), ("ru", re.compile("[\u0400-\u04ff]")), ("el", re.compile("[α-ω]")))
_END = re.compile(r"[.!?…。！？।؟]+[\"'”’»)\]）』」]*$")
_DOUBTFUL_END = re.compile(
    r"(?:^|[\s(\[“\"'.])(?:\d+|[^\W\d_]|[ivxlc]+|[^\W\d_]\.[^\W\d_]"
    r"|[Nn]o|[Nn]r|[Ff]igs?|[Vv]ol|[Cc]h|[Ss]ec|[Pp]p|[Ee]ds?|[Ee]qs?|[Tt]ab|[Aa]pp|[Aa]pprox|[Ii]nc|[Cc]o|[Cc]orp"
    r"|[Ll]td|[Ss]t|[Mm]r|[Mm]rs|[Mm]s|[Dd]r|[Pp]rof|[Ss]r|[Jj]r|vs|etc|al|cf|ca|resp|bzw|usw|Art|Abs|Bd|Hrsg|Mme|Mlle"
    r"|Sra|Dra|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Gen|Gov|Sen|Rep|Rev|Hon|Capt|Lt|Col|Sgt|Ave|Blvd|Rd"
    r"|Bros|Dept|Est|Univ|Ref|Refs|Def|Thm|Prop|Lemma|Release|Version|Section|Chapter|Figure|Table)\.$"
)
_BRACKETS = (("(", ")"), ("[", "]"), ("“", "”"), ("（", "）"), ("«", "»"), ("「", "」"), ("《", "》"))
_INITIAL = re.compile(r"(?![AIOUYEÀÉÈ])[A-ZÀ-Þ]\.? |\w+, [“\"]")  # the rest of a reference: J (2001) …
_LETTER = re.compile(r"(?:^|[^\w.])[^\W\d_]\. +([^\W\d_])")
# A missed end inside: before a number, or at a footnote's mark; and what no prose has.
_MISSED_END = re.compile(r"[.!?] +\d|[^\W\d_)\]”][.,]\d|[”\"]\d|https?://|[<=>±−×÷∂∆∏∑√∞∩∪∈⊂⊆≈≠≤≥→⇒↔∀∃|\\{}^~]")
MAX_NUMBERS = 0.3  # share of a sentence's words that have a digit; an index or a row of a table has more
MIN_CHARS, MIN_CHINESE, MAX_CHARS = 25, 10, 300


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence; `is_whole` if it is certain where it begins and ends."""

    text: str
    is_whole: bool


def language_of_text(text: str) -> str:
    """Return the ISO 639-1 code whose rules fit a text best: by its script, then by frequent words; `en` if unsure."""
    letters = max(1, sum(letter.isalpha() for letter in text))
    for language, pattern in _OTHER_SCRIPTS:
        if len(pattern.findall(text)) * 5 > letters:
            return language
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return max(_STOPS, key=lambda language: (sum(word in _STOPS[language] for word in words), language == "en"))


def split_sentences(paragraph: str, language: str) -> list[Sentence]:
    """Return the sentences of one paragraph, in order; joined, they are the paragraph.

    Args:
        paragraph: text without line breaks.
        language: ISO 639-1 code; codes that sentencex does not know have its fallback's rules.
    """
    pieces: list[str] = []
    for piece in sentencex.segment(language, paragraph.strip()):
        if pieces and not _is_end(pieces[-1], piece):
            pieces[-1] += piece
        else:
            pieces.append(piece)
    pieces = [piece.strip() for piece in pieces if piece.strip()]
    return [
        Sentence(piece, _is_whole(piece) and (k == 0 or not _is_doubtful(pieces[k - 1])))
        for k, piece in enumerate(pieces)
    ]


def _is_end(before: str, after: str) -> bool:
    """Return True if a sentence may end between two pieces: the second begins like one, in scripts with capitals."""
    start = after.lstrip(" \"'“‘«([¿¡「『")[:1]
    if not start or _END.search(before.rstrip()) is None:
        return False
    return not (start.islower() or start.isdigit() or start in ",;:)]%") or bool(CHINESE.match(start))


def _is_doubtful(text: str) -> bool:
    return _END.search(text) is None or _DOUBTFUL_END.search(text) is not None


def _is_whole(text: str) -> bool:
    """Return True if a text begins like a sentence, ends for certain, closes its brackets and is long enough to ask."""
    start = text.lstrip("\"'“‘«(¿¡「『《（")[:1]
    is_long = len(text) >= MIN_CHARS or len(CHINESE.findall(text)) >= MIN_CHINESE
    return (
        is_long
        and len(text) <= MAX_CHARS
        and start.isalpha()
        and _INITIAL.match(text) is None
        and not start.islower()
        and not _is_doubtful(text)
        and _MISSED_END.search(text) is None
        and not any(found[1].isupper() for found in _LETTER.finditer(text))  # s. Weiter, J. Smith
        and sum(any(map(str.isdigit, word)) for word in text.split()) <= max(2, MAX_NUMBERS * len(text.split()))
        and all(text.count(a) == text.count(b) for a, b in _BRACKETS)
        and text.count('"') % 2 == 0
        and sum(letter.isalpha() or letter.isspace() for letter in text) >= 0.75 * len(text)
    )
