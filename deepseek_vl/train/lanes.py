"""Endless streams of packed sequences that can be continued from any point.

The training data is divided into lanes. A lane mixes its part of the data sets and packs the examples. Because lanes do
not depend on each other, any number of processes can share them and each step still sees the same sequences.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepseek_vl.train.dataset import Dataset, LaneOrder, Position, random_generator
from deepseek_vl.train.examples import Example, ExampleEncoder, ExampleError
from deepseek_vl.train.packing import pack

WINDOW_SEQUENCES = 16  # sequences packed at a time; more waste less and take more memory
MAX_FRUITLESS = 100_000  # rows in a row that give no example, after which a mixture counts as empty


class EmptyMixtureError(ValueError):
    """No row of a data set gives an example."""


@dataclass(frozen=True, slots=True)
class Component:
    """A data set of a mixture.

    Args:
        weight: its part of the mixture's tokens, relative to the other weights.
        index: its index among all data sets of the training.
    """

    dataset: Dataset
    weight: float
    index: int


@dataclass(frozen=True, slots=True)
class PackedSequence:
    """Examples that are read as one sequence."""

    examples: tuple[Example, ...]

    @property
    def num_tokens(self) -> int:
        """Number of tokens without padding."""
        return sum(map(len, self.examples))


Reference = tuple[int, int, int, int]  # component, epoch, row of the lane's order, part of a split row


class Lane:
    """One lane of a mixture: an endless stream of sequences.

    Args:
        max_tokens, max_images: capacity of a sequence.
        packed: put several examples into a sequence; otherwise each sequence is one example.
        seed: with the lane's number, decides every order.
    """

    def __init__(
        self,
        components: Sequence[Component],
        encoder: ExampleEncoder,
        *,
        lane: int,
        num_lanes: int,
        max_tokens: int,
        max_images: int,
        packed: bool,
        rows_per_block: int,
        seed: str,
    ):
        self._components, self._encoder = components, encoder
        self._max_tokens, self._max_images, self._packed = max_tokens, max_images, packed
        self.number = lane
        self._seed = f"{seed}/{lane}"
        self._orders = [
            LaneOrder(
                c.dataset.groups,
                lane=lane,
                num_lanes=num_lanes,
                rows_per_block=rows_per_block,
                seed=f"{seed}/{c.index}",
            )
            for c in components
        ]
        total = sum(c.weight for c, order in zip(components, self._orders, strict=True) if order.num_rows)
        if not total:
            raise EmptyMixtureError("the data sets have fewer rows than there are lanes; lower data.lanes")
        self._targets = [
            c.weight / total if order.num_rows else 0.0 for c, order in zip(components, self._orders, strict=True)
        ]
        self.skipped: Counter[str] = Counter()
        self._positions = [Position() for _ in components]
        self._given = [0] * len(components)
        self._pending: list[tuple[Reference, Example]] = []  # parts of a split row that come next
        self._carried: list[tuple[Reference, Example]] = []
        self._ready: list[PackedSequence] = []
        self._num_windows = 0
        self._window = self._snapshot()
        self._num_taken = 0

    def next(self) -> PackedSequence:
        """Return the next sequence. Raises EmptyMixtureError if no row gives an example."""
        if self._num_taken == len(self._ready):
            self._fill()
        self._num_taken += 1
        return self._ready[self._num_taken - 1]

    def state(self) -> dict[str, Any]:
        """Return the place in the stream as JSON values."""
        return {**self._window, "taken": self._num_taken}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a place that `state` returned for the same lane of the same mixture."""
        self._positions = [Position(*position) for position in state["positions"]]
        self._given = list(state["given"])
        self._pending = [self._recall(tuple(reference)) for reference in state["pending"]]
        self._carried = [self._recall(tuple(reference)) for reference in state["carried"]]
        self.skipped = Counter(state["skipped"])
        self._num_windows = state["windows"]
        self._window = self._snapshot()
        self._ready, self._num_taken = [], 0
        if state["taken"]:
            self._fill()
            self._num_taken = state["taken"]

    def epochs(self) -> list[int]:
        """Return for each component how often it was read to its end."""
        return [position.epoch for position in self._positions]

    def _snapshot(self) -> dict[str, Any]:
        return {
            "positions": [[p.epoch, p.row] for p in self._positions],
            "given": list(self._given),
            "pending": [list(reference) for reference, _ in self._pending],
            "carried": [list(reference) for reference, _ in self._carried],
            "skipped": dict(self.skipped),
            "windows": self._num_windows,
        }

    def _fill(self) -> None:
        """Make the sequences of the next window."""
        self._window = self._snapshot()
        self._num_taken = 0
        self._num_windows += 1
        if not self._packed:
            self._ready = [PackedSequence((self._next_example()[1],))]
            return
        num_carried, window = len(self._carried), list(self._carried)
        num_tokens = sum(len(example) for _, example in window)
        while num_tokens < WINDOW_SEQUENCES * self._max_tokens:
            reference, example = self._next_example()
            window.append((reference, example))
            num_tokens += len(example)
        bins = pack(
            [len(example) for _, example in window],
            [example.num_images for _, example in window],
            max_tokens=self._max_tokens,
            max_images=self._max_images,
        )
        # The emptiest sequence waits for the next window, unless an example in it has waited already.
        candidates = [each for each in bins if min(each.members) >= num_carried]
        self._carried = []
        if len(bins) > 1 and candidates:
            waiting = min(candidates, key=lambda each: each.num_tokens)
            bins.remove(waiting)
            self._carried = [window[k] for k in waiting.members]
        order = random_generator(f"{self._seed}/window/{self._num_windows}").permutation(len(bins))
        self._ready = [PackedSequence(tuple(window[k][1] for k in bins[b].members)) for b in order]

    def _next_example(self) -> tuple[Reference, Example]:
        """Return the next example of the component that is furthest behind its share."""
        for _ in range(MAX_FRUITLESS):
            if self._pending:
                found = self._pending.pop(0)
                self._given[found[0][0]] += len(found[1])
                return found
            total = sum(self._given) + 1
            behind = [target * total - given for target, given in zip(self._targets, self._given, strict=True)]
            component = int(np.argmax([b if t else -np.inf for b, t in zip(behind, self._targets, strict=True)]))
            position = self._positions[component]
            self._positions[component] = self._orders[component].next(position)
            examples = self._examples(component, position, self.skipped)
            self._pending = [
                ((component, position.epoch, position.row, part), example) for part, example in enumerate(examples)
            ]
        names = ", ".join(c.dataset.path for c in self._components)
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.skipped.most_common()) or "no reason"
        raise EmptyMixtureError(f"{names}: {MAX_FRUITLESS} rows in a row give nothing to learn ({reasons})")

    def _examples(self, component: int, position: Position, skipped: "Counter[str]") -> list[Example]:
        dataset = self._components[component].dataset
        place = self._orders[component].at(position)
        row = dataset.row(*place)
        if row is None:
            return []
        try:
            return self._encoder.encode(row, self._components[component].index)
        except ExampleError as error:
            skipped[error.reason] += 1
            return []
        except ValueError as error:
            raise ValueError(f"{dataset.place(*place)}: {error}") from error

    def _recall(self, reference: Reference) -> tuple[Reference, Example]:
        component, epoch, row, part = reference
        return reference, self._examples(component, Position(epoch, row), Counter())[part]
