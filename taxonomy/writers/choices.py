"""Balance of answers: of the answers that a question can have on a page, the one given least so far is asked for."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence


class Choices:
    """The answers given so far in one unit of work, by kind of question.

    A writer picks among the answers that a page allows. Ties are broken at random, keyed by the sample's id, so that
    neither the order of units nor the number of workers changes an answer. Within a unit the counts of two answers
    differ by at most one as long as every page allows both.
    """

    def __init__(self) -> None:
        self._given: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._picked: list[tuple[str, str]] = []

    def pick(self, kind: str, answers: Sequence[str], rng: random.Random) -> str:
        """Return one of `answers`, all of which the page allows: one of those given least for this kind."""
        least = min(self._given[kind][answer] for answer in answers)
        answer = rng.choice([answer for answer in answers if self._given[kind][answer] == least])
        self._picked.append((kind, answer))
        return answer

    def keep(self) -> None:
        """Count what was picked since the last call: the conversation is used."""
        for kind, answer in self._picked:
            self._given[kind][answer] += 1
        self._picked.clear()

    def forget(self) -> None:
        """Leave out what was picked since the last call: the conversation is not used."""
        self._picked.clear()
