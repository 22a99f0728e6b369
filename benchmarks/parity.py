"""Parity on a device: its fast paths against the plain ones, and bfloat16 against the transformers port.

python benchmarks/parity.py [--device cuda] [--preset nano]

Each figure is a root mean square difference in units of the deviation of the compared numbers; one that is too large
ends the run. In bfloat16, ours and the port are both compared with the port in float32: ours may differ as much as the
port does, and no more.
"""

import argparse
import json
from collections.abc import Iterator

import generate
import numpy as np
import random_models
import score
import torch
import train_steps

from deepseek_vl import device as devices
from deepseek_vl.attention import Cache, Cached, Continuation, Packed, packed_positions
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.engine import Engine
from deepseek_vl.fixed_step import FixedStep
from deepseek_vl.model import DeepseekVL
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.scoring import Item, Question, Scorer
from deepseek_vl.train.batches import Batch, collate
from deepseek_vl.train.forward import DeviceBatch, TrainingModel
from deepseek_vl.varlen import has_varlen

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 6e-2}
MORE_THAN_PORT = 1.25  # the other order of a sum's terms changes the last bits


def difference(got: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the root mean square difference in units of the deviation of `expected`."""
    expected = expected.float()
    return float((got.float() - expected).square().mean().sqrt() / expected.std())


def check(name: str, got: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the difference; SystemExit if it is too large."""
    found = difference(got, expected)
    print(f"parity of {name}: {found:.1e} of the deviation ({got.dtype})", flush=True)
    if not found <= TOLERANCE[got.dtype]:
        raise SystemExit(f"{name} differs by {found:.1e}; expected at most {TOLERANCE[got.dtype]}")
    return found


@torch.inference_mode()
def check_port(name: str, device: torch.device) -> dict[str, float]:
    """Compare the logits of ours and of the port in bfloat16 with the port's in float32."""
    model = DeepseekVL.random(preset(name), 0, device=device, dtype=torch.float32)
    prompt = generate.prompt_of(random_models.byte_processor(model.config))
    logits: dict[str, torch.Tensor] = {}
    for dtype in (torch.float32, torch.bfloat16):
        model.to(dtype)
        tokens = torch.from_numpy(prompt.tokens).to(device)
        places = (tokens == model.config.image_token).nonzero().flatten()
        canvases = torch.from_numpy(np.stack(prompt.canvases)).to(device)
        logits[f"ours {dtype}"] = model(tokens[None], places, canvases).float()
        inputs = random_models.port_inputs([prompt], model.config, device, dtype)
        logits[f"port {dtype}"] = random_models.port_of(model)(**inputs).logits.float()
    reference = logits[f"port {torch.float32}"]
    found = {side: difference(values, reference) for side, values in logits.items()}
    print(f"{name} against the port in float32: " + ", ".join(f"{k} {v:.1e}" for k, v in found.items()), flush=True)
    ours, port = found[f"ours {torch.bfloat16}"], found[f"port {torch.bfloat16}"]
    if not found[f"ours {torch.float32}"] <= TOLERANCE[torch.float32] or not ours <= MORE_THAN_PORT * port:
        raise SystemExit(f"the logits of {name} differ more than the port's in bfloat16: {found}")
    return found


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


def check_gradients(model: DeepseekVL) -> float:
    """Compare the gradient of the language model on packed examples with the sum over single ones."""
    examples = train_steps.prepared_examples(random_models.byte_processor(model.config), 6)

    def gradient(batches: list[Batch]) -> torch.Tensor:
        model.zero_grad(set_to_none=True)
        for batch in batches:
            TrainingModel(model)(DeviceBatch.of(batch, model.device)).sum().backward()
        return torch.cat([p.grad.flatten().float() for p in model.language.blocks.parameters()])

    packed = gradient([collate([examples], model.config)])
    single = gradient([collate([[each]], model.config) for each in examples])
    return check("gradients of packed examples", packed.to(model.dtype), single)


@torch.inference_mode()
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
    print(f"greedy tokens, plain and fast: {equal:.3f} equal", flush=True)
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


def measure(name: str, device: torch.device) -> Iterator[tuple[str, dict[str, float]]]:
    """The figures of a preset: against the port, then of every path in both types."""
    yield "port", check_port(name, device)
    for dtype in (torch.float32, torch.bfloat16):
        model = DeepseekVL.random(preset(name), 0, device=device, dtype=dtype)
        yield (
            str(dtype),
            {
                **check_attention(model),
                "gradients": check_gradients(model),
                "scores": check_scores(model),
                "equal tokens": check_answers(model, compiled=device.type == "cuda"),
            },
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="nano")
    parser.add_argument("--device")
    args = parser.parse_args()
    device = devices.pick(args.device)
    found = dict(measure(args.preset, device))
    print(json.dumps({"device": devices.describe(device), "torch": torch.__version__, args.preset: found}))


if __name__ == "__main__":
    main()
