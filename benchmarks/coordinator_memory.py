"""The memory of a run's processes while the input grows: a coordinator that keeps anything of each sample shows it.

    python -m benchmarks.coordinator_memory [--samples 10000 50000] [--workers 1]

Samples are short texts, so that many go through all steps in a short time: they are read, scored, compared, decided and
written as pages are. A unit has 64 of them, as of pages.

Two figures of each process are printed: all memory that is its own, and what of it no file backs (anonymous). Mapped
files count in the first only, for the kernel takes them back when it wants.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

SAMPLES_A_FILE = 1000
WORDS = (
    "the of and to a in that is was for page figure table method result number value measure model sample report paper "
    "author river from with under water small large first second shows gives changes follows between early later long "
    "short many few every other same new old high low bridge garden letter winter morning village teacher student"
)
PROCESSES = {"pipelines.stages.coordinator": "coordinator", "pipelines.workers.reader": "reader"}
POLL_S = 0.05


def write_texts(folder: Path, num_samples: int) -> None:
    """JSONL files of short texts that all differ."""
    folder.mkdir(parents=True)
    chance, words = random.Random(num_samples), WORDS.split()
    for first in range(0, num_samples, SAMPLES_A_FILE):
        rows = []
        for number in range(first, min(first + SAMPLES_A_FILE, num_samples)):
            sentences = [" ".join(chance.choices(words, k=12)).capitalize() for _ in range(8)]
            rows.append(json.dumps({"text": ". ".join([f"Report {number}", *sentences, ""]).strip()}))
        (folder / f"{first:08d}.jsonl").write_text("\n".join(rows))


def own_memory(pid: int) -> dict[str, int]:
    """Bytes of memory that is a process's own: all, and what no file backs."""
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, size = line.split()[:2]
        sizes[name] = int(size) * 1024
    return {"own": sizes["Private_Clean:"] + sizes["Private_Dirty:"], "anonymous": sizes["Anonymous:"]}


def peaks_mb(folder: Path, num_samples: int, workers: int) -> dict[str, float]:
    """Peaks of `own_memory` in MB, by what a process is and the kind of memory."""
    write_texts(folder / "in", num_samples)
    line = [sys.executable, "-m", "pipelines.run", "--source", "text", "--input", str(folder / "in")]
    line += ["--output", str(folder / "out"), "--workers", str(workers), "--set", "items_per_unit=64"]
    found: Counter[str] = Counter()
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            members = {process.pid: "command"}
            for member in psutil.Process(process.pid).children(recursive=True):
                try:
                    known = [name for module, name in PROCESSES.items() if module in member.cmdline()]
                except psutil.Error:  # it ended just now
                    continue
                members |= dict.fromkeys([member.pid] if known else [], *known)
            for pid, name in members.items():
                with suppress(OSError, KeyError):  # it ended just now
                    for kind, size in own_memory(pid).items():
                        found[f"{name}, {kind}"] = max(found[f"{name}, {kind}"], size)
            time.sleep(POLL_S)
        assert process.stderr is not None
        told = process.stderr.read()
    if process.returncode:
        raise SystemExit(f"the run failed: {told}")
    return {name: round(value / 1e6, 1) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    result: dict[int, dict[str, float]] = {}
    for num_samples in args.samples:
        with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as folder:
            result[num_samples] = peaks_mb(Path(folder), num_samples, args.workers)
        print(f"{num_samples:,} samples: {result[num_samples]} MB", flush=True)
    first, last = result[args.samples[0]], result[args.samples[-1]]
    print("growth:", {name: round(last[name] / first[name], 2) for name in first})
    print(json.dumps(result))


if __name__ == "__main__":
    main()
