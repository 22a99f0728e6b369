"""The statistical model behind the labeller: fastText classifiers of several levels of the taxonomy, combined."""

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

from taxonomy.examples import NUM_VARIANTS, Example, variants
from taxonomy.fasttext import MODEL_VERSION
from taxonomy.fasttext.tokenizer import line_of
from taxonomy.fasttext.training import train_classifier
from taxonomy.tree import ancestor

DESCRIPTION = "model.json"
MIN_KNOWN = 0.4  # share of a prompt's tokens that are known: below, a model can only guess, and says so
LEAF_LEVEL = 9  # deeper than any leaf
_LABEL = "__label__"
BUCKETS = 60_000  # of hashed n-grams: 6,000 prompts have about that many


@dataclass(frozen=True, kw_only=True, slots=True)
class Classifier:
    """One classifier of the ensemble.

    Args:
        level: it tells nodes of this level apart (1: groups, 2: categories, `LEAF_LEVEL`: leaves).
        weight: of its logarithmic probabilities in the sum.
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


# Chosen on the development half of the held-out prompts (figures of each and of all three: docs/decisions.md):
# pieces of words forgive typos, whole words are surer, and categories are told apart with more examples each.
MEMBERS = (
    Classifier(level=LEAF_LEVEL, lr=2, min_letters=2, max_letters=5),
    Classifier(level=LEAF_LEVEL),
    Classifier(level=2, epoch=6),
)


class PromptModel:
    """Probabilities of leaves for prompts.

    Args:
        leaves: ids, in the order of the columns of `probabilities`.
        temperature: divides the logarithms of the ensemble, so that confidence is how often it is right.
    """

    def __init__(
        self, leaves: Sequence[str], members: Sequence[Classifier], classifiers: Sequence[Any], temperature: float = 1.0
    ):
        self.leaves = tuple(leaves)
        self.members = tuple(members)
        self.temperature = temperature
        self._classifiers = tuple(classifiers)
        self._vocabulary = frozenset(classifiers[0].get_words())
        self._heads = [self._head(m, c) for m, c in zip(members, classifiers, strict=True)]

    def _head(self, member: Classifier, classifier: Any) -> tuple[np.ndarray, np.ndarray]:
        """(C, D) the output layer of a classifier, and (L,) the row of each leaf's node in it."""
        row = {label.removeprefix(_LABEL): k for k, label in enumerate(classifier.get_labels())}
        return classifier.get_output_matrix(), np.array([row[ancestor(leaf, member.level)] for leaf in self.leaves])

    def log_probabilities(self, prompts: Sequence[str]) -> np.ndarray:
        """(N, L) float64, weighted sum of the members' log probabilities, not normalized and before temperature."""
        lines = [line_of(prompt) + "\n" for prompt in prompts]  # fastText counts the line's end as a token
        total = np.zeros((len(lines), len(self.leaves)))
        for member, classifier, (output_CD, rows_L) in zip(self.members, self._classifiers, self._heads, strict=True):
            logits = _sentence_vectors(classifier, lines) @ output_CD.T
            logits -= logits.max(axis=1, keepdims=True)
            logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
            total += member.weight * logits[:, rows_L]
        return total

    def probabilities(self, prompts: Sequence[str]) -> np.ndarray:
        """(N, L) float64; rows sum to 1, or to less for prompts most of whose words no example has."""
        chances = softmax(self.log_probabilities(prompts) / self.temperature)
        known = np.array([self._known_share(prompt) for prompt in prompts])
        return chances * np.minimum(1, known / MIN_KNOWN)[:, None]

    def _known_share(self, prompt: str) -> float:
        """Share of the prompt's tokens that some example has, 0 to 1."""
        tokens = line_of(prompt).split()
        return sum(map(self._vocabulary.__contains__, tokens)) / len(tokens) if tokens else 0.0

    def with_temperature(self, temperature: float) -> "PromptModel":
        """The same model at another temperature."""
        return PromptModel(self.leaves, self.members, self._classifiers, temperature)

    def save(self, folder: Path) -> None:
        """Write the model and its description into an existing folder."""
        files = {}
        for k, classifier in enumerate(self._classifiers):
            path = folder / f"classifier-{k}.bin"
            classifier.save_model(str(path))
            files[path.name] = _sha256(path)
        description = {
            "version": MODEL_VERSION,
            "leaves": self.leaves,
            "members": [asdict(member) for member in self.members],
            "temperature": self.temperature,
            "files": files,
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=1))

    @staticmethod
    def load(folder: Path) -> "PromptModel":
        """The model in a folder. Raises ValueError if it is damaged, FileNotFoundError if there is none."""
        try:
            description: Mapping[str, Any] = json.loads((folder / DESCRIPTION).read_text())
            for name, digest in description["files"].items():
                if _sha256(folder / name) != digest:
                    raise ValueError(f"{folder / name} is damaged")
            classifiers = [fasttext.load_model(str(folder / name)) for name in description["files"]]
            members = [Classifier(**member) for member in description["members"]]
            return PromptModel(description["leaves"], members, classifiers, description["temperature"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{folder / DESCRIPTION} is no description of a model: {error!r}") from error


def train(
    examples: Sequence[Example],
    leaves: Sequence[str],
    members: Sequence[Classifier] = MEMBERS,
    num_variants: int = NUM_VARIANTS,
) -> PromptModel:
    """Train on examples: the same examples give the same model."""
    written = [(example.use_case, line_of(text)) for example in examples for text in variants(example, num_variants)]
    random.Random(0).shuffle(written)  # fastText reads in order, and a leaf at a time would unlearn the one before
    return PromptModel(leaves, members, [_classifier(written, member) for member in members])


def _classifier(examples: Sequence[tuple[str, str]], member: Classifier) -> Any:
    with tempfile.TemporaryDirectory(prefix="vellum-prompts-") as folder:
        lines, model = Path(folder) / "lines.txt", Path(folder) / "model.bin"
        with lines.open("w", encoding="utf-8") as file:
            for use_case, line in examples:
                file.write(f"{_LABEL}{ancestor(use_case, member.level)} {line}\n")
        settings = {
            "dim": member.dim,
            "epoch": member.epoch,
            "lr": member.lr,
            "wordNgrams": member.word_ngrams,
            "minn": member.min_letters,
            "maxn": member.max_letters,
            "bucket": BUCKETS,
            "seed": member.seed,
        }
        train_classifier(lines, model, settings)
        return fasttext.load_model(str(model))


def _sentence_vectors(classifier: Any, lines: Sequence[str]) -> np.ndarray:
    """(N, D) what fastText multiplies with its output layer: half of `predict`'s time goes into naming labels."""
    vector = fasttext.FastText.fasttext.Vector(classifier.get_dimension())
    vectors = np.empty((len(lines), classifier.get_dimension()), np.float32)
    for k, line in enumerate(lines):
        classifier.f.getSentenceVector(vector, line)
        vectors[k] = vector
    return vectors


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
