"""Does filtering by a DeepSeek-VL help training? The same training on damaged, on filtered and on clean data.

python -m benchmarks.filtered_training --loop LOOP --start MODEL --output FOLDER [--share 0.4] [--steps 200]

LOOP is a folder of `make loop`. Pictures of new words, none of which occur in it, are paired with their texts; of a
share of them, chosen by id, the text belongs to another picture, as in noisy pairs from the web. A run of the
pipeline reads them and scores the axis `agreement` with the loop's model. The threshold comes from corruptions
planted in the loop's own words, never from the damaged data, and a refit applies it. Then MODEL, an early or weakly
trained one, is trained further with the same settings and seed on three data sets: all pairs, those that the filter
keeps, and all with their right texts. Each is measured on the loop's unseen words: loss per token, and the share of
words of which every token is the likeliest one (what greedy decoding writes), with 95 % intervals by resampling of
words. Each step is done once: the same command goes on. The last line is JSON.
"""

import argparse
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from deepseek_vl.checkpoint import load
from deepseek_vl.evaluate.intervals import Estimate, difference, estimate
from deepseek_vl.images import canvas
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.train import __main__ as train
from deepseek_vl.train.examples import ExampleEncoder
from examples.closed_loop import shards
from examples.closed_loop.plan import RECIPES
from examples.steps import Step, call, run_pipeline, run_steps, times
from filters.calibration.measure import measure
from filters.deepseek_vl.filter import DeepseekVl
from pipelines.commands import refit
from pipelines.commands.held_out import read_trials
from pipelines.storage import Storage
from pipelines.tables.manifest import read_manifest

SEED = 7000  # of the new words; the loop's seeds are below
AXES = "axes:\n  agreement: {score: likelihood}\n"
ARMS = ("unfiltered", "filtered", "clean")
PRECISION = 0.98  # of kept samples, if every second one were swapped
CALIBRATED_ON = 200


class Experiment:
    """The steps, in a folder."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.loop, self.folder = args.loop, args.output
        self.judge = args.judge or args.loop / "runs/stage3/model"

    def steps(self) -> list[Step]:
        """Return all steps."""
        return [
            Step("fresh", "pictures of new words", self._fresh),
            Step("pairs", "texts of others", self._pairs),
            Step("threshold", "threshold from the loop's words", self._threshold),
            Step("scored", "a run that scores the pairs", self._scored),
            Step("filtered", "a refit that filters them", self._filtered),
            *(Step(f"train_{arm}", f"training on {arm} data", partial(self._train, arm)) for arm in self.args.arms),
        ]

    def _fresh(self) -> None:
        settings = [f"num_samples={3 * self.args.samples}", f"seed={SEED}"]
        arguments = ["--recipe", str(RECIPES / "words.yaml"), "--output", str(self.folder / "fresh")]
        for setting in settings:
            arguments += ["--set", setting]
        run_pipeline(arguments, self.folder / "logs/fresh.txt")

    def _pairs(self) -> None:
        known = [self.loop / "data" / name for name in ("words", "answers", "unseen_words")]
        clean = list(shards.unseen(self.folder / "fresh", known))[: self.args.samples]
        shards.write(self.folder / "clean", iter(clean))
        shards.write(self.folder / "damaged", damaged(clean, self.args.share))

    def _threshold(self) -> None:
        storage = Storage(str(self.loop / "data/words"))
        trials, _ = read_trials(storage, read_manifest(storage), CALIBRATED_ON)
        axes = self.folder / "axes.yaml"
        axes.write_text(AXES, "utf-8")
        judge = DeepseekVl(model=str(self.judge), axes=str(axes), device="cpu", threads=1).pinned()
        (measured,) = measure(trials, judge, {"agreement": True}, ["other_page"])
        point = measured.at(PRECISION)
        if point is None:
            raise SystemExit(f"error: no threshold of the judge has a precision of {PRECISION}")
        result = {"threshold": round(point.threshold, 4), "auc": measured.to_json()["corruptions"]["other_page"]}
        (self.folder / "threshold.json").write_text(json.dumps(result), "utf-8")

    def _scored(self) -> None:
        recipe = self.folder / "recipe.yaml"
        recipe.write_text(
            "name: pairs\n"
            f"sources:\n  - type: pairs\n    input: ['{self.folder}/damaged/data/*.parquet']\n"
            "    columns: {image: images, text: text}\n"
            f"filters:\n  - type: deepseek_vl\n    model: {self.judge}\n    axes: {self.folder}/axes.yaml\n"
            "    device: cpu\n    threads: 1\n",
            "utf-8",
        )
        arguments = ["--recipe", str(recipe), "--output", str(self.folder / "unfiltered"), "--workers", "1"]
        run_pipeline(arguments, self.folder / "logs/scored.txt")

    def _filtered(self) -> None:
        shutil.copytree(self.folder / "unfiltered", self.folder / "filtered", dirs_exist_ok=True)
        threshold = json.loads((self.folder / "threshold.json").read_text("utf-8"))["threshold"]
        setting = f"deepseek_vl.min_scores.agreement={threshold}"
        call(refit.main, "pipelines.refit", [str(self.folder / "filtered"), "--set", setting])

    def _train(self, arm: str) -> None:
        arguments = ["stage1-pico"]
        for setting in (
            f"model={self.args.start}",
            "tokenizer=null",
            f"output={self.folder / 'runs' / arm}",
            f"data.sources.0.path={self.folder / arm}",
            f"optimization.steps={self.args.steps}",
            "optimization.schedule.warmup_steps=30",
            "saving.every_steps=50",
            f"train={{adaptor: {self.args.rate}, siglip: {self.args.rate}, sam: {self.args.rate}, "
            f"language: {self.args.rate}}}",
        ):
            arguments += ["--set", setting]
        call(train.main, "deepseek_vl.train", arguments)

    def found(self) -> dict[str, float]:
        """Compare what the filter kept with what was damaged. Pictures are recognized by their bytes."""
        right = {_key(row): row["text"] for row in shards.rows(self.folder / "clean")}
        before, after = (
            [right[_key(row)] == row["text"] for row in shards.rows(self.folder / name)]
            for name in ("unfiltered", "filtered")
        )
        return {
            "pairs": len(before),
            "right": round(float(np.mean(before)), 4),
            "kept": len(after),
            "right_of_kept": round(float(np.mean(after)), 4),
            "kept_of_right": round(sum(after) / max(1, sum(before)), 4),
        }


def damaged(clean: Sequence[dict[str, Any]], share: float) -> Iterator[dict[str, Any]]:
    """Yield samples; those chosen by their ids have each other's texts."""
    chosen = [k for k, row in enumerate(clean) if _place(row["id"]) < share]
    others = {k: chosen[(n + 1) % len(chosen)] for n, k in enumerate(chosen)}
    return ({**row, "text": clean[others.get(k, k)]["text"]} for k, row in enumerate(clean))


