"""Running texts, names and things on pages: by the grammar of the source `ocr`, or from the user's files."""

import random as random_module

from sources.ocr.passages import ContentSampler, Passages, split_sentences
from sources.ocr.writing.grammar import lexicon

CHARACTERS_PER_LETTER = 0.4  # a Chinese text has as much to say in this share of the characters
GROUPS = ("subject", "food", "animal", "plant", "building", "vehicle", "craft", "room", "society", "landform")
TITLE_ATTEMPTS = 6  # short titles are rare
QUESTIONS = (  # {0} and {1} are things, {2} is a town
    ("Is the {0} available in {2}?", "{2}能买到{0}吗？"),
    ("How long does a {0} last?", "{0}能用多久？"),
    ("Who repairs the {0}?", "{0}由谁来修？"),
    ("Can I exchange the {0} for a {1}?", "可以用{0}换{1}吗？"),
    ("When does the shop in {2} open?", "{2}的店什么时候开门？"),
    ("Do you deliver the {0} to {2}?", "{0}能送到{2}吗？"),
    ("What is the difference between {0} and {1}?", "{0}和{1}有什么不同？"),
    ("May I return a {0} that I have used?", "用过的{0}可以退吗？"),
)
SITES = (  # {0} is a colour or material, {1} an animal or object, {2} a town
    ("{0} {1}", "{0}{1}"),
    ("{1} & {2}", "{2}{1}"),
    ("{2} {1}", "{2}{1}"),
    ("The {0} {1}", "{0}{1}社"),
)


class Texts:
    """Texts in one language, drawn with the random generator of a page.

    Args:
        passages: the paragraphs from which running text is taken.
    """

    def __init__(self, passages: Passages, language: str, random: random_module.Random):
        self._sampler = ContentSampler(passages, language, random)
        self._passages, self._language = passages, language
        self._side = ("en", "zh").index(language)
        self._random = random

    def sentence(self, num_letters: int) -> str:
        """Return a sentence of at most so many letters, or of as many Chinese characters as say as much."""
        return self._sampler.sentence(self._limit(num_letters))

    def headline(self, num_letters: int) -> str:
        """Return the title of a text, from which the following sentences are taken."""
        return self._sampler.title(self._limit(num_letters))

    def heading(self, num_letters: int) -> str:
        """Return a heading of a part: the title of another text, a whole sentence, or two words."""
        limit = self._limit(num_letters)
        for _ in range(TITLE_ATTEMPTS):
            number = self._random.randrange(self._passages.count(self._language))
            title = self._passages.title(self._language, number)
            if title and len(title) <= limit:
                return title
        text = self._sampler.sentence(limit)
        return text.rstrip(".。") if text.endswith((".", "。", "?", "？")) else self.thing()

    def sentences(self, number: int) -> str:
        """Return the next sentences, at most `number` of one paragraph."""
        found = split_sentences(self._sampler.paragraph())
        return (" ", "")[self._side].join(found[:number])

    def person(self) -> str:
        return self._sampler.fields.person()

    def town(self) -> str:
        first, last = self.word("town_first"), self.word("town_last")
        return (f"{first}{last}", f"{first}{last}镇")[self._side]

    def thing(self) -> str:
        """Return a thing that a shop might sell, e.g. `Walnut mirror`."""
        made_of = self.word(self._random.choice(("material", "colour")))
        thing = self.word(self._random.choice(("object", "tool", "object")))
        return self._joined(made_of, thing)

    def site(self) -> str:
        """Return the name of a site."""
        words = (
            self.word(self._random.choice(("material", "colour"))),
            self.word(self._random.choice(("animal", "object", "tool", "plant"))),
            self.town(),
        )
        name = self._random.choice(SITES)[self._side].format(*words)
        return name.title() if self._side == 0 else name

    def group(self, number: int) -> list[str]:
        """Return different words of one kind, e.g. for the categories of a site."""
        entries = lexicon()[self._random.choice(GROUPS)]
        return [self._capitalized(entry[self._side]) for entry in self._random.sample(entries, number)]

    def question(self) -> str:
        things = [self.thing() if self._side else self.thing().lower() for _ in range(2)]
        return self._random.choice(QUESTIONS)[self._side].format(*things, self.town())

    def word(self, kind: str) -> str:
        """Return a word of a class of the grammar's lexicon."""
        return self._random.choice(lexicon()[kind])[self._side]

    def _limit(self, num_letters: int) -> int:
        return round(num_letters * (1, CHARACTERS_PER_LETTER)[self._side])

    def _joined(self, *words: str) -> str:
        return self._capitalized((" ", "")[self._side].join(words))

    def _capitalized(self, text: str) -> str:
        return text[:1].upper() + text[1:]
