"""A run over web pages: the bundled site, and a run that is killed in the middle and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.rewriting.refit import old_recipe, plan
from pipelines.storage import Storage
from sources.web.capture import to_rows
from sources.web.segments import index, read_captures
from sources.web.tasks import TASKS
from tests.conftest import KINDS_OF_CHROMIUM, ROOT, Command
from tests.emulators import Emulator
from tests.sources.web.archives import HTML, warc
from tests.sources.web.hostile_site import Handler, html, serving

pytestmark = pytest.mark.slow

NUM_PAGES = 24


def _data(out: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(out.glob("data/*.parquet")) for row in pq.read_table(path).to_pylist()]


def _ledger(out: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(out.glob("ledger/*.parquet")) for row in pq.read_table(path).to_pylist()]


def _manifest(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return content


@pytest.fixture(scope="module")
def bundled(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], Path]:
    """The output of a run over the bundled site with a kind of Chromium, made once."""

    @cache
    def run(browser: str | None) -> Path:
        out = tmp_path_factory.mktemp("bundled") / "out"
        done = command("--output", out, *(["--set", f"browser={browser}"] if browser else []), source="web")
        assert done.returncode == 0, done.stderr
        return out

    return run


def test_the_bundled_site(bundled: Callable[[str | None], Path], chromium: str | None) -> None:
    out = bundled(chromium)
    manifest = _manifest(out)
    assert manifest["items"]["found"] == 12
    assert manifest["items"]["failed"] == 0
    rows = _data(out)
    assert {row["provenance"]["uri"] for row in rows} >= {"http://site.vellum.example/docs/"}
    assert {row["provenance"]["license"] for row in rows} == {"CC0-1.0"}
    assert all(row["provenance"]["fetched_at"] and row["label"]["use_case"] and row["images"] for row in rows)
    for row in rows:
        is_code = row["label"]["use_case"] == "conversion/image_to_code/ui"
        assert is_code == (row["messages"] is not None and "```html" in row["messages"][1]["content"])
        assert is_code == (row["scores"]["render_similarity"] is not None)
        assert is_code == (row["scores"]["code_tokens"] is not None)
    assert any(row["scores"]["render_similarity"] for row in rows)


@pytest.mark.skipif(len(KINDS_OF_CHROMIUM) < 2, reason="needs chromium and chromium-headless-shell")
def test_kinds_of_chromium_capture_the_same(bundled: Callable[[str | None], Path]) -> None:
    first, second = (_rows_of_captures(bundled(name)) for name in KINDS_OF_CHROMIUM)
    assert len(first) == 12 + 1  # pages, and what robots.txt says of sitemaps
    assert first == second


def _rows_of_captures(out: Path) -> list[dict[str, Any]]:
    """All captures of a run with their pictures and code, but without the times of the visits."""
    known = [found for folder in out.glob(".staging/captures/*/*") for found in index(folder).values()]
    rows: list[dict[str, Any]] = to_rows(list(read_captures(known))).drop_columns(["fetched_at", "digest"]).to_pylist()
    return sorted(rows, key=lambda row: str((row["url"], row["view"])))


def test_code_that_does_not_render_back_is_no_answer(command: Command, tmp_path: Path) -> None:
    """Such a page is about something else; with a lower limit of the source, the filter rejects its code."""
    out = tmp_path / "out"
    dark = "<main style='filter:invert(1);background:#fff'><h1>Dark</h1><p>What is dark was light before.</main>"
    with serving({"/good": html("<h1>Plain</h1><p>Words on a page.</p>"), "/dark": html(dark)}) as site:
        root = f"http://127.0.0.1:{site.server_port}"
        arguments = ["--input", f"{root}/good", f"{root}/dark", "--output", out, "--workers", "1", "--set", "delay_s=0"]
        arguments += ["--set", f"allow=['127.0.0.1:{site.server_port}']", "--set", "min_words.words=1"]
        arguments += ["--set", "min_ink.share=0.0001", "--set", "dedupe=null", "--set", "tasks={code: 1}"]

        def verdicts(*more: str) -> dict[str, dict[str, Any]]:
            done = command(*arguments, *more, source="web")
            assert done.returncode == 0, done.stderr
            return {row["uri"].rpartition("/")[2]: row for row in _ledger(out)}

        found = verdicts()
        asked = list(site.requests)
        assert {row["reason"] for row in found.values()} == {None}
        assert "task=code" in found["good"]["locator"]
        assert "task=text" in found["dark"]["locator"]
        assert "no_code:render_similarity" in found["dark"]["flags"]
        found = verdicts("--set", "min_similarity=0")
        assert (found["good"]["reason"], found["dark"]["reason"]) == (None, "render_similarity")
        assert 0 <= found["dark"]["scores"]["render_similarity"] < 0.85 < found["good"]["scores"]["render_similarity"]
        assert site.requests == asked  # nothing is fetched for other settings


def test_a_page_gives_several_samples_that_stay_together(command: Command, tmp_path: Path) -> None:
    """They are no duplicates of each other, those of a copy are all duplicates, and deciding again says the same."""
    out, lines = tmp_path / "out", "".join(f"<p>Line {k} of a page with a few more words.</p>" for k in range(12))
    first = f"<h1>A page</h1><a href='/elsewhere'>Elsewhere</a>{lines}"
    pages = {"/first": html(first), "/copy": html(first + "<!-- copied -->")}
    with serving(pages) as site:
        root = f"http://127.0.0.1:{site.server_port}"
        arguments = ["--input", f"{root}/first", f"{root}/copy", "--output", out, "--workers", "1", "--set", "depth=0"]
        arguments += ["--set", "delay_s=0", "--set", f"allow=['127.0.0.1:{site.server_port}']"]
        done = command(*arguments, "--set", "tasks_per_page=6", "--set", "keep_html=true", source="web")
    assert done.returncode == 0, done.stderr
    ledger, manifest = _ledger(out), _manifest(out)
    assert [row["locator"].rpartition("=")[2] for row in ledger] == 2 * list(TASKS[:5])
    kept = [row for row in ledger if row["verdict"] == "kept"]
    duplicates = [row for row in ledger if row["verdict"] == "duplicate"]
    assert len(kept) == len(duplicates) == 5
    assert {row["duplicate_of"] for row in duplicates} == {kept[0]["id"]}
    assert manifest["items"] == {"noun": "page", "found": 2, "failed": 0, "further_samples": 8}
    rows = _data(out)
    assert len({row["images"][0]["bytes"] for row in rows}) == 1
    (shown,) = {row["html"] for row in rows}
    assert shown in pages.values()  # which of the two equal ones is kept depends on the port
    assert "| `html` |" in (out / "README.md").read_text()
    assert {"link": "Elsewhere"}.items() <= {e["role"]: e["name"] for e in rows[1]["elements"]}.items()
    assert "of the 10 samples of the 2 pages" in (out / "README.md").read_text()
    storage = Storage(str(out))
    change = plan(storage, old_recipe(storage, manifest))
    assert (change.kept_before, change.kept, change.moves) == (5, 5, {})


def _slow(name: str) -> Callable[[Handler], None]:
    def page(handler: Handler) -> None:
        handler.server.ended.wait(0.15)
        handler.answer(
            html(f"<h1>Page {name}</h1><p>{name} and {name} again, and what else there is to say of it.</p>")
        )

    return page


def test_a_killed_run_fetches_no_captured_page_again(command: Command, tmp_path: Path) -> None:
    pages: dict[str, Any] = {f"/{k}": _slow(str(k)) for k in range(NUM_PAGES)}
    pages["/broken"] = lambda handler: handler.answer("", status=500)
    out = tmp_path / "out"
    with serving(pages) as site:
        root = f"http://127.0.0.1:{site.server_port}"
        seeds = tmp_path / "seeds.txt"
        seeds.write_text("# pages\n" + "".join(f"{root}{path}\n" for path in pages))
        arguments = ["--input", seeds, "--output", out, "--set", f"allow=['127.0.0.1:{site.server_port}']"]
        arguments += ["--set", "depth=0", "--set", "delay_s=0", "--set", "at_once=2", "--workers", "1"]
        arguments += ["--set", "code=false"]  # it takes longest, and is captured like all else
        arguments += ["--set", "dedupe=null", "--set", "min_words.words=1"]
        line = [sys.executable, "-m", "pipelines.run", "--source", "web", *map(str, arguments)]
        run = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 90
        while not list(out.glob(".staging/captures/*/*/*.arrow")):
            assert run.poll() is None
            assert time.monotonic() < deadline
            site.ended.wait(0.05)
        captured = _captured(out)
        run.send_signal(signal.SIGKILL)
        run.wait()
        _until_gone(out, deadline)
        captured |= _captured(out)
        assert 0 < len(captured) < len(pages)
        before = len(site.requests)
        done = command(*arguments, source="web")
        assert done.returncode == 0, done.stderr
        again = [path for path in site.requests[before:] if path not in ("/robots.txt", "/.well-known/tdmrep.json")]
        assert not captured & {root + path for path in again}
        assert captured | {root + path for path in again} == {root + path for path in pages}
    manifest = _manifest(out)
    assert manifest["items"] == {"noun": "page", "found": NUM_PAGES + 1, "failed": 1}
    assert manifest["failures"] == {"http_error": 1}
    (error,) = pq.read_table(next(out.glob("errors/*.parquet"))).to_pylist()
    assert (error["uri"], error["cause"]) == (f"{root}/broken", "http_error")
    assert manifest["samples"]["total"] == NUM_PAGES


def _captured(out: Path) -> set[str]:
    return {url for folder in out.glob(".staging/captures/*/*") for url, _ in index(folder)}


def _until_gone(out: Path, deadline: float) -> None:
    """Wait until the killed run's children have ended too: their pipes are closed, and the kernel tells them."""
    while any(str(out).encode() in _command_line(pid) for pid in os.listdir("/proc") if pid.isdigit()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1.5)


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.full
def test_captures_on_an_object_store_are_used_again(command: Command, gcs: Emulator, full: bool) -> None:
    if not full:
        pytest.skip("the emulator is slow; captures in folders are tested above")
    with serving({"/": html("<h1>Home</h1><a href='/2'>two</a>"), "/2": html("<h1>Second page</h1>")}) as site:
        place = f"127.0.0.1:{site.server_port}"
        arguments = ["--input", f"http://{place}/", "--output", f"{gcs.uri}/out", "--set", f"allow=['{place}']"]
        arguments += ["--set", "delay_s=0", "--set", "min_words.words=1", "--set", "dedupe=null", "--workers", "1"]
        done = command(*arguments, source="web", env=gcs.environment)
        assert done.returncode == 0, done.stderr
        assert sorted(site.requests) == ["/", "/.well-known/tdmrep.json", "/2", "/robots.txt"]
        stored = gcs.keys()
        assert any("/captures/" in key and key.endswith(".arrow") for key in stored)
        again = command(*arguments, "--set", "tasks={title: 1}", source="web", env=gcs.environment)
        assert again.returncode == 0, again.stderr
        assert sorted(site.requests) == ["/", "/.well-known/tdmrep.json", "/2", "/robots.txt"]
        assert "2 pages: 2 samples, 0 failed" in again.stdout


