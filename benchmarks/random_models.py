"""Models of any preset with random weights, ours and the transformers port of the same shape, for measuring speed."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from deepseek_vl.config import ModelConfig
from deepseek_vl.layouts.native import Native
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


def port(config: ModelConfig, device: torch.device, dtype: torch.dtype) -> Any:
    """Return the transformers port of the same shape, with its default initialisation."""
    from transformers import AutoConfig, AutoModelForImageTextToText

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(Native().write_config(config)["config.json"]))
        theirs = AutoConfig.from_pretrained(folder)
    with torch.device(device):
        return AutoModelForImageTextToText.from_config(theirs, dtype=dtype).eval()


def port_inputs(
    prompts: list[Prompt], config: ModelConfig, device: torch.device, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Return the port's inputs for prompts with the same number of tokens."""
    canvases = torch.from_numpy(np.stack([c for prompt in prompts for c in prompt.canvases])).to(device)
    pixels = canvases.float() / 255
    tokens = torch.from_numpy(np.stack([prompt.tokens for prompt in prompts])).to(device)
    inputs = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    if config.high is None:
        return {**inputs, "pixel_values": pixels.to(dtype)}
    low = (config.low.image_px,) * 2
    small = torch.nn.functional.interpolate(pixels, low, mode="bilinear", antialias=True)
    return {**inputs, "pixel_values": small.to(dtype), "high_res_pixel_values": pixels.to(dtype)}


def noise(number: int, side: int) -> Image.Image:
    """Return a picture of noise that depends on the number."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8))
