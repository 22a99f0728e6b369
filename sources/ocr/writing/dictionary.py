"""Entries of dictionaries whose facts follow from the words: derivation, inflection, pronunciation, compounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from sources.ocr.writing.words_of_language import (
    chinese_words,
    english_entries,
    english_nouns,
    english_verbs,
    level_one,
)

WINDOW = 260  # neighbouring English words from which a page draws its own
USES = {
    "n.": ("They praised its {word}.", "Nobody had expected such {word}.", "The report says little about {word}.",
           "It was {word}, not luck, that decided the matter.", "He wrote a letter on {word} to the newspaper."),
    "adj.": ("It was a {word} answer.", "The evening remained {word} to the end.", "She called the plan {word}.",
             "There is nothing {word} about a timetable."),
    "adv.": ("She answered {word}.", "He closed the door {word} and left.", "The clock struck {word}.",
             "Everybody nodded {word}."),
    "pref.": (),
}  # fmt: skip
KINDS = {"n": "名", "v": "动", "a": "形", "i": "成语"}
LEADS = {"n": "名词：", "v": "动词：", "a": "形容词：", "i": "成语："}


@dataclass(frozen=True, slots=True)
class DictionaryEntry:
    """An entry: the term, its part of speech or pronunciation, its meaning, and a sentence, possibly none."""

    term: str
    note: str
    meaning: str
    use: str = ""


def entries(language: str, count: int, random: Random) -> list[DictionaryEntry]:
    """Return neighbouring entries of a dictionary, in its order."""
    return _chinese(count, random) if language == "zh" else _english(count, random)


@lru_cache(maxsize=1)
def _english_terms() -> Sequence[tuple[str, int, int]]:
    """Return all English terms in order, with the list that they are in and their place there."""
    lists = (
        [entry.word for entry in english_entries()],
        [forms[0] for forms in english_verbs()],
        [noun for noun, _ in english_nouns()],
    )
    found: dict[str, tuple[str, int, int]] = {}
    for number, words in enumerate(lists):
        for place, word in enumerate(words):
            found.setdefault(word, (word, number, place))
    return sorted(found.values())


def _english(count: int, random: Random) -> list[DictionaryEntry]:
    terms = _english_terms()
    size = max(count, WINDOW)
    start = random.randrange(len(terms) - size)
    chosen = sorted(random.sample(range(start, start + size), count))
    return [_english_entry(*terms[k], random) for k in chosen]


def _english_entry(word: str, number: int, place: int, random: Random) -> DictionaryEntry:
    if number == 1:
        _, third, past, participle = english_verbs()[place]
        return DictionaryEntry(word, "v.", f"{third}, {past}, {participle}.")
    if number == 2:
        return DictionaryEntry(word, "n.", f"plural {english_nouns()[place][1]}.")
    entry = english_entries()[place]
    uses = USES[entry.kind]
    use = random.choice(uses).format(word=word) if uses and random.random() < 0.5 else ""
    return DictionaryEntry(word, "adj." if entry.kind == "pref." else entry.kind, entry.meaning, use)


def _chinese(count: int, random: Random) -> list[DictionaryEntry]:
    characters = level_one()
    start = random.randrange(len(characters) - count)
    return [_chinese_entry(character, random) for character in characters[start : start + count]]


def _chinese_entry(character: str, random: Random) -> DictionaryEntry:
    groups = []
    for tag, lead in LEADS.items():
        words = chinese_words()[tag]
        places = words.by_character.get(character, ())
        if places:
            chosen = random.sample(places, min(len(places), random.randint(1, 4)))
            groups.append(lead + "、".join(words.words[k] for k in chosen))
    return DictionaryEntry(character, pinyin_of(character), "；".join(groups) + "。" if groups else "单用。")


def pinyin_of(text: str) -> str:
    """Return the reading of a Chinese word with tone marks."""
    from pypinyin import Style, pinyin  # an optional dependency

    return "".join(readings[0] for readings in pinyin(text, style=Style.TONE))


def wrong_readings(text: str, random: Random) -> list[str]:
    """Return three readings of a Chinese word that differ from the right one in a tone."""
    from pypinyin import Style, pinyin
    from pypinyin.contrib.tone_convert import to_tone

    syllables = [readings[0] for readings in pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)]
    right, found = pinyin_of(text), dict[str, None]()
    tones = [(k, tone) for k in range(len(syllables)) for tone in "1234"]
    for k, tone in random.sample(tones, len(tones)):
        wrong = [*syllables]
        wrong[k] = wrong[k].rstrip("12345") + tone
        reading = "".join(to_tone(syllable) for syllable in wrong)
        if reading != right:
            found[reading] = None
    return list(found)[:3]
