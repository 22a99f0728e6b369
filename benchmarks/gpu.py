"""The model on a GPU: that its CUDA paths give the same numbers, then generation and scoring against the port.

python benchmarks/gpu.py [--presets 1.3b 1.3b-hybrid 7b] [--parity-only]

Parity comes first, and a difference ends the run. On a CPU (`--device cpu`), parity checks the same code with the
kernels that the CPU has, and nothing is measured.
"""

import argparse
import json
from typing import Any

import generate
import numpy as np
import random_models
import score
import torch

from deepseek_vl import device as devices
from deepseek_vl.attention import Cache, Cached, Continuation, Packed, packed_positions
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.engine import Engine
from deepseek_vl.fixed_step import FixedStep
from deepseek_vl.model import DeepseekVL
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.scoring import Item, Question, Scorer
from deepseek_vl.varlen import has_varlen

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 6e-2}  # of the deviation of the compared numbers


def check(name: str, got: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the root mean square difference in units of the deviation; SystemExit if it is too large."""
    difference = float((got.float() - expected.float()).square().mean().sqrt() / expected.float().std())
    print(f"parity of {name}: {difference:.1e} of the deviation ({got.dtype})", flush=True)
    if not difference <= TOLERANCE[got.dtype]:
        raise SystemExit(f"{name} differs by {difference:.1e}; expected at most {TOLERANCE[got.dtype]}")
    return difference


@torch.inference_mode()
def check_attention(model: DeepseekVL) -> dict[str, float]:
    """Compare packed attention with separate documents, and a fixed decoding step with exact lengths."""
    language, device = model.language, model.device
    generator = torch.Generator().manual_seed(0)
    lengths = [300, 1, 77, 513]
    x_1TD = torch.randn(1, sum(lengths), language.config.width, generator=generator).to(device, model.dtype)
    parts = [Continuation(row, 0, length) for row, length in enumerate(lengths)]
    positions_1T = packed_positions(parts, device)
    packed_1TD = language(x_1TD, positions_1T, Packed.documents(lengths, device))
    alone = [
        language(x_1TD[:, end - n : end], torch.arange(n, device=device)[None])
        for n, end in zip(lengths, np.cumsum(lengths).tolist(), strict=True)
    ]
    cache = Cache(language.config, len(lengths), 600, device=device, dtype=model.dtype)
    cached_1TD = language(x_1TD, positions_1T, Cached(cache, parts))
    tokens_R = torch.arange(5, 5 + len(lengths), device=device)
    next_parts = [Continuation(row, length, 1) for row, length in enumerate(lengths)]
    next_1RD, next_1R = language.embedding(tokens_R)[None], packed_positions(next_parts, device)
    hidden_1RD = language(next_1RD, next_1R, Cached(cache, next_parts))
    step = FixedStep(language, cache, tokens_R)
    for _ in range(2):  # the second time, a graph is replayed
        logits_RV = step(dict(enumerate(lengths))).clone()
    kernel = "varlen" if has_varlen(device) else "one call per span"
    return {
        f"packed attention ({kernel})": check("packed attention", packed_1TD, torch.cat(alone, dim=1)),
        "attention in a cache": check("attention in a cache", cached_1TD, torch.cat(alone, dim=1)),
        "a fixed step": check("a fixed step", logits_RV, language.head(hidden_1RD)[0]),
    }


def check_answers(model: DeepseekVL, compiled: bool) -> float:
    """Return the share of equal greedy tokens of the engine launched ahead and with compiled steps, and without."""
    processor = random_models.byte_processor(model.config)
    prompt = generate.prompt_of(processor)
    answers = []
    for fast in (False, True):
        engine = Engine(model, processor, rows=4, slots=len(prompt) + 40, ahead=fast, compiled=fast and compiled)
        streams = [engine.add(prompt, SamplingSettings(max_tokens=32)) for _ in range(3)]
        while engine.busy:
            engine.step()
        answers.append([token for stream in streams for token in stream.tokens])
    equal = float(np.mean([a == b for a, b in zip(*answers, strict=False)]))
    print(f"greedy tokens, plain and fast: {equal:.3f} equal")
    return equal


def check_scores(model: DeepseekVL) -> float:
    """Return the largest difference of scores between a batch and single items."""
    processor = random_models.byte_processor(model.config)
    scorer = Scorer(model, processor, system="")
    questions = tuple(Question(text, ("Yes", "No", "Maybe not")) for text in score.QUESTIONS)
    items = [Item((random_models.noise(n, 200),), questions[: 1 + n % 4]) for n in range(5)]
    rows = [scorer.prepare(item) for item in items]
    together = np.concatenate([np.concatenate(scores) for scores in scorer.score_rows(rows)])
    alone = np.concatenate([np.concatenate(scorer.score_rows([row])[0]) for row in rows])
    check("scores in a batch", torch.from_numpy(together).to(model.dtype), torch.from_numpy(alone).to(model.dtype))
    return float(np.abs(together - alone).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=["1.3b"])
    parser.add_argument("--device")
    parser.add_argument("--parity-only", action="store_true")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    args = parser.parse_args()
    args.compiled, args.four, args.layers = True, True, None
    device = devices.pick(args.device)
    result: dict[str, Any] = {"device": devices.describe(device), "torch": torch.__version__, "parity": {}}
    for dtype in (torch.float32, torch.bfloat16):
        model = DeepseekVL.random(preset("nano"), 0, device=device, dtype=dtype)
        compiled = device.type == "cuda"
        result["parity"][str(dtype)] = {
            **check_attention(model),
            "scores": check_scores(model),
            "equal tokens": check_answers(model, compiled),
        }
    if device.type == "cuda" and not args.parity_only:
        for name in args.presets:
            result[name] = {
                "generate": generate.measure(name, args, device, torch.bfloat16),
                "score": score.measure(name, args, device, torch.bfloat16),
            }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
