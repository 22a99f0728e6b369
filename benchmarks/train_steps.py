"""Training speed: steps of stage 2, ours and a plain loop over the transformers port, on the same samples.

python benchmarks/train_steps.py [--preset 1.3b] [--device cuda] [--steps 6] [--sequences 16]

Seven steps of ten read text, the others pictures with text, as in stage 2. Ours packs the samples into sequences. The
plain loop is what one writes without packing: samples in the same order, as many at a time as fit into the same number
of tokens when they are padded to the longest, the port's own loss, autocast, recomputed activations and fused AdamW.
Both train the same parameters. Padding is not counted.
"""

import argparse
import gc
import io
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import alternating
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import random_models
import torch
from PIL import Image, ImageDraw
from torch.nn.utils.rnn import pad_sequence

from deepseek_vl import device as devices
from deepseek_vl.config import PRESETS, ModelConfig, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor, Prompt
from deepseek_vl.train import parts, processes
from deepseek_vl.train.batches import Batch, PreparedExample, prepare
from deepseek_vl.train.examples import ExampleEncoder
from deepseek_vl.train.figures import Figures
from deepseek_vl.train.initial import widen
from deepseek_vl.train.loader import StepData
from deepseek_vl.train.settings import TrainSettings, load_settings
from deepseek_vl.train.trainer import Trainer

WORDS = ("a", "and", "are", "each", "error", "how", "in", "many", "mean", "of", "pages", "read", "table", "the", "year")
IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
SCHEMA = pa.schema([("images", IMAGES), ("text", pa.string())])


def page(number: int, side: int) -> tuple[bytes, str]:
    """Return a drawn page as JPEG, with its text."""
    random = np.random.default_rng(number)
    lines = [" ".join(random.choice(WORDS, 6)) for _ in range(int(random.integers(2, 12)))]
    picture = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(picture).multiline_text((4, 4), "\n".join(lines), fill="black")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue(), "\n".join(lines)


def text_of(number: int, longest: int) -> str:
    """Return a text of up to that many bytes; most are much shorter."""
    random = np.random.default_rng(number)
    size = int(min(longest, 40 + random.exponential(longest / 4)))
    return " ".join(random.choice(WORDS, size))[:size]


def rows(config: ModelConfig, num: int, longest: int, *, with_images: bool) -> list[dict[str, Any]]:
    """Return rows with the columns of an output."""
    if not with_images:
        return [{"images": [], "text": text_of(k, longest)} for k in range(num)]
    pages = [page(k, config.image_px) for k in range(num)]
    return [{"images": [{"bytes": data, "path": None}], "text": f"<image>\n{text}"} for data, text in pages]


def prepared_examples(processor: Processor, num: int) -> list[PreparedExample]:
    """Return examples of text and of pages in turn."""
    config = processor.config
    encoder = ExampleEncoder(processor, max_tokens=config.language.max_positions, max_images=1, too_long="split")
    both = [rows(config, num, 200, with_images=flag) for flag in (False, True)]
    found = [prepare(encoder.encode(both[k % 2][k])[0], config) for k in range(num)]
    return [each for each in found if each is not None]


def write_data(folder: Path, config: ModelConfig, num: int, longest: int) -> None:
    """Write a data set of texts, one of pages, and a tokenizer whose tokens are bytes."""
    for name, with_images in (("text", False), ("pages", True)):
        (folder / name).mkdir()
        table = pa.Table.from_pylist(rows(config, num, longest, with_images=with_images), SCHEMA)
        pq.write_table(table, folder / name / "samples.parquet", row_group_size=32)
    random_models.byte_processor(config).tokenizer.save(str(folder / "tokenizer.json"))


def settings_of(name: str, folder: Path, args: argparse.Namespace, device: torch.device) -> TrainSettings:
    """Return the shipped settings of stage 2 on this data, with fewer sequences a step."""
    changes = [
        f"model={name}",
        f"tokenizer={folder}",
        f"output={folder / 'run'}",
        "train={adaptor: 3e-5, language: 3e-5}",  # as in the paper; the shipped stages of small presets train more
        f"data.sources=[{{path: {folder / 'text'}, group: text}}, {{path: {folder / 'pages'}}}]",
        "data.text_share={start: 0.7, end: 0.7}",
        "data.lanes=1",
        f"optimization.steps={args.warmup + args.steps}",
        f"optimization.sequences={args.sequences}",
        f"optimization.sequences_per_batch={args.sequences_per_batch}",
        "optimization.schedule.warmup_steps=1",
        f"compute.device={device.type}",
        f"compute.compile={str(args.compiled).lower()}",
        f"compute.checkpoint_activations={str(not args.keep_activations).lower()}",
    ]
    if args.tokens:
        changes.append(f"data.tokens={args.tokens}")
    return load_settings(f"stage2-{name}", changes)


