"""Trains a fastText classifier of texts for the filter `text_classifier`.

    python -m filters.train --positive 'books/*.jsonl' --negative 'crawl/*.parquet' --output good.bin --precision 0.95

reads texts as `--source text` does and divides them by their content: 80 % to train on, 10 % to choose a threshold that
reaches the wanted precision, and 10 % on which precision and recall are reported. It writes the model, and beside it a
card in Markdown. The same texts and settings give the same model.
"""

import argparse
import glob
import hashlib
import json
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fasttext
import numpy as np

from filters.text_classifier import NEGATIVE, POSITIVE, features, probabilities
from sources.base.source import InputError, ItemError, file_digest
from sources.plain_text import PlainText
from sources.text.fasttext_training import train_classifier

SETTINGS = {"dim": 32, "bucket": 200_000, "wordNgrams": 2, "minCount": 2, "lr": 0.5, "epoch": 5, "seed": 0}
PARTS = ("train", "choose", "report")
MIN_HELD_OUT = 10  # texts of each kind in each held-out part
SHOWN_THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9, 0.95)
DONE, NOT_REACHED, USAGE = 0, 1, 2


class TrainingError(ValueError):
    """A mistake in the command, or texts that cannot be trained on: one sentence for its user."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text as the classifier sees it, with its kind."""

    line: str
    is_positive: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall of a classifier at a threshold; precision is None where nothing is kept."""

    threshold: float
    precision: float | None
    recall: float


def part_of(line: str) -> str:
    """Return the part that a text belongs to; copies of a text are in the same one."""
    tenth = int(hashlib.sha256(line.encode()).hexdigest()[:8], 16) % 10
    return "choose" if tenth == 0 else "report" if tenth == 1 else "train"


def quality(scores: np.ndarray, truth: np.ndarray, threshold: float) -> Quality:
    """Measure what is kept at a threshold.

    Args:
        scores: (N,) probabilities.
        truth: (N,) True for positive texts.
    """
    kept = scores >= threshold
    right = int((kept & truth).sum())
    return Quality(threshold, right / int(kept.sum()) if kept.any() else None, right / int(truth.sum()))


def choose_threshold(
    scores: np.ndarray, truth: np.ndarray, precision: float, min_kept: int = MIN_HELD_OUT
) -> float | None:
    """Return the lowest threshold at which a precision is reached; None if there is none.

    Args:
        min_kept: texts that must be kept, since the precision of a few means little.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(truth[order])
    precisions = right / np.arange(1, len(ranked) + 1)
    lasts = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # equal scores are kept together
    reached = lasts[(precisions[lasts] >= precision) & (lasts + 1 >= min_kept)]
    return math.floor(ranked[reached[-1]] * 10_000) / 10_000 if len(reached) else None  # as the card shows it


def read_texts(patterns: Sequence[str], source: PlainText, dropped: Counter[str]) -> tuple[list[str], dict[str, str]]:
    """Return the texts of files as the classifier sees them, each once, and the digest of every file.

    Raises:
        TrainingError: a pattern matches nothing, or a file cannot be read.
    """
    paths: dict[str, None] = {}
    for pattern in patterns:
        found = sorted(path for path in glob.glob(pattern, recursive=True) if Path(path).is_file())  # noqa: PTH207
        if not found:
            raise TrainingError(f"{pattern}: no file matches")
        paths |= dict.fromkeys(found)
    digests: dict[str, str] = {}
    lines: dict[str, None] = {}
    for path in paths:
        try:
            digests[path] = file_digest(Path(path))
            for line in _lines(Path(path), digests[path], source, dropped):
                dropped["repeated"] += line in lines
                lines[line] = None
        except InputError as error:
            raise TrainingError(f"{path}: {error.message}") from error
    return list(lines), digests


def _lines(path: Path, digest: str, source: PlainText, dropped: Counter[str]) -> Iterator[str]:
    with source.open(path, digest) as items:
        for item in range(len(items)):
            try:
                yield features(items[item].plain_text())
            except ItemError as error:
                dropped[error.cause] += 1


def divide(positive: Sequence[str], negative: Sequence[str], dropped: Counter[str]) -> dict[str, list[Text]]:
    """Return the texts by part, in an order that depends on them alone. A text of both kinds is left out.

    Raises:
        TrainingError: a part has too few texts of a kind.
    """
    both = set(positive) & set(negative)
    dropped["both_kinds"] += len(both)
    parts: dict[str, list[Text]] = {part: [] for part in PARTS}
    for lines, is_positive in ((positive, True), (negative, False)):
        for line in lines:
            if line and line not in both:
                parts[part_of(line)].append(Text(line, is_positive))
    for part, texts in parts.items():
        for is_positive, kind in ((True, "positive"), (False, "negative")):
            count = sum(text.is_positive == is_positive for text in texts)
            if count < MIN_HELD_OUT:
                expected = f"expected at least {MIN_HELD_OUT}: give more texts"
                raise TrainingError(f"{count} {kind} texts to {part}; {expected}")
        texts.sort(key=lambda text: hashlib.sha256(text.line.encode()).digest())
    return parts


