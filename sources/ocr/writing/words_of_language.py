"""Large word lists by part of speech: English by derivation, Chinese by the tags of jieba's dictionary.

The files are wordfreq's. A word is only taken if it can be used in a sentence of the grammar: an English noun in -ness
has an adjective before the suffix, so that its part of speech and its meaning are known.
"""

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sources.text.word_list import words_by_centibels

MIN_ZIPF, MIN_BASE_ZIPF = 1.4, 2.4  # log10 of occurrences in a billion words; rarer words are often misspelled
RARER = 0.7  # than its base is a word with a prefix; "pretended" is nearly as frequent as "tended"
LENGTHS = (4, 15)  # letters
_UNFIT = re.compile(
    r"sex|rap(e|ist)|porn|nazi|fuck|shit|piss|slut|whore|nigg|jew|musl|islam|christ|terror|suicid|slav|incest|abort|kill|"
    r"^cum|cunt|cock(s|ed|ing|y)?$|dick|boob|tits|wank|^anal|nude|hooker|brothel|erotic|fetish|genit|sperm|semen|cuck|pussy|"
    r"dildo|anus|rect(um|al)|milf|jihad|hitler|holocaust|negro|retard|spastic|crippl|fag|virgin|dyke|stripper|horny|nipple|breast|"
    r"fart|poop|turd|urin|vomit|cocaine|heroin|cannab|marijuana|bomb|massacre|behead|lynch|slaught|pimp|prostit|lust|^ass|arse|"
    r"murder|drug|penis|vagin|orgas|masturb|homo|trans|racis|geno|molest|pedo|damn|bitch|crap|gay|lesb|torture|corpse"
)
_UNFIT_CHINESE = re.compile(
    r"[淫奸娼妓嫖尿屎屁奴屌尸婊杀毒赌党匪贼癌]|性交|性欲|性爱|自杀|强暴|色情|法轮|共产|台独|藏独|主席|总书记|暴动|屠|阴茎|阴道|乳房|"
    r"政变|颠覆|示威|独裁|裸|鬼子|恐怖|血腥|卖国|反动|革命"
)
# Suffixes: what they make, what the word was before ("|" separates endings that replace the suffix), the meaning.
_DERIVATIONS: Sequence[tuple[str, str, str, str]] = (
    ("iness", "n.", "y", "the quality of being {base}."),
    ("ness", "n.", "", "the quality or state of being {base}."),
    ("ability", "n.", "able", "the fact of being {base}."),
    ("ibility", "n.", "ible", "the fact of being {base}."),
    ("ically", "adv.", "ic|ical", "in a way that is {base}."),
    ("ily", "adv.", "y", "in {a} manner."),
    ("ably", "adv.", "able", "in a way that is {base}."),
    ("ibly", "adv.", "ible", "in a way that is {base}."),
    ("lessly", "adv.", "less", "in {a} manner."),
    ("ously", "adv.", "ous", "in {a} manner."),
    ("fully", "adv.", "ful", "in {a} manner."),
    ("ively", "adv.", "ive", "in {a} manner."),
    ("ently", "adv.", "ent", "in a way that is {base}."),
    ("antly", "adv.", "ant", "in a way that is {base}."),
    ("ingly", "adv.", "ing", "in a way that is {base}."),
    ("edly", "adv.", "ed", "in a way that is {base}."),
    ("ally", "adv.", "al", "in a way that is {base}."),
    ("less", "adj.", "", "without {base}."),
    ("iful", "adj.", "y", "full of {base}."),
    ("ful", "adj.", "", "full of {base}."),
    ("able", "adj.", "|e", "that one can {base}, or that is worth it."),
    ("ization", "n.", "ize", "the act of one who {s}, or its result."),
    ("ation", "n.", "ate|e|", "the act of one who {s}, or its result."),
    ("ment", "n.", "", "the act of one who {s}, or its result."),
    ("ship", "n.", "", "the rank, skill or relation of {a}."),
    ("hood", "n.", "", "the state or time of being {a}."),
    ("ity", "n.", "|e", "the quality of being {base}."),
    ("ousness", "n.", "ous", "the quality of being {base}."),
    ("like", "adj.", "", "resembling {a}."),
)
# Prefixes: the endings of the words that they are put before, the meaning.
_PREFIXES = (
    ("un", ("ed", "able"), "not {base}."), ("over", ("ed",), "{base} too much."),
    ("under", ("ed",), "{base} too little."),
    ("re", ("ed", "ing"), "{base} again."), ("mis", ("ed", "ing"), "{base} badly or wrongly."),
    ("pre", ("ed", "ing"), "{base} beforehand."), ("non", ("ing", "able"), "not {base}."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A derived word.

    Args:
        word: the word.
        kind: `n.`, `adj.`, `adv.`, or `pref.` for a word with a prefix.
        base: the word that it comes from.
        meaning: its meaning, which follows from its parts.
    """

    word: str
    kind: str
    base: str
    meaning: str


@lru_cache(maxsize=1)
def english_zipf() -> Mapping[str, float]:
    """Return English words in lower case with their frequency, of wordfreq's list of 300,000."""
    low, high = LENGTHS
    found = {}
    for centibels, group in enumerate(words_by_centibels("en")):
        for raw in group:
            if low <= len(raw) <= high and raw.isalpha() and raw.isascii():
                found[raw.decode()] = 9 - centibels / 100
    return found


@lru_cache(maxsize=1)
def english_entries() -> tuple[Entry, ...]:
    """Return all derived words in alphabetical order."""
    zipf = english_zipf()
    found = {}
    for word, frequency in zipf.items():
        if frequency >= MIN_ZIPF and not _UNFIT.search(word):
            entry = _derive(word, zipf)
            if entry is not None:
                found[word] = entry
    return tuple(found[word] for word in sorted(found))


def _derive(word: str, zipf: Mapping[str, float]) -> Entry | None:
    for suffix, kind, endings, meaning in _DERIVATIONS:
        if word.endswith(suffix):
            for ending in endings.split("|"):
                base = word[: -len(suffix)] + ending
                if len(base) >= 4 and _is_base(base, word, zipf):
                    meaning = meaning.format(base=base, a=with_article(base), s=plural(base))
                    return Entry(word, kind, base, meaning)
    for prefix, endings_after, meaning in _PREFIXES:
        base = word.removeprefix(prefix)
        if (
            len(base) < len(word)
            and len(base) >= 5
            and word.endswith(endings_after)
            and _is_base(base, word, zipf, RARER)
        ):
            return Entry(word, "pref.", base, meaning.format(base=base))
    return None


def _is_base(base: str, word: str, zipf: Mapping[str, float], rarer: float = -0.5) -> bool:
    """Return True if another word comes from `base`: the base is frequent, and the word rarer by `rarer` at least."""
    return zipf.get(base, 0) >= max(MIN_BASE_ZIPF, zipf[word] + rarer)


def with_article(noun: str) -> str:
    """Return an English noun or noun phrase with its indefinite article."""
    is_vowel = noun[:1].lower() in "aeiou" and not noun.lower().startswith(("uni", "use", "eu", "one", "ut"))
    return f"{'an' if is_vowel or noun.startswith(('hour', 'honest', 'heir')) else 'a'} {noun}"


IRREGULAR = {
    "loaf": "loaves",
    "leaf": "leaves",
    "knife": "knives",
    "shelf": "shelves",
    "half": "halves",
    "wolf": "wolves",
}
UNCHANGED = ("carp", "deer", "shrimp", "trout", "moss", "newt fish")


def plural(noun: str) -> str:
    """Return the regular plural of an English noun, of its last word; the third person of a verb is formed alike."""
    if noun in UNCHANGED:
        return noun
    for ending, others in (
        ("man", "men"),
        ("wife", "wives"),
        ("mouse", "mice"),
        ("child", "children"),
        *IRREGULAR.items(),
    ):
        if noun.endswith(ending):
            return noun.removesuffix(ending) + others
    if noun.startswith("pair of "):
        return f"pairs of {noun.removeprefix('pair of ')}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh", "tomato", "potato")) else f"{noun}s"


