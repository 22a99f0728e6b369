"""The language of a paragraph: by its script, its function words, and the letters that a language has."""

from collections.abc import Sequence
from functools import lru_cache

from sources.text.fonts import script_of
from sources.text.languages import LANGUAGES
from sources.text.word_list import LANGUAGES as WORD_LANGUAGES

EAST_ASIAN = ("Han", "Hiragana", "Katakana")  # scripts that several languages share
MIN_WORDS = 3  # function words that a language needs to be known without the paragraphs before
VIETNAMESE = frozenset("ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ")


def tell_east_asian(text: str) -> str:
    """Return the language of a text in Chinese characters or kana: by its kana, or by the forms of its characters.

    Characters that only one of the old code pages of the mainland and of Taiwan has tell them apart.
    """
    if any("\u3041" <= sign <= "\u30fa" for sign in text):
        return "ja"
    han = [sign for sign in text if "\u4e00" <= sign <= "\u9fff"]
    simplified, traditional = (
        sum(_can_encode(sign, own) and not _can_encode(sign, other) for sign in han)
        for own, other in (("gb2312", "big5"), ("big5", "gb2312"))
    )
    return "zh-Hant" if traditional > simplified else "zh"


@lru_cache(maxsize=100_000)
def _can_encode(sign: str, code_page: str) -> bool:
    try:
        sign.encode(code_page)
    except UnicodeEncodeError:
        return False
    return True


class LanguageTeller:
    """Tells the languages of the paragraphs of one file; a paragraph that could be in several is in the one before's.

    Args:
        named: languages that the user named; with one for a script, all text in that script is in it.
    """

    def __init__(self, named: Sequence[str] = ()):
        self._named = tuple(named)
        self._last: dict[str, str] = {}

    def tell(self, text: str) -> tuple[str | None, str]:
        """Return the language of a paragraph, None if it is not known, and the name of its script."""
        script = script_of(text)
        candidates = _languages_with(script, self._named)
        if not candidates:
            return None, script
        if len(candidates) == 1:
            return candidates[0], script
        if script in EAST_ASIAN:
            told = tell_east_asian(text)
            return told if told in candidates else candidates[0], script
        language, is_sure = _most_likely(text, candidates)
        if not is_sure:
            last = self._last.get(script)
            if last in candidates and (language is None or _fits(text, last)):
                language = last
        elif language is not None:
            self._last[script] = language
        return language, script


@lru_cache(maxsize=64)
def _languages_with(script: str, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the named languages that are written in a script; if none is, all that are."""
    found = tuple(name for name, language in LANGUAGES.items() if script in language.scripts)
    return tuple(name for name in named if name in found) or found


def _most_likely(text: str, candidates: Sequence[str]) -> tuple[str | None, bool]:
    """Return the most likely language, and True if it is sure. Unsure text in plain letters is in the first one."""
    lower = text.lower()
    if "vi" in candidates and sum(letter in VIETNAMESE for letter in lower) > 0.04 * len(lower):
        return "vi", True
    words = [word.strip(".,;:!?()[]«»“”„\"'’") for word in lower.split()]
    counts = {
        name: sum(word in WORD_LANGUAGES[name].function_words for word in words)
        for name in candidates
        if name in WORD_LANGUAGES and _fits(lower, name)
    }
    best = sorted(counts.values(), reverse=True)[:2]
    if best and best[0] >= MIN_WORDS and best[0] > best[-1]:
        return max(counts, key=lambda name: counts[name]), True
    fitting = [name for name in candidates if _fits(lower, name)]
    most = max(fitting, key=lambda name: (counts.get(name, 0), -candidates.index(name)), default=None)
    is_told_by_letters = len(fitting) == 1 and not lower.isascii()
    return most, is_told_by_letters


def _fits(text: str, language: str) -> bool:
    """Return True if a language has the letters of a text; one foreign letter in fifty may be in a name."""
    letters = [letter for letter in text.lower() if letter in _all_letters()]
    foreign = sum(letter not in _letters(language) for letter in letters)
    return foreign <= len(letters) / 50


@lru_cache(maxsize=64)
def _letters(language: str) -> frozenset[str]:
    return frozenset(LANGUAGES[language].sample.lower())


@lru_cache(maxsize=1)
def _all_letters() -> frozenset[str]:
    return frozenset(letter for name in LANGUAGES for letter in _letters(name) if letter.isalpha())