def train(texts: Sequence[Text], model: Path, settings: Mapping[str, Any]) -> None:
    """Train on texts and write the model. Raises TrainingError."""
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        lines = Path(folder) / "lines"
        lines.write_text(
            "".join(f"{POSITIVE if text.is_positive else NEGATIVE} {text.line}\n" for text in texts), encoding="utf-8"
        )
        try:
            train_classifier(lines, model, dict(settings))
        except RuntimeError as error:
            raise TrainingError(str(error)) from error


def score(model: Path, texts: Sequence[Text]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) probabilities, and (N,) True for positive texts."""
    found = probabilities(fasttext.load_model(str(model)), [text.line for text in texts])
    return np.array([probability or 0.0 for probability in found]), np.array([text.is_positive for text in texts])


CARD = """\
---
library_name: fasttext
license: unknown
tags:
- vellum
- text-classification
---

# {name}

A fastText classifier that tells texts that are like its positive examples from others. It was trained by
`python -m filters.train` of Vellum {vellum} (fasttext-numpy2-wheel {fasttext}).

    --set text_classifier.model={name} --set text_classifier.min_score={threshold:.4f}

| | positive | negative |
|---|---:|---:|
{counts}

{outcome}

| threshold | precision | recall |
|---:|---:|---:|
{table}

Precision and recall are those of the texts in the row `report`, on which nothing was fitted.
The texts are divided by their content, so copies of a text are in one row. Left out: {dropped}.

Settings: `{settings}`

The model knows its examples only: it repeats their bias, and texts of other kinds and languages get any score. Its
licence depends on that of the examples.

| file | kind | sha256 |
|---|---|---|
{files}
"""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def run(args: argparse.Namespace) -> int:
    """Train, choose a threshold and write model and card. Raises TrainingError."""
    source = PlainText(columns={"text": args.text_key} if args.text_key else {}, mask=())
    dropped: Counter[str] = Counter()
    positive, positive_files = read_texts(args.positive, source, dropped)
    negative, negative_files = read_texts(args.negative, source, dropped)
    parts = divide(positive, negative, dropped)
    model = Path(args.output)
    settings = {**SETTINGS, "epoch": args.epochs, "seed": args.seed}
    train(parts["train"], model, settings)
    threshold = choose_threshold(*score(model, parts["choose"]), args.precision)
    scores, truth = score(model, parts["report"])
    used = 0.5 if threshold is None else threshold
    reached = quality(scores, truth, used)
    if threshold is None:
        outcome = f"No threshold reaches the wanted precision of {args.precision}."
    else:
        outcome = (
            f"The wanted precision was {args.precision}. The threshold {threshold:.4f}, chosen on other texts, gives "
            f"precision {_number(reached.precision)} and recall {reached.recall:.3f}."
        )
    measured = [quality(scores, truth, at) for at in sorted({*SHOWN_THRESHOLDS, used})]
    counted = {part: Counter(text.is_positive for text in texts) for part, texts in parts.items()}
    files = [
        (path, kind, digest)
        for kind, found in (("positive", positive_files), ("negative", negative_files))
        for path, digest in sorted(found.items())
    ]
    card = CARD.format(
        name=model.name,
        vellum=version("vellum-vl"),
        fasttext=version("fasttext-numpy2-wheel"),
        threshold=used,
        counts="\n".join(f"| {part} | {counts[True]:,} | {counts[False]:,} |" for part, counts in counted.items()),
        outcome=outcome,
        table="\n".join(f"| {q.threshold:.4f} | {_number(q.precision)} | {q.recall:.3f} |" for q in measured),
        dropped=", ".join(f"{cause} {count}" for cause, count in sorted(dropped.items()) if count) or "none",
        settings=json.dumps(settings, sort_keys=True),
        files="\n".join(f"| {Path(path).name} | {kind} | {digest} |" for path, kind, digest in files),
    )
    model.with_suffix(".md").write_text(card, encoding="utf-8")
    print(
        f"{sum(map(len, parts.values())):,} texts: " + ", ".join(f"{len(texts):,} to {p}" for p, texts in parts.items())
    )
    print(outcome)
    print(f"model: {model}\ncard:  {model.with_suffix('.md')}")
    return NOT_REACHED if threshold is None else DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns its exit code: 0; 1 if the precision is not reached; 2 for a mistake of the user."""
    parser = argparse.ArgumentParser(
        prog="python -m filters.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--positive", action="append", required=True, metavar="GLOB", help="files of wanted texts")
    parser.add_argument("--negative", action="append", required=True, metavar="GLOB", help="files of unwanted texts")
    parser.add_argument("--output", required=True, metavar="FILE", help="the model, such as good.bin")
    parser.add_argument("--precision", type=float, default=0.9, help="wanted precision, 0 to 1 (default 0.9)")
    parser.add_argument("--text-key", metavar="NAME", help="column of the text; guessed by default")
    parser.add_argument("--epochs", type=int, default=SETTINGS["epoch"], help="passes over the texts (default 5)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    try:
        if not 0 < args.precision <= 1:
            raise TrainingError(f"--precision must be above 0 and at most 1, got {args.precision}")
        if args.epochs < 1:
            raise TrainingError(f"--epochs must be at least 1, got {args.epochs}")
        if Path(args.output).suffix in ("", ".md") or not Path(args.output).absolute().parent.is_dir():
            raise TrainingError(f"--output {args.output}: expected a file such as good.bin in a folder that exists")
        return run(args)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE


if __name__ == "__main__":
    sys.exit(main())