def _place(sample_id: str) -> float:
    return int(hashlib.sha256(f"{sample_id}/damage".encode()).hexdigest()[:8], 16) / 2**32


def _key(row: dict[str, Any]) -> bytes:
    return hashlib.sha256(row["images"][0]["bytes"]).digest()


def loaded(start: Path, run: Path | None, step: int | None) -> DeepseekVL:
    """Load the model of a run (None: the one that all start from), or the weights that it has kept of a step."""
    folder = start if run is None or step is not None else run / "model"
    model = load(folder, device=torch.device("cpu"), dtype=torch.float32)
    if run is not None and step is not None:
        (shard,) = (run / "checkpoints" / f"step-{step:06}").glob("*.safetensors")
        prefix = "model.model."
        tensors = {k.removeprefix(prefix): v for k, v in load_file(shard).items() if k.startswith(prefix)}
        model.load_state_dict(tensors)
    return model


@torch.inference_mode()
def evaluated(model: DeepseekVL, processor: Processor, data: Path) -> tuple[list[float], list[float]]:
    """Return loss per token, and 1 or 0 for every token the likeliest, of each caption."""
    encoder = ExampleEncoder(processor, max_tokens=model.config.language.max_positions, max_images=1)
    losses, exact = [], []
    for row in shards.rows(data):
        logs_TV, targets = _predicted(model, processor, encoder, row)
        chosen = logs_TV.gather(1, targets[:, None])[:, 0]
        losses.append(-float(chosen.mean()))
        exact.append(float((logs_TV.argmax(-1) == targets).all()))
    return losses, exact


def _predicted(
    model: DeepseekVL, processor: Processor, encoder: ExampleEncoder, row: dict[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    (example,) = encoder.encode(row)
    pixels = torch.from_numpy(np.stack([canvas(image, processor.config) for image in example.images]))
    tokens = torch.from_numpy(example.tokens)
    x_TD = model.language.embedding(tokens)
    x_TD[tokens == processor.config.image_token] = model.encode(pixels).flatten(0, 1)
    hidden_TD = model.language(x_TD[None], torch.arange(len(tokens))[None])[0]
    places = np.flatnonzero(example.is_target)
    return model.language.head(hidden_TD[places - 1]).float().log_softmax(-1), tokens[places]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="the model that is trained further")
    parser.add_argument("--judge", type=Path, help="default: the loop's model after stage 3")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--share", type=float, default=0.4, help="of the pairs whose text is another's")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument(
        "--arms", nargs="+", choices=ARMS, default=ARMS, help="train on these only, and compare nothing"
    )
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--at", type=int, help="run nothing; compare the weights that all runs have kept of this step")
    args = parser.parse_args()
    torch.set_num_threads(1)
    experiment = Experiment(args)
    key = json.dumps({name: str(value) for name, value in vars(args).items() if name not in ("arms", "at")})
    if args.at is None:
        run_steps(experiment.steps(), args.output / "steps", key)
    if set(args.arms) < set(ARMS):
        return
    print(f"after {args.at or args.steps} of {args.steps} steps")
    runs = {"start": None} | {arm: args.output / "runs" / arm for arm in ARMS}
    processor, data = Processor.load(args.start), args.loop / "data/unseen_captions"
    measured = {name: evaluated(loaded(args.start, run, args.at), processor, data) for name, run in runs.items()}
    found = experiment.found()
    print(f"the filter: {found}")
    print(f"threshold: {(args.output / 'threshold.json').read_text('utf-8')}")
    result: dict[str, Any] = {"filter": found, "unseen": len(measured["start"][0])}
    for arm, (losses, exact) in measured.items():
        print(f"{arm:11} loss per token {estimate(losses)}, exact {estimate(exact)}")
        result[arm] = {"loss": _plain(estimate(losses)), "exact": _plain(estimate(exact))}
    for arm in ARMS[1:]:
        losses, exact = (difference(measured[arm][k], measured["unfiltered"][k]) for k in (0, 1))
        print(f"{arm} minus unfiltered: loss {losses}, exact {exact}")
        result[f"{arm}_minus_unfiltered"] = {"loss": _plain(losses), "exact": _plain(exact)}
    seconds = {name: step["processor_s"] for name, step in times(args.output / "steps").items()}
    print(f"processor time: {seconds}")
    print(json.dumps(result))


def _plain(found: Estimate) -> list[float]:
    return [round(value, 4) for value in (found.mean, found.low, found.high)]


if __name__ == "__main__":
    main()
