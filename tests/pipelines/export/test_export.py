"""`vellum export`: what comes out, that it is read back, that it goes on, and what it refuses."""

import hashlib
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from finished_output import picture, sample, write_output

from pipelines.commands import vellum
from pipelines.export.formats import FORMATS
from pipelines.export.formats.format import Writing
from pipelines.export.sample import ExportedSample, as_conversation
from sources.base.sample import Sample
from sources.base.source import InputError
from sources.pairs.source import Pairs

RED, BLUE, GREEN = picture((200, 30, 30)), picture((30, 30, 200), "jpg"), picture((30, 200, 30), "webp")
FOREIGN = "The page prints <image > and <|im_start|x> and [INST ].  \n\n\n\nIt ends with spaces  "  # as it is escaped
TURNS = [
    ("system", "Answer briefly."),
    ("user", "<image>\nWhich colour?"),
    ("assistant", "Red."),
    ("user", "And the others? <image><image>"),
    ("assistant", "Blue, green."),
]
SAMPLES = [
    sample("talk", images=[RED, BLUE, GREEN], turns=TURNS),
    sample("caption", images=[RED], text=f"<image>\n{FOREIGN}"),
    sample("interleaved", images=[BLUE, GREEN], text="Before <image> between <image> after."),
    sample("text only", text="Only words: naïve cafés."),
    sample("chat only", turns=[("user", "2 + 2?"), ("assistant", "4")]),
    sample("bare", images=[RED], text="<image>\n"),
]
HELD_OUT = [sample("held out", images=[GREEN], turns=[("user", "<image>\nColour?"), ("assistant", "Green")])]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    write_output(
        tmp_path / "out",
        [("train", SAMPLES[:3]), ("train", SAMPLES[3:]), ("validation", HELD_OUT)],
        languages={SAMPLES[3].id: "fr"},
        ink={SAMPLES[0].id: 0.9},
    )
    return tmp_path / "out"


def export(output: Path, target: Path, layout: str, *more: str) -> int:
    return vellum.main(["export", str(output), str(target), "--format", layout, *more])


