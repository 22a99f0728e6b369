"""`python -m examples.closed_loop`: data, training and evaluation of a small model, step by step."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from examples.closed_loop.sizes import SIZES
from examples.steps import StepError, run_steps

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the loop. Returns 0; 1 if a step failed; 2 for a mistake in the command; 130 if interrupted."""
    from examples.closed_loop.plan import Plan  # imports torch

    args = build_parser().parse_args(arguments)
    missing = [path for path in (*args.texts, *args.held_out_texts) if not path.exists()]
    if missing:
        print(f"error: there is no {missing[0]}", file=sys.stderr)
        return 2
    plan = Plan(SIZES[args.size], args.output, args.texts, args.held_out_texts)
    steps = [step for step in plan.steps() if not args.prepare or step.needs_pipeline]
    try:
        run_steps(steps, args.output / "steps", plan.key)
    except (StepError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    if not args.prepare:
        print(f"report: {args.output / 'report.md'}")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(prog="python -m examples.closed_loop", description=__doc__)
    parser.add_argument(
        "--size", choices=sorted(SIZES), default="pico", help="pico: two CPU cores; nano: a GPU; quick: a test"
    )
    parser.add_argument("--output", type=Path, default=Path("loop"), help="folder for everything (default: loop)")
    parser.add_argument(
        "--texts",
        type=Path,
        nargs="+",
        default=[ROOT / "docs"],
        help="plain text and Markdown (default: the documentation)",
    )
    parser.add_argument(
        "--held-out-texts",
        type=Path,
        nargs="+",
        default=[ROOT / "README.md", ROOT / "CHANGELOG.md"],
        help="other text, on which language is measured (default: README and change log)",
    )
    parser.add_argument("--prepare", action="store_true", help="make the data only, for a machine without the pipeline")
    return parser


if __name__ == "__main__":
    sys.exit(main())
