"""Models of any preset with random weights, ours and the transformers port of the same weights, for measuring speed."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from deepseek_vl import checkpoint
from deepseek_vl.config import ModelConfig, SamConfig, SiglipConfig
from deepseek_vl.layouts.native import Native
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import SPECIAL_TOKENS, Processor, Prompt


def byte_processor(config: ModelConfig) -> Processor:
    """Return a processor whose text tokens are bytes."""
    special = {token: getattr(config, field) for field, token in SPECIAL_TOKENS.items()}
    free = (number for number in range(config.language.vocabulary) if number not in special.values())
    alphabet = dict(zip(sorted(pre_tokenizers.ByteLevel.alphabet()), free, strict=False))
    tokenizer = Tokenizer(models.BPE(vocab={**alphabet, **special}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return Processor(tokenizer, config)


def port_of(model: DeepseekVL) -> Any:
    """Return the transformers port with the weights of our model, in the same memory."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    native, config = Native(), model.config
    shallow = replace(
        config,
        low=replace(config.low, layers=1),
        high=config.high and replace(config.high, layers=1, global_layers=(0,)),
        language=replace(config.language, layers=1),
    )
    made = []
    for shape, where in ((config, "meta"), (shallow, model.device)):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "config.json").write_text(json.dumps(native.write_config(shape)["config.json"]))
            theirs = AutoConfig.from_pretrained(folder)
        with torch.device(where):
            made.append(AutoModelForImageTextToText.from_config(theirs, dtype=model.dtype).eval())
    whole, small = made
    parameters = dict(model.named_parameters())
    state = {entry.name: checkpoint._target(parameters[entry.parameter], entry) for entry in native.entries(config)}
    whole.load_state_dict({name: tensor.detach() for name, tensor in state.items()}, assign=True)
    buffers = dict(small.named_buffers())  # computed ones, like rotary frequencies, which do not depend on the depth
    for name, buffer in whole.named_buffers():
        if buffer.is_meta:
            module, _, attribute = name.rpartition(".")
            setattr(whole.get_submodule(module), attribute, buffers[name])
    return whole


def port_inputs(
    prompts: list[Prompt], config: ModelConfig, device: torch.device, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Return the port's inputs for prompts with the same number of tokens."""
    canvases = torch.from_numpy(np.stack([c for prompt in prompts for c in prompt.canvases])).to(device)
    pixels = canvases.float() / 255
    tokens = torch.from_numpy(np.stack([prompt.tokens for prompt in prompts])).to(device)
    inputs = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    if config.high is None:
        return {**inputs, "pixel_values": _normalised(pixels, config.low).to(dtype)}
    low = (config.low.image_px,) * 2
    small = torch.nn.functional.interpolate(pixels, low, mode="bilinear", antialias=True)
    return {
        **inputs,
        "pixel_values": _normalised(small, config.low).to(dtype),
        "high_res_pixel_values": _normalised(pixels, config.high).to(dtype),
    }


def _normalised(pixels: torch.Tensor, tower: SiglipConfig | SamConfig) -> torch.Tensor:
    mean, std = pixels.new_tensor([tower.mean, tower.std])[:, :, None, None]
    return (pixels - mean) / std


def noise(number: int, side: int) -> Image.Image:
    """Return a picture of noise that depends on the number."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8))
