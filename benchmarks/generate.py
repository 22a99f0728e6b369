"""Generation speed: ours and a bare loop over the transformers port, alone and in a batch, on the same weights.

python benchmarks/generate.py [--presets nano 1.3b …] [--dtype bfloat16] [--rows 1 8] [--tokens 16]

Every prompt has one image and a short question; it is read once, and each round decodes greedily from there. Both sides
have the same weights; in bfloat16 on a CPU, ours are packed. On a CPU, seconds are processor seconds.
"""

import argparse
import json
from dataclasses import replace
from typing import Any

import alternating
import random_models
import torch

from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.engine import Engine
from deepseek_vl.model import DeepseekVL
from deepseek_vl.packing import pack
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.sampling import SamplingSettings

# Memory bandwidth in GB/s, from the data sheets.
BANDWIDTH = {"NVIDIA H200": 4800.0, "NVIDIA H100": 3350.0, "NVIDIA A100": 2039.0}


def bytes_of_step(model: DeepseekVL, rows: int, num_tokens: int) -> float:
    """Return what a step must read at least: the weights of blocks and head once, keys and values of every row."""
    language, config = model.language, model.config.language
    size = language.embedding.weight.element_size()
    weights = sum(p.numel() for p in language.parameters()) - language.embedding.weight.numel()
    return float(size * (weights + 2 * config.layers * config.width * rows * num_tokens))


def prompt_of(processor: Processor) -> Prompt:
    """Return a prompt with one image."""
    content = [{"type": "image"}, {"type": "text", "text": "What is written here?"}]
    image = random_models.noise(0, processor.config.image_px)
    return processor.prompt([{"role": "user", "content": content}], [image], system="")


class Ours:
    """Seconds of decoding with our engine, and the tokens of the last round."""

    def __init__(self, model: DeepseekVL, prompt: Prompt, rows: int, args: argparse.Namespace):
        processor = random_models.byte_processor(model.config)
        self.prompt, self.rows, self.num_tokens = prompt, rows, args.tokens
        self.engine = Engine(
            model,
            processor,
            rows=rows,
            slots=len(prompt) + args.tokens + 1,
            prefix_tokens=2 * len(prompt),
            compiled=args.compiled,
        )
        self.tokens: list[list[int]] = []

    def __call__(self) -> float:
        engine, device = self.engine, self.engine.model.device
        answers = [engine.add(self.prompt, SamplingSettings(max_tokens=self.num_tokens)) for _ in range(self.rows)]
        while not all(answer.tokens for answer in answers):
            engine.step()
        num_before = len(answers[0].tokens)
        since = alternating.spent(device)
        while engine.busy:
            engine.step()
        seconds = alternating.spent(device) - since
        self.tokens = [answer.tokens for answer in answers]
        return seconds / (self.num_tokens - num_before)


class Port:
    """Seconds of decoding with the port, in a loop without any of the work of its `generate`."""

    def __init__(self, port: Any, model: DeepseekVL, prompt: Prompt, rows: int, args: argparse.Namespace):
        self.port = port
        self.device, self.num_tokens = model.device, args.tokens
        with torch.inference_mode():
            inputs = random_models.port_inputs([prompt], model.config, model.device, model.dtype)
            read = self.port(**inputs, use_cache=True, logits_to_keep=1)
            self.cache = read.past_key_values
            self.cache.batch_repeat_interleave(rows)
            self.first_B1 = read.logits[:, -1].argmax(-1, keepdim=True).expand(rows, 1)
        self.tokens: list[list[int]] = []

    @torch.inference_mode()
    def __call__(self) -> float:
        tokens = [self.first_B1]
        since = alternating.spent(self.device)
        for _ in range(self.num_tokens - 1):
            logits_B1V = self.port(input_ids=tokens[-1], past_key_values=self.cache, use_cache=True).logits
            tokens.append(logits_B1V[:, -1].argmax(-1, keepdim=True))
        self.tokens = torch.cat(tokens, dim=1).tolist()
        seconds = alternating.spent(self.device) - since
        self.cache.crop(1 - self.num_tokens)  # the tokens of this round
        return seconds / (self.num_tokens - 1)


def measure(name: str, args: argparse.Namespace, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Measure a preset at every number of rows."""
    config = preset(name)
    if args.layers:
        low, language = (replace(part, layers=args.layers) for part in (config.low, config.language))
        config = replace(config, low=low, language=language)
    model = DeepseekVL.random(config, 0, device=device, dtype=dtype)
    with torch.no_grad():
        model.language.head.weight[config.eos] = 0  # never the most likely
    prompt = prompt_of(random_models.byte_processor(config))
    result: dict[str, Any] = {}
    least_bytes = {rows: bytes_of_step(model, rows, len(prompt) + args.tokens // 2) for rows in args.rows}
    bandwidth = next((value for part, value in BANDWIDTH.items() if part in devices.describe(device)), None)
    reference = random_models.port_of(model)  # it keeps the weights that packing replaces in ours
    pack(model)
    for rows in args.rows:
        ours, port = Ours(model, prompt, rows, args), Port(reference, model, prompt, rows, args)
        comparison = alternating.compare(ours, port, args.rounds)
        speeds = [rows / (sum(times) / len(times)) for times in (comparison.ours, comparison.theirs)]
        equal = sum(a == b for pair in zip(ours.tokens, port.tokens, strict=True) for a, b in zip(*pair, strict=True))
        result[f"rows={rows}"] = {
            "tokens_per_s": round(speeds[0], 3),
            "port_tokens_per_s": round(speeds[1], 3),
            "ratio": round(comparison.ratio, 3),
            "interval": [round(end, 3) for end in comparison.interval],
            "equal_tokens": equal / (rows * args.tokens),
        }
        if bandwidth is not None:
            result[f"rows={rows}"]["share_of_bound"] = speeds[0] / rows * least_bytes[rows] / (bandwidth * 1e9)
        print(
            f"{name}, {rows} at once, after {len(prompt)} tokens: ours {speeds[0]:.2f} tokens/s, the port "
            f"{speeds[1]:.2f}, {comparison}; {equal} of {rows * args.tokens} tokens equal",
            flush=True,
        )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=["nano"])
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8], help="answers at once")
    parser.add_argument("--tokens", type=int, default=16, help="tokens per answer and round")
    parser.add_argument("--layers", type=int, help="cut the language model and the low tower to this depth")
    parser.add_argument("--rounds", type=int, default=12, help="rounds at most, if the interval stays wide")
    parser.add_argument("--compiled", action="store_true", help="ours through torch.compile")
    args = parser.parse_args()
    device = devices.pick(args.device)
    dtype = devices.pick_dtype(args.dtype, device)
    result: dict[str, Any] = {"device": devices.describe(device), "dtype": str(dtype), "torch": torch.__version__}
    for name in args.presets:
        result[name] = measure(name, args, device, dtype)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
