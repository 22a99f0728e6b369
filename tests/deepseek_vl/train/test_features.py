"""Features of frozen towers on disk: nothing changes but the time, whatever is in the folder."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from deepseek_vl.model import DeepseekVL
from deepseek_vl.train import parts
from deepseek_vl.train.batches import collate, prepare
from deepseek_vl.train.examples import ExampleEncoder
from deepseek_vl.train.features import FeatureSettings, FeatureStore
from deepseek_vl.train.forward import DeviceBatch, TrainingModel
from tests.deepseek_vl import tiny
from tests.deepseek_vl.train.data_files import PROCESSOR, conversation_row, image_row, text_row

ROWS = [image_row(1), text_row(2), conversation_row(3), image_row(4)]


def frozen(*trained: str) -> DeepseekVL:
    model = tiny.model(tiny.HYBRID).train()
    parts.freeze(model, dict.fromkeys(trained, 1e-3))
    return model


def store_of(model: DeepseekVL, folder: Path, max_gb: float = 1.0, dtype: torch.dtype = torch.float32) -> FeatureStore:
    return FeatureStore(FeatureSettings(folder=str(folder), max_gb=max_gb), model, dtype)


def gradients(model: DeepseekVL, store: FeatureStore | None) -> tuple[Tensor, dict[str, Tensor], int]:
    """Return losses, gradients, and the number of images whose features were known."""
    encoder = ExampleEncoder(PROCESSOR, max_tokens=400, max_images=4)
    prepared = [prepare(encoder.encode(row)[0], model.config, store) for row in ROWS]
    batch = collate([[each for each in prepared if each is not None]], model.config)
    model.zero_grad(set_to_none=True)
    losses = TrainingModel(model, store=store)(DeviceBatch.of(batch, tiny.CPU))
    losses.sum().backward()
    return losses.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}, batch.num_known


@pytest.mark.parametrize("trained", [("adaptor", "language"), ("adaptor", "siglip")])
def test_features_change_no_bit_of_losses_and_gradients(tmp_path: Path, trained: tuple[str, ...]) -> None:
    model = frozen(*trained)
    expected, without, _ = gradients(model, None)
    for known in (0, 3):
        losses, found, num_known = gradients(model, store_of(model, tmp_path))
        assert num_known == known
        assert torch.equal(losses, expected)
        assert found.keys() == without.keys()
        assert all(torch.equal(found[name], without[name]) for name in found)
    assert {name.split(".")[0] for name in without} == set(trained)


def test_another_model_or_type_has_its_own_features(tmp_path: Path) -> None:
    model = frozen("adaptor")
    gradients(model, store_of(model, tmp_path))
    with torch.no_grad():
        model.sam.blocks[0].fc1.bias[0] += 1  # type: ignore[union-attr]
    assert gradients(model, store_of(model, tmp_path))[2] == 0
    assert gradients(model, store_of(model, tmp_path))[2] == 3
    assert store_of(model, tmp_path, dtype=torch.bfloat16).get("0" * 64) is None
    with torch.no_grad():  # the language model is not part of the features
        model.language.head.weight[0] += 1
    assert gradients(model, store_of(model, tmp_path))[2] == 3


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    model = frozen("adaptor")
    gradients(model, store_of(model, tmp_path))
    files = sorted(tmp_path.rglob("*.safetensors"))
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[:40])
    files[1].write_bytes(b"")
    assert gradients(model, store_of(model, tmp_path))[2] == 1
    assert files[0].read_bytes() == whole
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


def test_the_folder_stays_within_its_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = frozen("adaptor")
    size = len(next(iter(_written(model, tmp_path / "one"))).read_bytes())
    gradients(model, store_of(model, tmp_path / "two", max_gb=2.5 * size / 1e9))
    assert len(list((tmp_path / "two").rglob("*.safetensors"))) == 2
    assert "no more features are kept" in caplog.text
    # What is there counts when a training starts.
    gradients(model, store_of(model, tmp_path / "two", max_gb=2.5 * size / 1e9))
    assert len(list((tmp_path / "two").rglob("*.safetensors"))) == 2


def _written(model: DeepseekVL, folder: Path) -> list[Path]:
    gradients(model, store_of(model, folder))
    return sorted(folder.rglob("*.safetensors"))


def test_a_model_whose_towers_are_trained_has_no_features(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every tower is trained"):
        store_of(frozen("siglip", "sam"), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be used"):
        store_of(frozen("adaptor"), tmp_path / "file")
