"""DeepSeek-VL in a run: the same bytes from a model here and from a server that is slowed, killed and restarted."""

import http.client
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.commands.refit import main as refit
from pipelines.job import Job
from pipelines.stages.graph import build
from pipelines.storage.arrow_file import write_table
from sources.base.sample import to_part
from taxonomy.loader import BUNDLED as BUNDLED_TAXONOMY
from taxonomy.loader import load as load_taxonomy
from tests.conftest import ROOT, Command
from tests.corpus import write_pdf
from tests.deepseek_vl.serving import KEY, serve
from tests.filters.judging import sample, write_model

pytestmark = pytest.mark.slow

AXES = """\
axes:
  agreement:
    question: {en: "{text} Is it written here?", zh: "{text}图中写了什么？"}
  size:
    question: {en: "How large is it?", zh: "多大？"}
"""
THIRD = """\
  upright:
    question: {en: "Is it upright?", zh: "正吗？"}
"""
SETTINGS = ["--set", "side_px=640", "--set", "items_per_unit=4", "--workers", 1]
KEYED = {"VELLUM_API_KEY": KEY}


class Gate(ThreadingHTTPServer):
    """The address of a server that changes behind it: it slows the second request, and kills the server at the third.

    Args:
        folder: the model's.
    """

    daemon_threads = True

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), Through)
        self.folder, self.bodies = folder, list[Any]()
        self.disturbs = False
        self.stack = ExitStack()
        self.lock = threading.Lock()
        self.start()

    def start(self) -> None:
        self.behind, self.process = self.stack.enter_context(serve(self.folder))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def disturb(self, number: int) -> None:
        if number == 2:
            time.sleep(0.5)
        if number == 3:
            self.process.kill()
            threading.Thread(target=self.start).start()


class Through(BaseHTTPRequestHandler):
    """Passes requests on, and breaks the connection if nobody answers behind the gate."""

    server: Gate

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        with self.server.lock:
            if body and self.server.disturbs:
                self.server.bodies.append(json.loads(body))
                self.server.disturb(len(self.server.bodies))
        behind = http.client.HTTPConnection(urlsplit(self.server.behind).netloc)
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
        try:
            behind.request(self.command, self.path, body, headers)
            response = behind.getresponse()
            content = response.read()
        except OSError:
            return
        self.send_response(response.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def gate(model: Path) -> Iterator[Gate]:
    with Gate(model) as made, made.stack:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    write_pdf(folder / "report.pdf", 5, "Report", words_a_page=30)
    write_pdf(folder / "note.pdf", 1, "Note", words_a_page=12)
    return folder


def tables(out: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(out)): p.read_bytes() for part in ("data", "ledger") for p in sorted((out / part).iterdir())
    }


