"""Foreign text never marks an image, and nothing of it is lost: the property, and sources that read it."""

import json
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sources.base.marks import IMAGE_PLACEHOLDER, escaped, unescaped, with_images, without_images
from sources.base.sample import Sample
from sources.base.source import Source
from sources.books.source import Books
from sources.notebooks import Notebooks
from sources.pairs import Pairs
from sources.pdfs.source import Pdfs
from sources.plain_text import PlainText
from taxonomy.instructions import Instructions
from taxonomy.loader import BUNDLED, load
from taxonomy.settings import InstructionSettings
from taxonomy.writers.registry import WRITERS
from tests.sources.test_notebooks import PLOT, code, notebook
from tests.sources.test_pairs import PNG

MARKS = (
    *("<image>", "<video>", "<audio>", "</s>", "<|im_start|>", "<|vision_start|>", "<｜end▁of▁sentence｜>", "[INST]"),
    *("<image_placeholder>", "<start_of_turn>", "<image >", "<|eot_id|  >", "[/INST ]", "<img>"),
)
PRINTED = "The prompt begins with <|im_start|> and has an <image> before [INST] and <video> after it."
texts = st.lists(st.sampled_from((*MARKS, "<", ">", "|", "image", " ", "a", "\n", "[")) | st.text(max_size=3)).map(
    "".join
)


@given(texts)
@example("<image><image >")
@example("<|<image>|>")
def test_escaping_is_undone_and_leaves_no_mark(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert not [mark for mark in MARKS if " " not in mark and mark in escaped(text)]
    assert without_images(with_images(text, 2)).removeprefix("\n\n") == text
    assert with_images(text, 2).count(IMAGE_PLACEHOLDER) == 2


def test_what_is_no_mark_stays_as_it_is() -> None:
    text = "a < b > c, <div>, <images>, [1], [INSTALL], x<|y, if a<|b|: <imagery>"
    assert escaped(text) == text


def _pdf(path: Path) -> Source:
    document = pymupdf.open()
    for _ in range(2):
        document.new_page().insert_text((72, 72), PRINTED.replace(" and", "\nand"))
    document.save(path)
    return Pdfs()


def _book(path: Path) -> Source:
    shown = PRINTED.replace("<", "&lt;").replace(">", "&gt;")
    path.write_text(f"<html><body><h1>Prompts</h1><p>{shown}</p></body></html>")
    return Books()


def _notebook(path: Path) -> Source:
    path.write_text(json.dumps(notebook(code(f"plt.title({PRINTED!r})", PLOT))))
    return Notebooks()


def _text(path: Path) -> Source:
    path.write_text(json.dumps({"text": PRINTED}) + "\n")
    return PlainText()


def _talk(path: Path) -> Source:
    turns = [{"role": "user", "content": PRINTED}, {"role": "assistant", "content": PRINTED}]
    path.write_text(json.dumps({"messages": turns}) + "\n")
    return PlainText()


def _pair(path: Path) -> Source:
    path.with_name("a.png").write_bytes(PNG)
    turns = [{"from": "human", "value": "<image>\nWhat is printed?"}, {"from": "gpt", "value": PRINTED}]
    rows: list[Any] = [{"image": "a.png", "conversations": turns}]
    path.write_text(json.dumps(rows))
    return Pairs()


def _caption(path: Path) -> Source:
    path.with_name("a.png").write_bytes(PNG)
    path.write_text(json.dumps([{"image": "a.png", "text": f"<image>\n{PRINTED}"}]))
    return Pairs()


def _caption_with_another_mark(path: Path) -> Source:
    path.with_name("a.png").write_bytes(PNG)
    path.write_text(json.dumps([{"image": "a.png", "text": f"<pic>{PRINTED}"}]))
    return Pairs(image_mark="<pic>")


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        *(("pdf", _pdf), ("html", _book), ("ipynb", _notebook), ("jsonl", _text), ("jsonl", _talk)),
        *(("json", _pair), ("json", _caption), ("json", _caption_with_another_mark)),
    ],
)
def test_a_document_about_prompts_keeps_its_words_and_marks_its_images(suffix: str, write: Any, tmp_path: Path) -> None:
    path = tmp_path / f"input.{suffix}"
    with write(path).open(path) as items:
        samples = [items[k] for k in range(len(items))]
    assert samples
    for sample in samples:
        assert sample.num_marks() == len(sample.images)
        assert " ".join(PRINTED.split()) in " ".join(sample.plain_text().split())
        assert not any(mark in _written(sample) for mark in ("<|im_start|>", "<video>", "[INST]"))


def _written(sample: Sample) -> str:
    return sample.text or "".join(turn.content for turn in sample.messages or ())


@pytest.mark.parametrize("writer", sorted(WRITERS))
def test_questions_about_such_a_page_mark_its_images_alone(writer: str, tmp_path: Path) -> None:
    source = _pdf(tmp_path / "input.pdf")
    with source.open(tmp_path / "input.pdf") as items:
        samples = [items[k] for k in range(len(items))]
    writing = Instructions(load(BUNDLED), InstructionSettings(writers=(writer,), weights={writer: 1}))
    for asked in filter(None, writing.write(samples)):
        assert asked.num_marks() == len(asked.images)
        assert "<|im_start|>" not in _written(asked)
        if writer == "transcription":
            assert "<|im_start|> \nand has an <image>" in asked.plain_text().replace("\n", " \n")
