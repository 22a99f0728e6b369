"""Confidence that means something: a temperature fitted on prompts that the model was not trained on."""

from collections.abc import Sequence

import numpy as np

from taxonomy.examples import Example, folds
from taxonomy.fasttext.model import MEMBERS, Classifier, PromptModel, softmax, train

NUM_FOLDS = 5  # the first is left out of a model trained for its temperature alone
# The examples are as unlike each other as their authors could make them, so a model that lacks some of them is less
# often right on those than on what users type: on the development half of the held-out prompts confidence is true at
# 0.55 of the temperature that is fitted to left-out examples.
HELD_OUT_RATIO = 0.55
TEMPERATURES = np.geomspace(0.25, 8, 61)


def train_calibrated(
    examples: Sequence[Example], leaves: Sequence[str], members: Sequence[Classifier] = MEMBERS
) -> PromptModel:
    """A model of all examples, its temperature from a model that did not see a fifth of them."""
    model = train(examples, leaves, members)
    left_out, *others = folds(examples, NUM_FOLDS)
    seen = [example for part in others for example in part]
    if not left_out or {example.use_case for example in seen} != set(leaves):
        return model  # so few examples that a leaf has none left
    trial = train(seen, leaves, members)
    column = {leaf: k for k, leaf in enumerate(leaves)}
    targets = np.array([column[example.use_case] for example in left_out])
    logits = trial.log_probabilities([example.prompt for example in left_out])
    return model.with_temperature(HELD_OUT_RATIO * best_temperature(logits, targets))


def best_temperature(logits_NL: np.ndarray, targets_N: np.ndarray) -> float:
    """The temperature that gives the targets the highest likelihood."""
    rows = np.arange(len(targets_N))
    losses = [-np.log(softmax(logits_NL / t)[rows, targets_N] + 1e-12).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def expected_calibration_error(confidences_N: np.ndarray, is_right_N: np.ndarray, num_bins: int = 10) -> float:
    """Mean distance between confidence and the share that is right, over bins of equal width, weighted by size."""
    bins = np.minimum((confidences_N * num_bins).astype(int), num_bins - 1)
    total = 0.0
    for k in range(num_bins):
        inside = bins == k
        if inside.any():
            total += inside.sum() * abs(confidences_N[inside].mean() - is_right_N[inside].mean())
    return total / max(1, len(confidences_N))
