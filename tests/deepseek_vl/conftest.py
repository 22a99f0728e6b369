"""Tiny checkpoints of both kinds, and the transformers port loaded from the same files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText

from deepseek_vl.config import ModelConfig
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from tests.deepseek_vl import tiny


@dataclass(frozen=True)
class Pair:
    """Our model, and the reference loaded from the files that we wrote."""

    config: ModelConfig
    folder: Path
    model: DeepseekVL
    processor: Processor
    reference: Any

    def reference_pixels(self, canvases: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the reference's inputs for canvases, normalised with the paper's constants."""

        def normalised(pixels: torch.Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> torch.Tensor:
            return (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]

        pixels = canvases.float() / 255
        low, high = self.config.low, self.config.high
        if high is None:
            return {"pixel_values": normalised(pixels, low.mean, low.std)}
        small = torch.nn.functional.interpolate(pixels, (low.image_px,) * 2, mode="bilinear", antialias=True)
        return {
            "pixel_values": normalised(small, low.mean, low.std),
            "high_res_pixel_values": normalised(pixels, high.mean, high.std),
        }


@pytest.fixture(scope="session", params=tiny.CONFIGS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both kinds of model, each with its reference."""
    config = tiny.CONFIGS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    model = tiny.write_checkpoint(folder, config)
    reference = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    return Pair(config, folder, model, Processor.load(folder), reference)


@pytest.fixture
def pictures() -> list[Image.Image]:
    """Noise pictures of several shapes: wide, tall, tiny and square."""
    numbers = np.random.default_rng(0)
    sizes = ((90, 40), (33, 120), (3, 2), (64, 64), (200, 130))
    return [Image.fromarray(numbers.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in sizes]
