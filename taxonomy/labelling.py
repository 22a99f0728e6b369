"""Labels of prompts and samples: a person's word first, then construction, patterns, and the model's probability."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sources.base.sample import Sample
from taxonomy.examples import language_of
from taxonomy.labeller import Labeller, Query
from taxonomy.labellers import LABELLERS
from taxonomy.prompts import clauses, user_turns
from taxonomy.schema import LANGUAGES
from taxonomy.settings import LabelSettings
from taxonomy.tree import UNLABELLED, Taxonomy

HUMAN, PATTERN, NOBODY = "human", "pattern", "none"
BY_CONSTRUCTION = "source:"  # and the source's name
ALSO_CONFIDENCE = 0.7  # of a further leaf that a prompt asks for


@dataclass(frozen=True, slots=True)
class Label:
    """What a sample is for.

    Args:
        use_case: a leaf, or `unlabelled`.
        confidence: 0 to 1; of the best leaf if unlabelled.
        labeller: who says so: `human`, `source:…`, `writer:…`, `pattern`, or the labeller's name.
        secondary: further leaves that the same sample asks for.
    """

    use_case: str
    confidence: float
    labeller: str
    secondary: tuple[str, ...] = ()


class _Patterns:
    """The patterns of one language; few prompts meet any, and one search tells for all."""

    def __init__(self, taxonomy: Taxonomy, language: str):
        self._patterns = [
            (k, re.compile(pattern, re.IGNORECASE))
            for k, leaf in enumerate(taxonomy.leaves.values())
            for pattern in getattr(leaf.patterns, language)
        ]
        everything = "|".join(f"(?:{pattern.pattern})" for _, pattern in self._patterns)
        self._any = re.compile(everything or "(?!)", re.IGNORECASE)

    def find(self, prompt: str) -> list[int]:
        """Columns of the leaves that a pattern finds the prompt to be of."""
        if self._any.search(prompt) is None:
            return []
        return list(dict.fromkeys(k for k, pattern in self._patterns if pattern.search(prompt)))


class Labelling:
    """Labels by one taxonomy and its settings. The labeller is made when the first prompt needs it.

    Args:
        corrections: leaf by sample id, from a person.
        folder: what the labeller's `prepare` wrote; None makes it anew, or takes it from the cache.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        settings: LabelSettings | None = None,
        corrections: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ):
        self.taxonomy = taxonomy
        self.settings = settings or LabelSettings()
        self._corrections = corrections or {}
        self._leaves = list(taxonomy.leaves)
        self._labeller = None if self.settings.labeller is None else LABELLERS[self.settings.labeller]
        self._patterns = {language: _Patterns(taxonomy, language) for language in LANGUAGES}
        self._folder = folder
        self._ready: Labeller | None = None

    def probabilities(self, asks: Sequence[Query]) -> np.ndarray:
        """(N, L) probabilities of the labeller, columns in the order of the taxonomy's leaves."""
        if self._labeller is None:
            return np.zeros((len(asks), len(self._leaves)))
        if self._ready is None:
            self._ready = self._labeller(self.taxonomy, self._folder)
        return self._ready.probabilities(asks)

    def of_prompts(self, prompts: Sequence[str]) -> list[Label]:
        """The label of every prompt."""
        return self._of_asks([Query(prompt) for prompt in prompts])

    def of_samples(self, samples: Sequence[Sample]) -> list[Label]:
        """The label of every sample. One without user turns that nothing is known of is unlabelled."""
        labels: list[Label | None] = []
        waiting: list[tuple[int, Query]] = []
        for k, sample in enumerate(samples):
            known = self._known(sample)
            labels.append(known)
            if known is None:
                waiting += [(k, Query(turn, sample.images)) for turn in user_turns(sample.messages or ())]
        for (k, _), label in zip(waiting, self._of_asks([ask for _, ask in waiting]), strict=True):
            labels[k] = label if labels[k] is None else _joined(labels[k], label)
        return [label or Label(UNLABELLED, 0.0, NOBODY) for label in labels]

    def _known(self, sample: Sample) -> Label | None:
        corrected = self.taxonomy.resolve(self._corrections.get(sample.id, ""))
        if corrected is not None:
            return Label(corrected, 1.0, HUMAN)
        constructed = self.taxonomy.resolve(sample.use_case or "")
        if constructed is not None:
            return Label(constructed, 1.0, sample.labeller or BY_CONSTRUCTION + sample.source)
        return None

    def _of_asks(self, asks: Sequence[Query]) -> list[Label]:
        parts: list[Query] = list(asks)
        pieces: list[list[int]] = []  # of each ask, where its clauses stand in `parts`
        for ask in asks:
            split = clauses(ask.prompt)
            pieces.append(list(range(len(parts), len(parts) + len(split))))
            parts += [Query(clause, ask.images) for clause in split]
        probabilities = self.probabilities(parts) if parts else np.zeros((0, len(self._leaves)))
        best = probabilities.argmax(axis=1)
        labels = []
        for k, ask in enumerate(asks):
            found = self._found_by_pattern(ask.prompt)
            sure = {
                best[j]: probabilities[j, best[j]] for j in pieces[k] if probabilities[j, best[j]] >= ALSO_CONFIDENCE
            }
            first, confidence, by = best[k], probabilities[k, best[k]], self.settings.labeller or NOBODY
            if found:
                first, confidence, by = max(found, key=lambda leaf: probabilities[k, leaf]), 1.0, PATTERN
            elif len(sure) > 1 and first not in sure:  # words of several asks together look like something else
                first, confidence = next(iter(sure.items()))
            labels.append(self._label(first, float(confidence), by, [*found, *sure]))
        return labels

    def _found_by_pattern(self, prompt: str) -> list[int]:
        return self._patterns[language_of(prompt)].find(prompt)

    def _label(self, leaf: int, confidence: float, labeller: str, others: Sequence[int]) -> Label:
        confidence = round(confidence, 3)  # the last bits of a float differ between processors
        secondary = tuple(dict.fromkeys(self._leaves[k] for k in others if k != leaf))
        is_sure = confidence > 0 and confidence >= self.settings.threshold
        return Label(self._leaves[leaf] if is_sure else UNLABELLED, confidence, labeller, secondary if is_sure else ())


def _joined(first: Label | None, second: Label) -> Label:
    """The label of a conversation so far and that of its next turn."""
    assert first is not None
    if second.use_case == UNLABELLED:
        return first
    if first.use_case == UNLABELLED:
        return second
    further = dict.fromkeys(use_case for use_case in (*first.secondary, second.use_case, *second.secondary))
    secondary = tuple(use_case for use_case in further if use_case != first.use_case)
    return Label(first.use_case, first.confidence, first.labeller, secondary)
