"""Settings: files and overrides are checked whole, and every mistake is one sentence."""

from pathlib import Path

import pytest
import yaml

from deepseek_vl.train.settings import SettingsError, load_settings
from tests.deepseek_vl.train.data_files import write_settings

SOURCE = {"path": "out", "weight": 0.5}


def settings_file(tmp_path: Path, **changes: object) -> Path:
    path = write_settings(tmp_path / "a.yaml", tmp_path / "model", **changes)
    content = yaml.safe_load(path.read_text())
    content["data"]["sources"] = content["data"]["sources"] or [SOURCE]
    path.write_text(yaml.safe_dump(content))
    return path


def test_overrides_change_values_in_groups_and_lists(tmp_path: Path) -> None:
    changes = ["data.tokens=128", "data.sources.0.weight=2", "lora.rank=4", "train.siglip=1e-5", "seed=3"]
    settings = load_settings(settings_file(tmp_path), changes)
    assert settings.data.tokens == 128
    assert settings.data.sources[0].weight == 2.0
    assert settings.lora is not None
    assert settings.lora.rank == 4
    assert settings.train == {"adaptor": 1e-3, "language": 1e-3, "siglip": 1e-5}
    assert settings.seed == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("data.token=5", "no setting data.token; did you mean tokens"),
        ("data.tokens=many", "data.tokens must be a whole number, got 'many'"),
        ("data.sources.0.wieght=1", "no setting data.sources.0.wieght; did you mean weight"),
        ("data.sources.3.weight=1", "expected a number below 1"),
        ("train.languag=1e-3", "no part 'languag'; did you mean language"),
        ("train.language=5", "learning rate of language must be between 0 and 1"),
        ("optimization.schedule.kind=linear", "optimization.schedule: kind must be cosine, step or constant"),
        ("data.lanes=3", "must be a multiple of data.lanes"),
        ("data.text_share.end=0.7", "text_share needs a source of group text"),
        ("optimization.betas=[0.9]", "must be a list of 2 values"),
        ("data.sources.0.weight=0", "weight must be positive"),
        ("tokens", "expected key=value"),
        ("seed.deep=1", "seed is a value, not a group"),
    ],
)
def test_a_wrong_override_is_an_error(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(settings_file(tmp_path), ["seed=1", change])


def test_a_wrong_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="neither a file nor the name of shipped settings"):
        load_settings(tmp_path / "nothing.yaml")
    path = settings_file(tmp_path)
    path.write_text(path.read_text() + "seed: 1\nseed: 2\n")
    with pytest.raises(SettingsError, match="the key 'seed' is given twice"):
        load_settings(path)
    path.write_text("[1, 2]")
    with pytest.raises(SettingsError, match="expected a mapping"):
        load_settings(path)
    path.write_text("model: pico")
    with pytest.raises(SettingsError, match="the setting output is missing"):
        load_settings(path)
    content = yaml.safe_load(settings_file(tmp_path).read_text())
    del content["optimization"]["steps"]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError, match=r"the setting optimization\.steps is missing"):
        load_settings(path)


def test_text_cannot_be_learned_without_the_language_model(tmp_path: Path) -> None:
    path = settings_file(tmp_path, train={"adaptor": 1e-3})
    with pytest.raises(SettingsError, match="text cannot be learned"):
        load_settings(path, ["data.sources.0.group=text"])
