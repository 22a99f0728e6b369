"""Scoring speed: images per second of ours and of the transformers port, and the cost of four questions instead of one.

python benchmarks/score.py [--presets nano 1.3b …] [--device cuda] [--images 64] [--batch 16]

Every image has one prompt of 776 tokens (fewer if the model has fewer tokens per image) and two choices. Ours is timed
with prepared rows and the port with prepared tensors, both without decoding and resizing; the speed from encoded
pictures is printed, too. Both sides have the same random weights, and on a CPU seconds are processor seconds. torch
counts the floating-point operations of our model.
"""

import argparse
import gc
import io
import json
import math
from typing import Any

import alternating
import random_models
import torch
from torch.utils.flop_counter import FlopCounterMode

from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.scoring import Item, Question, Row, Scorer

PEAK_TFLOPS = {"NVIDIA H100": 989.0, "NVIDIA H200": 989.0, "NVIDIA A100": 312.0}  # bf16, dense, from the data sheets
TEXT_TOKENS = 200  # in addition to the visual tokens, as in the paper's bound
QUESTIONS = ("Is the text in the picture sharp and whole?", "Is it a page?", "Is there a table?", "Is it upright?")


def question_of(processor: Processor) -> Question:
    """Return a question with which the prompt has TEXT_TOKENS tokens in addition to the image."""
    config = processor.config
    num_tokens = config.tokens_per_image + TEXT_TOKENS
    empty = [{"role": "user", "content": [{"type": "image"}]}]
    spare = num_tokens - len(processor.prompt(empty, [random_models.noise(0, 8)], system=""))
    if spare < 1:
        raise SystemExit(f"the template alone is longer than {TEXT_TOKENS} tokens")
    return Question(("Is it sharp? " * spare)[: spare - 1] + "?", ("Yes", "No"))


class Ours:
    """Our scorer with prepared rows; a call returns its seconds for all of them."""

    def __init__(self, model: DeepseekVL, args: argparse.Namespace):
        self.model, self.args = model, args
        processor = random_models.byte_processor(model.config)
        self.scorer = Scorer(
            model, processor, batch_tokens=10**9, threads=args.threads, system="", compiled=args.compiled
        )
        self.question = question_of(processor)
        self.encoded = [_jpeg(number, model.config.image_px) for number in range(args.images)]
        self.rows = self.rows_of(self.question)

    def rows_of(self, *questions: Question) -> list[Row]:
        """Return a row per image, with these questions."""
        return [self.scorer.prepare(Item((data,), questions)) for data in self.encoded]

    def seconds(self, rows: list[Row]) -> float:
        """Return the seconds of scoring rows, batch by batch."""
        since = alternating.spent(self.model.device)
        for start in range(0, len(rows), self.args.batch):
            self.scorer.score_rows(rows[start : start + self.args.batch])
        return alternating.spent(self.model.device) - since

    def seconds_from_files(self) -> float:
        """Return the seconds from encoded pictures to scores; on a CPU, decoding counts as processor time, too."""
        self.scorer.batch_tokens = self.args.batch * self.rows[0].tree.length
        since = alternating.spent(self.model.device)
        list(self.scorer.score_items(Item((data,), (self.question,)) for data in self.encoded))
        return alternating.spent(self.model.device) - since


class Port:
    """The port with prepared tensors and logits of the last token only; a call returns its seconds."""

    def __init__(self, model: DeepseekVL, args: argparse.Namespace):
        self.port, self.device = random_models.port_of(model), model.device
        config, processor = model.config, random_models.byte_processor(model.config)
        content = [{"type": "image"}, {"type": "text", "text": question_of(processor).text}]
        message = {"role": "user", "content": content}
        prompts = [
            processor.prompt([message], [random_models.noise(n, config.image_px)], system="")
            for n in range(args.images)
        ]
        self.batches = [
            random_models.port_inputs(prompts[k : k + args.batch], config, model.device, model.dtype)
            for k in range(0, len(prompts), args.batch)
        ]

    @torch.inference_mode()
    def __call__(self) -> float:
        since = alternating.spent(self.device)
        for batch in self.batches:
            self.port(**batch, logits_to_keep=1).logits[:, -1].float().log_softmax(-1)[:, :2].cpu()
        return alternating.spent(self.device) - since


def _jpeg(number: int, side: int) -> bytes:
    buffer = io.BytesIO()
    random_models.noise(number, side).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def measure(name: str, args: argparse.Namespace, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Measure a preset: the ratio to the port, four questions instead of one, speed from files, and operations."""
    model = DeepseekVL.random(preset(name), 0, device=device, dtype=dtype)
    ours, port = Ours(model, args), Port(model, args)
    to_port = alternating.compare(lambda: ours.seconds(ours.rows), port, args.rounds)
    four_questions: dict[str, Any] = {}
    if args.four:
        short = [Question(text, ("Yes", "No")) for text in QUESTIONS]
        one, four = ours.rows_of(short[0]), ours.rows_of(*short)
        cost = alternating.compare(lambda: ours.seconds(one), lambda: ours.seconds(four), args.rounds)
        four_questions = {"cost": cost.ratio, "interval": [round(end, 3) for end in cost.interval]}
    with FlopCounterMode(display=False) as counter:
        ours.scorer.score_rows(ours.rows[:1])
    speeds = [args.images * len(times) / sum(times) for times in (to_port.ours, to_port.theirs)]
    result = {
        "images_per_s": speeds[0],
        "port_images_per_s": speeds[1],
        "images_per_s_from_jpeg": args.images / ours.seconds_from_files(),
        "tflop_per_image": counter.get_total_flops() / 1e12,
        "tokens": ours.rows[0].tree.length,
        "ratio": to_port.ratio,
        "interval": [round(end, 3) for end in to_port.interval],
        "four_questions": four_questions,
    }
    peak = next((value for part, value in PEAK_TFLOPS.items() if part in devices.describe(device)), None)
    if peak is not None:
        result["share_of_bound"] = speeds[0] * counter.get_total_flops() / 1e12 / peak
    print(
        f"{name}: ours {speeds[0]:.2f} images/s ({result['images_per_s_from_jpeg']:.2f} from JPEG), "
        f"the port {speeds[1]:.2f}, {to_port}; "
        f"four questions cost {four_questions.get('cost', math.nan):.2f} times one",
        flush=True,
    )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=["nano"])
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--batch", type=int, default=16, help="images per batch")
    parser.add_argument("--rounds", type=int, default=8, help="rounds at most, if the interval stays wide")
    parser.add_argument("--four", action="store_true", help="measure four questions in one pass, too")
    parser.add_argument("--threads", type=int, default=4, help="threads that decode and resize")
    parser.add_argument("--compiled", action="store_true", help="ours through torch.compile")
    args = parser.parse_args()
    device = devices.pick(args.device)
    dtype = devices.pick_dtype(args.dtype, device)
    result: dict[str, Any] = {"device": devices.describe(device), "dtype": str(dtype), "torch": torch.__version__}
    for name in args.presets:
        measured = measure(name, args, device, dtype)
        result[name] = {key: round(value, 3) if isinstance(value, float) else value for key, value in measured.items()}
        gc.collect()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
