"""The card of real outputs: it says what the samples hold, and its Python runs on that very output."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import yaml

from pipelines.report import card
from pipelines.storage import Storage
from tests.card_snippets import run_snippets
from tests.conftest import ROOT
from tests.corpus import write_pdf

pytestmark = pytest.mark.slow

FEW = (
    "--set",
    "charts.num_samples=24",
    "--set",
    "charts.items_per_unit=12",
    "--set",
    "charts.tasks={questions: 2, text: 1}",
)


def card_of(out: Path) -> tuple[dict[str, Any], str]:
    """Front matter and text of an output's card."""
    _, matter, text = (out / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(matter), text


@pytest.fixture(scope="module")
def outputs(command: Callable, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small outputs of charts, of pages, and of instructions about both."""
    folder = tmp_path_factory.mktemp("cards")
    pages = folder / "pages"
    pages.mkdir()
    for number in range(3):
        write_pdf(pages / f"report-{number}.pdf", 2, f"Report {number}", words_a_page=60)
    lines: dict[str, dict[str, Any]] = {
        "charts": {"source": "charts", "arguments": FEW},
        "pdfs": {"source": "pdfs", "arguments": ("--input", pages, "--set", "side_px=512")},
        "instruction": {
            "source": None,
            "arguments": ("--recipe", ROOT / "pipelines/recipes/page_questions.yaml", "--input", pages, *FEW),
        },
    }
    made = {}
    for name, line in lines.items():
        made[name] = folder / name
        done = command(*line["arguments"], "--output", made[name], source=line["source"])
        assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The `datasets` library with an empty cache and without a network."""
    library = pytest.importorskip("datasets")
    monkeypatch.setattr(library.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.mark.parametrize(("name", "num_snippets"), [("charts", 3), ("pdfs", 3), ("instruction", 4)])
@pytest.mark.usefixtures("_offline")
def test_the_python_of_a_card_runs_on_its_output(outputs: dict[str, Path], name: str, num_snippets: int) -> None:
    names = run_snippets(outputs[name], num_snippets)
    assert names["encoded"]
    if name != "pdfs":
        assert names["question"].startswith("<image>")
        assert names["answer"]
    if name != "charts":
        assert names["upper"]


@pytest.mark.parametrize("name", ["charts", "pdfs", "instruction"])
def test_the_ledger_counts_what_the_data_hold(outputs: dict[str, Path], name: str) -> None:
    data = {row["id"]: row for row in ds.dataset(outputs[name] / "data").to_table().to_pylist()}
    kept = [row for row in pq.read_table(outputs[name] / "ledger").to_pylist() if row["verdict"] == "kept"]
    assert len(kept) == len(data) > 0
    for row in kept:
        sample = data[row["id"]]
        assert row["num_images"] == len(sample["images"])
        assert row["has_text"] == (sample["text"] is not None)
        assert row["num_messages"] == len(sample["messages"] or [])
        assert row["num_words"] == len(sample["words"])


def test_the_card_of_charts_is_about_charts(outputs: dict[str, Path]) -> None:
    matter, text = card_of(outputs["charts"])
    data = ds.dataset(outputs["charts"] / "data").to_table(columns=["text", "messages"]).to_pylist()
    num_texts = sum(row["text"] is not None for row in data)
    assert 0 < num_texts < len(data) == 24
    assert f"{len(data) - num_texts} conversations and {num_texts} texts, each with an image" in " ".join(text.split())
    assert {"chart", "synthetic"} <= set(matter["tags"])
    assert not {"document", "ocr"} & set(matter["tags"])
    assert {"image-to-text", "image-text-to-text", "visual-question-answering"} == set(matter["task_categories"])
    assert "strangers" not in text
    assert "All pages of one file" not in text
    assert "Each sample's id decides its split" in text
    assert "made from seed 0" in text
    croissant = json.loads((outputs["charts"] / "croissant.json").read_text())
    assert "conversations" in croissant["description"]
    assert "chart" in croissant["keywords"]


def test_the_card_of_pages_promises_no_conversations(outputs: dict[str, Path]) -> None:
    matter, text = card_of(outputs["pdfs"])
    assert matter["task_categories"] == ["image-to-text"]
    assert "6 texts, each with an image" in text
    assert "Null in every sample of this dataset." in text
    assert "`messages`, in" not in text


def test_the_card_of_two_sources_tells_them_apart(outputs: dict[str, Path]) -> None:
    matter, text = card_of(outputs["instruction"])
    counts = {"pdfs": 0, "charts": 0}
    for row in ds.dataset(outputs["instruction"] / "data").to_table(columns=["source"]).to_pylist():
        counts[row["source"]] += 1
    for name, count in counts.items():
        assert count > 0
        assert f"**{name}**, {count} samples:" in text
    assert "Source pdfs: all pages of one file are in one split." in text
    assert "`charts`: Data, names and titles are invented" in text
    assert "**The licence of pdfs is unknown.**" in text
    assert {"document", "chart"} <= set(matter["tags"])
    report = (outputs["instruction"] / "report/index.html").read_text()
    assert f"{sum(counts.values())} conversations" in report
    assert "charts, graphs and tables drawn from generated data" in report


def test_words_are_promised_only_where_there_are_some(outputs: dict[str, Path], tmp_path: Path) -> None:
    for path in outputs["charts"].rglob("*"):
        if path.is_file() and ".staging" not in path.parts:
            copy = tmp_path / path.relative_to(outputs["charts"])
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    (path,) = (tmp_path / "ledger").iterdir()
    ledger = pq.read_table(path)
    place = ledger.schema.get_field_index("num_words")
    pq.write_table(ledger.set_column(place, ledger.schema.field(place), pa.array([0] * len(ledger), pa.int32())), path)
    card.export(Storage(str(tmp_path)))
    _, text = card_of(tmp_path)
    assert "`words`, in" not in text
    assert "Empty in every sample of this dataset." in text
