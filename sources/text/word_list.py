"""Frequencies of words in twenty-two languages, and the language of a page from its function words."""

import gzip
import importlib.util
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import msgpack
import numpy as np
import numpy.typing as npt

MIN_FUNCTION_WORDS = 0.04  # share of a text's words; a text has 0.2 to 0.4 in its own language
MIN_FOUND = 3  # function words


@dataclass(frozen=True, slots=True)
class Language:
    """A language as the rules for hyphens see it.

    Args:
        compounds: a key of `hyphens.WEIGHTS`: how it writes compounds and how often.
        function_words: its most frequent words.
        conjunctions: words after a suspended hyphen ("Vor- und Nachteile") that are syllables in other languages.
    """

    compounds: str
    function_words: frozenset[str]
    conjunctions: frozenset[str] = frozenset()


def _language(compounds: str, function_words: str, conjunctions: str = "") -> Language:
    return Language(compounds, frozenset(function_words.split()), frozenset(conjunctions.split()))


LANGUAGES: Mapping[str, Language] = {
    # English words are not broken before their last two letters, so "en" is a Dutch quotation ("vracht- en kosten").
    "en": _language("english", "the of and to in is that for it with as was on are be this by from or an", "to en"),
    "de": _language(
        "german", "der die und das ist nicht ein eine mit von für auf den dem sich des im werden auch wird"
    ),
    "fr": _language("open", "le la les de des et est une un pour dans que qui sur pas du au avec vous ce", "à"),
    "es": _language("open", "el la los de las y que en un una es para con por se del no lo como su", "y o"),
    "it": _language("open", "il di e la che è un per in una del con le non si della sono da gli alla", "e o"),
    "pt": _language("open", "o a de que e do da em um para é com não uma os no se na por as", "e ou"),
    "nl": _language(
        "closed", "de het een van en in is dat op te voor met zijn niet aan u door als wordt deze", "en of"
    ),
    "sv": _language("closed", "och att det som en på är för av med den till i om har inte ett kan du från"),
    "da": _language("closed", "og at det er en til på som af den for med ikke der har i de et kan fra", "og"),
    "nb": _language("closed", "og i det er på som til en av for at med ikke den har de et kan fra å", "og"),
    "fi": _language("closed", "ja on ei se että oli hän mutta ovat joka kun myös tai ole niin sen voi", "ja tai"),
    "hu": _language("closed", "a az és hogy nem is egy ez meg de csak ha el már kell lehet vagy", "és vagy"),
    "pl": _language("open", "w i na z do się nie jest to że jak o po dla lub oraz od przez może są", "i a"),
    "cs": _language("open", "a se v na je že s z do i o pro jsou jako by k ve ale nebo pokud", "a i"),
    "ro": _language("open", "de și în a la cu că pe este un nu o din se care pentru sau mai sunt", "și"),
    "tr": _language("open", "ve bir bu için ile da de olarak çok daha olan ne gibi kadar veya ise", "ve veya"),
    "id": _language("open", "yang dan di dengan untuk dari ini pada tidak dalam itu adalah akan atau", "dan"),
    "ru": _language("open", "и в не на что с по как это для из к о от а его но или при", "и или"),
    "uk": _language("open", "і в не на що з до та як це для від у за про але або є", "і та"),
    "bg": _language("open", "и на в да за от не се с е по са че като към но или при", "и или"),
    "el": _language("open", "και το να της του η την με για στο των από που είναι ο τα θα", "και"),
    "ca": _language("open", "de la el i a en que per un una amb els les del es no és al", "i o"),
}


_LANGUAGES_OF: Mapping[str, tuple[str, ...]] = {
    word: tuple(name for name, language in LANGUAGES.items() if word in language.function_words)
    for word in sorted(frozenset().union(*(language.function_words for language in LANGUAGES.values())))
}


def language_of(words: Iterable[str]) -> str | None:
    """Return the language with most function words among the words in lower case, or None if there are few of any."""
    counts = Counter(words)
    found = dict.fromkeys(LANGUAGES, 0)
    for word in counts.keys() & _LANGUAGES_OF.keys():
        for name in _LANGUAGES_OF[word]:
            found[name] += counts[word]
    best = max(found, key=found.__getitem__)  # of several, the first of the table
    return best if found[best] >= max(MIN_FOUND, MIN_FUNCTION_WORDS * counts.total()) else None


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Frequencies of a language's words, as sorted hashes: a tenth of the memory of a dictionary.

    Args:
        hashes: (N,) uint32 CRC-32 of the words, ascending.
        zipf: (N,) float16 log10 of the occurrences in a billion words; 7 is "the", 3 is once in a million, 1 is least.
    """

    hashes: npt.NDArray[np.uint32]
    zipf: npt.NDArray[np.float16]

    def __getitem__(self, word: str) -> float:
        """Return the frequency of a word, 0 if it is not in the list."""
        key = np.uint32(zlib.crc32(word.casefold().encode()))
        k = int(np.searchsorted(self.hashes, key))
        return float(self.zipf[k]) if k < len(self.hashes) and self.hashes[k] == key else 0.0


@cache
def frequencies(language: str) -> Frequencies:
    """Load the words of one of `LANGUAGES`: up to 0.2 s, on the first page of a process that needs them."""
    bins = words_by_centibels(language)
    keys = np.fromiter(map(zlib.crc32, chain.from_iterable(bins)), np.uint32)
    centibels = np.repeat(np.arange(len(bins)), [len(words) for words in bins])
    order = np.argsort(keys, kind="stable")  # of words with the same hash, the most frequent is found
    return Frequencies(keys[order], (9 - centibels[order] / 100).astype(np.float16))


def words_by_centibels(language: str) -> list[list[bytes]]:
    """Return the words of a language as UTF-8, by how many hundredths of a power of ten they are rarer than always.

    The lists are files of wordfreq, which takes 0.3 s to import, most of it for what it does with other texts.
    """
    spec = importlib.util.find_spec("wordfreq")
    assert spec is not None
    assert spec.origin is not None
    files = [Path(spec.origin).with_name("data") / f"{size}_{language}.msgpack.gz" for size in ("large", "small")]
    with gzip.open(next(filter(Path.exists, files))) as file:
        header, *words = msgpack.load(file, raw=True)
    if header != {b"format": b"cB", b"version": 1}:
        raise ValueError(f"unexpected header of a list of words: {header!r}")
    bins: list[list[bytes]] = words
    return bins
