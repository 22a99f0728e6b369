"""The script for a lent GPU, whole at a small size on a CPU, on a machine that has only what such a machine has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
ABSENT = ("accelerate", "apache_beam", "pydantic", "pymupdf", "fitz", "matplotlib", "tensorboard")
BARE = f"""\
import sys
from importlib.machinery import PathFinder

real = PathFinder.find_spec

def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in {ABSENT} else real(name, path, target)

PathFinder.find_spec = staticmethod(find_spec)
"""


def run(output: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    bare = output.parent / "bare"
    bare.mkdir(exist_ok=True)
    (bare / "sitecustomize.py").write_text(BARE)
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--output", str(output), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(bare)}
    return subprocess.run(
        command, cwd=output.parent, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_every_part_runs_and_a_cut_loses_nothing(tmp_path: Path) -> None:
    output = tmp_path / "gpu"
    done = run(output, "--small", "--parts", "parity", "1.3b-hybrid", "train")
    logs = "".join(path.read_text() for path in output.glob("*.log"))
    assert done.returncode == 0, done.stderr + logs
    result = json.loads((output / "gpu.json").read_text())
    assert json.loads(done.stdout.splitlines()[-1]) == result
    assert result["parity"]["port"]["ours torch.float32"] < 1e-4
    assert result["parity"]["torch.float32"]["gradients"] < 1e-4
    speeds = result["1.3b-hybrid"]
    assert speeds["score eager"]["ratio"] > 0
    assert speeds["generate eager"]["rows=2"]["equal_tokens"] == 1
    assert result["train"]["plain, eager"]["ratio"] > 0
    assert "parity" not in (output / "gpu.svg").read_text()
    assert "1.3b-hybrid score eager" in (output / "gpu.svg").read_text()

    # Another call adds to the file. There is no time left for its part.
    without_time = run(output, "--small", "--parts", "7b", "--budget-s", "1")
    assert without_time.returncode == 1
    assert run(output, "--parts", "loop").returncode == 2
    kept = json.loads((output / "gpu.json").read_text())
    assert kept == {**result, "7b": {"ended": "not started: no time left"}}


def test_a_part_that_takes_too_long_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); import gpu\n"
    code += 'child = \'import subprocess; subprocess.run(["sleep", "600"])\'\n'
    code += "print(gpu._ended([sys.executable, '-c', child], {'PATH': '/usr/bin:/bin'}, open('log', 'w'), 1.0))\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "stopped after 1 s\n", done.stderr
    assert done.returncode == 0
