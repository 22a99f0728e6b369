"""Gaps of a stream while prompts are read and rows are scored: the longest and the median, in decoding and under load.

python benchmarks/stream_gaps.py [--preset nano] [--scores 48] [--prompts 2] [--images 4]

One client streams an answer. After an eighth of it, many scoring requests and some prompts with images arrive at once.
On a CPU, gaps are processor time of the model's thread, so that other jobs do not change them: use OMP_NUM_THREADS=1.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import threading
import time
from typing import ClassVar

import random_models
import torch

from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.engine import Engine, Events
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Prompt
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.scoring import Item, Question, Row, Scorer
from deepseek_vl.serve.worker import Worker


class Watched(Engine):
    """Notes the time of every step; the first answer gets a token in each of them."""

    stamps: ClassVar[list[float]] = []

    def step(self, *, reads: bool = True) -> Events:
        events = super().step(reads=reads)
        if events:
            self.stamps.append(time.thread_time() if self.model.device.type == "cpu" else time.perf_counter())
        return events


def make(args: argparse.Namespace) -> tuple[Worker, Prompt, list[Prompt], list[Row]]:
    """Return a running worker, the stream's prompt, and the load."""
    device = devices.pick(args.device)
    config = preset(args.preset)
    model = DeepseekVL.random(config, 0, device=device, dtype=devices.pick_dtype(args.dtype, device))
    with torch.no_grad():
        model.language.head.weight[config.eos] = 0  # never the most likely
    processor = random_models.byte_processor(config)
    scorer = Scorer(model, processor, system="")
    image = {"type": "image"}
    prompts = [
        processor.prompt(
            [{"role": "user", "content": [*[image] * args.images, {"type": "text", "text": "What is written? " * 9}]}],
            [random_models.noise(args.scores + n * args.images + k, config.image_px) for k in range(args.images)],
            system="",
        )
        for n in range(args.prompts + 1)
    ]
    question = Question("Is the text in the picture sharp?", ("Yes", "No"))
    rows = [scorer.prepare(Item((random_models.noise(n, config.image_px),), (question,))) for n in range(args.scores)]
    ready = threading.Event()

    def load() -> tuple[Engine, Scorer]:
        engine = Watched(
            model,
            processor,
            rows=4,
            slots=len(prompts[0]) + args.tokens + 1,
            chunk_tokens=args.chunk_tokens,
            prefix_tokens=4096,
            cached_images=8,
        )  # as in the server
        ready.set()
        return engine, scorer

    worker = Worker(load)
    worker.start()
    ready.wait()
    return worker, prompts[0], prompts[1:], rows


async def measure(args: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Return the gaps before the load arrives and while it is worked on."""
    worker, first, prompts, rows = make(args)

    async def answer(prompt: Prompt, num_tokens: int) -> None:
        async for _ in worker.generate(prompt, SamplingSettings(max_tokens=num_tokens)):
            pass

    streamed = asyncio.create_task(answer(first, args.tokens))
    while not (worker.engine.running and len(worker.engine.running[0].stream.tokens) > args.tokens // 8):
        await asyncio.sleep(0.01)
    stream = worker.engine.running[0].stream
    start = len(stream.tokens)
    await asyncio.gather(*(worker.score([row]) for row in rows), *(answer(prompt, 8) for prompt in prompts))
    end = len(stream.tokens)
    await streamed
    worker.stop()
    if end == args.tokens:
        raise SystemExit("the answer ended before the load was done; raise --tokens")
    gaps = [b - a for a, b in itertools.pairwise(Watched.stamps)]
    return gaps[2 : start - 2], gaps[start:end]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="nano")
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--scores", type=int, default=48, help="scoring requests that arrive at once")
    parser.add_argument("--prompts", type=int, default=2, help="prompts that arrive with them")
    parser.add_argument("--images", type=int, default=4, help="images of a prompt")
    parser.add_argument("--tokens", type=int, default=3000, help="tokens of the streamed answer, enough for the load")
    parser.add_argument("--chunk-tokens", type=int, default=32, help="as in the server: 32 on a CPU, 512 on CUDA")
    args = parser.parse_args()
    alone, loaded = asyncio.run(measure(args))
    result = {"alone": (statistics.median(alone), max(alone)), "under load": (statistics.median(loaded), max(loaded))}
    for name, (median, longest) in result.items():
        print(f"{name}: median gap {median * 1e3:.1f} ms, longest {longest * 1e3:.1f} ms, {longest / median:.1f} times")
    print(f"{len(loaded)} gaps under load")
    print(json.dumps({name: [round(value * 1e3, 2) for value in values] for name, values in result.items()}))


if __name__ == "__main__":
    main()
