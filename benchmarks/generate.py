"""Generation speed: tokens per second of ours and of the transformers port, alone and in a batch, and the first token.

python benchmarks/generate.py [--presets nano 1.3b …] [--device cuda] [--rows 1 8] [--tokens 64]

Each prompt has one image and a short question. Decoding is greedy, and the end token cannot end an answer early.
"""

import argparse
import gc
import json
from typing import Any

import random_models
import torch

from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, ModelConfig, preset
from deepseek_vl.engine import Engine
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import SamplingSettings


def prompts_of(processor: Processor, count: int) -> list[Prompt]:
    """Return prompts of equal length with one image each."""
    side = processor.config.image_px
    content = [{"type": "image"}, {"type": "text", "text": "What is written here?"}]
    return [
        processor.prompt([{"role": "user", "content": content}], [random_models.noise(n, side)], system="")
        for n in range(count)
    ]


def measure_ours(model: DeepseekVL, prompts: list[Prompt], args: argparse.Namespace) -> tuple[float, float]:
    """Return the seconds to the first tokens and to the last."""
    processor = random_models.byte_processor(model.config)
    slots = len(prompts[0]) + args.tokens + 1
    engine = Engine(model, processor, rows=len(prompts), slots=slots, compiled=args.compiled)
    best = (float("inf"), float("inf"))
    for _ in range(3):
        since = devices.now(model.device)
        answers = [engine.add(prompt, SamplingSettings(max_tokens=args.tokens)) for prompt in prompts]
        engine.step()
        first = devices.now(model.device) - since
        while engine.busy:
            engine.step()
        assert all(len(answer.tokens) == args.tokens for answer in answers), "an answer ended early"
        best = min(best, (first, devices.now(model.device) - since), key=lambda times: times[1])
    return best


@torch.inference_mode()
def measure_port(model: Any, config: ModelConfig, prompts: list[Prompt], args: argparse.Namespace) -> float:
    """Return the seconds of the port's `generate`."""
    device, dtype = model.lm_head.weight.device, model.lm_head.weight.dtype
    inputs = random_models.port_inputs(prompts, config, device, dtype)
    options = {
        "do_sample": False,
        "pad_token_id": config.eos,
        "max_new_tokens": args.tokens,
        "min_new_tokens": args.tokens,
    }
    times = []
    for _ in range(3):
        since = devices.now(device)
        made = model.generate(**inputs, **options)
        times.append(devices.now(device) - since)
        assert made.shape[1] == len(prompts[0]) + args.tokens
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=["nano"])
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8], help="answers at once")
    parser.add_argument("--tokens", type=int, default=64, help="tokens per answer")
    parser.add_argument("--compiled", action="store_true", help="our decoding step through torch.compile")
    args = parser.parse_args()
    device = devices.pick(args.device)
    dtype = devices.pick_dtype(args.dtype, device)
    result: dict[str, Any] = {"device": devices.describe(device), "dtype": str(dtype), "torch": torch.__version__}
    for name in args.presets:
        config = preset(name)
        processor = random_models.byte_processor(config)
        batches = {rows: prompts_of(processor, rows) for rows in args.rows}
        model = DeepseekVL.random(config, 0, device=device, dtype=dtype)
        with torch.no_grad():
            model.language.head.weight[config.eos] = 0  # never the most likely
        ours = {rows: measure_ours(model, prompts, args) for rows, prompts in batches.items()}
        del model
        gc.collect()
        reference = random_models.port(config, device, dtype)
        theirs = {rows: measure_port(reference, config, prompts, args) for rows, prompts in batches.items()}
        del reference
        gc.collect()
        result[name] = {}
        for rows, (first, whole) in ours.items():
            row = {
                "tokens_per_s": rows * args.tokens / whole,
                "first_token_s": first,
                "port_tokens_per_s": rows * args.tokens / theirs[rows],
                "ratio": theirs[rows] / whole,
            }
            result[name][f"rows={rows}"] = {key: round(value, 3) for key, value in row.items()}
            print(
                f"{name}, {rows} at once: ours {row['tokens_per_s']:.1f} tokens/s (first after {first:.2f} s), "
                f"the port {row['port_tokens_per_s']:.1f}, ratio {row['ratio']:.2f}"
            )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
