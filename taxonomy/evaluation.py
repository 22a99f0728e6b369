"""Evaluation of labels: accuracy by level and language, confusion of groups, calibration."""

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sources.config_file import ConfigFileError, Problem
from taxonomy.examples import Example
from taxonomy.fasttext.calibration import expected_calibration_error
from taxonomy.labeller import Query
from taxonomy.labelling import SampleLabeller
from taxonomy.tree import UNLABELLED, Taxonomy, ancestor

LEVELS = {"group": 1, "category": 2, "leaf": 9}


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """The result of labelling prompts whose leaf is known.

    Args:
        accuracy: by (language or "all", level), the share of correct predictions, unsure ones included.
        answered: share of prompts whose label is sure enough.
        accuracy_answered: by level, the share of correct predictions among these.
        calibration_error: expected calibration error of the confidence in the leaf.
        secondary_rate: share of prompts that were given a further leaf, although each asks for one thing.
        confusion: number of prompts by (true group, predicted group).
        mistakes: (prompt, true leaf, predicted leaf, confidence), the most confident first.
    """

    num: int
    accuracy: dict[tuple[str, str], float]
    answered: float
    accuracy_answered: dict[str, float]
    calibration_error: float
    secondary_rate: float
    confusion: Counter[tuple[str, str]]
    mistakes: list[tuple[str, str, str, float]] = field(default_factory=list)


def read_labelled(path: Path, taxonomy: Taxonomy) -> list[Example]:
    """Read labelled prompts from JSONL with {"prompt", "language", "use_case"} on each line.

    Raises:
        ConfigFileError: the file cannot be read or is empty, or lines are malformed or name no leaf.
    """
    examples, problems = [], []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFileError(path, [Problem(1, f"cannot be read: {error}")]) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
            prompt, use_case = str(row["prompt"]), str(row["use_case"])
            language = str(row.get("language") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            problems.append(Problem(number, 'expected {"prompt": …, "language": …, "use_case": …}'))
            continue
        present = taxonomy.resolve(use_case)
        if present is None:
            problems.append(Problem(number, f"{use_case} is no leaf{taxonomy.nearest(use_case)}"))
        else:
            examples.append(Example(prompt, present, language))
    if not problems and not examples:
        problems.append(Problem(1, "holds no prompt"))
    if problems:
        raise ConfigFileError(path, problems)
    return examples


def half_of(examples: Sequence[Example], half: str) -> list[Example]:
    """Return the `development` or the `test` half, split by a hash of the prompt. Settings are chosen on the first."""
    wanted = {"development": 0, "test": 1}[half]
    return [example for example in examples if zlib.crc32(example.prompt.encode()) % 2 == wanted]


def evaluate(labeller: SampleLabeller, examples: Sequence[Example]) -> Evaluation:
    """Label the prompts and compare the labels with the true leaves."""
    leaves = list(labeller.taxonomy.leaves)
    labels = labeller.label_prompts([example.prompt for example in examples])
    probabilities = labeller.probabilities([Query(example.prompt) for example in examples])
    predicted = [
        leaves[k] if label.use_case == UNLABELLED else label.use_case
        for k, label in zip(probabilities.argmax(axis=1), labels, strict=True)
    ]
    truth = [example.use_case for example in examples]
    right = {
        level: np.array([ancestor(t, depth) == ancestor(p, depth) for t, p in zip(truth, predicted, strict=True)])
        for level, depth in LEVELS.items()
    }
    is_answered = np.array([label.use_case != UNLABELLED for label in labels])
    confidences = np.array([label.confidence for label in labels])
    languages = np.array([example.language for example in examples])
    accuracy: dict[tuple[str, str], float] = {}
    for language in ("all", *sorted(set(languages.tolist()))):
        mask = np.ones(len(examples), bool) if language == "all" else languages == language
        accuracy |= {(language, level): float(values[mask].mean()) for level, values in right.items()}
    wrong = sorted(np.flatnonzero(~right["leaf"]).tolist(), key=lambda k: -confidences[k])
    return Evaluation(
        num=len(examples),
        accuracy=accuracy,
        answered=float(is_answered.mean()),
        accuracy_answered={
            level: float(values[is_answered].mean()) if is_answered.any() else 0.0 for level, values in right.items()
        },
        calibration_error=expected_calibration_error(confidences, right["leaf"]),
        secondary_rate=float(np.mean([bool(label.secondary) for label in labels])),
        confusion=Counter((ancestor(t, 1), ancestor(p, 1)) for t, p in zip(truth, predicted, strict=True)),
        mistakes=[(examples[k].prompt, truth[k], predicted[k], float(confidences[k])) for k in wrong],
    )


def table(evaluation: Evaluation) -> str:
    """Return the evaluation as a table in plain text."""
    languages = sorted({language for language, _ in evaluation.accuracy}, key=lambda name: (name != "all", name))
    lines = [f"{evaluation.num:,} prompts", "", f"{'right at level':16}" + "".join(f"{name:>9}" for name in languages)]
    for level in LEVELS:
        cells = "".join(f"{evaluation.accuracy[name, level]:9.1%}" for name in languages)
        lines.append(f"{level:16}{cells}")
    answered = ", ".join(f"{level} {value:.1%}" for level, value in evaluation.accuracy_answered.items())
    lines += [
        "",
        f"sure enough for a label: {evaluation.answered:.1%}; of these right: {answered}",
        f"expected calibration error of the confidence: {evaluation.calibration_error:.3f}",
        f"given a further leaf: {evaluation.secondary_rate:.1%}",
        "",
        "groups: rows are true, columns predicted",
        *_confusion(evaluation.confusion),
    ]
    return "\n".join(lines)


def _confusion(counts: Counter[tuple[str, str]]) -> list[str]:
    groups = sorted({group for pair in counts for group in pair})
    short = {group: "".join(word[:4] for word in group.split("_"))[:8] for group in groups}
    head = " " * 24 + "".join(f"{short[group]:>9}" for group in groups)
    rows = [f"{true:24}" + "".join(f"{counts[true, predicted] or '·':>9}" for predicted in groups) for true in groups]
    return [head, *rows]
