"""Floating-point operations of a training step, for the share of the device's peak that is used (MFU)."""

import torch

from deepseek_vl.config import ModelConfig
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.parts import part_of

# Dense bf16 peak in FLOP/s, from the vendor's data sheets.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12}


class StepCost:
    """Counts the operations of a step: 2 per weight and token forward, 2 more for the gradient of the input where one
    flows, 2 more for the gradient of a trained weight; and attention.

    The embedding is a lookup and counts nothing; the head counts for targets alone.
    """

    def __init__(self, model: DeepseekVL):
        self._config: ModelConfig = model.config
        trained = dict.fromkeys(("adaptor", "siglip", "sam", "language"), False)
        sizes = dict.fromkeys(trained, 0)
        for name, parameter in model.named_parameters():
            trained[part_of(name)] |= parameter.requires_grad
            if not name.startswith(("language.embedding", "language.head")):
                sizes[part_of(name)] += parameter.numel()
        self._sizes, self._trained = sizes, trained

    def flops(self, num_tokens: int, num_targets: int, num_images: int, attended: int, *, num_known: int = 0) -> float:
        """Return the operations of forward and backward pass.

        Args:
            num_tokens: tokens, padding excluded.
            attended: sum over the examples of their tokens squared.
            num_known: images whose features of the frozen towers are known.
        """
        language, low, high = self._config.language, self._config.low, self._config.high
        towers = self._trained["siglip"] or self._trained["sam"]
        into_images = towers or self._trained["adaptor"]
        total = self._weights("language", num_tokens, flows=into_images or self._trained["language"])
        factor = 2 + 4 * (into_images or self._trained["language"])
        total += factor * language.layers * language.width * attended  # causal: half of 4 * width * T * T
        total += factor * num_targets * language.width * language.vocabulary
        total += num_images * self._weights("adaptor", low.grid**2, flows=into_images)
        per_image = self._weights("siglip", low.grid**2, flows=self._trained["siglip"])
        per_image += (2 + 4 * self._trained["siglip"]) * 2 * low.layers * low.width * low.grid**4
        total += per_image * (num_images - num_known * (not self._trained["siglip"]))
        if high is not None:
            per_image = self._weights("sam", high.grid**2, flows=self._trained["sam"])
            spans = sum(high.grid**2 if k in high.global_layers else high.window**2 for k in range(high.layers))
            per_image += (2 + 4 * self._trained["sam"]) * 2 * high.width * high.grid**2 * spans
            total += per_image * (num_images - num_known * (not self._trained["sam"]))
        return total

    def _weights(self, part: str, num_tokens: int, *, flows: bool) -> float:
        return 2.0 * self._sizes[part] * num_tokens * (1 + flows + self._trained[part])


def peak_flops(device: torch.device) -> float | None:
    """Return the device's peak in bf16 FLOP/s; None if it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for mark, peak in PEAKS.items() if mark in name), None)
