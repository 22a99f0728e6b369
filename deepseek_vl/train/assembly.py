"""What is trained, before the first step: the model, its frozen and adapted parts, and its optimizer."""

from functools import partial

import torch
from torch.utils.checkpoint import checkpoint as recompute

from deepseek_vl import checkpoint as formats
from deepseek_vl.compilation import compile_blocks
from deepseek_vl.config import PRESETS, preset
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.train import parts
from deepseek_vl.train.initial import widen
from deepseek_vl.train.lora import add_lora
from deepseek_vl.train.settings import TrainSettings


def load_model(settings: TrainSettings, device: torch.device) -> tuple[Processor, DeepseekVL]:
    """Return the processor and the model to start from, with float32 weights.

    Raises:
        ValueError: the checkpoint or the tokenizer cannot be used.
    """
    if settings.model not in PRESETS:
        folder = formats.find(settings.model)
        processor = Processor.load(folder)
        return processor, formats.load(folder, device=device, dtype=torch.float32).train()
    if settings.tokenizer is None:
        raise ValueError(f"tokenizer: the preset {settings.model} needs the folder of a tokenizer.json")
    config = preset(settings.model)
    processor = Processor.from_file(formats.find(settings.tokenizer) / "tokenizer.json", config)
    model = DeepseekVL.random(config, settings.seed, device=device, dtype=torch.float32)
    widen(model)
    return processor, model.train()


def prepare_model(model: DeepseekVL, settings: TrainSettings) -> list[str]:
    """Freeze what is not trained, and add LoRA; return the names of the adapted layers.

    Raises:
        ValueError: a part or layer does not exist.
    """
    if settings.lora is None:
        parts.freeze(model, settings.train)
        return []
    names = add_lora(model, settings.lora, settings.seed)
    adapted = {parts.part_of(name) for name in names}
    without_rate = sorted(adapted - settings.train.keys())
    if without_rate:
        raise ValueError(f"train: lora adapts layers of {without_rate[0]}, which has no learning rate")
    for name, parameter in model.named_parameters():
        part = parts.part_of(name)
        is_lora = name.rpartition(".")[2] in ("down", "up") and name.rpartition(".")[0] in names
        parameter.requires_grad_(is_lora if part in adapted else part in settings.train)
    return names


def make_optimizer(model: DeepseekVL, settings: TrainSettings) -> torch.optim.Optimizer:
    """Return AdamW over the trained parameters, one group per part."""
    optimization = settings.optimization
    groups = []
    for part, rate in settings.train.items():
        parameters = [p for name, p in model.named_parameters() if p.requires_grad and parts.part_of(name) == part]
        if parameters:
            groups.append({"params": parameters, "lr": rate, "base_lr": rate})
    return torch.optim.AdamW(
        groups,
        betas=optimization.betas,
        eps=optimization.epsilon,
        weight_decay=optimization.weight_decay,
        fused=True,
    )


def adapt_blocks(model: DeepseekVL, settings: TrainSettings) -> None:
    """Make the blocks compute activations again or be compiled, as the settings say."""
    if settings.compute.compile:
        compile_blocks(model)
    for _, block in parts.blocks(model):
        if settings.compute.checkpoint_activations and any(p.requires_grad for p in block.parameters()):
            block.forward = partial(recompute, block.forward, use_reentrant=False)
