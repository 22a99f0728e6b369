"""Training a classifier of texts: held-out quality, the threshold, the card, and the filter that uses the model."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from filters import train
from filters.text_classifier import TextClassifier, features
from filters.train import choose_threshold, divide, main, part_of, quality
from sources.base.sample import Provenance, Sample

GOOD = ["harbour", "tide", "boat", "water", "keeper", "lamp", "pier", "mooring", "channel", "anchor"]
BAD = ["click", "cookie", "login", "subscribe", "banner", "menu", "cart", "cheap", "offer", "tracking"]


def write(path: Path, words: list[str], others: list[str], seed: int, num: int = 240) -> Path:
    rng = random.Random(seed)
    texts = [
        " ".join([*rng.choices(words, k=8), *rng.choices(others, k=1), *rng.choices(["the", "of"], k=6)])
        for _ in range(num)
    ]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*texts, texts[0], ""]))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of both kinds and a model that was trained on them."""
    folder = tmp_path_factory.mktemp("train")
    write(folder / "good-1.jsonl", GOOD, BAD, 1)
    write(folder / "bad.jsonl", BAD, GOOD, 2)
    assert main(command(folder, "model.bin")) == 0
    return folder


def command(folder: Path, output: str, *more: str) -> list[str]:
    inputs = ["--positive", str(folder / "good*.jsonl"), "--negative", str(folder / "bad.jsonl")]
    return [*inputs, "--output", str(folder / output), "--precision", "0.9", *more]


def sample(text: str) -> Sample:
    return Sample(id="a", source="text", provenance=Provenance(locator="", digest=""), text=text)


@pytest.mark.slow
def test_the_same_texts_give_the_same_model(folder: Path) -> None:
    assert main(command(folder, "again.bin")) == 0
    assert (folder / "again.bin").read_bytes() == (folder / "model.bin").read_bytes()


@pytest.mark.slow
def test_the_card_has_what_was_measured(folder: Path) -> None:
    card = (folder / "model.md").read_text()
    assert "The wanted precision was 0.9. The threshold 0." in card
    assert "| report | " in card
    assert "Left out: no_text 2, repeated 2." in card
    assert "good-1.jsonl | positive | " in card


@pytest.mark.slow
def test_the_filter_keeps_what_is_like_the_positive_texts(folder: Path) -> None:
    judge = TextClassifier(model=str(folder / "model.bin"))
    judge.check()
    good, bad, empty = judge.scores([sample(" ".join(GOOD)), sample(" ".join(BAD)), sample("")])
    assert [judge.rejects(scores) for scores in (good, bad, empty)] == [None, "classifier", None]
    assert judge.cache_key() != TextClassifier(model="other").cache_key()


@pytest.mark.slow
def test_a_precision_that_is_not_reached_has_its_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mixed = [*GOOD, *BAD]
    write(folder / "mixed-good.jsonl", mixed, mixed, 3)
    write(folder / "mixed-bad.jsonl", mixed, mixed, 4)
    inputs = ["--positive", str(folder / "mixed-good.jsonl"), "--negative", str(folder / "mixed-bad.jsonl")]
    assert main([*inputs, "--output", str(folder / "mixed.bin"), "--precision", "1", "--epochs", "1"]) == 1
    assert "No threshold reaches the wanted precision of 1.0." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--positive", "none*.jsonl", "--negative", "a.jsonl", "--output", "m.bin"], "none*.jsonl: no file matches"),
        (["--positive", "a.jsonl", "--negative", "a.jsonl", "--output", "m.bin"], "0 positive texts to train"),
        (
            ["--positive", "b.jsonl", "--negative", "a.jsonl", "--output", "m.bin"],
            "b.jsonl: no column of text is known",
        ),
        (["--positive", "a.jsonl", "--negative", "a.jsonl", "--output", "m"], "expected a file such as good.bin"),
        (
            ["--positive", "a", "--negative", "a", "--output", "m.bin", "--precision", "2"],
            "--precision must be above 0",
        ),
        (["--positive", "a", "--negative", "a", "--output", "m.bin", "--epochs", "0"], "--epochs must be at least 1"),
    ],
)
def test_mistakes_are_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.jsonl", GOOD, BAD, 1)
    (tmp_path / "b.jsonl").write_text('{"id": 1}\n')
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1


def test_the_lowest_threshold_that_reaches_the_precision_is_chosen() -> None:
    scores = np.array([0.9, 0.8, 0.8, 0.7, 0.6, 0.5])
    truth = np.array([True, True, False, True, True, False])
    assert choose_threshold(scores, truth, 0.8, min_kept=1) == 0.6
    assert choose_threshold(scores, truth, 0.9, min_kept=1) == 0.9
    assert choose_threshold(scores, truth, 0.9, min_kept=2) is None
    assert choose_threshold(scores, ~truth, 0.9, min_kept=1) is None
    assert quality(scores, truth, 0.6).precision == 0.8
    assert quality(scores, truth, 0.6).recall == 1
    assert quality(scores, truth, 0.95).precision is None


def test_texts_of_both_kinds_are_left_out_and_copies_stay_together() -> None:
    from collections import Counter

    dropped: Counter[str] = Counter()
    good, bad = [f"good {k}" for k in range(400)], [f"bad {k}" for k in range(400)]
    parts = divide([*good, "both"], [*bad, "both"], dropped)
    assert dropped["both_kinds"] == 1
    assert sorted(text.line for part in parts.values() for text in part) == sorted([*good, *bad])
    assert all(part_of(text.line) == part for part, texts in parts.items() for text in texts)
    assert len(parts["train"]) > 4 * len(parts["report"]) > 100
    assert parts == divide([*reversed(good), "both"], ["both", *bad], Counter())


def test_features_are_one_line() -> None:
    assert features("Hello, World!\n42 数据") == "hello , world ! 00 数 据"


@pytest.mark.parametrize(
    ("settings", "message"), [({"model": "none"}, "is not a file"), ({"min_score": 2}, "min_score")]
)
def test_wrong_settings_of_the_filter_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TextClassifier(**settings).check()


def test_a_model_of_another_command_is_refused(tmp_path: Path) -> None:
    from filters.language import find_model

    with pytest.raises(ValueError, match="is not a model of"):
        TextClassifier(model=str(find_model(None))).check()
    assert train.PARTS == ("train", "choose", "report")
