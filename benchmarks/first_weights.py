"""How soon a small model sees: the same training of `pico` from weights of deviation 0.02, and from wider ones.

The model learns to continue pictures of words and numbers with their text. What counts is how much lower the loss of a
text is on its own picture than on another: the model has begun to look when that is more than nothing.

    python benchmarks/first_weights.py --steps 100
"""

import argparse
import json
import time
from collections.abc import Sequence

import numpy as np
import torch

from deepseek_vl.config import ModelConfig, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.batches import PreparedExample, collate, prepare
from deepseek_vl.train.examples import Example
from deepseek_vl.train.forward import DeviceBatch, TrainingModel
from deepseek_vl.train.initial import widen
from sources.ocr.source import Ocr

CPU = torch.device("cpu")
FIRST_BYTE = 3  # ids of bytes, after the special tokens; no tokenizer is needed here
NUM_TESTED = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--samples", type=int, default=16, help="samples of a step")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="learning rate")
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = preset("pico")
    examples = make_examples(args.steps * args.samples + NUM_TESTED, config)
    results = {}
    for name in ("deviation 0.02", "1 / sqrt(inputs)"):
        model = DeepseekVL.random(config, 0, device=CPU, dtype=torch.float32).train()
        if name != "deviation 0.02":
            widen(model)
        seconds = train(model, examples[NUM_TESTED:], args.steps, args.samples, args.rate)
        right, wrong = test(model, examples[:NUM_TESTED])
        results[name] = {"own_picture": right, "another_picture": wrong, "processor_s": seconds}
        print(f"{name:<18} loss {right:.3f} on its own picture, {wrong:.3f} on another; {seconds:.0f} s", flush=True)
    print(json.dumps({"steps": args.steps, "samples": args.samples, "rate": args.rate, "results": results}))


def make_examples(count: int, config: ModelConfig) -> list[PreparedExample]:
    """Return pictures of words and numbers with their texts."""
    source = Ocr(
        kinds={"word": 1}, languages=("en",), families=("DejaVu Sans", "DejaVu Sans Mono"), tasks={"text": 1},
        strength=0.0, side_px=256, format="png", num_samples=count,
    )  # fmt: skip
    found = []
    for number in range(count):
        sample = source.make(number, source.digest)
        letters = [FIRST_BYTE + byte for byte in str(sample.text).removeprefix("<image>\n").encode()]
        start = [config.bos] + [config.image_token] * config.tokens_per_image
        tokens = np.array([*start, *letters, config.eos])
        example = prepare(Example(tokens, np.arange(len(tokens)) >= len(start), (sample.images[0].data,)), config)
        assert example is not None
        found.append(example)
    return found


def losses(model: DeepseekVL, examples: Sequence[PreparedExample]) -> torch.Tensor:
    return TrainingModel(model)(DeviceBatch.of(collate([[each] for each in examples], model.config), CPU)).mean()


def train(model: DeepseekVL, examples: Sequence[PreparedExample], steps: int, samples: int, rate: float) -> float:
    """Train on every example once; return the seconds of processor time."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.0)
    since = time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / steps * 2)
        optimizer.zero_grad(set_to_none=True)
        losses(model, examples[step * samples : (step + 1) * samples]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return time.process_time() - since


@torch.no_grad()
def test(model: DeepseekVL, examples: Sequence[PreparedExample]) -> tuple[float, float]:
    """Return the mean loss of texts on their own pictures, and on the picture of the text after them."""
    swapped = [
        PreparedExample(each.example, other.images)
        for each, other in zip(examples, [*examples[1:], examples[0]], strict=True)
    ]
    return float(losses(model, examples)), float(losses(model, swapped))


if __name__ == "__main__":
    main()