class PlainLoop:
    """The loop over the port."""

    def __init__(self, settings: TrainSettings, config: ModelConfig, device: torch.device):
        model = DeepseekVL.random(config, settings.seed, device=device, dtype=torch.float32)
        widen(model)
        self.port = random_models.port_of(model)
        for name, parameter in self.port.named_parameters():
            parameter.requires_grad_(not name.startswith(("model.vision_model", "model.high_res_vision")))
        self.port.train()
        if settings.compute.checkpoint_activations:
            self.port.gradient_checkpointing_enable()
        self.config, self.device = config, device
        self.num_trained = sum(p.numel() for p in self.port.parameters() if p.requires_grad)
        trained_parameters = [p for p in self.port.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained_parameters, lr=next(iter(settings.train.values())), fused=True)
        self.capacity = settings.data.tokens * settings.optimization.sequences_per_batch
        self.dtype = settings.compute.dtype

    def step(self, data: StepData) -> float:
        """Train on the samples of a step; return the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for batch in self._padded([row for each in data.batches for row in _rows_of(each)]):
            num_targets = int((batch["labels"] != -100).sum())
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == "bfloat16"):
                loss = self.port(**batch).loss * (num_targets / data.num_targets)
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_([p for p in self.port.parameters() if p.grad is not None], 1.0)
        self.optimizer.step()
        return total

    def _padded(self, samples: Sequence["_Sample"]) -> Iterator[dict[str, torch.Tensor]]:
        waiting: list[_Sample] = []
        for sample in samples:
            longest = max(len(each.tokens) for each in (*waiting, sample))
            if waiting and longest * (len(waiting) + 1) > self.capacity:
                yield self._batch(waiting)
                waiting = []
            waiting.append(sample)
        if waiting:
            yield self._batch(waiting)

    def _batch(self, samples: Sequence["_Sample"]) -> dict[str, torch.Tensor]:
        tokens = [torch.from_numpy(each.tokens) for each in samples]
        labels = [torch.from_numpy(each.labels) for each in samples]
        mask = [torch.ones_like(each) for each in tokens]
        batch = {
            "input_ids": pad_sequence(tokens, batch_first=True, padding_value=self.config.eos),
            "labels": pad_sequence(labels, batch_first=True, padding_value=-100),
            "attention_mask": pad_sequence(mask, batch_first=True),
        }
        canvases = [canvas for each in samples for canvas in each.canvases]
        if canvases:
            one = Prompt(samples[0].tokens, tuple(canvases))
            inputs = random_models.port_inputs([one], self.config, self.device, torch.float32)
            batch |= {name: value for name, value in inputs.items() if "pixel_values" in name}
        return {name: value.to(self.device) for name, value in batch.items()}


class _Sample:
    """A sample of a packed batch, on its own: tokens, labels (-100 where nothing is learned) and canvases."""

    def __init__(self, tokens: np.ndarray, labels: np.ndarray, canvases: Sequence[np.ndarray]):
        self.tokens, self.labels, self.canvases = tokens, labels, canvases


def _rows_of(batch: Batch) -> Iterator[_Sample]:
    labels_T = np.full(batch.num_tokens, -100, np.int64)
    labels_T[batch.target_places + 1] = batch.targets_S
    is_image_T = np.zeros(batch.num_tokens, bool)
    is_image_T[batch.image_places] = True
    per_image = len(batch.image_places) // max(1, batch.num_images)
    start = used = 0
    for length in batch.lengths:
        stop = start + length
        num_images = int(is_image_T[start:stop].sum()) // max(1, per_image)
        canvases = [] if batch.canvases_M3YX is None else list(batch.canvases_M3YX[used : used + num_images])
        yield _Sample(batch.tokens_T[start:stop], labels_T[start:stop], canvases)
        start, used = stop, used + num_images


def measure(name: str, args: argparse.Namespace, device: torch.device) -> Iterator[tuple[str, dict[str, Any]]]:
    """The figures of our steps, then of the plain loop on the same samples."""
    config = preset(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_data(folder, config, args.samples, args.longest)
        settings = settings_of(name, folder, args, device)
        joined = processes.start(device.type)
        try:
            ours, steps = _ours(settings, joined, args)
        finally:
            processes.stop()
        yield "ours", ours
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        yield "plain", _plain(settings, config, device, steps, args, ours)


def _ours(
    settings: TrainSettings, joined: processes.Processes, args: argparse.Namespace
) -> tuple[dict[str, Any], list[StepData]]:
    trainer = Trainer(settings, joined)
    figures, steps = Figures(trainer), []
    trainer.loader.start(0)
    try:
        for number in range(args.warmup + args.steps):
            if number == args.warmup:
                figures, since = Figures(trainer), alternating.spent(joined.device)
            data = trainer.loader.next()
            trainer.train_step(data, figures)
            steps.append(data)
            if number == 0:
                first_loss = figures.summary()["loss"]
        seconds = alternating.spent(joined.device) - since
        found: dict[str, Any] = {key: float(f"{value:.4g}") for key, value in figures.summary().items()}
    finally:
        trainer.loader.close()
    found["seconds"] = seconds
    found["first_loss"] = first_loss
    found["tokens"] = _num_tokens(steps[args.warmup :])
    found["trained"] = sum(trained for trained, _ in parts.counts(trainer.model.model).values())
    if joined.device.type == "cuda":
        found["memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
        torch.cuda.reset_peak_memory_stats()
    print(f"{settings.model}: {found['tokens'] / seconds:,.0f} tokens/s, {found}", flush=True)
    return found, steps


def _plain(
    settings: TrainSettings,
    config: ModelConfig,
    device: torch.device,
    steps: Sequence[StepData],
    args: argparse.Namespace,
    ours: dict[str, Any],
) -> dict[str, Any]:
    loop = PlainLoop(settings, config, device)
    assert loop.num_trained == ours["trained"], (loop.num_trained, ours["trained"])
    losses = [loop.step(data) for data in steps[: args.warmup]]
    if not math.isclose(losses[0], ours["first_loss"], rel_tol=0.01):
        raise SystemExit(f"the loss of the first step is {losses[0]}, ours {ours['first_loss']}: not the same samples")
    since = alternating.spent(device)
    losses += [loop.step(data) for data in steps[args.warmup :]]
    seconds = alternating.spent(device) - since
    found = {"seconds": seconds, "loss": losses[-1], "ratio": seconds / ours["seconds"]}
    if device.type == "cuda":
        found["memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
    print(
        f"plain loop: {ours['tokens'] / seconds:,.0f} tokens/s; ours is {found['ratio']:.2f} times as fast", flush=True
    )
    return found


def _num_tokens(steps: Sequence[StepData]) -> int:
    return sum(batch.num_tokens for data in steps for batch in data.batches)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the measurement."""
    parser.add_argument("--steps", type=int, default=6, help="measured steps")
    parser.add_argument("--warmup", type=int, default=4, help="steps before, in which kernels are chosen or compiled")
    parser.add_argument("--sequences", type=int, default=16, help="sequences of a step")
    parser.add_argument("--sequences-per-batch", type=int, default=2)
    parser.add_argument("--tokens", type=int, help="tokens of a sequence (default: 4096, as in stage 2)")
    parser.add_argument("--samples", type=int, default=512, help="samples of each data set")
    parser.add_argument("--longest", type=int, default=4000, help="bytes of the longest text")
    parser.add_argument("--compiled", action="store_true", help="ours through torch.compile")
    parser.add_argument("--keep-activations", action="store_true", help="keep activations instead of recomputing them")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="pico")
    parser.add_argument("--device")
    add_arguments(parser)
    args = parser.parse_args()
    device = devices.pick(args.device)
    found = dict(measure(args.preset, args, device))
    print(json.dumps({"device": devices.describe(device), "torch": torch.__version__, args.preset: found}))


if __name__ == "__main__":
    main()
