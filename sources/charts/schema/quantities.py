"""Entries about measured quantities: names, topics, relations, samples, fields, and what adds up."""

from dataclasses import dataclass

from sources.charts.noun import KINDS, PREPOSITIONS, Noun, plural_of
from sources.charts.schema.texts import (
    MIN_ITEMS,
    Entry,
    Text,
    check_decimals,
    check_degree,
    check_range,
    check_texts,
    localize,
    lower_first,
)

SHAPES = ("growth", "decline", "season", "walk", "noise")


@dataclass(frozen=True, kw_only=True)
class NamedList(Entry):
    """Names of rows or series.

    Args:
        noun: header of a column with these names.
        time: they are consecutive in time.
        kind: `time`, `place`, `thing` or `person`: questions ask when, where, which or who.
        plural, preposition: English plural of the noun and word before a name, if they are not the regular ones.
        asked: the noun in questions, if it differs from the header.
        counter: Chinese measure word.
    """

    noun: Text
    items: tuple[Text, ...]
    time: bool = False
    kind: str = ""
    plural: str = ""
    preposition: str = ""
    asked: Text | None = None
    counter: str = "个"

    def __post_init__(self) -> None:
        check_texts(self.items, "items")
        if self.kind and self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind}")

    def named(self, language: str) -> Noun:
        """Return the noun of these names for sentences."""
        kind = self.kind or ("time" if self.time else "thing")
        name = localize(self.asked or self.noun, language)
        if language != "en":
            return Noun(name, name, kind, counter=self.counter)
        name = lower_first(name)
        return Noun(name, self.plural or plural_of(name), kind, self.preposition or PREPOSITIONS[kind])


@dataclass(frozen=True, kw_only=True)
class Topic(Entry):
    """One measured quantity, along rows (`along`) and for several series (`by`).

    Args:
        degree: words for more and less of it, one of DEGREES; `much` if it is additive, else `high`.
        theme: a chart with two axes has two topics of one theme.
        decades: its values differ by factors of ten, so it is drawn along a logarithmic axis.
    """

    title: Text
    measure: Text
    unit: Text
    low: float
    high: float
    along: tuple[str, ...]
    by: tuple[str, ...]
    decimals: int = 0
    additive: bool = False
    shapes: tuple[str, ...] = SHAPES
    degree: str = ""
    theme: str = ""
    decades: bool = False

    @property
    def words(self) -> str:
        """The name of the words for more and less of it."""
        return self.degree or ("much" if self.additive else "high")

    def __post_init__(self) -> None:
        check_range(self.low, self.high)
        check_degree(self.degree)
        check_decimals(self.decimals, self.low, self.high)
        unknown = [shape for shape in self.shapes if shape not in SHAPES]
        if unknown or not self.shapes:
            raise ValueError(f"shapes must be some of {', '.join(SHAPES)}, got {', '.join(self.shapes) or 'none'}")
        if self.additive and self.low < 0:
            raise ValueError(f"additive quantities cannot be negative, but low is {self.low}")
        if self.decades and (self.low < 1 or self.high < 100 * self.low or self.additive or self.decimals):
            raise ValueError(
                "with decades, low must be 1 or more, high at least 100 times low, and the topic neither additive nor "
                f"with decimals; got low {self.low:g} and high {self.high:g}"
            )
        if not self.along or not self.by:
            raise ValueError("along and by must each name a list")


@dataclass(frozen=True, kw_only=True)
class Relation(Entry):
    """Two quantities of the same things, with their correlation (-1 to 1).

    Args:
        where: lists of names, one of which follows the title.
    """

    title: Text
    x: Text
    x_unit: Text
    x_low: float
    x_high: float
    y: Text
    y_unit: Text
    y_low: float
    y_high: float
    correlation: float
    things: Text
    where: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_range(self.x_low, self.x_high)
        check_range(self.y_low, self.y_high)
        if not -1 <= self.correlation <= 1:
            raise ValueError(f"correlation must be between -1 and 1, got {self.correlation}")


@dataclass(frozen=True, kw_only=True)
class Samples(Entry):
    """Repeated measurements of the groups in a list."""

    title: Text
    measure: Text
    unit: Text
    low: float
    high: float
    groups: str
    things: Text

    def __post_init__(self) -> None:
        check_range(self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class Field(Entry):
    """A quantity over two coordinates from 0 to `x_high` and `y_high`."""

    title: Text
    measure: Text
    unit: Text
    low: float
    high: float
    x: Text
    x_unit: Text
    x_high: float
    y: Text
    y_unit: Text
    y_high: float

    def __post_init__(self) -> None:
        check_range(self.low, self.high)
        check_range(0, self.x_high)
        check_range(0, self.y_high)


@dataclass(frozen=True, kw_only=True)
class Bridge(Entry):
    """Gains and losses between a start (from low to high) and an end."""

    title: Text
    measure: Text
    unit: Text
    start: Text
    end: Text
    low: float
    high: float
    gains: tuple[Text, ...]
    losses: tuple[Text, ...]

    def __post_init__(self) -> None:
        check_range(self.low, self.high)
        if not self.gains or not self.losses:
            raise ValueError("a bridge needs gains and losses")
        check_texts((self.start, self.end, *self.gains, *self.losses), "start, end, gains and losses", MIN_ITEMS + 2)


@dataclass(frozen=True, kw_only=True)
class Funnel(Entry):
    """Stages; the first has a value from low to high. `where` names lists of names that may follow the title."""

    title: Text
    measure: Text
    unit: Text
    low: float
    high: float
    stages: tuple[Text, ...]
    where: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_range(self.low, self.high)
        if self.low < 100:
            raise ValueError(f"a funnel starts with at least 100, got low {self.low}")
        check_texts(self.stages, "stages")
