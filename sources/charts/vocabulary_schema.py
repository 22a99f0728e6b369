"""Schema of the vocabulary, with checks of its entries. Texts are pairs of English and Chinese."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from pydantic import ConfigDict

from sources.charts.noun import DEGREES, KINDS, PREPOSITIONS, Noun, plural_of

LANGUAGES = ("en", "zh")
SHAPES = ("growth", "decline", "season", "walk", "noise")
WAYS = ("go_on", "back", "repeat", "end")
MAX_NUMBER = 1e12  # larger numbers do not fit at an axis
MIN_ITEMS = 4  # least length of a list
Text = tuple[str, str]  # English, Chinese


def localize(text: Text, language: str) -> str:
    """Return a text in one of LANGUAGES."""
    return text[LANGUAGES.index(language)]


def lower_first(name: str) -> str:
    """Return a name as inside a sentence: in lower case, unless its second letter is upper case (pH, GDP)."""
    return name if name[1:2].isupper() or not name[1:2].isalpha() else name[0].lower() + name[1:]


class _Entry:
    """Base class of entries: unknown keys are rejected."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


def _check_range(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"low and high must be finite, got {low} and {high}")
    if max(abs(low), abs(high)) > MAX_NUMBER:
        raise ValueError(f"low and high must be between -1e12 and 1e12 to fit into a picture, got {low:g} and {high:g}")
    if low >= high:
        raise ValueError(f"low must be below high, got {low} and {high}")


def _check_degree(degree: str) -> None:
    if degree and degree not in DEGREES:
        raise ValueError(f"degree must be one of {', '.join(DEGREES)}, got {degree}")


def _check_texts(texts: Sequence[Text], what: str, at_least: int = MIN_ITEMS) -> None:
    if len(texts) < at_least:
        raise ValueError(f"{what} must be at least {at_least}, got {len(texts)}")
    for k, language in enumerate(LANGUAGES):
        names = [text[k].strip() for text in texts]
        if not all(names):
            raise ValueError(f"{what} must all have a text in {language}")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{what} must differ, but {twice[0]!r} is there twice")


@dataclass(frozen=True, kw_only=True)
class NamedList(_Entry):
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
        _check_texts(self.items, "items")
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
class Topic(_Entry):
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
        _check_range(self.low, self.high)
        _check_degree(self.degree)
        _check_decimals(self.decimals, self.low, self.high)
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
class Relation(_Entry):
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
        _check_range(self.x_low, self.x_high)
        _check_range(self.y_low, self.y_high)
        if not -1 <= self.correlation <= 1:
            raise ValueError(f"correlation must be between -1 and 1, got {self.correlation}")


