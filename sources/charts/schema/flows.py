"""Entries about what happens in an order or hangs together: projects, histories, processes, procedures, networks."""

from dataclasses import dataclass

from sources.charts.schema.texts import MIN_ITEMS, Entry, Text, check_range, check_texts

WAYS = ("go_on", "back", "repeat", "end")


@dataclass(frozen=True, kw_only=True)
class Project(Entry):
    """Tasks in the order of their starts. `where` names lists of names that may follow the title."""

    title: Text
    tasks: tuple[Text, ...]
    where: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_texts(self.tasks, "tasks")


@dataclass(frozen=True, kw_only=True)
class History(Entry):
    """Events in order."""

    title: Text
    events: tuple[Text, ...]

    def __post_init__(self) -> None:
        check_texts(self.events, "events")


@dataclass(frozen=True, kw_only=True)
class Step(Entry):
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
class Process(Entry):
    """A procedure: each step leads to the next one, unless `next` gives another."""

    title: Text
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        check_texts([step.text for step in self.steps], "steps")
        if not self.steps[-1].end and self.steps[-1].next is None:
            raise ValueError("the last step leads nowhere; give it `next`, or `end: true`")
        for k, step in enumerate(self.steps):
            for target in (step.otherwise, step.next):
                if target is not None and (not 0 <= target < len(self.steps) or target == k):
                    raise ValueError(f"step {k} leads to step {target}, which is not another of the steps 0 to "
                                     f"{len(self.steps) - 1}")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Check(Entry):
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
class Procedure(Entry):
    """A pool from which processes are composed: steps in order (a process has some of them), and checks of them."""

    title: Text
    steps: tuple[Text, ...]
    checks: tuple[Check, ...]

    def __post_init__(self) -> None:
        texts = [*self.steps, *(text for check in self.checks for text in (check.ask, check.remedy))]
        check_texts(texts, "steps and checks", MIN_ITEMS + 2)
        if len(self.steps) < MIN_ITEMS or not self.checks:
            raise ValueError(f"a procedure needs at least {MIN_ITEMS} steps and one check")
        last = len(self.steps) - 2  # another step follows every check
        for check in self.checks:
            if check.after[1] > last:
                raise ValueError(f"{check.ask[0]!r} may stand after step {last} at most, got {check.after[1]}")


@dataclass(frozen=True, kw_only=True)
class Network(Entry):
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
        check_range(self.low, self.high)
