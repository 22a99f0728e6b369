"""Tiny models for tests, with every feature of the large ones, random weights and a real tokenizer."""

from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from deepseek_vl import checkpoint
from deepseek_vl.config import LanguageConfig, ModelConfig, SamConfig, SiglipConfig
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import SPECIAL_TOKENS, Processor

CPU = torch.device("cpu")
LOW = SiglipConfig(image_px=32, patch_px=8, width=32, layers=2, heads=2, hidden=48)
# 10 patches per side in windows of 4: the last window is padded, like 64 in windows of 14.
HIGH = SamConfig(
    image_px=80, patch_px=8, width=24, layers=4, heads=2, hidden=40, window=4, global_layers=(1, 3), neck_width=6
)
LANGUAGE = LanguageConfig(vocabulary=512, width=32, layers=3, heads=4, hidden=56, max_positions=512)
SINGLE = ModelConfig(low=LOW, language=LANGUAGE, bos=0, eos=1, image_token=2)
HYBRID = ModelConfig(low=LOW, high=HIGH, language=LANGUAGE, bos=0, eos=1, image_token=2)
CONFIGS = {"single": SINGLE, "hybrid": HYBRID}
TEXT = [
    "You are a helpful language and vision assistant. User: what is written here? Assistant: Yes, No, 1 2 3 4 5.",
    "Describe the chart and name the largest value. 请描述图表并说出最大值。图中写了什么？是，否。",
]


def tokenizer() -> Tokenizer:
    """Return a byte-level BPE like the public models', with 448 tokens, the special ones first."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = [AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS.values()]
    trainer = trainers.BpeTrainer(
        vocab_size=448,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(TEXT, trainer)
    return bpe


def model(config: ModelConfig, seed: int = 1) -> DeepseekVL:
    """Return a model whose weights, biases and branch weight are all random, so that every term matters."""
    made = DeepseekVL.random(config, seed, device=CPU, dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return made


def processor(config: ModelConfig) -> Processor:
    """Return a processor whose tokenizer fits the tiny models."""
    return Processor(tokenizer(), config)


def write_checkpoint(folder: Path, config: ModelConfig, layout: str = "native") -> DeepseekVL:
    """Write a checkpoint with its tokenizer to a folder; return its model."""
    made = model(config)
    checkpoint.save(made, folder, layout=layout)
    tokenizer().save(str(folder / "tokenizer.json"))
    return made
