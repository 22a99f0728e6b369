"""Speed of judging in a run against scoring the same images alone: what the pipeline's step costs on top of the model.

python -m benchmarks.filter [--preset pico] [--model DIR] [--pages 32] [--rounds 8]

The step is everything between a part on disk and its scores: a request to the scorer process, the samples read from the
part, their questions, the model, and the answer. The other side is `Scorer.score_items` on the same images with the
same questions in this process. Both use one thread; on a CPU, seconds are processor seconds, of both processes of the
step. The last line is JSON.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pyarrow as pa
import torch

from benchmarks import alternating, random_models
from deepseek_vl import checkpoint
from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.scoring import Item, Scorer
from filters.deepseek_vl.filter import DeepseekVl
from filters.deepseek_vl.local_model import question_of
from filters.deepseek_vl.questions import asks_of, questions_about
from pipelines.recipe import Recipe
from pipelines.storage.arrow_file import write_table
from pipelines.workers.pool import scorers_of
from pipelines.workers.protocol import ScoreRows
from sources.base.sample import Sample, to_part
from sources.base.source import InputError, ItemError
from sources.pdfs import source as pdfs_source
from sources.pdfs.source import Pdfs

EXAMPLES = Path(pdfs_source.__file__).parent / Pdfs.examples


def read_pages(number: int) -> Iterator[Sample]:
    """Yield pages of the bundled documents, as the source reads them."""
    left = number
    for path in sorted(EXAMPLES.glob("*.pdf")):
        with suppress(InputError), Pdfs().open(path) as pages:  # one is encrypted
            for k in range(min(len(pages), left)):
                with suppress(ItemError):
                    yield pages[k]
                    left -= 1


def write_model(folder: Path, name: str) -> None:
    """Write a checkpoint of a preset with random weights, whose tokens are bytes."""
    model = DeepseekVL.random(preset(name), 0, device=torch.device("cpu"), dtype=torch.float32)
    checkpoint.save(model, folder)
    random_models.byte_processor(model.config).tokenizer.save(str(folder / "tokenizer.json"))


class Step:
    """The pipeline's step with a scorer process; a call returns its seconds."""

    def __init__(self, judge: DeepseekVl, samples: list[Sample], part: Path):
        recipe = Recipe(name="benchmark", sources=(Pdfs(),), filters=(judge,))
        write_table(pa.Table.from_batches([to_part(samples)]), part)
        self.judge, self.part, self.num = judge, part, len(samples)
        self.pool = scorers_of(recipe, judge, 1)

    def __call__(self) -> float:
        size = self.judge.worker().batch_size
        since, wall = self._processor_s(), time.monotonic()
        for first in range(0, self.num, size):
            rows = tuple(range(first, min(first + size, self.num)))
            answer = self.pool.ask(ScoreRows(part=self.part, rows=rows, names=self.judge.score_names))
            assert not any(answer.faults), answer.faults
        return self._processor_s() - since if self.judge.device == "cpu" else time.monotonic() - wall

    def _processor_s(self) -> float:
        scorers = psutil.Process().children()
        return time.process_time() + sum(sum(scorer.cpu_times()[:2]) for scorer in scorers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="pico", help="random weights of this size")
    parser.add_argument("--model", help="a checkpoint instead of random weights")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--pages", type=int, default=32)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=8, help="rounds at most, if the interval stays wide")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    samples = list(read_pages(args.pages))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(args.model or Path(scratch) / "model")
        if args.model is None:
            write_model(folder, args.preset)
        judge = DeepseekVl(model=str(folder), device=args.device, threads=args.threads, batch=args.batch).pinned()
        assert isinstance(judge, DeepseekVl)
        step = Step(judge, samples, Path(scratch) / "part")
        device = devices.pick(args.device)
        model = checkpoint.load(folder, device=device, dtype=devices.pick_dtype(None, device))
        scorer = Scorer(model, Processor.load(folder), threads=args.threads)
        items = [
            Item(ask.images, tuple(map(question_of, ask.questions)))
            for sample in samples
            for ask in asks_of(sample, questions_about(sample, judge._axes, judge.max_chars))
        ]

        def alone() -> float:
            since = alternating.spent(device)
            list(scorer.score_items(items))
            return alternating.spent(device) - since

        compared = alternating.compare(step, alone, args.rounds)
    speeds = [len(samples) * len(times) / sum(times) for times in (compared.ours, compared.theirs)]
    print(f"{len(samples)} pages, {sum(len(item.questions) for item in items)} questions")
    print(f"step {speeds[0]:.2f} images/s, the model alone {speeds[1]:.2f}: {compared}")
    print(
        json.dumps(
            {
                "model": args.model or args.preset,
                "device": devices.describe(device),
                "pages": len(samples),
                "step_images_per_s": round(speeds[0], 3),
                "alone_images_per_s": round(speeds[1], 3),
                "ratio": round(compared.ratio, 3),
                "interval": [round(end, 3) for end in compared.interval],
            }
        )
    )


if __name__ == "__main__":
    main()
