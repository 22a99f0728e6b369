"""Quantized weights: memory while loading and after, speed, and how far the answers move.

python benchmarks/quantize.py [--preset 1.3b] [--folder DIR] [--dtype bfloat16] [--tokens 24]
python benchmarks/quantize.py --kernels

Writes a checkpoint of random weights (or uses the one in DIR) and loads it in a separate process for each kind of
weights. Printed are: the size of the weights; the peak of resident memory while loading, less what Python and torch
take, in multiples of that size; the processor time of loading, of reading a prompt with an image, and of one decoding
step; the root mean square of the logits' error as a share of their deviation; and how often the likeliest token is the
same, over the prompt's last positions. With --kernels, the time of one matrix by rows of activations instead.
"""

import argparse
import functools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import random_models
import torch

from deepseek_vl import checkpoint, device
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.quantization import KINDS, SLICE_ROWS, Int4, Int8, Quantized

CPU = torch.device("cpu")
COMPARED = 128  # last positions of the prompt


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write(folder: Path, name: str, dtype: torch.dtype) -> None:
    model = DeepseekVL.random(preset(name), 1, device=CPU, dtype=dtype)
    checkpoint.save(model, folder)


@torch.inference_mode()
def measure(folder: Path, kind: str | None, dtype: torch.dtype, num_tokens: int) -> dict[str, Any]:
    """Load a checkpoint, run it, write its logits into its folder, and return what it took."""
    torch.empty(1).normal_()
    before_mb, since = peak_mb(), time.process_time()
    model = checkpoint.load(folder, device=CPU, dtype=dtype, quantize=kind)
    load_s, loaded_mb = time.process_time() - since, peak_mb()
    weights_mb = sum(t.nbytes for t in [*model.parameters(), *model.buffers()]) / 2**20

    config = model.config
    numbers = np.random.default_rng(3).integers(0, min(config.language.vocabulary, 50_000), COMPARED)
    tokens = torch.from_numpy(np.concatenate([np.full(config.tokens_per_image, config.image_token), numbers]))[None]
    canvas = torch.from_numpy(np.asarray(random_models.noise(5, config.image_px)).transpose(2, 0, 1).copy())[None]
    since = time.process_time()
    places = torch.arange(config.tokens_per_image)
    hidden = model.language(model.embed(tokens, places, model.encode(canvas)), torch.arange(tokens.shape[1])[None])
    logits = model.language.head(hidden[0, -COMPARED:]).float()
    prefill_s = time.process_time() - since
    np.save(folder / f"logits-{kind}.npy", logits.numpy())

    # One row through every matrix, as a decoding step; attention and sampling are the same for all kinds.
    x = torch.randn(1, 1, config.language.width, dtype=dtype)
    step = torch.zeros(1, 1, dtype=torch.long)
    times = []
    for _ in range(num_tokens):
        since = time.process_time()
        model.language.head(model.language(x, step))
        times.append(time.process_time() - since)
    return {
        "weights_mb": weights_mb,
        "peak_share": (loaded_mb - before_mb) / weights_mb,
        "load_s": load_s,
        "prefill_s": prefill_s,
        "step_ms": float(np.median(times)) * 1000,
    }


@torch.inference_mode()
def measure_kernels() -> dict[str, Any]:
    """Return the processor time in ms of a matrix of the 1.3b, plain, by kernel and by slices."""
    rows, columns = 11264, 2048
    weights = torch.randn(rows, columns).bfloat16()
    layers = [layer(rows, columns).bfloat16() for layer in (Int8, Int4)]
    for layer in layers:
        layer.fill(0, weights)
        layer.finish()
    result = {}
    for num_rows in (1, 4, 8, 16, 64, 512):
        x = torch.randn(num_rows, columns).bfloat16()
        work: dict[str, Any] = {"plain": functools.partial(torch.nn.functional.linear, x, weights)}
        for name, layer in zip(KINDS, layers, strict=True):
            work[f"{name} kernel"] = functools.partial(layer.by_kernel, x)
            work[f"{name} slices"] = functools.partial(by_slices, layer, x)
        times: dict[str, list[float]] = {name: [] for name in work}
        for name, run in [*work.items()] * 8:
            since = time.process_time()
            run()
            times[name].append((time.process_time() - since) * 1000)
        result[num_rows] = {name: round(min(found), 2) for name, found in times.items()}
        print(num_rows, result[num_rows], flush=True)
    return result


def by_slices(layer: Quantized, x_MK: torch.Tensor) -> torch.Tensor:
    return torch.cat([layer.by_slice(x_MK, k, k + SLICE_ROWS) for k in range(0, layer.rows, SLICE_ROWS)], dim=1)


def in_process(*arguments: str) -> str:
    line = [sys.executable, __file__, *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="1.3b")
    parser.add_argument("--folder", type=Path, help="checkpoint to measure; random weights are written if it is empty")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--tokens", type=int, default=24, help="decoding steps")
    parser.add_argument("--kernels", action="store_true", help="time one matrix by rows of activations")
    parser.add_argument("--kind", help=argparse.SUPPRESS)  # of a process that measures
    args = parser.parse_args()
    dtype = device.pick_dtype(args.dtype, CPU)
    if args.kernels:
        print(json.dumps(measure_kernels()))
        return
    if args.kind == "write":
        write(args.folder, args.preset, dtype)
        return
    if args.kind:
        print(json.dumps(measure(args.folder, None if args.kind == "none" else args.kind, dtype, args.tokens)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        shared = ["--preset", args.preset, "--folder", str(folder), "--dtype", args.dtype, "--tokens", str(args.tokens)]
        if not (folder / "config.json").exists():
            in_process(*shared, "--kind", "write")
        result: dict[str, Any] = {"preset": args.preset, "dtype": args.dtype, "torch": torch.__version__}
        for kind in ("none", *KINDS):
            found = json.loads(in_process(*shared, "--kind", kind).splitlines()[-1])
            logits, exact = (np.load(folder / f"logits-{k}.npy") for k in (None if kind == "none" else kind, None))
            found["logit_error"] = float(np.sqrt(np.square(logits - exact).mean()) / exact.std())
            found["same_token"] = float((logits.argmax(-1) == exact.argmax(-1)).mean())
            result[kind] = {key: round(value, 3) for key, value in found.items()}
            print(kind, result[kind], flush=True)
        print(json.dumps(result))


if __name__ == "__main__":
    main()
