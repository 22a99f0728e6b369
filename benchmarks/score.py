"""Scoring speed: images per second of ours and of the transformers port, and the cost of four questions instead of one.

python benchmarks/score.py [--presets nano 1.3b …] [--device cuda] [--images 64] [--batch 16]

Every image has one prompt of 776 tokens (fewer if the model has fewer tokens per image) and two choices. Ours is timed
with prepared rows and the port with prepared tensors, both without decoding and resizing; the speed from encoded
pictures is printed, too. Weights are random; torch counts the floating-point operations of our model.
"""

import argparse
import gc
import io
import json
from typing import Any

import random_models
import torch
from torch.utils.flop_counter import FlopCounterMode

from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, ModelConfig, preset
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


def measure_ours(
    config: ModelConfig, args: argparse.Namespace, device: torch.device, dtype: torch.dtype
) -> dict[str, float]:
    """Measure images per second of our scorer, operations per image, and the cost of four questions in one pass."""
    model = DeepseekVL.random(config, 0, device=device, dtype=dtype)
    processor = random_models.byte_processor(config)
    scorer = Scorer(model, processor, batch_tokens=10**9, threads=args.threads, system="", compiled=args.compiled)
    question = question_of(processor)
    encoded = []
    for number in range(args.images):
        buffer = io.BytesIO()
        random_models.noise(number, config.image_px).save(buffer, "JPEG", quality=90)
        encoded.append(buffer.getvalue())
    one = [scorer.prepare(Item((data,), (question,))) for data in encoded]
    short = [Question(text, ("Yes", "No")) for text in QUESTIONS]
    rows_of = {n: [scorer.prepare(Item((data,), tuple(short[:n]))) for data in encoded] for n in (1, 4)}

    def seconds(rows: list[Row]) -> float:
        scorer.score_rows(rows[: args.batch])
        since = devices.now(device)
        for start in range(0, len(rows), args.batch):
            scorer.score_rows(rows[start : start + args.batch])
        return devices.now(device) - since

    with FlopCounterMode(display=False) as counter:
        scorer.score_rows(one[:1])
    whole = Scorer(
        model, processor, batch_tokens=args.batch * len(one[0].tree.tokens()), threads=args.threads, system=""
    )
    since = devices.now(device)
    list(whole.score_items(Item((data,), (question,)) for data in encoded))
    from_files = devices.now(device) - since
    times = {n: min(seconds(rows) for _ in range(2)) for n, rows in rows_of.items()}
    return {
        "images_per_s": args.images / min(seconds(one) for _ in range(2)),
        "images_per_s_from_jpeg": args.images / from_files,
        "tflop_per_image": counter.get_total_flops() / 1e12,
        "tokens": one[0].tree.length,
        "four_questions_cost": times[4] / times[1],
    }


@torch.inference_mode()
def measure_port(config: ModelConfig, args: argparse.Namespace, device: torch.device, dtype: torch.dtype) -> float:
    """Return images per second of the port on the same prompts and batches, with logits of the last token only."""
    model = random_models.port(config, device, dtype)
    processor = random_models.byte_processor(config)
    content = [{"type": "image"}, {"type": "text", "text": question_of(processor).text}]
    prompts = [
        processor.prompt([{"role": "user", "content": content}], [random_models.noise(n, config.image_px)], system="")
        for n in range(args.images)
    ]
    batches = [
        random_models.port_inputs(prompts[k : k + args.batch], config, device, dtype)
        for k in range(0, len(prompts), args.batch)
    ]
    times: list[float] = []
    for attempt in range(3):
        since = devices.now(device)
        for batch in batches if attempt else batches[:1]:
            model(**batch, logits_to_keep=1).logits[:, -1].float().log_softmax(-1)[:, :2].cpu()
        times.append(devices.now(device) - since)
    return float(args.images / min(times[1:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=["nano"])
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--batch", type=int, default=16, help="images per batch")
    parser.add_argument("--threads", type=int, default=4, help="threads that decode and resize")
    parser.add_argument("--compiled", action="store_true", help="ours through torch.compile")
    args = parser.parse_args()
    device = devices.pick(args.device)
    dtype = devices.pick_dtype(args.dtype, device)
    peak = next((value for name, value in PEAK_TFLOPS.items() if name in devices.describe(device)), None)
    result: dict[str, Any] = {"device": devices.describe(device), "dtype": str(dtype), "torch": torch.__version__}
    for name in args.presets:
        ours = measure_ours(preset(name), args, device, dtype)
        gc.collect()
        theirs = measure_port(preset(name), args, device, dtype)
        gc.collect()
        ours["port_images_per_s"] = theirs
        ours["ratio"] = ours["images_per_s"] / theirs
        if peak is not None:
            ours["share_of_bound"] = ours["images_per_s"] * ours["tflop_per_image"] / peak
        result[name] = {key: round(value, 3) for key, value in ours.items()}
        print(
            f"{name}: ours {ours['images_per_s']:.2f} images/s ({ours['images_per_s_from_jpeg']:.2f} from JPEG), "
            f"the port {theirs:.2f}, ratio {ours['ratio']:.2f}; "
            f"four questions cost {ours['four_questions_cost']:.2f} times one"
        )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