def tree(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def read_back(paths: Sequence[Path]) -> list[Sample]:
    found = []
    for path in sorted(paths):
        with Pairs().open(path) as items:
            found += [items[k] for k in range(len(items))]
    return found


def content(each: Sample) -> tuple[object, ...]:
    turns = None if each.messages is None else [(turn.role, turn.content) for turn in each.messages]
    return each.text, turns, [image.data for image in each.images]


@pytest.mark.parametrize(("layout", "suffix"), [("jsonl", "jsonl"), ("webdataset", "tar")])
def test_pairs_reads_back_the_same_texts_and_bytes(output: Path, tmp_path: Path, layout: str, suffix: str) -> None:
    assert export(output, tmp_path / "to", layout) == 0
    found = read_back([*(tmp_path / "to").glob(f"*.{suffix}")])
    assert sorted(map(repr, map(content, found))) == sorted(map(repr, map(content, [*SAMPLES, *HELD_OUT])))


def test_a_row_that_says_it_is_ours_cannot_smuggle_marks(tmp_path: Path) -> None:
    rows = [
        {"text": "a <|im_start|>b", "images": [], "vellum": True},
        {"text": "<image>", "images": [], "vellum": True},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with Pairs().open(tmp_path / "rows.jsonl") as items:
        assert items[0].text == "a <|im_start| >b"
        with pytest.raises(Exception, match="marks 1 images, the row holds 0"):
            items[1]


@pytest.mark.parametrize("layout", list(FORMATS))
def test_the_same_samples_give_the_same_bytes(output: Path, tmp_path: Path, layout: str) -> None:
    for name in ("first", "second"):
        assert export(output, tmp_path / name, layout) == 0
    assert tree(tmp_path / "first") == tree(tmp_path / "second")
    assert not (tmp_path / "first" / ".exporting").exists() or not [*(tmp_path / "first" / ".exporting").iterdir()]


@pytest.mark.parametrize("layout", ["jsonl", "trl"])
def test_an_interrupted_export_goes_on(
    output: Path, tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(output, tmp_path / "whole", layout) == 0
    written = []
    real = Writing.files

    def dies_in_the_second_shard(self: Writing) -> list[object]:
        written.append(1)
        if len(written) == 2:
            raise KeyboardInterrupt
        return real(self)

    monkeypatch.setattr(Writing, "files", dies_in_the_second_shard)
    assert export(output, tmp_path / "to", layout) == vellum.STOPPED
    monkeypatch.undo()
    capsys.readouterr()
    assert export(output, tmp_path / "to", layout) == 0
    assert "1 shard had been exported before" in capsys.readouterr().out
    assert tree(tmp_path / "to") == tree(tmp_path / "whole")
    assert export(output, tmp_path / "to", layout) == 0  # and once more does nothing
    assert "3 shards had been exported before" in capsys.readouterr().out


def test_conditions_choose_by_data_and_by_ledger(output: Path, tmp_path: Path) -> None:
    ids = {
        each.id: name for each, name in zip(SAMPLES, ("talk", "caption", "mixed", "text", "chat", "bare"), strict=True)
    }

    def chosen(where: str) -> set[str]:
        target = tmp_path / hashlib.sha256(where.encode()).hexdigest()[:8]
        assert export(output, target, "jsonl", "--where", where) == 0
        lines = [line for path in target.glob("train*.jsonl") for line in path.read_text("utf-8").splitlines()]
        return {ids[json.loads(line)["id"]] for line in lines}

    assert chosen('language == "fr"') == {"text"}
    assert chosen("ink > 0.6") == {"talk"}
    assert chosen("num_images == 0") == {"text", "chat"}
    assert chosen('num_messages > 2 and license == "cc0-1.0"') == {"talk"}
    assert chosen('num_words > 4 and language == "en"') == {"talk", "caption"}  # only the ledger counts words
    assert chosen("ink > 2") == set()


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("langage == 'en'", "did you mean language?"),
        ("ink > 'a'", "compares values of other types"),
        ("ink >", "is not a condition"),
        ("num_words > 3 and use_case == 'x'", "names num_words, which the ledger has, and use_case, which it has not"),
    ],
)
def test_wrong_conditions_are_one_sentence(
    output: Path, tmp_path: Path, where: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(output, tmp_path / "to", "jsonl", "--where", where) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "to").exists()


def test_what_is_there_is_never_overwritten(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert export(output, tmp_path / "mine", "jsonl") == 2
    assert "holds files that are no export" in capsys.readouterr().err
    assert export(output, output / "data", "jsonl") == 2
    assert "is inside of the output" in capsys.readouterr().err
    assert export(output, tmp_path / "to", "jsonl") == 0
    assert export(output, tmp_path / "to", "trl") == 2
    assert "holds another export" in capsys.readouterr().err
    assert export(tmp_path / "mine", tmp_path / "x", "jsonl") == 1
    assert "holds no manifest.json" in capsys.readouterr().err


def test_a_damaged_shard_is_one_sentence(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = output / "data" / "train-00001-of-00002.parquet"
    path.write_bytes(path.read_bytes()[:-50])
    assert export(output, tmp_path / "to", "jsonl") == 1
    assert "train-00001-of-00002.parquet is damaged" in capsys.readouterr().err
    path.unlink()
    assert export(output, tmp_path / "to", "jsonl") == 1
    assert "is missing" in capsys.readouterr().err


def test_texts_become_answers_with_their_images_in_place() -> None:
    def turns(text: str, prompt: str = "") -> list[tuple[str, str]]:
        return [(t.role, t.content) for t in as_conversation(ExportedSample(id="x", source="s", text=text), prompt)]

    assert turns("<image>\n<image>\nwords") == [("user", "<image>\n<image>"), ("assistant", "words")]
    assert turns("<image>\nwords", "Read it.") == [("user", "<image>\nRead it."), ("assistant", "words")]
    assert turns("one <image> two") == [("user", ""), ("assistant", "one <image> two")]
    assert turns("<image>\n\n") == []


def test_texts_without_words_are_counted_not_lost(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(output, tmp_path / "to", "ms-swift") == 0
    assert "6 samples of 7 chosen ones" in (shown := capsys.readouterr().out)
    assert "left out, no_text: 1 sample\n" in shown


def test_trl_has_parts_instead_of_marks(output: Path, tmp_path: Path) -> None:
    assert export(output, tmp_path / "to", "trl") == 0
    rows = {row["id"]: row for p in (tmp_path / "to").rglob("*.parquet") for row in pq.read_table(p).to_pylist()}
    talk = rows[SAMPLES[0].id]
    assert [[part["type"] for part in turn["content"]] for turn in talk["messages"]] == [
        ["text"],
        ["image", "text"],
        ["text"],
        ["text", "image", "image"],
        ["text"],
    ]
    assert talk["messages"][1]["content"][1]["text"] == "Which colour?"
    assert [image["bytes"] for image in talk["images"]] == [RED.data, BLUE.data, GREEN.data]
    for row in rows.values():
        parts = [part for turn in row["messages"] for part in turn["content"]]
        assert sum(part["type"] == "image" for part in parts) == len(row["images"])
        assert all("<image>" not in (part["text"] or "") for part in parts)


def test_members_of_tars_are_plain(output: Path, tmp_path: Path) -> None:
    assert export(output, tmp_path / "to", "webdataset") == 0
    with tarfile.open(tmp_path / "to" / "train-conversations-00000.tar") as tar:
        members = tar.getmembers()
    stem = SAMPLES[0].id
    assert [m.name for m in members] == [f"{stem}.0.png", f"{stem}.1.jpg", f"{stem}.2.webp", f"{stem}.json"]
    assert {(m.mtime, m.uid, m.uname) for m in members} == {(0, 0, "")}


def test_pairs_still_refuses_texts_without_images(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "words", "images": []}\n', "utf-8")
    with Pairs().open(tmp_path / "rows.jsonl") as items, pytest.raises(Exception, match="no image"):
        items[0]
    with pytest.raises(InputError), Pairs().open(tmp_path / "none.jsonl"):
        pass
