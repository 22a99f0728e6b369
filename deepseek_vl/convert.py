"""Writes a checkpoint in the other layout: python -m deepseek_vl.convert IN OUT --layout authors"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from deepseek_vl import device as devices
from deepseek_vl.checkpoint import LAYOUTS, find, load, save


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert a checkpoint. Return 0, or 2 for a mistake in the command or the checkpoint."""
    parser = argparse.ArgumentParser(prog="python -m deepseek_vl.convert", description=__doc__)
    parser.add_argument("source", help="folder of a checkpoint, or a hub id")
    parser.add_argument("target", type=Path, help="folder to write")
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument("--dtype", default="bfloat16", help="bfloat16 (as published), float16 or float32")
    parser.add_argument("--shard-gb", type=float, default=5, help="largest file of weights")
    args = parser.parse_args(arguments)
    cpu = torch.device("cpu")
    try:
        folder = find(args.source)
        if args.target.exists() and any(args.target.iterdir()):
            raise ValueError(f"{args.target} is not empty")
        model = load(folder, device=cpu, dtype=devices.pick_dtype(args.dtype, cpu))
        shard_bytes = int(args.shard_gb * 1e9)
        save(model, args.target, layout=args.layout, tokenizer_from=folder, max_shard_bytes=shard_bytes)
    except (ValueError, OSError) as error:
        print(f"deepseek_vl.convert: {error}", file=sys.stderr)
        return 2
    print(f"{args.target}: {args.layout} layout, {sum(p.numel() for p in model.parameters()):,} parameters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
