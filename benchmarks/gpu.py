"""Everything that is measured on a GPU, in one command, for a machine that is lent for minutes.

python benchmarks/gpu.py [--output build/gpu] [--parts parity 1.3b …] [--budget-s 560]
python benchmarks/gpu.py --small       the same parts at the size of pico, on a CPU, as a test

Parts run in order of importance, each in its own process with its own time limit, so that one that fails or takes too
long costs only itself. Figures are added to `gpu.json` as they come, and a cut loses nothing; what a part printed is in
`PART.log`. A second call adds other parts to the same file.

It needs torch, transformers, tokenizers, safetensors, pyarrow, pillow and pyyaml; the data is drawn here.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gpu_plot

ROOT = Path(__file__).resolve().parents[1]
LEAST_S = 20  # a part with less time left is not started


@dataclass(frozen=True, slots=True)
class Part:
    """A part and its time limit, on a GPU and at the small size."""

    name: str
    limit_s: float
    small_limit_s: float = 60


PARTS = (
    Part("parity", 90),
    Part("1.3b", 150),
    Part("train", 150),
    Part("1.3b-hybrid", 150),
    Part("7b", 180),
)


def run_part(part: Part, limit_s: float, args: argparse.Namespace) -> dict[str, Any]:
    """Run a part; return its figures as far as it came, its seconds, and how it ended."""
    lines = args.output / f"{part.name}.jsonl"
    lines.unlink(missing_ok=True)
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu_parts.py"), part.name, str(lines)]
    command += ["--small"] * args.small + (["--device", args.device] if args.device else [])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    since = time.monotonic()
    with (args.output / f"{part.name}.log").open("w", encoding="utf-8") as log:
        try:
            done = subprocess.run(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT, timeout=limit_s, check=False
            )
            ended = "done" if done.returncode == 0 else f"failed with exit code {done.returncode}"
        except subprocess.TimeoutExpired:
            ended = f"stopped after {limit_s:.0f} s"
    found: dict[str, Any] = {"ended": ended, "seconds": round(time.monotonic() - since, 1)}
    for line in lines.read_text("utf-8").splitlines(keepends=True) if lines.is_file() else []:
        if line.endswith("\n"):  # the last one may be cut
            found |= json.loads(line)
    return found


def write(path: Path, result: dict[str, Any]) -> None:
    """Replace the file of results."""
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; return 0 if all are done, else 1."""
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("build/gpu"), help="folder of gpu.json and the logs")
    parser.add_argument("--parts", nargs="+", choices=names, default=names, metavar="PART", help=", ".join(names))
    parser.add_argument("--budget-s", type=float, default=3600, help="seconds for all parts together")
    parser.add_argument("--small", action="store_true", help="all parts at the size of pico, on a CPU")
    parser.add_argument("--device")
    args = parser.parse_args(arguments)
    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / "gpu.json"
    result: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    until = time.monotonic() + args.budget_s
    for part in PARTS:
        if part.name not in args.parts:
            continue
        limit_s = min(part.small_limit_s if args.small else part.limit_s, until - time.monotonic())
        if limit_s < LEAST_S:
            result[part.name] = {"ended": "not started: no time left"}
        else:
            print(f"{part.name}: at most {limit_s:.0f} s", flush=True)
            result[part.name] = run_part(part, limit_s, args)
        print(f"{part.name}: {result[part.name]['ended']}", flush=True)
        write(path, result)
        (args.output / "gpu.svg").write_text(gpu_plot.draw(result), encoding="utf-8")
    print(json.dumps(result))
    return 0 if all(result[name]["ended"] == "done" for name in args.parts) else 1


if __name__ == "__main__":
    sys.exit(main())
