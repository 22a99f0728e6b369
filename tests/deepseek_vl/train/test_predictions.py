"""Predictions on held-out examples: what the model is given, what is expected, and the picture."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepseek_vl.train.predictions import Prediction, draw, held_out, predict
from deepseek_vl.train.settings import DataSettings, DataSource
from deepseek_vl.train.watch import Watch
from tests.deepseek_vl import tiny
from tests.deepseek_vl.train.data_files import PROCESSOR, conversation_row, image_row, png, text_row, write


def settings(*paths: Path) -> DataSettings:
    return DataSettings(sources=tuple(DataSource(path=str(path)) for path in paths), tokens=400)


@pytest.mark.parametrize(
    ("row", "ends", "expected"),
    [
        (conversation_row(7), "Which number?\n\nAssistant:", "Number 7."),
        (image_row(7), "", "word7 word7"),
        ({"text": "one two three four"}, "one two", "three four"),
        ({"text": "Title<image>Caption", "images": [{"bytes": png(1), "path": None}]}, "Title", "Caption"),
    ],
)
def test_an_example_is_cut_where_an_answer_begins(
    tmp_path: Path, row: dict[str, Any], ends: str, expected: str
) -> None:
    write(tmp_path / "out", [text_row(1), {**row, "split": "validation"}])
    (found,) = held_out(settings(tmp_path / "out"), PROCESSOR, 5)
    shown = found.prompt.tokens[found.prompt.tokens != tiny.HYBRID.image_token]
    assert PROCESSOR.decode(shown).strip().endswith(ends)
    assert PROCESSOR.decode(found.expected).strip().startswith(expected) or ends == "one two"
    assert len(found.images) == len(found.prompt.canvases) == len(row.get("images", ()))
    whole = PROCESSOR.decode(np.concatenate([shown, found.expected]))
    assert "".join(whole.split()).endswith("".join(PROCESSOR.decode(found.expected).split()))


def test_examples_come_from_each_data_set_in_turn_and_never_from_what_is_learned(tmp_path: Path) -> None:
    rows = [{**image_row(k), "split": "validation" if k % 2 else "train"} for k in range(8)]
    write(tmp_path / "a", rows)
    write(tmp_path / "b", [{**text_row(k), "split": "validation"} for k in range(3)])
    write(tmp_path / "c", [text_row(1)])
    found = held_out(settings(tmp_path / "a", tmp_path / "b", tmp_path / "c"), PROCESSOR, 6)
    assert [Path(each.source).name for each in found] == ["a", "b", "a", "b", "a", "b"]
    assert {each.images[0] for each in found if each.images} == {png(1), png(3), png(5)}
    assert held_out(settings(tmp_path / "c"), PROCESSOR, 6) == []


def test_answers_are_drawn_into_one_picture_that_a_browser_and_tensorboard_show(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write(tmp_path / "a", [{**conversation_row(k), "split": "validation"} for k in range(2)])
    answers = predict(held_out(settings(tmp_path / "a"), PROCESSOR, 2), tiny.model(tiny.HYBRID), PROCESSOR, 9)
    assert [each.expected for each in answers] == ["Number 0.", "Number 1."]
    assert all(each.answer or True for each in answers)
    (tmp_path / "run").mkdir()
    watch = Watch(tmp_path / "run", 10, 0)
    watch.picture(5, draw(answers))
    watch.picture(10, draw(answers[:1]))
    watch.close()
    page = (tmp_path / "run" / "predictions" / "index.html").read_text("utf-8")
    assert page.index("step-000010.png") < page.index("step-000005.png")
    board = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    assert [event.step for event in board.Images("predictions")] == [5, 10]


def test_long_texts_in_any_script_are_cut_to_a_readable_size() -> None:
    for text in ("word " * 900, "汉字" * 900, "x" * 3000, "\n" * 300):
        picture = draw([Prediction("out", (), text, text, text)])
        assert picture.height < 3 * 15 * 20
