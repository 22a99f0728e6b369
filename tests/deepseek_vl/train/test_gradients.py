"""The forward pass of training: packing changes no gradient, frozen weights stay, LoRA merges."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from deepseek_vl.config import ModelConfig
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train import parts
from deepseek_vl.train.batches import PreparedExample, collate, prepare
from deepseek_vl.train.examples import ExampleEncoder
from deepseek_vl.train.forward import DeviceBatch, TrainingModel
from deepseek_vl.train.lora import LoraSettings, add_lora, load_lora, merge_lora, save_lora
from deepseek_vl.train.loss import target_losses
from tests.deepseek_vl import tiny
from tests.deepseek_vl.train.data_files import conversation_row, image_row, text_row

CONFIGS = pytest.mark.parametrize("config", tiny.CONFIGS.values(), ids=list(tiny.CONFIGS))


def examples(config: ModelConfig) -> list[PreparedExample]:
    """Return examples of text, with one image, and a conversation."""
    encoder = ExampleEncoder(tiny.processor(config), max_tokens=400, max_images=4)
    rows = [text_row(1), image_row(2), conversation_row(3), text_row(4, words=2)]
    prepared = [prepare(encoder.encode(row, dataset)[0], config) for dataset, row in enumerate(rows)]
    return [each for each in prepared if each is not None]


def losses(model: DeepseekVL, sequences: list[list[PreparedExample]]) -> Tensor:
    found: Tensor = TrainingModel(model)(DeviceBatch.of(collate(sequences, model.config), tiny.CPU))
    return found


def gradients(model: DeepseekVL, sequences: list[list[PreparedExample]]) -> dict[str, Tensor]:
    model.zero_grad()
    losses(model, sequences).sum().backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@CONFIGS
def test_packed_sequences_have_the_losses_and_gradients_of_single_ones(config: ModelConfig) -> None:
    model, given = tiny.model(config).double().train(), examples(config)
    assert len(given) == 4
    single = torch.cat([losses(model, [[each]]) for each in given])
    packed = losses(model, [given])
    torch.testing.assert_close(packed, single, rtol=1e-6, atol=1e-6)
    one_by_one: dict[str, Tensor] = {}
    for each in given:
        for name, gradient in gradients(model, [[each]]).items():
            one_by_one[name] = one_by_one.get(name, torch.zeros_like(gradient)) + gradient
    together = gradients(model, [given[:2], given[2:]])
    assert together.keys() == one_by_one.keys() == dict(model.named_parameters()).keys()
    for name, gradient in together.items():
        scale = gradient.abs().max().clamp(min=1e-6)
        torch.testing.assert_close(gradient / scale, one_by_one[name] / scale, rtol=0, atol=1e-5)


def test_losses_are_those_of_the_whole_logits() -> None:
    model, given = tiny.model(tiny.HYBRID).eval(), examples(tiny.HYBRID)[1:2]
    batch = DeviceBatch.of(collate([given], tiny.HYBRID), tiny.CPU)
    logits = model(batch.tokens_T[None], batch.image_places, batch.canvases_M3YX)[0]
    expected = torch.nn.functional.cross_entropy(logits[batch.target_places], batch.targets_S, reduction="none")
    torch.testing.assert_close(losses(model, [given]), expected)


def test_the_loss_in_chunks_has_the_same_gradient() -> None:
    torch.manual_seed(0)
    head, hidden = torch.nn.Linear(8, 50), torch.randn(23, 8, requires_grad=True)
    targets = torch.randint(50, (23,))
    whole = torch.nn.functional.cross_entropy(head(hidden), targets, reduction="none")
    chunked = target_losses(hidden, targets, head, chunk=5)
    torch.testing.assert_close(chunked, whole)
    expected = torch.autograd.grad(whole.sum(), [hidden, head.weight])
    torch.testing.assert_close(torch.autograd.grad(chunked.sum(), [hidden, head.weight]), expected)
    assert target_losses(hidden[:0], targets[:0], head).shape == (0,)


def test_one_batch_is_learned_by_heart_and_frozen_parts_stay_the_same_to_the_bit() -> None:
    config = tiny.HYBRID
    model = DeepseekVL.random(config, 1, device=tiny.CPU, dtype=torch.float32).train()
    parts.freeze(model, {"adaptor": 1e-3, "language": 1e-3})
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3, weight_decay=0.0)
    given = [examples(config)]
    for _ in range(150):
        optimizer.zero_grad()
        loss = losses(model, given).mean()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05
    for name, parameter in model.named_parameters():
        is_trained = parts.part_of(name) in ("adaptor", "language")
        assert torch.equal(parameter, before[name]) is not is_trained, name


def test_a_part_that_does_not_exist_cannot_be_trained() -> None:
    with pytest.raises(ValueError, match="the model has no part sam"):
        parts.freeze(tiny.model(tiny.SINGLE), {"sam": 1e-3})


def test_a_sequence_without_images_gives_the_towers_a_gradient_of_zero_if_asked() -> None:
    model = tiny.model(tiny.HYBRID).train()
    batch = DeviceBatch.of(collate([examples(tiny.HYBRID)[:1]], tiny.HYBRID), tiny.CPU)
    TrainingModel(model, always_encode=True)(batch).sum().backward()
    assert model.adaptor.out.weight.grad is not None
    assert not model.adaptor.out.weight.grad.any()


def test_merged_lora_answers_like_lora(tmp_path: Path) -> None:
    model, given = tiny.model(tiny.HYBRID), [examples(tiny.HYBRID)]
    plain = losses(model, given)
    settings = LoraSettings(
        rank=3, alpha=6.0, layers=("language.blocks.*.qkv", "adaptor.out", "siglip.*.fc1", "sam.*.proj")
    )
    names = add_lora(model, settings, seed=5)
    assert len(names) == 3 + 1 + 2 + 4
    torch.testing.assert_close(losses(model, given), plain)  # nothing is learned yet
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".up"):
                parameter.normal_(0, 0.1)
    adapted = losses(model, given)
    assert (adapted - plain).abs().max() > 0.1
    save_lora(model, settings, tmp_path)
    merge_lora(model)
    torch.testing.assert_close(losses(model, given), adapted, rtol=1e-4, atol=1e-4)
    fresh = tiny.model(tiny.HYBRID)
    assert load_lora(fresh, tmp_path) == settings
    torch.testing.assert_close(losses(fresh, given), adapted)
    with pytest.raises(ValueError, match=r"does not fit the model|names no linear layer"):
        load_lora(tiny.model(tiny.SINGLE), tmp_path)


def test_a_pattern_that_names_no_layer_is_an_error() -> None:
    with pytest.raises(ValueError, match="names no linear layer"):
        add_lora(tiny.model(tiny.SINGLE), LoraSettings(layers=("language.blocks.*.query",)))


def test_a_batch_without_examples_has_no_loss_and_a_backward_pass() -> None:
    model = tiny.model(tiny.HYBRID).train()
    nothing = losses(model, [[]])
    assert nothing.shape == (0,)
    nothing.sum().backward()
