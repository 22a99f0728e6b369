"""The tokenizer command: its size, its special tokens, and what it learns from."""

from pathlib import Path

import pytest

from deepseek_vl.config import preset
from deepseek_vl.conversation import SYSTEM
from deepseek_vl.processor import Processor
from deepseek_vl.train.tokenizer import main
from tests.deepseek_vl.train.data_files import conversation_row, text_row, write


def test_a_tokenizer_has_the_wanted_size_and_knows_the_system_prompt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "data", [conversation_row(k) for k in range(20)] + [text_row(k) for k in range(20)])
    arguments = [str(tmp_path / "data"), "--preset", "pico", "--output", str(tmp_path / "tokenizer")]
    assert main([*arguments, "--vocabulary", "350"]) == 0
    assert "350 tokens" in capsys.readouterr().out
    processor = Processor.from_file(tmp_path / "tokenizer" / "tokenizer.json", preset("pico"))
    tokens = processor.tokenizer.encode(SYSTEM, add_special_tokens=False).ids
    assert processor.decode(tokens) == SYSTEM
    assert len(tokens) < len(SYSTEM) / 2
    assert processor.tokenizer.encode("47", add_special_tokens=False).tokens == ["4", "7"]
    for size in ("100", "5000"):
        assert main([*arguments, "--vocabulary", size]) == 2
        assert f"the vocabulary must be between 259 and 4096 tokens, got {size}" in capsys.readouterr().err
