"""`python -m examples.real_world`: real documents of Debian through every source, twice, the second time killed."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from examples.real_world.plan import SIZES, Plan
from examples.steps import StepError, run_steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Run. Returns 0; 1 if a step failed; 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.real_world", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="full", help="small: one package of each kind")
    parser.add_argument("--output", type=Path, default=Path("real_world"), help="folder (default: real_world)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    args = parser.parse_args(arguments)
    plan = Plan(SIZES[args.size], args.output, args.workers)
    try:
        run_steps(plan.steps(), args.output / "steps", plan.key)
    except (StepError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