def test_a_server_that_is_disturbed_gives_the_bytes_of_a_model_here(
    model: Path, gate: Gate, inputs: Path, command: Command, tmp_path: Path
) -> None:
    axes = tmp_path / "axes.yaml"
    axes.write_text(AXES, "utf-8")
    common = ["--input", inputs, *SETTINGS, "--set", f"deepseek_vl.axes={axes}", "--set", "deepseek_vl.batch=2"]
    here = command(*common, "--output", tmp_path / "here", "--set", f"deepseek_vl.model={model}")
    assert here.returncode == 0, here.stderr
    assert "6 samples scored, 0 scores used again" in here.stdout
    assert "dollars" not in here.stdout

    gate.disturbs = True
    served = ["--set", f"deepseek_vl.endpoint={gate.url}", "--set", "deepseek_vl.in_flight=1"]
    there = command(*common, *served, "--output", tmp_path / "there", env=KEYED)
    assert there.returncode == 0, there.stderr
    assert "6 samples scored" in there.stdout
    assert gate.process.poll() is None
    assert len(gate.bodies) > 6  # the probes, three batches, and what was asked again
    assert tables(tmp_path / "here") == tables(tmp_path / "there")
    rows = pq.read_table(tmp_path / "here" / "ledger").to_pylist()
    assert len({row["scores"]["agreement"] for row in rows}) == 6

    # A new axis asks its own question alone, of what cheap filters keep and the share holds; a threshold asks nothing.
    axes.write_text(AXES + THIRD, "utf-8")
    gate.bodies.clear()
    gate.disturb = lambda number: None  # type: ignore[method-assign]
    shortest, longer, *_ = sorted(row["scores"]["num_chars"] for row in rows)
    assert shortest < longer
    cheap = ["--set", f"text_length.min_chars={int(longer)}", "--set", "deepseek_vl.skip_rejected=true"]
    more = command(
        *common, *served, *cheap, "--set", "deepseek_vl.min_scores.size=0.999", "--output", tmp_path / "here", env=KEYED
    )
    assert more.returncode == 0, more.stderr
    assert "5 samples scored, 0 scores used again, 1 skipped" in more.stdout
    asked = [[q["text"] for q in item["questions"]] for body in gate.bodies for item in body["items"] if item["images"]]
    assert asked.count(["Is it upright?"]) >= 5
    assert not any(len(of_item) > 1 for of_item in asked if "How large is it?" in of_item[0])
    rows = pq.read_table(tmp_path / "here" / "ledger").to_pylist()
    skipped = [row for row in rows if "deepseek_vl_skipped_rejected" in row["flags"]]
    assert [row["reason"] for row in skipped] == ["short_text"]
    assert skipped[0]["scores"]["agreement"] is None
    assert {row["reason"] for row in rows if row not in skipped} == {"size"}
    assert "size < 0.999" in (tmp_path / "here" / "README.md").read_text()


LABELLED = """\
name: labelled
sources: [{{type: pairs, input: ['{folder}/rows.jsonl']}}]
filters: [{{type: deepseek_vl, batch: 2, in_flight: 1, use_cases: true, axes: '{folder}/axes.yaml', {judge}}}]
taxonomy: {{labeller: null, threshold: 0}}
output: {{validation: 0.3}}
"""
LIKELIHOOD = """\
axes:
  agreement: {score: likelihood, compare_without_images: true}
  size: {question: {en: "How large is it?", zh: "多大？"}}
"""


def _pairs(folder: Path) -> None:
    rows = []
    for k in range(6):
        (folder / f"{k}.png").write_bytes(sample(k, "").images[0].data)
        rows.append(json.dumps({"image": f"{k}.png", "caption": f"Picture {k} of the set."}))
    (folder / "rows.jsonl").write_text("\n".join(rows), "utf-8")
    (folder / "axes.yaml").write_text(LIKELIHOOD, "utf-8")


def test_a_server_that_goes_silent_ends_a_run_that_goes_on_and_is_refitted(
    model: Path, gate: Gate, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pairs(tmp_path)

    def run(name: str, judge: str, *more: str) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "recipe.yaml").write_text(LABELLED.format(folder=tmp_path, judge=judge), "utf-8")
        arguments = ["--recipe", tmp_path / "recipe.yaml", "--output", tmp_path / name, "--workers", "1", *more]
        return command(*arguments, source=None, env=KEYED)

    speaks = threading.Event()

    def falls_silent(number: int) -> None:
        if number > 9:  # the probes of choices and texts, and a batch or two
            speaks.wait(60)

    gate.bodies.clear()
    gate.disturbs = True
    monkeypatch.setattr(gate, "disturb", falls_silent)
    served = f"endpoint: ['{gate.url}'], timeout_s: 1, give_up_s: 2"
    silent = run("there", served)
    speaks.set()
    assert silent.returncode != 0
    assert "does not answer within 1 s" in silent.stderr
    assert "nothing was rejected for that" in silent.stderr
    assert not (tmp_path / "there" / "manifest.json").exists()

    again, here = run("there", served), run("here", f"model: '{model}', threads: 1, device: cpu")
    assert (again.returncode, here.returncode) == (0, 0), again.stderr + here.stderr
    assert tables(tmp_path / "there") == tables(tmp_path / "here")
    rows = pq.read_table(tmp_path / "there" / "ledger").to_pylist()
    assert {row["label"]["labeller"] for row in rows} == {"deepseek_vl"}
    leaves = set(load_taxonomy(BUNDLED_TAXONOMY).leaves)
    assert {row["label"]["use_case"] for row in rows} <= leaves

    # The threshold of a likelihood, by a refit and by a run.
    middle = sorted(row["scores"]["agreement"] for row in rows)[3]
    assert refit([str(tmp_path / "there"), "--set", f"agreement.threshold={middle}"]) == 2, "no bound has that name yet"
    assert refit([str(tmp_path / "there"), "--set", f"deepseek_vl.min_scores.agreement={middle}"]) == 0
    bounded = run("here", f"model: '{model}', threads: 1, device: cpu, min_scores: {{agreement: {middle}}}")
    assert bounded.returncode == 0, bounded.stderr
    assert tables(tmp_path / "there") == tables(tmp_path / "here")
    kept = [
        row["scores"]["agreement"]
        for row in pq.read_table(tmp_path / "there" / "ledger").to_pylist()
        if not row["reason"]
    ]
    assert len(kept) == 3
    assert min(kept) == middle


