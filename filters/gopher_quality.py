"""Rules for running text: the quality filter of MassiveText (Rae et al. 2021, arXiv:2112.11446, appendix A1.1)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from filters.filter import Filter, Scores, Threshold
from filters.written_text import is_judged, words_of
from sources.base.sample import Sample

STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))  # the paper's list
_BULLET = re.compile(r"\s*(?:[-*•‣⁃◦●▪·])")
_ENGLISH = re.compile(r"\b(?:is|are|was|in|for|this|it|on)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class GopherQuality(Filter):
    """Demands what running text has: words of usual length, letters, few symbols, bullets and cut lines.

    Texts without images only; conversations pass. Of scripts without spaces two characters count as a word, and lengths
    of words have no meaning. Stop words are English: the score has no meaning for other texts.

    Args:
        min_words, max_words: number of words.
        min_word_length, max_word_length: mean length of words, in characters.
        max_symbol_share: `#` per word, or ellipses (`...` and `…`) per word if there are more of these.
        max_bullet_share: lines that begin with a bullet.
        max_ellipsis_share: lines that end with an ellipsis.
        min_letter_share: words with a letter.
        min_stop_words: different stop words.
    """

    name: ClassVar[str] = "gopher_quality"
    score_names: ClassVar[tuple[str, ...]] = (
        *("num_words", "word_length", "symbol_share", "bullet_share", "ellipsis_share", "letter_share", "stop_words"),
    )
    reasons: ClassVar[Mapping[str, str]] = {
        "few_words": "It has few words.",
        "many_words": "It has more words than a document.",
        "short_words": "Its words are short: numbers and symbols.",
        "long_words": "Its words are long: addresses, keys or words without spaces.",
        "symbols": "It has many hashes or ellipses.",
        "bullets": "Nearly all of its lines are bullets.",
        "cut_lines": "Many of its lines end with an ellipsis, as cut ones do.",
        "few_letters": "Many of its words have no letter.",
        "no_stop_words": "It has not the words that every English text has.",
    }
    thresholds: ClassVar[tuple[Threshold, ...]] = (
        Threshold("min_words", "num_words", "min", ("few_words",)),
        Threshold("max_words", "num_words", "max", ("many_words",)),
        Threshold("min_word_length", "word_length", "min", ("short_words",)),
        Threshold("max_word_length", "word_length", "max", ("long_words",)),
        Threshold("max_symbol_share", "symbol_share", "max", ("symbols",)),
        Threshold("max_bullet_share", "bullet_share", "max", ("bullets",)),
        Threshold("max_ellipsis_share", "ellipsis_share", "max", ("cut_lines",)),
        Threshold("min_letter_share", "letter_share", "min", ("few_letters",)),
        Threshold("min_stop_words", "stop_words", "min", ("no_stop_words",)),
    )

    min_words: float = 50
    max_words: float = 100_000
    min_word_length: float = 3
    max_word_length: float = 10
    max_symbol_share: float = 0.1
    max_bullet_share: float = 0.9
    max_ellipsis_share: float = 0.3
    min_letter_share: float = 0.8
    min_stop_words: float = 2

    def __post_init__(self) -> None:
        if not 0 <= self.min_words <= self.max_words:
            raise ValueError(f"expected 0 <= min_words <= max_words, got {self.min_words} and {self.max_words}")
        if not 0 <= self.min_word_length <= self.max_word_length:
            got = f"{self.min_word_length} and {self.max_word_length}"
            raise ValueError(f"expected 0 <= min_word_length <= max_word_length, got {got}")
        for name in ("max_symbol_share", "max_bullet_share", "max_ellipsis_share", "min_letter_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")

    def cache_key(self) -> str:
        return "hashes or ellipses"

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        return [Scores(values=self._values(sample)) for sample in samples]

    def rejects(self, scores: Scores) -> str | None:
        for threshold in self.thresholds:
            value, bound = scores.values[threshold.score], getattr(self, threshold.setting)
            if value is not None and (value < bound if threshold.side == "min" else value > bound):
                return threshold.reasons[0]
        return None

    def _values(self, sample: Sample) -> dict[str, float | None]:
        if not is_judged(sample):
            return dict.fromkeys(self.score_names)
        text = sample.plain_text()
        words, is_unspaced = words_of(text)
        lines = [line for line in text.splitlines() if line.strip()]
        num_symbols = max(text.count("#"), text.count("...") + text.count("…"))
        is_english = not is_unspaced and len(_ENGLISH.findall(text)) * 50 >= len(words)
        return {
            "num_words": len(words),
            "word_length": None if is_unspaced else sum(map(len, words)) / len(words),
            "symbol_share": num_symbols / len(words),
            "bullet_share": sum(bool(_BULLET.match(line)) for line in lines) / len(lines),
            "ellipsis_share": sum(line.rstrip().endswith(("...", "…")) for line in lines) / len(lines),
            "letter_share": sum(any(map(str.isalpha, word)) for word in words) / len(words),
            "stop_words": len(STOP_WORDS & {word.strip(".,;:!?\"'()").lower() for word in words})
            if is_english
            else None,
        }
