"""`python -m deepseek_vl.convert`: writes a checkpoint in the other layout."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from deepseek_vl import device as devices
from deepseek_vl.checkpoint import LAYOUTS, find, load, save, stored_dtype
from sources.terminal import escaping

PROG = "python -m deepseek_vl.convert"
EXAMPLES = """\
examples:
  %(prog)s deepseek-community/deepseek-vl-7b-chat authors_7b --layout authors
  %(prog)s authors_7b native_7b --layout native --shard-gb 2"""


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Convert a checkpoint. Return 0, or 2 for a mistake in the command or the checkpoint."""
    args = build_parser(prog).parse_args(arguments)
    cpu = torch.device("cpu")
    try:
        folder = find(args.source)
        if args.target.exists() and any(args.target.iterdir()):
            raise ValueError(f"{args.target} is not empty")
        dtype = stored_dtype(folder) if args.dtype is None else devices.pick_dtype(args.dtype, cpu)
        model = load(folder, device=cpu, dtype=dtype)
        shard_bytes = int(args.shard_gb * 1e9)
        save(model, args.target, layout=args.layout, tokenizer_from=folder, max_shard_bytes=shard_bytes)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{args.target}: {args.layout} layout, {sum(p.numel() for p in model.parameters()):,} parameters")
    return 0


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Write a checkpoint in the other layout.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", help="folder of a checkpoint, or a hub id")
    parser.add_argument("target", type=Path, help="folder to write")
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument("--dtype", help="bfloat16, float16 or float32 (default: as the weights are)")
    parser.add_argument("--shard-gb", type=float, default=5, help="largest file of weights")
    return parser


if __name__ == "__main__":
    sys.exit(main())