def test_a_plan_says_what_judging_costs(model: Path, inputs: Path, command: Command) -> None:
    share = ["--set", f"deepseek_vl.model={model}", "--set", "deepseek_vl.sample=0.5"]
    plan = command("--input", inputs, *SETTINGS, *share, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "samples/s here, measured on 5; about 3 samples take" in plan.stdout
    assert "h100: about" in plan.stdout


def test_only_this_step_asks_for_an_accelerator() -> None:
    accelerator = "type:nvidia-l4;count:1;install-nvidia-driver"
    judge = {"type": "deepseek_vl", "model": "m", "accelerator": accelerator, "min_ram": "16GB"}
    recipe = {"sources": [{"type": "pdfs"}], "filters": [judge]}
    pipeline = beam.Pipeline()
    build(pipeline, Job(recipe=json.dumps(recipe), output="/nowhere", run="0"))
    components = pipeline.to_runner_api().components
    hints = {
        transform.unique_name.rpartition("/")[2]: dict(components.environments[transform.environment_id].resource_hints)
        for transform in components.transforms.values()
        if transform.environment_id
    }
    accelerated = {name for name, of_step in hints.items() if "beam:resources:accelerator:v1" in of_step}
    assert accelerated == {"Score deepseek_vl"}
    assert hints["Score deepseek_vl"]["beam:resources:accelerator:v1"].decode() == accelerator


SHARING = """\
import sys
from pathlib import Path

from fragile import Fragile

from pipelines.recipe_file import build_recipe
from pipelines.registry import FILTERS
from pipelines.stages.shared_pool import shared
from pipelines.workers.pool import program_of
from pipelines.workers.protocol import ScoreRows

FILTERS[Fragile.name] = Fragile
filters = [{"type": "fragile", "log": sys.argv[2]}]
recipe = build_recipe({"sources": [{"type": "pdfs"}], "filters": filters})
pool = shared(program_of(recipe, recipe.filters[0]), 1, sys.argv[3])
print(pool.ask(ScoreRows(part=Path(sys.argv[1]), rows=(0, 1), names=("letters",))).values, flush=True)
input()
"""


def test_the_workers_of_a_machine_share_a_model(tmp_path: Path) -> None:
    part, log = tmp_path / "part", tmp_path / "log"
    write_table(pa.Table.from_batches([to_part([sample(1, "three e: eee"), sample(2, "none")])]), part)
    line = [sys.executable, "-c", SHARING, str(part), str(log), f"test-{secrets.token_hex(4)}"]
    fragile = os.pathsep.join([str(Path(__file__).parent / "fragile_filter"), str(ROOT)])
    how: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    workers = [subprocess.Popen(line, env={**os.environ, "PYTHONPATH": fragile}, **how) for _ in range(2)]
    try:
        answers = [worker.stdout.readline() for worker in workers if worker.stdout is not None]
    finally:
        for worker in workers:
            worker.communicate("\n", timeout=60)
    assert answers == ["[(6.0,), (1.0,)]\n"] * 2
    assert len({entry.split()[0] for entry in log.read_text().splitlines()}) == 1
    assert not list(Path(tempfile.gettempdir()).glob(f"vellum-{line[-1]}*"))