@pytest.mark.full
def test_archives_and_lists_in_a_bucket(command: Command, gcs: Emulator, tmp_path: Path, full: bool) -> None:
    """They are listed, estimated and shown as local ones are; a second run brings none of them."""
    if not full:
        pytest.skip("the emulator is slow; tests/sources/web/test_stores.py lists inputs in a store")
    lines = "<p>A line of a page of an archive in a bucket, and so on.</p>" * 12
    pages = [(f"http://a.test/{k}", html(f"<h1>Page {k}</h1>{lines}"), HTML) for k in range(3)]
    for name, archive in {"one.warc.gz": warc(pages[:2]), "two.warc.gz": warc(pages[2:])}.items():
        gcs.put(f"crawl/{name}", archive)
        (tmp_path / name).write_bytes(archive)
    settings = ["--set", "min_words.words=1", "--set", "dedupe=null", "--workers", "1"]
    arguments = ["--input", f"{gcs.uri}/crawl/*.warc.gz", "--output", tmp_path / "out", *settings]
    planned = command(*arguments, "--dry-run", source="web", env=gcs.environment)
    assert "3 pages" not in planned.stdout  # nothing is unpacked
    assert "from 1 archive: about" in planned.stdout, planned.stderr
    done = command(*arguments, source="web", env=gcs.environment)
    assert "3 pages: 3 samples, 0 failed" in done.stdout, done.stderr
    local = command("--input", tmp_path / "*.warc.gz", "--output", tmp_path / "local", *settings, source="web")
    assert "3 pages: 3 samples, 0 failed" in local.stdout, local.stderr
    rows = [{(row["id"], row["uri"], row["locator"]) for row in _ledger(tmp_path / name)} for name in ("out", "local")]
    assert rows[0] == rows[1]
    assert len(_data(tmp_path / "out")) == 3


