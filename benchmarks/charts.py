"""Measure charts per second, from the command to its shards, against loops of matplotlib and vl-convert.

python benchmarks/charts.py [--charts 1500] [--workers 2]

A run makes data, picture, table, code, description and questions, checks legibility, and writes shards, ledger and
card; its start is included. The loops only draw a bar chart with eight bars, in as many processes.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
NAMES = [f"Name {k}" for k in range(8)]
INCHES, DPI = (8, 6), 100


def matplotlib_loop(num_charts: int) -> None:
    """Draw charts with pyplot in default settings, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for number in range(num_charts):
        figure, axes = plt.subplots(figsize=INCHES, dpi=DPI)
        axes.bar(NAMES, [(number + k) % 9 + 1 for k in range(8)])
        axes.set_title(f"Chart {number}")
        axes.set_xlabel("name")
        axes.set_ylabel("value (kg)")
        figure.savefig(io.BytesIO())
        plt.close(figure)


def vega_loop(num_charts: int) -> None:
    """Draw the same charts with vl-convert, as PNG."""
    import vl_convert

    for number in range(num_charts):
        values = [{"name": name, "value": (number + k) % 9 + 1} for k, name in enumerate(NAMES)]
        encoding = {"x": {"field": "name", "type": "nominal"}, "y": {"field": "value", "type": "quantitative"}}
        size = {"width": INCHES[0] * DPI, "height": INCHES[1] * DPI}
        vl_convert.vegalite_to_png({"data": {"values": values}, "mark": "bar", "encoding": encoding, **size})


def loop_rate(loop: Callable[[int], None], num_charts: int, workers: int) -> float:
    """Return charts per second of `workers` processes, after a warm-up."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(loop, [2] * workers))
        since = time.perf_counter()
        list(pool.map(loop, [num_charts // workers] * workers))
        return num_charts // workers * workers / (time.perf_counter() - since)


def our_rate(num_charts: int, workers: int, *settings: str) -> tuple[float, float]:
    """Return charts per second of a whole run, and without its start (the second part of a longer run)."""
    command = [sys.executable, "-m", "pipelines.run", "--source", "charts", "--workers", str(workers)]
    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for count in (64 * workers, num_charts):
            options = [f"num_samples={count}", "seed=1", *settings]
            since = time.perf_counter()
            subprocess.run(
                [*command, "--output", f"{folder}/{count}", *(part for o in options for part in ("--set", o))],
                check=True, cwd=ROOT, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            seconds.append(time.perf_counter() - since)
    return num_charts / seconds[1], (num_charts - 64 * workers) / (seconds[1] - seconds[0])


def cpu_ms(num_charts: int) -> dict[str, float]:
    """Return CPU milliseconds per chart in one process, alternating with matplotlib; robust against other load."""
    from sources.charts import Charts

    charts = {"ours": Charts(seed=1), "ours, matplotlib only": Charts(seed=1, vega_share=0)}
    for source in charts.values():
        source.make(0, source.digest)
    matplotlib_loop(2)
    spent = dict.fromkeys([*charts, "matplotlib loop"], 0.0)
    batch = 20
    for first in range(0, num_charts, batch):
        for name, source in charts.items():
            since = time.process_time()
            for number in range(first, first + batch):
                source.make(number, source.digest)
            spent[name] += time.process_time() - since
        since = time.process_time()
        matplotlib_loop(batch)
        spent["matplotlib loop"] += time.process_time() - since
    num_made = -(-num_charts // batch) * batch
    return {name: seconds / num_made * 1000 for name, seconds in spent.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--charts", type=int, default=1500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cpu-only", action="store_true", help="CPU time in one process, no runs")
    args = parser.parse_args()
    if args.cpu_only:
        print(json.dumps({name: round(value, 1) for name, value in cpu_ms(args.charts).items()}))
        return
    result: dict[str, Any] = {"charts": args.charts, "workers": args.workers}
    few = max(60, args.charts // 8)
    result["matplotlib loop, before"] = loop_rate(matplotlib_loop, few, args.workers)
    result["ours"], result["ours without start"] = our_rate(args.charts, args.workers)
    result["ours, matplotlib only"], _ = our_rate(args.charts, args.workers, "vega_share=0")
    result["matplotlib loop, after"] = loop_rate(matplotlib_loop, few, args.workers)
    result["vl-convert loop"] = loop_rate(vega_loop, few, args.workers)
    bare = (result["matplotlib loop, before"] + result["matplotlib loop, after"]) / 2
    result["ours / matplotlib loop"] = result["ours"] / bare
    result["ours / vl-convert loop"] = result["ours"] / result["vl-convert loop"]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        spent = pool.submit(cpu_ms, few).result()
    result |= {f"CPU ms per chart, {name}": value for name, value in spent.items()}
    result["matplotlib loop / ours, CPU"] = spent["matplotlib loop"] / spent["ours"]
    result = {name: round(value, 2) if isinstance(value, float) else value for name, value in result.items()}
    for name, value in result.items():
        print(f"{name}: {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
