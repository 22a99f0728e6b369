"""The parts of `gpu.py`.

python benchmarks/gpu_parts.py PART FILE [--small]

Figures are added to FILE as JSON lines, as soon as each is known.
"""

import argparse
import gc
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import generate
import parity
import score
import torch
import train_steps

from deepseek_vl import device as devices

Figures = Iterator[tuple[str, Any]]
SMALL = "pico"


def parity_part(device: torch.device, small: bool) -> Figures:
    """Parity of a preset that fits into seconds, then of the smallest released one."""
    yield from parity.measure(SMALL if small else "nano", device)
    if not small:
        yield "port, 1.3b", parity.check_port("1.3b", device)


def speed_part(name: str, device: torch.device, small: bool) -> Figures:
    """Scoring and generation, eager and compiled: what is eager costs no time to compile, and comes first.

    At the small size nothing is compiled: that takes minutes on a CPU.
    """
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    for compiled in (False,) if small else (False, True):
        how = "compiled" if compiled else "eager"
        args = argparse.Namespace(compiled=compiled, four=not compiled, layers=None, threads=8)
        args.images, args.batch, args.rounds, args.tokens = (2, 2, 2, 3) if small else (128, 16, 5, 64)
        args.rows = [1, 2] if small else [1, 8, 64]
        yield f"score {how}", score.measure(name, args, device, dtype)
        gc.collect()
        yield f"generate {how}", generate.measure(name, args, device, dtype)
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def train_part(device: torch.device, small: bool) -> Figures:
    """Steps of stage 2, compiled and not; the plain loop runs after each on the same samples."""
    for compiled in (False,) if small else (True, False):
        parser = argparse.ArgumentParser()
        train_steps.add_arguments(parser)
        options = ["--compiled"] * compiled
        if small:
            options += ["--steps=2", "--warmup=1", "--sequences=2", "--tokens=256", "--samples=32", "--longest=400"]
        args = parser.parse_args(options)
        for side, found in train_steps.measure(SMALL if small else "1.3b", args, device):
            yield f"{side}, {'compiled' if compiled else 'eager'}", found


PARTS: Mapping[str, Callable[[torch.device, bool], Figures]] = {
    "parity": parity_part,
    "train": train_part,
    **{
        name: lambda device, small, name=name: speed_part(SMALL if small else name, device, small)
        for name in ("1.3b", "1.3b-hybrid", "7b")
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("file", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--device")
    args = parser.parse_args()
    device = devices.pick("cpu" if args.small and args.device is None else args.device)
    if device.type != "cuda" and not args.small:
        raise SystemExit(f"{device} is no GPU; --small runs the parts on a CPU")
    with args.file.open("a", encoding="utf-8") as file:
        for key, value in [("device", devices.describe(device)), ("torch", torch.__version__)]:
            file.write(json.dumps({key: value}) + "\n")
        for key, value in PARTS[args.part](device, args.small):
            file.write(json.dumps({key: value}) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