def _past(verb: str) -> str:
    return f"{verb}d" if verb.endswith("e") else f"{verb[:-1]}ied" if verb.endswith("y") else f"{verb}ed"


def _participle(verb: str) -> str:
    return f"{verb[:-1]}ing" if verb.endswith("e") and not verb.endswith("ee") else f"{verb}ing"


@lru_cache(maxsize=1)
def english_verbs() -> tuple[tuple[str, str, str, str], ...]:
    """Return verbs whose regular forms are all in use: infinitive, third person, past, participle."""
    zipf = english_zipf()
    found = []
    for verb, frequency in zipf.items():
        forms = (verb, plural(verb), _past(verb), _participle(verb))
        if (
            frequency >= MIN_BASE_ZIPF
            and all(zipf.get(form, 0) > MIN_ZIPF for form in forms)
            and not _UNFIT.search(verb)
        ):
            found.append(forms)
    return tuple(sorted(found))


@lru_cache(maxsize=1)
def english_nouns() -> tuple[tuple[str, str], ...]:
    """Return nouns that are no verbs with their plural, both in use."""
    zipf = english_zipf()
    found = []
    for noun, frequency in zipf.items():
        others = plural(noun)
        is_counted = MIN_ZIPF + 0.5 < zipf.get(others, 0) > frequency - 1.2
        is_verb = _past(noun) in zipf or _participle(noun) in zipf
        if (
            frequency >= MIN_BASE_ZIPF
            and is_counted
            and not is_verb
            and not noun.endswith(("s", "ed"))
            and not _UNFIT.search(noun)
        ):
            found.append((noun, others))
    return tuple(sorted(found))


