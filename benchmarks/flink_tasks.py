"""Vertices and tasks that the jobs of some recipes have on a Flink cluster, counted as soon as a job is accepted.

    FLINK_HOME=FOLDER python -m benchmarks.flink_tasks [pdfs web text mixture everything]

`web` has two sites, between which budgets move. `text` is compared with an evaluation set of texts. `mixture` has
shares and no evaluation set. `everything` has shares, such a set, and numbers of samples for use cases.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.recipe import RECIPES
from tests.flink import FlinkCluster, flink

PARALLELISM = 2  # of the cluster's options
WAIT_S = 240


def recipes(folder: Path) -> dict[str, dict[str, Any]]:
    """Recipes by name, with inputs that exist and that nobody reads."""
    (folder / "page.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / "texts.jsonl").write_text('{"text": "one"}\n')
    pq.write_table(pa.table({"question": [" ".join(f"word{k}" for k in range(30))]}), folder / "set.parquet")
    pdfs = {"type": "pdfs", "input": [str(folder / "page.pdf")]}
    text = {"type": "text", "input": [str(folder / "texts.jsonl")]}
    web = {"type": "web", "input": ["https://a.example/", "https://b.example/"], "max_pages": 8}
    common = {"dedupe": {"radius": 32, "text_similarity": 0.8}, "taxonomy": {"labeller": None}}
    with_texts = {**common, "decontaminate": [str(folder / "set.parquet")]}
    mixture = {"sources": [pdfs, text], "mixture": {"shares": {"pdfs": 0.5, "text": 0.5}}}
    return {
        "web": {"sources": [web], **common},
        "text": {"sources": [text], **with_texts},
        "mixture": {**mixture, **common},
        "everything": {**mixture, **with_texts, "taxonomy": {"labeller": None, "samples": 100}},
    }


def num_vertices(cluster: FlinkCluster, line: list[str]) -> int:
    """Submit a job, count the vertices, and cancel it. Raises RuntimeError if it is not accepted."""
    known = {job["jid"] for job in cluster.ask("/jobs/overview")["jobs"]}
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as run:
        try:
            deadline_s = time.monotonic() + WAIT_S
            while time.monotonic() < deadline_s and run.poll() is None:
                for name in {job["jid"] for job in cluster.ask("/jobs/overview")["jobs"]} - known:
                    number = len(cluster.ask(f"/jobs/{name}")["vertices"])
                    if not number:  # it is being laid out
                        continue
                    request = urllib.request.Request(f"{cluster.rest}/jobs/{name}?mode=cancel", method="PATCH")
                    urllib.request.urlopen(request, timeout=10).close()
                    return number
                time.sleep(0.2)
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
    assert run.stderr is not None
    raise RuntimeError(f"no job was accepted: {run.stderr.read().decode()[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["pdfs", "web", "text", "mixture", "everything"])
    args = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as name:
        folder = Path(name)
        made = recipes(folder)
        with flink(folder, Path(os.environ["FLINK_HOME"]) / "lib", num_task_managers=1) as cluster:
            for recipe in args.names:
                path, more = RECIPES / f"{recipe}.yaml", ["--input", str(folder / "page.pdf")]
                if recipe in made:
                    path, more = folder / f"{recipe}.yaml", []
                    path.write_text(json.dumps({"name": recipe, **made[recipe]}))
                line = [sys.executable, "-m", "pipelines.run", "--recipe", str(path), *more]
                number = num_vertices(cluster, [*line, "--output", str(folder / recipe), *cluster.options])
                found[recipe] = {"vertices": number, "tasks": number * PARALLELISM}
                print(f"{recipe}: {found[recipe]}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
