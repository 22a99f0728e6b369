"""Everything that is measured on a GPU, in one command, for a machine that is lent for minutes.

python benchmarks/gpu.py [--output build/gpu] [--parts parity 1.3b …] [--budget-s 560]
python benchmarks/gpu.py --loop FOLDER     also `nano` through the closed loop, on data that was prepared elsewhere
python benchmarks/gpu.py --small           the same parts at the size of pico, on a CPU, as a test

Parts run in order of importance, each in its own process with its own time limit, so that one that fails or takes too
long costs only itself. Figures are added to `gpu.json` as they come, and a cut loses nothing; what a part printed is in
`PART.log`. A second call adds other parts to the same file.

The loop goes on where it was cut, and its folder is made with `python -m examples.closed_loop --size nano --prepare`.
It needs torch, transformers, tokenizers, safetensors, pyarrow, pillow and pyyaml; the data is drawn here.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

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
LOOP = Part("loop", 480)


def run_part(part: Part, limit_s: float, args: argparse.Namespace) -> dict[str, Any]:
    """Run a part; return its figures as far as it came, its seconds, and how it ended."""
    lines = args.output / f"{part.name}.jsonl"
    lines.unlink(missing_ok=True)
    if part == LOOP:
        command = ["-m", "examples.closed_loop", "--size", "nano", "--output", str(args.loop.resolve())]
    else:
        command = [str(ROOT / "benchmarks" / "gpu_parts.py"), part.name, str(lines.resolve())]
        command += ["--small"] * args.small + (["--device", args.device] if args.device else [])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    since = time.monotonic()
    with (args.output / f"{part.name}.log").open("w", encoding="utf-8") as log:
        ended = _ended([sys.executable, *command], environment, log, limit_s)
    found: dict[str, Any] = {"ended": ended, "seconds": round(time.monotonic() - since, 1)}
    for line in lines.read_text("utf-8").splitlines(keepends=True) if lines.is_file() else []:
        if line.endswith("\n"):  # the last one may be cut
            found |= json.loads(line)
    for path in sorted(args.loop.glob("results/**/*.json")) if part == LOOP else []:
        found[str(path.relative_to(args.loop / "results"))] = json.loads(path.read_text("utf-8"))
    return found


def _ended(command: Sequence[str], environment: Mapping[str, str], log: TextIO, limit_s: float) -> str:
    """Run a command and all that it starts; return how it ended."""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return f"stopped after {limit_s:.0f} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return "done" if code == 0 else f"failed with exit code {code}"


def write(path: Path, result: dict[str, Any]) -> None:
    """Replace the file of results."""
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; return 0 if all are done, else 1."""
    names = [part.name for part in (*PARTS, LOOP)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("build/gpu"), help="folder of gpu.json and the logs")
    parser.add_argument("--parts", nargs="+", choices=names, metavar="PART", help=", ".join(names))
    parser.add_argument("--budget-s", type=float, default=3600, help="seconds for all parts together")
    parser.add_argument("--small", action="store_true", help="all parts at the size of pico, on a CPU")
    parser.add_argument("--loop", type=Path, metavar="FOLDER", help="prepared data of the closed loop")
    parser.add_argument("--device")
    args = parser.parse_args(arguments)
    wanted = args.parts or [name for name in names if name != LOOP.name or args.loop is not None]
    if LOOP.name in wanted and not (args.loop is not None and (ROOT / "examples" / "closed_loop").is_dir()):
        parser.error("the loop needs examples/closed_loop, and --loop FOLDER with its prepared data")
    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / "gpu.json"
    result: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    until = time.monotonic() + args.budget_s
    for part in (*PARTS, LOOP):
        if part.name not in wanted:
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
    return 0 if all(result[name]["ended"] == "done" for name in wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
