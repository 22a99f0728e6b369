"""How well a model tells the right text of a picture from another picture's: the axis `agreement`, and a forced choice.

python -m benchmarks.judge --model DIR --data FOLDER [--samples 200] [--question TEXT]

FOLDER holds Parquet files with `images` and `messages` or `text`, as a run writes them to `data/`; the text of a sample
is its answer, or its text. Every picture is judged with its own text and with that of another sample, by the axis
`agreement` of the filter; the figure is the area under the ROC curve. In the forced choice the model answers a question
(`Read out all the text in the picture.`) with the two texts as choices; the figure is the share of right choices. A
model that has learned to read, but no yes/no questions, can only do the second. The last line is JSON.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from filters.deepseek_vl.filter import DeepseekVl
from filters.deepseek_vl.questions import Ask, Fault
from sources.base.sample import EncodedImage, Provenance, Sample


def read_samples(folder: Path, number: int) -> list[Sample]:
    """Read samples with one image and a text."""
    found = []
    for path in sorted(folder.rglob("*.parquet")):
        for row in pq.read_table(path, columns=["id", "images", "text", "messages"]).to_pylist():
            answers = [turn["content"] for turn in row["messages"] or () if turn["role"] == "assistant"]
            text = (answers[0] if answers else row["text"] or "").replace("<image>", "").strip()
            if text and len(row["images"]) == 1 and len(found) < number:
                image = EncodedImage(data=row["images"][0]["bytes"], extension="png", width=0, height=0)
                place = Provenance(locator="", digest="")
                found.append(Sample(id=row["id"], source="ocr", provenance=place, images=[image], text=text))
    return found


def swapped(samples: list[Sample]) -> list[Sample]:
    """Give every picture the text of the next sample that has another one."""
    made = []
    for k, sample in enumerate(samples):
        others = (samples[(k + n) % len(samples)].text for n in range(1, len(samples)))
        text = next(other for other in others if other != sample.text)
        made.append(Sample(id=sample.id, source="ocr", provenance=sample.provenance, images=sample.images, text=text))
    return made


def area(right: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    """Return the area under the ROC curve with its standard error (Hanley and McNeil, 1982)."""
    value = float(np.mean((right[:, None] > wrong) + 0.5 * (right[:, None] == wrong)))
    q1, q2, n = value / (2 - value), 2 * value**2 / (1 + value), len(right)
    variance = (value * (1 - value) + (n - 1) * (q1 + q2 - 2 * value**2)) / n**2
    return value, math.sqrt(max(variance, 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--question", default="Read out all the text in the picture.")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    right = read_samples(args.data, args.samples)
    wrong = swapped(right)
    judge = DeepseekVl(model=args.model, device="cpu", threads=args.threads).pinned()
    assert isinstance(judge, DeepseekVl)
    axis = judge.only(["agreement"])
    scores = [np.array([s.values["agreement"] for s in axis.scores(samples)], float) for samples in (right, wrong)]
    auc, error = area(*scores)
    asks = [
        Ask((good.images[0].data,), ((args.question, (good.text or "", bad.text or "")),))
        for good, bad in zip(right, wrong, strict=True)
    ]
    answers = [found for (found,) in judge._judge().ask([[ask] for ask in asks])]
    chosen = [found[0][0] > found[0][1] for found in answers if not isinstance(found, Fault)]
    share = float(np.mean(chosen))
    share_error = math.sqrt(share * (1 - share) / len(chosen))
    print(f"{len(right)} pictures, each with its text and with another's")
    print(f"axis agreement: AUC {auc:.3f} ± {1.96 * error:.3f}")
    print(f"forced choice between the two texts: {share:.3f} ± {1.96 * share_error:.3f} right")
    result = {"pictures": len(right), "auc": round(auc, 3), "forced_choice": round(share, 3)}
    print(json.dumps({**result, "auc_error": round(error, 3), "forced_choice_error": round(share_error, 3)}))


if __name__ == "__main__":
    main()
