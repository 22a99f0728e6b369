"""Labels of prompts and samples, by priority: a person's correction, the sample's construction, patterns, the model."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sources.base.sample import Sample
from taxonomy.examples import language_of
from taxonomy.labeller import Labeller, Query
from taxonomy.labellers import LABELLERS
from taxonomy.prompts import clauses, is_request, user_turns
from taxonomy.schema import LANGUAGES
from taxonomy.settings import LabelSettings
from taxonomy.tree import UNLABELLED, Taxonomy

HUMAN, PATTERN, NO_LABELLER = "human", "pattern", "none"
BY_CONSTRUCTION = "source:"  # prefix of the source's name in a label's `labeller`
SECONDARY_CONFIDENCE = 0.7  # least confidence of a secondary leaf


@dataclass(frozen=True, slots=True)
class Label:
    """The use case of a sample.

    Args:
        use_case: a leaf, or `unlabelled`.
        confidence: confidence in the best leaf, 0 to 1, also if unlabelled.
        labeller: origin of the label: `human`, `source:…`, `writer:…`, `pattern`, or the labeller's name.
        secondary: further leaves that the same sample asks for.
    """

    use_case: str
    confidence: float
    labeller: str
    secondary: tuple[str, ...] = ()


class _Patterns:
    """The patterns of one language. Few prompts match any, so a single search for all of them comes first."""

    def __init__(self, taxonomy: Taxonomy, language: str):
        self._patterns = [
            (k, re.compile(pattern, re.IGNORECASE))
            for k, leaf in enumerate(taxonomy.leaves.values())
            for pattern in getattr(leaf.patterns, language)
        ]
        any_pattern = "|".join(f"(?:{pattern.pattern})" for _, pattern in self._patterns)
        self._any = re.compile(any_pattern or "(?!)", re.IGNORECASE)

    def find(self, prompt: str) -> list[int]:
        """Return the columns of the leaves that have a pattern matching the prompt."""
        if self._any.search(prompt) is None:
            return []
        return list(dict.fromkeys(k for k, pattern in self._patterns if pattern.search(prompt)))


class SampleLabeller:
    """Labels prompts and samples by one taxonomy and its settings. The model is loaded when the first prompt needs it.

    Args:
        corrections: leaf by sample id, or several separated by spaces, from a person.
        folder: the folder that the labeller's `prepare` wrote; None trains a model or takes it from the cache.
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
        self._folder = folder
        self._ready: Labeller | None = None

    def probabilities(self, queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """Return the labeller's (N, L) probabilities, columns in the order of the taxonomy's leaves."""
        if self._labeller is None:
            return np.zeros((len(queries), len(self._leaves)))
        if self._ready is None:
            self._ready = self._labeller(self.taxonomy, self._folder)
        return self._ready.probabilities(queries)

    def label_prompts(self, prompts: Sequence[str]) -> list[Label]:
        """Return the label of every prompt."""
        return self._label_queries([Query(prompt) for prompt in prompts])

    def label_samples(self, samples: Sequence[Sample]) -> list[Label]:
        """Return the label of every sample; a sample without user turns, correction or use case is unlabelled."""
        labels: list[Label | None] = []
        waiting: list[tuple[int, Query]] = []
        for k, sample in enumerate(samples):
            label = self._label_without_model(sample)
            labels.append(label)
            if label is None:
                waiting += [(k, Query(turn, sample.images)) for turn in user_turns(sample.messages or ())]
        for (k, _), turn_label in zip(waiting, self._label_queries([query for _, query in waiting]), strict=True):
            labels[k] = turn_label if labels[k] is None else _joined(labels[k], turn_label)
        return [label or Label(UNLABELLED, 0.0, NO_LABELLER) for label in labels]

    def _label_without_model(self, sample: Sample) -> Label | None:
        given = [self.taxonomy.resolve(leaf) for leaf in self._corrections.get(sample.id, "").split()]
        corrected = [leaf for leaf in given if leaf is not None]
        if corrected:
            return Label(corrected[0], 1.0, HUMAN, tuple(corrected[1:]))
        constructed = self.taxonomy.resolve(sample.use_case or "")
        if constructed is not None:
            resolved = (self.taxonomy.resolve(leaf) for leaf in sample.secondary)
            secondary = tuple(dict.fromkeys(leaf for leaf in resolved if leaf is not None and leaf != constructed))
            return Label(constructed, 1.0, sample.labeller or BY_CONSTRUCTION + sample.source, secondary)
        return None

    def _label_queries(self, queries: Sequence[Query]) -> list[Label]:
        parts: list[Query] = list(queries)
        pieces: list[list[int]] = []  # for each query, the indices of its clauses in `parts`
        for query in queries:
            split = clauses(query.prompt)
            pieces.append(list(range(len(parts), len(parts) + len(split))))
            parts += [Query(clause, query.images) for clause in split]
        probabilities = self.probabilities(parts) if parts else np.zeros((0, len(self._leaves)))
        best = probabilities.argmax(axis=1)
        labels = []
        for k, query in enumerate(queries):
            found = self._found_by_pattern(query.prompt)
            sure: dict[int, float] = {}  # the surest clause of each leaf
            asked = {best[j] for j in pieces[k] if is_request(parts[j].prompt, query.prompt)}
            for j in pieces[k]:
                if probabilities[j, best[j]] >= max(SECONDARY_CONFIDENCE, sure.get(best[j], 0.0)):
                    sure[best[j]] = probabilities[j, best[j]]
            first, confidence, by = best[k], probabilities[k, best[k]], self.settings.labeller or NO_LABELLER
            if found:
                first, confidence, by = max(found, key=lambda leaf: probabilities[k, leaf]), 1.0, PATTERN
            elif sure and (first not in sure or max(sure.values()) > confidence):
                # A long context, or several requests together, can look like another leaf: the surest clause decides,
                # and one that asks comes before one that tells.
                first = max(sure, key=lambda leaf: (leaf in asked, sure[leaf]))
                confidence = sure[first]
            labels.append(self._label(first, float(confidence), by, [*found, *sure]))
        return labels

    def _found_by_pattern(self, prompt: str) -> list[int]:
        return self._patterns[language_of(prompt)].find(prompt)

    @cached_property
    def _patterns(self) -> Mapping[str, _Patterns]:
        """The patterns of every language: 0.1 s to compile, which samples without a prompt need not wait for."""
        return {language: _Patterns(self.taxonomy, language) for language in LANGUAGES}

    def _label(self, leaf: int, confidence: float, labeller: str, others: Sequence[int]) -> Label:
        confidence = round(confidence, 3)  # the last bits of a float differ between processors
        secondary = tuple(dict.fromkeys(self._leaves[k] for k in others if k != leaf))
        is_sure = confidence > 0 and confidence >= self.settings.threshold
        return Label(self._leaves[leaf] if is_sure else UNLABELLED, confidence, labeller, secondary if is_sure else ())


def _joined(first: Label | None, second: Label) -> Label:
    """Combine the label of a conversation so far with the label of its next turn."""
    assert first is not None
    if second.use_case == UNLABELLED:
        return first
    if first.use_case == UNLABELLED:
        return second
    further = dict.fromkeys(use_case for use_case in (*first.secondary, second.use_case, *second.secondary))
    secondary = tuple(use_case for use_case in further if use_case != first.use_case)
    return Label(first.use_case, first.confidence, first.labeller, secondary)
