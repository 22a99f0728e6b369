"""Calibration of confidence: a temperature fitted on prompts that the model was not trained on."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from taxonomy.examples import Example, folds
from taxonomy.fasttext.model import CLASSIFIERS, Classifier, PromptModel, softmax, train

NUM_FOLDS = 5  # the first is left out of a second model, which is trained to fit the temperature
# The authors made the examples as different from each other as they could, so a model is less accurate on examples left
# out than on users' prompts: on the development half of the held-out prompts, confidence is calibrated at 0.55 of the
# temperature that is fitted to left-out examples.
HELD_OUT_RATIO = 0.55
TEMPERATURES = np.geomspace(0.25, 8, 61)


def train_calibrated(
    examples: Sequence[Example], leaves: Sequence[str], classifiers: Sequence[Classifier] = CLASSIFIERS
) -> PromptModel:
    """Train on all examples, and fit the temperature with a second model trained without a fifth of them."""
    model = train(examples, leaves, classifiers)
    left_out, *others = folds(examples, NUM_FOLDS)
    kept = [example for part in others for example in part]
    if not left_out or {example.use_case for example in kept} != set(leaves):
        return model  # with so few examples, a leaf has none left
    trial = train(kept, leaves, classifiers)
    column = {leaf: k for k, leaf in enumerate(leaves)}
    targets = np.array([column[example.use_case] for example in left_out])
    logits = trial.log_probabilities([example.prompt for example in left_out])
    return model.with_temperature(HELD_OUT_RATIO * best_temperature(logits, targets))


def best_temperature(logits_NL: npt.NDArray[np.float64], targets_N: npt.NDArray[np.intp]) -> float:
    """Return the temperature that gives the targets the highest likelihood.

    Args:
        logits_NL: (N, L) logits of N examples and L leaves.
        targets_N: (N,) column of each example's leaf.
    """
    rows = np.arange(len(targets_N))
    losses = [-np.log(softmax(logits_NL / t)[rows, targets_N] + 1e-12).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def expected_calibration_error(
    confidences_N: npt.NDArray[np.float64], is_right_N: npt.NDArray[np.bool_], num_bins: int = 10
) -> float:
    """Return the mean distance between confidence and accuracy over bins of equal width, weighted by their size."""
    bins = np.minimum((confidences_N * num_bins).astype(int), num_bins - 1)
    total = 0.0
    for k in range(num_bins):
        inside = bins == k
        if inside.any():
            total += inside.sum() * abs(confidences_N[inside].mean() - is_right_N[inside].mean())
    return total / max(1, len(confidences_N))
