"""Nouns in sentences: kind, number, preposition and measure word; and the words for more and less of a quantity."""

from dataclasses import dataclass

KINDS = ("time", "place", "thing", "person")
PREPOSITIONS = {"time": "in", "place": "in", "thing": "of", "person": "of"}
# Higher, highest, lower, lowest in English; more and less in Chinese.
DEGREES = {
    "high": (("higher", "highest", "lower", "lowest"), ("高", "低")),
    "much": (("higher", "highest", "lower", "lowest"), ("多", "少")),
    "value": (("higher", "highest", "lower", "lowest"), ("大", "小")),
    "long": (("longer", "longest", "shorter", "shortest"), ("长", "短")),
    "large": (("larger", "largest", "smaller", "smallest"), ("大", "小")),
    "great": (("greater", "greatest", "smaller", "smallest"), ("大", "小")),
}
_SINGULAR = {"people": "person"}


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun for rows or series, in the language of the chart.

    Args:
        name: singular, as inside a sentence.
        plural: plural; the same in Chinese.
        kind: one of KINDS.
        preposition: English word before a name: `in` May, `of` wheat.
        counter: Chinese measure word, e.g. 座 of cities; empty for words that are one themselves (年).
        after: Chinese text after a name, e.g. 区间 of bins.
    """

    name: str
    plural: str
    kind: str = "thing"
    preposition: str = "of"
    counter: str = "个"
    after: str = ""


ROW = Noun("row", "rows")


def plural_of(name: str) -> str:
    """Return the plural of a regular English noun."""
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def unit_of_one(unit: str) -> str:
    """Return an English unit after the number one: `cup` for `cups`."""
    is_plural = unit.isalpha() and len(unit) > 3 and unit.endswith("s") and unit.islower()
    return _SINGULAR.get(unit, unit[:-1] if is_plural else unit)


def degree_slots(degree: str, language: str) -> dict[str, str]:
    """Return the slots of templates for more and less of a quantity: one of DEGREES."""
    english, chinese = DEGREES[degree]
    if language == "zh":
        return dict(zip(("high", "low"), chinese, strict=True))
    return dict(zip(("higher", "highest", "lower", "lowest"), english, strict=True))