def test_seeds_that_are_none(command: Command, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("not a url\n")
    done = command("--input", seeds, "--output", tmp_path / "out", source="web")
    assert done.returncode == 2
    assert "line 1: expected an http or https URL of at most 2000 characters" in done.stderr


def test_pages_that_a_small_site_leaves_go_to_another(command: Command, tmp_path: Path) -> None:
    """The sites share a browser, and what was fetched with the first shares is not fetched again."""
    many = "".join(f"<a href='/{k}'>page {k}</a> " for k in range(9))
    pages = {f"/{k}": html(f"<h1>Page {k}</h1>") for k in range(9)}
    with serving({"/": html(f"<h1>Large</h1>{many}"), "/alone": html("<h1>Small</h1>"), **pages}) as site:
        small, large = f"http://localhost:{site.server_port}/alone", f"http://127.0.0.1:{site.server_port}/"
        settings = {
            "max_pages": 8,
            "delay_s": 0,
            "code": "false",
            "allow": f"[localhost, 127.0.0.1:{site.server_port}]",
        }
        settings |= {"robots_sitemaps": "false", "ports": f"[{site.server_port}]"}
        arguments = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        out = tmp_path / "out"
        done = command("--input", small, "--input", large, "--output", out, *arguments, source="web")
        assert done.returncode == 0, done.stderr
    asked = [path for path in site.requests if path == "/alone" or path[1:].isdecimal() or path == "/"]
    assert sorted(asked) == ["/", "/0", "/1", "/2", "/3", "/4", "/5", "/alone"]