@lru_cache(maxsize=1)
def english_words() -> Mapping[str, tuple[str, ...]]:
    """Return the words of the large classes: `abstract`, `adverb`, `adjective`, and nouns in the plural, `things`."""
    by_kind: dict[str, list[str]] = {"n.": [], "adv.": [], "adj.": []}
    for entry in english_entries():
        if entry.kind in by_kind:
            by_kind[entry.kind].append(entry.word)
    return {
        "abstract": tuple(by_kind["n."]), "adverb": tuple(by_kind["adv."]), "adjective": tuple(by_kind["adj."]),
        "things": tuple(others for _, others in english_nouns()),
    }  # fmt: skip


@lru_cache(maxsize=1)
def level_one() -> tuple[str, ...]:
    """Return the 3,755 characters of level 1 of GB 2312, in its order (by pinyin)."""
    rows = range(0xB0, 0xD8)
    cells = (bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF))
    return tuple(cell.decode("gb2312") for cell in cells if cell <= b"\xd7\xf9")


@dataclass(frozen=True, slots=True)
class ChineseWords:
    """Chinese words of a part of speech.

    Args:
        words: the words.
        by_character: indices of the words that contain a character.
    """

    words: tuple[str, ...]
    by_character: Mapping[str, tuple[int, ...]]

    def pick(self, number: int) -> str:
        """Return the word of a number: first a character, each as often, then one of its words."""
        characters = [character for character in level_one() if character in self.by_character]
        number, k = divmod(number, len(characters))
        indices = self.by_character[characters[k]]
        return self.words[indices[number % len(indices)]]


@lru_cache(maxsize=1)
def chinese_words() -> Mapping[str, ChineseWords]:
    """Return Chinese words of two to four characters by tag: `n` noun, `v` verb, `a` adjective, `i` idiom."""
    spec = importlib.util.find_spec("wordfreq")
    assert spec is not None
    assert spec.origin is not None
    found: dict[str, list[str]] = {"n": [], "v": [], "a": [], "i": []}
    lengths = {"n": (2, 3), "v": (2, 2), "a": (2, 2), "i": (4, 4)}
    known = frozenset(level_one())
    for line in Path(spec.origin).with_name("data").joinpath("jieba_zh_orig.txt").read_text("utf-8").splitlines():
        word, count, tag = line.rsplit(" ", 2)
        if tag in found and int(count) >= 3:
            low, high = lengths[tag]
            if low <= len(word) <= high and known.issuperset(word) and not _UNFIT_CHINESE.search(word):
                found[tag].append(word)
    return {tag: ChineseWords(tuple(words), _by_character(words)) for tag, words in found.items()}


def _by_character(words: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
    places: dict[str, list[int]] = {}
    for k, word in enumerate(words):
        for character in dict.fromkeys(word):
            places.setdefault(character, []).append(k)
    return {character: tuple(indices) for character, indices in places.items()}