@dataclass(frozen=True, kw_only=True)
class Samples(_Entry):
    """Repeated measurements of the groups in a list."""

    title: Text
    measure: Text
    unit: Text
    low: float
    high: float
    groups: str
    things: Text

    def __post_init__(self) -> None:
        _check_range(self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class Field(_Entry):
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
        _check_range(self.low, self.high)
        _check_range(0, self.x_high)
        _check_range(0, self.y_high)


@dataclass(frozen=True, kw_only=True)
class Bridge(_Entry):
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
        _check_range(self.low, self.high)
        if not self.gains or not self.losses:
            raise ValueError("a bridge needs gains and losses")
        _check_texts((self.start, self.end, *self.gains, *self.losses), "start, end, gains and losses", MIN_ITEMS + 2)


@dataclass(frozen=True, kw_only=True)
class Funnel(_Entry):
    """Stages; the first has a value from low to high. `where` names lists of names that may follow the title."""

    title: Text
    measure: Text
    unit: Text
    low: float
    high: float
    stages: tuple[Text, ...]
    where: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_range(self.low, self.high)
        if self.low < 100:
            raise ValueError(f"a funnel starts with at least 100, got low {self.low}")
        _check_texts(self.stages, "stages")


@dataclass(frozen=True, kw_only=True)
class Project(_Entry):
    """Tasks in the order of their starts. `where` names lists of names that may follow the title."""

    title: Text
    tasks: tuple[Text, ...]
    where: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_texts(self.tasks, "tasks")


@dataclass(frozen=True, kw_only=True)
class History(_Entry):
    """Events in order."""

    title: Text
    events: tuple[Text, ...]

    def __post_init__(self) -> None:
        _check_texts(self.events, "events")


@dataclass(frozen=True, kw_only=True)
class Step(_Entry):
    """A step of a process. `otherwise` and `next` are 0-based indices of steps; `end` is True for a last step."""

    text: Text
    question: bool = False
    otherwise: int | None = None
    next: int | None = None
    end: bool = False

    def __post_init__(self) -> None:
        if self.question != (self.otherwise is not None):
            raise ValueError("a step has `otherwise` exactly if it is a question")
        if self.end and (self.question or self.next is not None):
            raise ValueError("a step that ends is no question and has no `next`")


@dataclass(frozen=True, kw_only=True)
class Process(_Entry):
    """A procedure: each step leads to the next one, unless `next` gives another."""

    title: Text
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        _check_texts([step.text for step in self.steps], "steps")
        if not self.steps[-1].end and self.steps[-1].next is None:
            raise ValueError("the last step leads nowhere; give it `next`, or `end: true`")
        for k, step in enumerate(self.steps):
            for target in (step.otherwise, step.next):
                if target is not None and (not 0 <= target < len(self.steps) or target == k):
                    raise ValueError(f"step {k} leads to step {target}, which is not another of the steps 0 to "
                                     f"{len(self.steps) - 1}")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Check(_Entry):
    """A question behind a step of a procedure, and what follows the answer no.

    Args:
        remedy: the step that follows the answer no.
        after: the question stands directly behind one of the steps from the first to the second of these (from 0).
        ways: what may follow no: the remedy, which leads on (`go_on`), back to the step before (`back`) or nowhere
            (`end`), or that step once more (`repeat`).
    """

    ask: Text
    remedy: Text
    after: tuple[int, int]
    ways: tuple[str, ...] = ("go_on",)

    def __post_init__(self) -> None:
        if not self.ways or set(self.ways) - set(WAYS):
            raise ValueError(f"ways must be some of {', '.join(WAYS)}, got {', '.join(self.ways) or 'none'}")
        if not 0 <= self.after[0] <= self.after[1]:
            raise ValueError(f"after must be the first and the last step, from 0, got {list(self.after)}")


@dataclass(frozen=True, kw_only=True)
class Procedure(_Entry):
    """A pool from which processes are composed: steps in order (a process has some of them), and checks of them."""

    title: Text
    steps: tuple[Text, ...]
    checks: tuple[Check, ...]

    def __post_init__(self) -> None:
        texts = [*self.steps, *(text for check in self.checks for text in (check.ask, check.remedy))]
        _check_texts(texts, "steps and checks", MIN_ITEMS + 2)
        if len(self.steps) < MIN_ITEMS or not self.checks:
            raise ValueError(f"a procedure needs at least {MIN_ITEMS} steps and one check")
        last = len(self.steps) - 2  # another step follows every check
        for check in self.checks:
            if check.after[1] > last:
                raise ValueError(f"{check.ask[0]!r} may stand after step {last} at most, got {check.after[1]}")


@dataclass(frozen=True, kw_only=True)
class Network(_Entry):
    """Nodes from a list, connected by links that may have a weight."""

    title: Text
    node: Text
    link: Text
    directed: bool
    list: str
    weight: Text | None = None
    unit: Text = ("", "")
    low: float = 1
    high: float = 100

    def __post_init__(self) -> None:
        _check_range(self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class RecordColumn(_Entry):
    """A column of a table: numbers from low to high, one of some choices, or dates between two.

    Args:
        asked: what questions call it, if that is not its header: `number of goals`.
        degree: words for more and less of it, one of DEGREES.
    """

    name: Text
    unit: Text = ("", "")
    low: float | None = None
    high: float | None = None
    decimals: int = 0
    choices: tuple[Text, ...] = ()
    dates: tuple[date, date] | None = None
    asked: Text | None = None
    degree: str = "high"

    def __post_init__(self) -> None:
        _check_degree(self.degree)
        if (self.low is not None and self.high is not None) + bool(self.choices) + (self.dates is not None) != 1:
            raise ValueError("a column has either low and high, or choices, or dates")
        if self.low is not None and self.high is not None:
            _check_range(self.low, self.high)
            _check_decimals(self.decimals, self.low, self.high)
        if self.choices:
            _check_texts(self.choices, "choices", 2)
        if self.dates and self.dates[0] >= self.dates[1]:
            raise ValueError(f"dates must be an earlier and a later one, got {self.dates[0]} and {self.dates[1]}")


@dataclass(frozen=True, kw_only=True)
class Record(_Entry):
    """A table of several columns."""

    title: Text
    rows: NamedList
    columns: tuple[RecordColumn, ...]

    def __post_init__(self) -> None:
        if sum(column.low is not None for column in self.columns) < 2:
            raise ValueError("a table needs at least two columns of numbers")


@dataclass(frozen=True, kw_only=True)
class Vocabulary(_Entry):
    """All topics and names of charts."""

    lists: Mapping[str, NamedList]
    topics: tuple[Topic, ...]
    relations: tuple[Relation, ...]
    samples: tuple[Samples, ...]
    fields: tuple[Field, ...]
    bridges: tuple[Bridge, ...]
    funnels: tuple[Funnel, ...]
    projects: tuple[Project, ...]
    histories: tuple[History, ...]
    processes: tuple[Process, ...]
    procedures: tuple[Procedure, ...]
    networks: tuple[Network, ...]
    records: tuple[Record, ...]
    publishers: tuple[Text, ...] = ()

    def can_cross(self, rows: str, columns: str) -> bool:
        """Return True if every row can have a value for every column: no place is in another one."""
        kinds = [self.lists[name].kind or "thing" for name in (rows, columns)]
        return kinds[0] != kinds[1] or self.lists[rows].time or kinds[0] == "thing"


def _check_decimals(decimals: int, low: float, high: float) -> None:
    if not 0 <= decimals <= 6:
        raise ValueError(f"decimals must be between 0 and 6, got {decimals}")
    if (high - low) * 10**decimals < 10:
        raise ValueError(f"with {decimals} decimals, values between {low} and {high} would hardly differ")
