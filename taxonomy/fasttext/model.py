"""The labeller's statistical model: an ensemble of fastText classifiers for several levels of the taxonomy."""

import hashlib
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import numpy.typing as npt

from sources.text.fasttext_training import train_classifier
from taxonomy.examples import NUM_VARIANTS, Example, variants
from taxonomy.fasttext import MODEL_VERSION
from taxonomy.fasttext.tokenizer import line_of
from taxonomy.tree import ancestor

Floats = npt.NDArray[np.float64]
DESCRIPTION = "model.json"
MIN_KNOWN_SHARE = 0.4  # share of a prompt's tokens that are in the examples; below it, confidence is scaled down
LEAF_LEVEL = 9  # deeper than any leaf
_LABEL = "__label__"
BUCKETS = 60_000  # for hashed n-grams; 6,000 prompts have about that many


@dataclass(frozen=True, kw_only=True, slots=True)
class Classifier:
    """Settings of one classifier of the ensemble; all but two are passed to fastText.

    Args:
        level: level of the nodes that it distinguishes (1: groups, 2: categories, `LEAF_LEVEL`: leaves).
        weight: weight of its log probabilities in the sum.
    """

    level: int
    weight: float = 1.0
    dim: int = 32
    epoch: int = 8
    lr: float = 0.6
    word_ngrams: int = 1
    min_letters: int = 0
    max_letters: int = 0
    seed: int = 1


# Chosen on the development half of the held-out prompts (docs/decisions.md has the figures of each and of all three):
# character n-grams tolerate typos, whole words are more certain, and a category has more examples than a leaf.
CLASSIFIERS = (
    Classifier(level=LEAF_LEVEL, lr=2, min_letters=2, max_letters=5),
    Classifier(level=LEAF_LEVEL),
    Classifier(level=2, epoch=6),
)


class PromptModel:
    """Predicts the probability of every leaf for a prompt.

    Args:
        leaves: ids, in the order of the columns of `probabilities`.
        classifiers: settings of the ensemble's classifiers.
        models: the trained fastText model of each classifier.
        temperature: divides the ensemble's log probabilities, to calibrate confidence.
    """

    def __init__(
        self, leaves: Sequence[str], classifiers: Sequence[Classifier], models: Sequence[Any], temperature: float = 1.0
    ):
        self.leaves = tuple(leaves)
        self.classifiers = tuple(classifiers)
        self.temperature = temperature
        self._models = tuple(models)
        self._vocabulary = frozenset(models[0].get_words())
        self._heads = [self._head(m, c) for m, c in zip(classifiers, models, strict=True)]

    def _head(self, classifier: Classifier, model: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
        """Return a model's output layer (C, D), and for each leaf the row of its node in it (L,)."""
        row = {label.removeprefix(_LABEL): k for k, label in enumerate(model.get_labels())}
        return model.get_output_matrix(), np.array([row[ancestor(leaf, classifier.level)] for leaf in self.leaves])

    def log_probabilities(self, prompts: Sequence[str]) -> Floats:
        """Return the weighted sum of the classifiers' log probabilities, (N, L) float64, unnormalized."""
        lines = [line_of(prompt) + "\n" for prompt in prompts]  # fastText treats the end of the line as a token
        total = np.zeros((len(lines), len(self.leaves)))
        for classifier, model, (output_CD, rows_L) in zip(self.classifiers, self._models, self._heads, strict=True):
            logits = _sentence_vectors(model, lines) @ output_CD.T
            logits -= logits.max(axis=1, keepdims=True)
            logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
            total += classifier.weight * logits[:, rows_L]
        return total

    def probabilities(self, prompts: Sequence[str]) -> Floats:
        """Return (N, L) float64 probabilities; a row sums to less than 1 if most of the prompt's words are unknown."""
        chances = softmax(self.log_probabilities(prompts) / self.temperature)
        known = np.array([self._known_share(prompt) for prompt in prompts], np.float64)
        scaled: Floats = chances * np.minimum(1.0, known / MIN_KNOWN_SHARE)[:, None]
        return scaled

    def _known_share(self, prompt: str) -> float:
        """Return the share of the prompt's tokens that occur in the examples, 0 to 1."""
        tokens = line_of(prompt).split()
        return sum(map(self._vocabulary.__contains__, tokens)) / len(tokens) if tokens else 0.0

    def with_temperature(self, temperature: float) -> "PromptModel":
        """Return the same model with another temperature."""
        return PromptModel(self.leaves, self.classifiers, self._models, temperature)

    def save(self, folder: Path) -> None:
        """Write the model and its description into an existing folder."""
        files = {}
        for k, model in enumerate(self._models):
            path = folder / f"classifier-{k}.bin"
            model.save_model(str(path))
            files[path.name] = _sha256(path)
        description = {
            "version": MODEL_VERSION,
            "leaves": self.leaves,
            "classifiers": [asdict(classifier) for classifier in self.classifiers],
            "temperature": self.temperature,
            "files": files,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=1))

    @staticmethod
    def load(folder: Path) -> "PromptModel":
        """Load a model. Raises ValueError if it is damaged, FileNotFoundError if there is none."""
        try:
            description: Mapping[str, Any] = json.loads((folder / DESCRIPTION).read_text())
            for name, digest in description["files"].items():
                if _sha256(folder / name) != digest:
                    raise ValueError(f"{folder / name} is damaged")
            models = [fasttext.load_model(str(folder / name)) for name in description["files"]]
            classifiers = [Classifier(**classifier) for classifier in description["classifiers"]]
            return PromptModel(description["leaves"], classifiers, models, description["temperature"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{folder / DESCRIPTION} is no description of a model: {error!r}") from error


def train(
    examples: Sequence[Example],
    leaves: Sequence[str],
    classifiers: Sequence[Classifier] = CLASSIFIERS,
    num_variants: int = NUM_VARIANTS,
) -> PromptModel:
    """Train a model; the same examples always give the same model."""
    written = [(example.use_case, line_of(text)) for example in examples for text in variants(example, num_variants)]
    random.Random(0).shuffle(written)  # fastText reads in order: leaf by leaf, it would forget the earlier leaves
    return PromptModel(leaves, classifiers, [_train_one(written, classifier) for classifier in classifiers])


def _train_one(examples: Sequence[tuple[str, str]], classifier: Classifier) -> Any:
    with tempfile.TemporaryDirectory(prefix="vellum-prompts-") as folder:
        lines, model = Path(folder) / "lines.txt", Path(folder) / "model.bin"
        with lines.open("w", encoding="utf-8") as file:
            for use_case, line in examples:
                file.write(f"{_LABEL}{ancestor(use_case, classifier.level)} {line}\n")
        settings = {
            "dim": classifier.dim,
            "epoch": classifier.epoch,
            "lr": classifier.lr,
            "wordNgrams": classifier.word_ngrams,
            "minn": classifier.min_letters,
            "maxn": classifier.max_letters,
            "bucket": BUCKETS,
            "seed": classifier.seed,
        }
        train_classifier(lines, model, settings)
        return fasttext.load_model(str(model))


def _sentence_vectors(model: Any, lines: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return (N, D) float32 sentence vectors. `predict` would spend half of its time on names of labels."""
    vector = fasttext.FastText.fasttext.Vector(model.get_dimension())
    vectors = np.empty((len(lines), model.get_dimension()), np.float32)
    for k, line in enumerate(lines):
        model.f.getSentenceVector(vector, line)
        vectors[k] = vector
    return vectors


def softmax(logits: Floats) -> Floats:
    """Return the softmax over the last axis."""
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    normalized: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return normalized


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
