"""A reader that a hostile file has taken over: it reaches no network, and no file but its input and its scratch."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.recipe import Recipe
from pipelines.recipe_file import build_recipe
from pipelines.workers import confinement
from pipelines.workers.pool import ReaderPool, readers_of
from pipelines.workers.protocol import InspectInputs

pytestmark = pytest.mark.skipif(confinement._version() < 1, reason="the kernel has no Landlock")
HOSTILE = Path(__file__).parent / "hostile_reader"


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folders `input`, `elsewhere`, `scratch` and `temporary`, and a port that somebody listens on."""
    for name in ("input", "elsewhere", "staging/tmp", "temporary"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "input/a.txt").write_text("the input")
    (tmp_path / "elsewhere/secret").write_text("a secret")
    monkeypatch.syspath_prepend(str(HOSTILE))
    monkeypatch.setenv("VELLUM_HOSTILE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv(confinement.SCRATCH, str(tmp_path / "staging/tmp"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("VELLUM_PORT", str(server.getsockname()[1]))
        yield tmp_path


def _told(recipe: Recipe, path: Path) -> dict[str, Any]:
    pool: ReaderPool = readers_of(recipe, 1)
    try:
        with pool.reader() as reader:
            (found,) = reader.ask(InspectInputs(source=0, paths=(path,))).found
            reader.stop()
    finally:
        pool.stop()
    assert found.cause == "hostile", found
    told: dict[str, Any] = json.loads(found.message)
    return told


def _recipe(*inputs: Path | str) -> Recipe:
    return build_recipe({"sources": [{"type": "text", "input": [str(each) for each in inputs]}]})


def test_a_hostile_reader_reaches_nothing_but_its_own(planted: Path) -> None:
    told = _told(_recipe(planted / "input"), planted / "input/a.txt")
    assert told["content"] == "the input"
    assert set(told["good"].values()) == {"done"}, told["good"]
    assert set(told["bad"].values()) <= {"PermissionError", "CalledProcessError"}, told["bad"]
    assert (planted / "elsewhere/secret").read_text() == "a secret"
    assert os.listdir(planted / "elsewhere") == ["secret"]


def test_inputs_are_read_through_patterns_lists_and_links(planted: Path) -> None:
    (planted / "far").mkdir()
    (planted / "far/b.txt").write_text("far away")
    (planted / "input/b.txt").symlink_to(planted / "far/b.txt")
    (planted / "list").write_text(f"{planted}/far/b.txt\n")
    told = _told(_recipe(f"{planted}/input/*.txt", f"@{planted}/list"), planted / "far/b.txt")
    assert told["content"] == "far away"
    assert "done" not in told["bad"].values()
    assert str(planted / "far/b.txt") in list(confinement._linked([str(planted / "input")]))


def test_what_is_not_confined_is_said() -> None:
    assert confinement.gaps(_recipe("x.txt")) == []
    (sentence,) = confinement.gaps(build_recipe({"sources": [{"type": "web"}]}))
    assert "Chromium" in sentence
    pairs = {"type": "pairs", "http": True, "columns": {"image_url": "url"}}
    (sentence,) = confinement.gaps(build_recipe({"sources": [pairs]}))
    assert "network" in sentence


def test_a_kernel_without_landlock_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "_version", lambda: -1)
    (sentence,) = confinement.gaps(_recipe("x.txt"))
    assert "no Landlock" in sentence
