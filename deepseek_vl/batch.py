"""Embeds prompts of different lengths and numbers of images as one batch on the device.

Shapes: B prompts, T tokens, N images in total, P visual tokens per image, D width.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from deepseek_vl.device import upload
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Prompt


class Embedder:
    """Embeds batches of prompts and caches the visual tokens of recent images, which every turn of a chat repeats.

    Args:
        images_at_once: number of images encoded in one pass; it bounds memory.
        cached_images: number of images whose visual tokens are cached, 2 * width * 576 bytes each in a 16-bit type.
        compiled: compile the towers with torch.compile.
    """

    def __init__(self, model: DeepseekVL, *, images_at_once: int = 16, cached_images: int = 0, compiled: bool = False):
        self.model = model
        self.images_at_once = images_at_once
        self.cached_images = cached_images
        self._encode_batch = torch.compile(model.encode, dynamic=True) if compiled else model.encode
        self._visual: OrderedDict[bytes, Tensor] = OrderedDict()

    def __call__(self, prompts: Sequence[Prompt]) -> Tensor:
        """Return (B, T, D) embeddings, with shorter prompts padded at the end."""
        return self.embed([p.tokens for p in prompts], [c for p in prompts for c in p.canvases])

    def embed(self, rows: Sequence[np.ndarray], canvases: Sequence[np.ndarray]) -> Tensor:
        """Return (B, T, D) embeddings of rows of tokens, in which image tokens take the visual tokens of `canvases`.

        Raises:
            ValueError: the number of image tokens does not fit the number of canvases.
        """
        padded_BT = np.full((len(rows), max(map(len, rows))), self.model.config.eos, dtype=np.int64)
        for padded, row in zip(padded_BT, rows, strict=True):
            padded[: len(row)] = row
        places = np.flatnonzero(padded_BT == self.model.config.image_token)
        expected = len(canvases) * self.model.config.tokens_per_image
        if len(places) != expected:
            raise ValueError(f"{len(places)} image tokens for {len(canvases)} images; expected {expected}")
        device = self.model.device
        visual = self._encode(canvases) if canvases else None
        tokens_BT = upload(torch.from_numpy(padded_BT), device)
        return self.model.embed(tokens_BT, upload(torch.from_numpy(places), device), visual)

    def _encode(self, canvases: Sequence[np.ndarray]) -> Tensor:
        if not self.cached_images:
            return self._encode_all(canvases)
        digests = [hashlib.sha256(canvas.data).digest() for canvas in canvases]
        fresh = {digest: canvas for digest, canvas in zip(digests, canvases, strict=True) if digest not in self._visual}
        if fresh:
            self._visual.update(zip(fresh, self._encode_all(list(fresh.values())), strict=True))
        for digest in digests:
            self._visual.move_to_end(digest)
        visual_NPD = torch.stack([self._visual[digest] for digest in digests])
        while len(self._visual) > self.cached_images:
            self._visual.popitem(last=False)
        return visual_NPD

    def _encode_all(self, canvases: Sequence[np.ndarray]) -> Tensor:
        step = self.images_at_once
        chunks = [torch.from_numpy(np.stack(canvases[k : k + step])) for k in range(0, len(canvases), step)]
        return torch.cat([self._encode_batch(upload(chunk, self.model.device)) for chunk in chunks])
