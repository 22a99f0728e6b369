"""Faults of the surroundings: whole runs with real signals, damaged files and a failing store end in the same bytes."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipelines.commands import verify
from pipelines.storage import Storage
from tests.conftest import ROOT, Command
from tests.corpus import digests, write_pdf
from tests.emulators import Emulator
from tests.store_proxy import BROKEN, CUT, store_proxy

pytestmark = pytest.mark.slow

SETTINGS = ("--set", "items_per_unit=5", "--workers", "2")
# One after the other to readers that are at work; the coordinator is killed in between.
SIGNALS = (
    *(signal.SIGKILL, signal.SIGSEGV, signal.SIGALRM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL),
    *(signal.SIGSTOP, signal.SIGKILL),
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    for number in range(5):
        write_pdf(folder / f"{number}.pdf", 10, f"Report {number}", words_a_page=400)
    for number in range(3):
        write_pdf(folder / f"page-{number}.pdf", 1 + number, f"Page {number}", words_a_page=400)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    return folder


@pytest.fixture(scope="module")
def undisturbed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run that nothing happens to."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    done = subprocess.run(_line(inputs, out), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "MB in" in done.stdout.splitlines()[-1]  # the size of the staging folder
    return out


def _line(inputs: Path, out: Path) -> list[str]:
    arguments = ["--input", str(inputs), "--output", str(out), *SETTINGS]
    return [sys.executable, "-m", "pipelines.run", "--source", "pdfs", *arguments]


def _running(process: psutil.Process, module: str) -> list[psutil.Process]:
    found = []
    for each in process.children(recursive=True):
        try:
            if module in each.cmdline():
                found.append(each)
        except psutil.Error:  # it ended just now
            continue
    return found


def test_readers_and_coordinators_that_are_killed_cost_nothing(inputs: Path, undisturbed: Path, tmp_path: Path) -> None:
    out, temporary = tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    process = subprocess.Popen(
        _line(inputs, out), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    family, chance = psutil.Process(process.pid), random.Random(19)
    pending, num_parts = list(SIGNALS), 0
    while process.poll() is None and pending:
        made = len(list(out.glob(".staging/parts/*/*/*.arrow")))
        readers = _running(family, "pipelines.workers.reader")
        if made > num_parts and readers:
            num_parts = made
            chance.choice(readers).send_signal(pending.pop(0))
            if len(pending) == 3:
                for coordinator in _running(family, "pipelines.stages.coordinator"):
                    coordinator.kill()
        time.sleep(0.01)
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert len(pending) < 3, "the run was over before it was disturbed"
    assert "it is started again" in errors
    assert "were damaged" not in said
    assert digests(out) == digests(undisturbed)
    assert list(temporary.iterdir()) == []


def test_damaged_staged_files_are_made_again_and_an_output_is_repaired(
    inputs: Path, undisturbed: Path, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out)
    assert verify.main([str(out)]) == 0
    parts = sorted(out.glob(".staging/parts/*/*/*.arrow"))
    scores = sorted(out.glob(".staging/scores/*/*/*.arrow"))
    data = parts[0].read_bytes()
    parts[0].write_bytes(b"")
    parts[1].write_bytes(parts[1].read_bytes()[:5000])
    parts[2].write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    scores[-1].write_bytes(scores[-1].read_bytes()[:-1])
    for path in out.glob(".staging/taxonomy/*/use_cases.json"):
        path.write_bytes(b"{}")
    assert verify.main([str(out)]) == 1
    assert capsys.readouterr().out.count(".arrow: is damaged: ") == 4
    done = command("--input", inputs, "--output", out, *SETTINGS)
    assert done.returncode == 0, done.stderr
    assert "4 files of the staging folder were damaged, and were made again" in done.stdout
    assert "3 parts made" in done.stdout
    assert digests(out) == digests(undisturbed)

    (shard,) = out.glob("data/train-*.parquet")
    with shard.open("r+b") as file:
        file.seek(3000)
        file.write(b"damaged")
    (out / "ledger/left-over.parquet").write_bytes(b"")
    (out / "README.md").unlink()
    parts[0].write_bytes(b"")
    assert verify.main([str(out)]) == 1
    found = capsys.readouterr().out
    assert "does not have the digest of the manifest" in found
    assert "left-over.parquet: is not in the manifest" in found
    assert "README.md: is missing or empty" in found
    assert verify.main([str(out), "--repair"]) == 0
    assert digests(out) == digests(undisturbed)
    assert (out / "README.md").read_bytes() == (undisturbed / "README.md").read_bytes()


FAILS_ONCE = """
import sys
if any("pipelines.stages.coordinator" in argument for argument in sys.orig_argv):
    import os
    import pipelines.stages.decide as decide
    work = decide.Decide.work
    def fail_once(self, *arguments, **sides):
        try:
            os.close(os.open("{flag}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return work(self, *arguments, **sides)
        raise OSError(5, "Input/output error")
    decide.Decide.work = fail_once
"""


def test_a_failed_step_is_tried_again_and_settings_end_the_run(
    command: Command, inputs: Path, undisturbed: Path, tmp_path: Path
) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(FAILS_ONCE.format(flag=tmp_path / "flag"))
    out = tmp_path / "out"
    hook = {"PYTHONPATH": f"{tmp_path / 'hook'}{os.pathsep}{ROOT}"}
    done = command("--input", inputs, "--output", out, *SETTINGS, env=hook)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "flag").exists()
    assert digests(out) == digests(undisturbed)

    # Another run of the output is refused, and leaves the log and the temporary folder as they are.
    before = (out / ".staging/log.txt").read_bytes()
    assert b"a step failed and is tried again" in before
    with Storage(str(out)).lock():
        refused = command("--input", inputs, "--output", out, *SETTINGS)
    assert refused.returncode == 1
    assert "is in use by process" in refused.stderr
    assert (out / ".staging/log.txt").read_bytes() == before
    assert list(out.glob(".staging/log-*")) == []

    few = tmp_path / "few"
    few.mkdir()
    shutil.copy(inputs / "page-0.pdf", few)
    for number in range(2):
        (few / f"broken-{number}.pdf").write_bytes(b"%PDF-1.7 broken" + bytes([number]))
    done = command("--input", few, "--output", out, *SETTINGS, "--set", "output.keep_staging=false")
    assert done.returncode == 3
    assert "2 of 3 inputs failed, a larger share than limits.max_failed_share (0.5)" in done.stderr
    assert "staging: removed" in done.stdout
    assert {path.name for path in (out / ".staging").iterdir()} <= {"lock", "log.txt", "progress"}
    allowed = command("--input", few, "--output", out, *SETTINGS, "--set", "max_failed_share=0.7")
    assert allowed.returncode == 0, allowed.stderr


def _keys(emulator: Emulator) -> list[str]:
    return emulator.keys()


def _run_on(proxy_url: str, emulator: Emulator, out: str) -> "subprocess.CompletedProcess[str]":
    options = [f"--s3_endpoint_url={proxy_url}", *emulator.options[1:]]
    line = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", *SETTINGS, *options]
    line += ["--input", f"{emulator.uri}/in", "--output", f"{emulator.uri}/{out}"]
    environment = {**os.environ, "AWS_ENDPOINT_URL_S3": proxy_url}
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def test_faults_of_a_store_are_waited_for_and_are_never_error_rows(s3: Emulator, tmp_path: Path) -> None:
    for number in range(3):
        path = write_pdf(tmp_path / f"{number}.pdf", 6, f"Report {number}", words_a_page=200)
        s3.put(f"in/{number}.pdf", path.read_bytes())
    with store_proxy(s3.environment["AWS_ENDPOINT_URL_S3"]) as proxy:
        chance, faults = random.Random(5), itertools.cycle([503, BROKEN, CUT, 500, 429])

        def sometimes(method: str, path: str) -> int | None:
            return next(faults) if chance.random() < 0.15 else None

        proxy.plan = sometimes
        disturbed = _run_on(proxy.url, s3, "disturbed")
        assert disturbed.returncode == 0, disturbed.stderr
        assert len(proxy.faults) > 20

        # Inputs that cannot be fetched because of the store fail the run, and publish nothing.
        proxy.plan = lambda method, path: (
            403 if method == "GET" and "/in/" in path and "list-type" not in path else None
        )
        refused = _run_on(proxy.url, s3, "refused")
        assert refused.returncode == 1
        assert "credentials for s3://vellum are not valid" in refused.stderr
        assert not [key for key in _keys(s3) if key == "refused/manifest.json"]

        proxy.plan = lambda method, path: None
        assert _run_on(proxy.url, s3, "undisturbed").returncode == 0
    outputs = [
        {key.partition("/")[2]: s3.get(key) for key in _keys(s3) if key.startswith(f"{out}/") and ".staging" not in key}
        for out in ("disturbed", "undisturbed")
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) >= 5
