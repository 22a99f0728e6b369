"""The summary of a run: numbers agree with their nouns."""

import json
from pathlib import Path

import pytest
from finished_output import sample, write_output

from pipelines.commands.summary import print_summary
from pipelines.storage import Storage


def test_one_of_each_is_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_output(tmp_path, [("train", [sample("a", text="words")])])
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    manifest["samples"] |= {"total": 2, "duplicates": {"same_text": 1}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    print_summary(Storage(str(tmp_path)), None, 1.0)
    shown = capsys.readouterr().out
    assert "1 input: 1 read, 0 failed\n1 pair: 2 samples, 0 failed\n" in shown
    assert "2 samples: 1 kept, 0 rejected, 1 duplicate (same_text 1)\n" in shown
