"""How well a DeepSeek-VL tells good samples from spoilt ones, next to OCR agreement on the same pictures.

python -m benchmarks.judge --loop LOOP [--model DIR] [--samples 100] [--no-ocr]

LOOP is a folder of `make loop`, which is only read. Corruptions (`filters/calibration/`) are planted in pictures of
words that no training saw, once as captions and once as answers to a question, and in small charts with one question.
The scores are the axes `agreement` and `visual_gain` (likelihoods) and `agreement_asked` (yes or no) of the filter
`deepseek_vl`, and `ocr_agreement`. Printed is the area under the ROC curve by corruption with its 95 % interval; a
dash is a corruption that does not apply to the kind of picture, or a score that it has not. The last line is JSON.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from examples.closed_loop import shards
from filters.calibration.corruptions import CORRUPTIONS
from filters.calibration.measure import Measured, Trial, measure
from filters.deepseek_vl.filter import DeepseekVl
from filters.filter import Filter
from filters.ocr_agreement import OcrAgreement
from pipelines.commands.held_out import sample_of
from sources.base.sample import Sample

AXES = ("agreement", "visual_gain", "agreement_asked")
KINDS = ("captions", "answers", "charts")
OTHERS = 3  # samples that a sample's corruptions may take texts from


def samples_of(kind: str, loop: Path, number: int) -> list[Sample]:
    """Read samples of a kind that no training saw."""
    if kind == "charts":
        return [sample_of(shards.first_turns(row)) for row in _rows(loop / "data/more_charts")[:number]]
    unseen = {row["id"] for row in shards.rows(loop / "data/unseen_words")}
    words = [row for row in _rows(loop / "data/more_words") if row["id"] in unseen][:number]
    return [sample_of(shards.as_caption(row) if kind == "captions" else row) for row in words]


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted((folder / "data").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def trials_of(samples: Sequence[Sample]) -> list[Trial]:
    """Every sample with some of those that follow it."""
    return [Trial(s, [samples[(k + n) % len(samples)] for n in range(1, OTHERS + 1)]) for k, s in enumerate(samples)]


def show(kind: str, number: int, measured: Sequence[Measured]) -> dict[str, Any]:
    """Print a table of one kind of picture; return it as plain data."""
    results = {found.score: found.to_json()["corruptions"] for found in measured}
    print(f"\n{kind}, {number} samples")
    print(f"{'AUC':18}" + "".join(f"{score:>23}" for score in results))
    for name in CORRUPTIONS:
        if any("auc" in found[name] for found in results.values()):
            print(f"{name:18}" + "".join(f"{_cell(found[name]):>23}" for found in results.values()))
    return {score: {n: f for n, f in found.items() if "auc" in f} for score, found in results.items()}


def _cell(found: Mapping[str, Any]) -> str:
    return f"{found['auc']:.3f} ({found['low']:.3f}–{found['high']:.3f})" if "auc" in found else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="default: the loop's model after stage 3")
    parser.add_argument("--samples", type=int, default=100, help="of each kind")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--no-ocr", action="store_true", help="leave out OCR agreement, which takes most of the time")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model = args.model or args.loop / "runs/stage3/model"
    judge = DeepseekVl(model=str(model), device="cpu", threads=args.threads).pinned().only(AXES)
    judge.load()
    judges: list[tuple[Filter, tuple[str, ...]]] = [(judge, AXES)]
    if not args.no_ocr:
        judges.append((OcrAgreement(), ("ocr_agreement",)))
    result: dict[str, Any] = {"model": str(model.relative_to(args.loop)) if args.loop in model.parents else model.name}
    seconds: dict[str, float] = {}
    for kind in args.kinds:
        samples = samples_of(kind, args.loop, args.samples)
        found: list[Measured] = []
        for f, scores in judges:
            if f.name == OcrAgreement.name and kind == "answers":
                continue  # the same pictures and texts as the captions
            started = time.process_time()
            found += measure(trials_of(samples), f, dict.fromkeys(scores, True))
            seconds[f.name] = seconds.get(f.name, 0.0) + time.process_time() - started
        result[kind] = show(kind, len(samples), found)
    print("\nprocessor time: " + ", ".join(f"{name} {spent:,.0f} s" for name, spent in seconds.items()))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
