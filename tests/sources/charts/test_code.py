"""Emitted code draws the picture of its sample."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sources.charts import Charts
from sources.charts.chart import GraphChart
from sources.charts.drawing import PROGRAMS, SPECIFICATIONS, draw
from sources.charts.graphs import to_dot, to_mermaid
from sources.charts.kinds import KINDS
from sources.charts.style import sample_style
from sources.charts.vocabulary import BUNDLED, load_vocabulary
from sources.rng import generator

pytestmark = pytest.mark.slow

RUNNER = Path(__file__).with_name("run_programs.py")


def test_every_kind_has_a_program_and_vega_kinds_a_specification() -> None:
    assert PROGRAMS.keys() == KINDS.keys()
    assert {kind for kind, entry in KINDS.items() if entry.vega} == SPECIFICATIONS.keys()
    assert len(KINDS) >= 24


@pytest.mark.full
def test_code_draws_the_same_pixels_in_another_process(tmp_path: Path, full: bool) -> None:
    pictures = {}
    for number, (kind, renderer) in enumerate(
        [(kind, "matplotlib") for kind in PROGRAMS] + [(kind, "vega") for kind in SPECIFICATIONS]
    ):
        for seed in range(6 if full else 1):
            language = ("en", "zh")[(number + seed) % 2]
            random = generator(seed, number, "code")
            style = sample_style(random, language)
            chart = KINDS[kind].make(kind, load_vocabulary(BUNDLED), language, style, random)
            picture = draw(chart, renderer)
            name = f"{kind}-{renderer}-{seed}"
            suffix = {"python": ".py", "json": ".json"}[picture.code_language]
            (tmp_path / f"{name}{suffix}").write_text(picture.code, encoding="utf-8")
            pictures[name] = picture.pixels
    done = subprocess.run([sys.executable, "-I", RUNNER, tmp_path], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    for name, pixels in pictures.items():
        with Image.open(tmp_path / f"{name}.png") as image:
            rendered = np.asarray(image.convert("RGB"))
        assert rendered.shape == pixels.shape, name
        assert np.array_equal(rendered, pixels), (
            f"{name}: {(rendered != pixels).any(2).mean():.2%} of the pixels differ"
        )


@pytest.mark.parametrize("kind", ["flow_chart", "network"])
def test_mermaid_and_dot_have_the_edges_of_the_table(kind: str) -> None:
    charts = Charts(num_samples=60, seed=3, kinds=(kind,))
    for item in range(60):
        chart, _, _ = charts.specify(item)
        assert isinstance(chart, GraphChart)
        rows = {tuple(cell for cell in row if cell != "-") for row in chart.table.cells()}
        assert _mermaid_edges(to_mermaid(chart)) == rows
        assert _dot_edges(to_dot(chart)) == rows


def _mermaid_edges(source: str) -> set[tuple[str, ...]]:
    names = dict(re.findall(r'^    (n\d+)[\[{]"(.*)"[\]}]$', source, re.MULTILINE))
    edges = re.findall(r"^    (n\d+) (?:-->|---)(?:\|(.*?)\|)? (n\d+)$", source, re.MULTILINE)
    assert len(names) + len(edges) + 1 == len(source.splitlines())
    return {(names[a], names[b], *([label] if label else [])) for a, label, b in edges}


def _dot_edges(source: str) -> set[tuple[str, ...]]:
    names = dict(re.findall(r'^    (n\d+) \[label="(.*?)", shape=\w+\];$', source, re.MULTILINE))
    edges = re.findall(r'^    (n\d+) -[->] (n\d+)(?: \[label="(.*)"\])?;$', source, re.MULTILINE)
    assert len(names) + len(edges) + 2 == len(source.splitlines())
    return {(names[a], names[b], *([label] if label else [])) for a, b, label in edges}
