"""A fastText classifier of texts, trained by `python -m filters.train` on examples of wanted and unwanted texts."""

import functools
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from filters.filter import Filter, Scores, Threshold
from sources.base.sample import Sample

POSITIVE, NEGATIVE = "__label__positive", "__label__negative"
MAX_CHARS = 6000  # of a text are looked at
# Characters of scripts without spaces are words; which digits a text has tells little.
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
_SIGNS = re.compile(r"([^\w\s])")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, kw_only=True)
class TextClassifier(Filter):
    """Demands a probability of at least `min_score` that a text is like the positive examples; others pass.

    Args:
        model: file that `python -m filters.train` has written.
        min_score: 0 to 1; the model's card has the value that gives the wanted precision.
    """

    name: ClassVar[str] = "text_classifier"
    score_names: ClassVar[tuple[str, ...]] = ("classifier_score",)
    reasons: ClassVar[Mapping[str, str]] = {"classifier": "A classifier finds it unlike the examples of good texts."}
    thresholds: ClassVar[tuple[Threshold, ...]] = (Threshold("min_score", "classifier_score", "min", ("classifier",)),)

    model: str = ""
    min_score: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score must be between 0 and 1, got {self.min_score}")

    def check(self) -> None:
        if not Path(self.model).is_file():
            raise ValueError(
                f"the text_classifier filter's model is not a file: {self.model!r}; train one with "
                "`python -m filters.train` and name it with --set text_classifier.model=FILE"
            )
        labels = load_model(self.model).get_labels()
        if sorted(labels) != sorted((POSITIVE, NEGATIVE)):
            raise ValueError(
                f"{self.model} is not a model of `python -m filters.train`: it has the labels {labels[:4]}"
            )

    def cache_key(self) -> str:
        return f"{_digest(self.model)}, first {MAX_CHARS} characters"

    def scores(self, samples: Sequence[Sample]) -> list[Scores]:
        found = probabilities(load_model(self.model), [sample.plain_text() for sample in samples])
        return [Scores(values={"classifier_score": score}) for score in found]

    def rejects(self, scores: Scores) -> str | None:
        score = scores.values["classifier_score"]
        return None if score is None or score >= self.min_score else "classifier"


def features(text: str) -> str:
    """Return a text as the classifier sees it: one line of lower-case words and signs, every digit a 0."""
    spaced = _UNSPACED.sub(r" \1 ", _SIGNS.sub(r" \1 ", text[:MAX_CHARS].lower()))
    return " ".join(_DIGIT.sub("0", spaced).split())


def probabilities(model: Any, texts: Sequence[str]) -> list[float | None]:
    """Return the probability of being positive for each text; None for a text without words."""
    lines = [features(text) for text in texts]
    asked = [k for k, line in enumerate(lines) if line]
    found: list[float | None] = [None] * len(lines)
    if asked:
        all_labels, all_scores = model.predict([lines[k] for k in asked], k=2)  # a list: see filters/language.py
        for k, labels, scores in zip(asked, all_labels, all_scores, strict=True):
            found[k] = min(1.0, float(dict(zip(labels, scores, strict=True)).get(POSITIVE, 0.0)))
    return found


@functools.lru_cache(maxsize=2)
def load_model(path: str) -> Any:
    """Return the model in a file. Raises ValueError if there is none."""
    import fasttext

    return fasttext.load_model(path)


@functools.lru_cache(maxsize=8)
def _digest(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # `check` says so
        return ""
