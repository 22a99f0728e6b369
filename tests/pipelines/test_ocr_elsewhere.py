"""Synthesized documents from texts in a bucket, on external workers, and after a kill: the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.storage import Storage
from tests.clusters import PortableCluster
from tests.conftest import ROOT
from tests.corpus import digests

pytestmark = pytest.mark.slow

NUM = 12
SETTINGS = ["--set", f"num_samples={NUM}", "--set", "items_per_unit=2", "--set", "side_px=640", "--workers", "2"]


def _shards(output: str) -> dict[str, str]:
    """sha256 of the output's files, as its manifest has them."""
    manifest = json.loads(Storage(output).read_bytes("manifest.json"))
    return {entry["path"]: entry["sha256"] for entry in manifest["files"]}


@pytest.mark.parametrize("store", ["gcs", "s3"])
def test_texts_and_output_in_a_bucket(
    store: str, request: pytest.FixtureRequest, tmp_path: Path, command: Callable, portable_cluster: PortableCluster
) -> None:
    emulator = request.getfixturevalue(store)
    stories = "\n\n".join(f"Lantern number {k} was lit by the keeper of the shore at dusk." for k in range(40))
    for place in (str(tmp_path), emulator.uri):
        Storage(place).write_bytes("texts/deep/a.txt", stories.encode())
        Storage(place).write_bytes("texts/b.jsonl", json.dumps({"text": stories}).encode())

    def run(place: str, output: str, *options: str) -> dict[str, str]:
        wanted = [*SETTINGS, "--input", f"{place}/texts", "--set", "kinds={book: 1}", "--set", "languages=[en]"]
        done = command(*wanted, "--output", output, *options, source="ocr")
        assert done.returncode == 0, done.stderr
        return _shards(output)

    here = run(str(tmp_path), str(tmp_path / "out"))
    assert run(emulator.uri, f"{emulator.uri}/out", *emulator.options) == here
    cluster = [*portable_cluster.options, *emulator.options]
    assert run(emulator.uri, f"{emulator.uri}/cluster", *cluster) == here


def test_a_killed_run_goes_on_from_its_parts(tmp_path: Path, command: Callable) -> None:
    assert command(*SETTINGS, "--output", tmp_path / "whole", source="ocr").returncode == 0
    killed = tmp_path / "killed"
    line = [sys.executable, "-m", "pipelines.run", "--source", "ocr", *SETTINGS, "--output", str(killed)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (parts := _parts(killed)):
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    done = command(*SETTINGS, "--output", killed, source="ocr")
    assert done.returncode == 0, done.stderr
    made, again = done.stdout.partition(" parts made, ")[::2]
    num_again = int(again.split()[0])
    assert len(parts) <= num_again < NUM // 2
    assert int(made.split()[-1]) == NUM // 2 - num_again
    assert _parts(killed).items() >= parts.items(), "a finished part was written again"
    assert digests(killed) == digests(tmp_path / "whole")


def _parts(output: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in output.glob(".staging/parts/*/*/*.arrow")}
