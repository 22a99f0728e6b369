"""Embeds tokens and images on the device.

Shapes: T tokens, N images in total, P visual tokens per image, D width.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from deepseek_vl import slices
from deepseek_vl.device import upload
from deepseek_vl.model import DeepseekVL
from deepseek_vl.slices import Slices


def digest(canvas: np.ndarray) -> bytes:
    """Return the identity of an image for caches."""
    return hashlib.sha256(canvas.data).digest()


class Embedder:
    """Encodes images and embeds tokens.

    It caches the visual tokens of recent images, which every turn of a chat repeats.

    Args:
        images_at_once: number of images encoded in one pass; it bounds memory.
        cached_images: number of images whose visual tokens are cached, 2 * width * 576 bytes each in a 16-bit type.
    """

    def __init__(self, model: DeepseekVL, *, images_at_once: int = 16, cached_images: int = 0):
        self.model = model
        self.images_at_once = images_at_once
        self.cached_images = cached_images
        self._visual: OrderedDict[bytes, Tensor] = OrderedDict()

    def encode(self, canvases: Sequence[np.ndarray], limit_flop: float = math.inf) -> Slices[list[Tensor]]:
        """Encode images in pieces of limited size (see `slices`); the result is (P, D) visual tokens for each."""
        if not self.cached_images:
            return (yield from self._encode(canvases, limit_flop))
        digests = [digest(canvas) for canvas in canvases]
        fresh = {key: canvas for key, canvas in zip(digests, canvases, strict=True) if key not in self._visual}
        known = {key: self._visual[key] for key in digests if key not in fresh}
        if fresh:
            known |= zip(fresh, (yield from self._encode(list(fresh.values()), limit_flop)), strict=True)
        for key in digests:
            self._visual[key] = known[key]
            self._visual.move_to_end(key)
        while len(self._visual) > self.cached_images:
            self._visual.popitem(last=False)
        return [known[key] for key in digests]

    def _encode(self, canvases: Sequence[np.ndarray], limit_flop: float) -> Slices[list[Tensor]]:
        step = int(min(self.images_at_once, slices.images_within(self.model.config, limit_flop)))
        visual: list[Tensor] = []
        for k in range(0, len(canvases), step):
            chunk = upload(torch.from_numpy(np.stack(canvases[k : k + step])), self.model.device)
            visual += yield from slices.encode(self.model, chunk, limit_flop)
        return visual

    def embed(self, tokens_T: np.ndarray, visual: Sequence[Tensor], skipped: int = 0) -> Tensor:
        """Return (T, D) embeddings; image tokens take the visual tokens of `visual` in order.

        Args:
            skipped: number of the first visual tokens whose image tokens come before `tokens_T`.
        Raises:
            ValueError: there are more image tokens than visual tokens.
        """
        device = self.model.device
        x_TD: Tensor = self.model.language.embedding(upload(torch.from_numpy(tokens_T), device))
        places = np.flatnonzero(tokens_T == self.model.config.image_token)
        if not len(places):
            return x_TD
        size, end = self.model.config.tokens_per_image, skipped + len(places)
        if end > len(visual) * size:
            raise ValueError(f"{end} image tokens for {len(visual)} images; expected {len(visual) * size}")
        first, last = skipped // size, (end - 1) // size + 1
        visual_XD = torch.cat(list(visual[first:last]))[skipped - first * size : end - first * size]
        return x_TD.index_copy(0, upload(torch.from_numpy(places), device), visual_XD)
