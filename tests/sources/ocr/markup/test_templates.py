"""Templates of the user: slots are filled, what is printed is in the ground truth, and mistakes have file and line."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sources.base.sample import Sample
from sources.config_file import ConfigFileError
from sources.ocr.markup.templates import read_templates
from sources.ocr.source import Ocr

SLIP = """<!doctype html>
<html lang="en">
<h1>{library} – loan slip</h1>
<p>For {reader}: <b>return</b> it in {number 7 30} days. {{sic}} {sentence}
<dl><dt>Reader</dt><dd>{reader}</dd><dt>Deposit</dt><dd>{amount}</dd></dl>
<table><tr><th>Thing<th align=right>Pieces
<tr repeat=3-5><td>{thing}<td align=right>{number 1 50}
</table>
<ul><li>First<ol><li>nested {thing}</ol><li repeat=2>{word}</ul>
<img width=20% height=10%>
</html>
"""
SLOTS = "library: company\nreader: person\nthing: [Ladder, Drill, Tent]\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("templates")
    (path / "slip.html").write_text(SLIP)
    (path / "slots.yaml").write_text(SLOTS)
    return path


def _samples(folder: Path, task: str, count: int) -> list[Sample]:
    source = Ocr(templates=str(folder), tasks={task: 1}, strength=0, side_px=768)
    return [source.make(number, source.digest) for number in range(count)]


def test_slots_are_filled_and_json_has_what_is_printed(folder: Path) -> None:
    for sample in _samples(folder, "json", 3):
        assert sample.messages is not None
        record = json.loads(sample.messages[1].content)
        printed = "".join(sample.words.texts).replace(" ", "")
        assert record["title"].endswith(" – loan slip")
        assert 3 <= len(record["items"]) <= 5
        assert {item["Thing"] for item in record["items"]} <= {"Ladder", "Drill", "Tent"}
        assert len({item["Pieces"] for item in record["items"]}) > 1  # each repetition is filled by itself
        assert f"For{record['Reader']}:returnit".replace(" ", "") in printed  # one value in all places
        assert record["Deposit"][0] in "$€£"
        assert "{sic}" in printed
        for value in (record["title"], record["Reader"], record["Deposit"], *record["text"]):
            assert value.replace(" ", "") in printed


def test_markdown_has_the_structure_and_boxes_hold_the_ink(folder: Path) -> None:
    (sample,) = _samples(folder, "markdown", 1)
    assert sample.messages is not None
    text = sample.messages[1].content
    assert text.startswith("# ")
    assert "**return**" in text
    assert "| Thing | Pieces |\n| --- | ---: |" in text
    assert "\n- First\n  1. nested " in text
    grey = np.asarray(Image.open(io.BytesIO(sample.images[0].data)).convert("L")).astype(int)
    paper = np.bincount(grey.ravel()).argmax()
    for x0, y0, x1, y1 in sample.words.boxes.astype(int):
        assert np.abs(grey[y0:y1, x0:x1] - paper).max() > 60


def test_a_sample_depends_on_the_templates(folder: Path, tmp_path: Path) -> None:
    first, second = _samples(folder, "text", 2)
    assert first.text != second.text
    (again,) = _samples(folder, "text", 1)
    assert again.images[0].data == first.images[0].data
    (tmp_path / "slip.html").write_text(SLIP.replace("First", "Second"))
    (tmp_path / "slots.yaml").write_text(SLOTS)
    assert Ocr(templates=str(tmp_path)).digest != Ocr(templates=str(folder)).digest


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ("<p>a\n<script>alert(1)</script>", r"page.html:2: <script> is not known here"),
        ("<p onclick='x()'>a", r"page.html:1: <p> has no attribute onclick here"),
        ("<p>a\n{nobody}", r"page.html:2: the slot \{nobody\} is not known; there are address, amount"),
        ("<p>a\n\n</b>", r"page.html:3: </b> closes nothing"),
        ("<p>a <b>b\n<p>c", r"page.html:1: <b> is never closed|page.html:2"),
        ("<table><tr><td>a<td>b\n<tr><td>c</table>", r"page.html:1: .*rows must be equally long"),
        ("<table><td>a</table>", r"page.html:1: <td> stands in <table>; it belongs in <tr>"),
        ("<dl><dt>a</dl>", r"page.html:1: <dl> must have pairs"),
        ("<p repeat=9-3>a", r"page.html:1: repeat must be a number or a range"),
        ("<h1 repeat=2>a</h1>", r"page.html:1: <h1> cannot be repeated"),
        ("<p align=middle>a", r"page.html:1: align must be left, center, right"),
        ("<td colspan=0>", r"page.html:1: "),
        ("<?php echo 1 ?>", r"page.html:1: <\?php"),
        ("<!-- nothing -->", r"page.html:1: there is no text in it"),
        ("<html lang=xx>a</html>", r"page.html:1: lang must be one of"),
        ("<p>" + "<span>" * 40, r"page.html:1: elements are nested more than 24 deep"),
    ],
)
def test_a_mistake_has_file_and_line(tmp_path: Path, html: str, message: str) -> None:
    (tmp_path / "page.html").write_text(html)
    with pytest.raises(ConfigFileError, match=message):
        read_templates(str(tmp_path))


def test_mistakes_in_slots_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="templates: there is no folder"):
        read_templates(str(tmp_path / "none"))
    with pytest.raises(ValueError, match="has no HTML files"):
        read_templates(str(tmp_path))
    (tmp_path / "page.html").write_text("<p>{a}")
    (tmp_path / "slots.yaml").write_text("b: person\na: persona\n")
    with pytest.raises(ConfigFileError, match=r"slots.yaml:2: a must be a list of values or one of address"):
        read_templates(str(tmp_path))
    with pytest.raises(ValueError, match="the kind template needs a folder"):
        Ocr(kinds={"template": 1})


def test_a_template_that_cannot_be_used_ends_the_run_before_it_starts(tmp_path: Path) -> None:
    (tmp_path / "long.html").write_text("<p repeat=200>A line that is printed.")
    with pytest.raises(ValueError, match=r"long.html:1: no page could be made of it: it does not fit; shorten it"):
        Ocr(templates=str(tmp_path), languages=("en",)).check()
    with pytest.raises(ValueError, match=r"are in en \(lang of html\), the run in zh"):
        Ocr(templates=str(tmp_path), languages=("zh",)).check()
