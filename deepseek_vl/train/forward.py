"""The forward pass of training: from a batch to the loss of each target.

Shapes: T tokens, S targets, D width, N images, P visual tokens per image, Y and X pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepseek_vl.attention import Packed
from deepseek_vl.device import upload
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.batches import Batch
from deepseek_vl.train.loss import target_losses


@dataclass(frozen=True, slots=True)
class DeviceBatch:
    """A `Batch` on the device, with the same fields."""

    tokens_T: Tensor
    positions_T: Tensor
    attention: Packed
    image_places: Tensor
    canvases_N3YX: Tensor | None
    target_places: Tensor
    targets_S: Tensor
    datasets_S: Tensor

    @staticmethod
    def of(batch: Batch, device: torch.device) -> "DeviceBatch":
        """Copy a batch to the device."""

        def put(name: str) -> Tensor:
            return upload(torch.from_numpy(getattr(batch, name)), device)

        names = ("tokens_T", "positions_T", "image_places", "target_places", "targets_S", "datasets_S")
        return DeviceBatch(
            **{name: put(name) for name in names},
            attention=Packed.documents(batch.lengths, device),
            canvases_N3YX=None if batch.canvases_N3YX is None else put("canvases_N3YX"),
        )


class TrainingModel(nn.Module):
    """A model that returns losses.

    Args:
        always_encode: encode an empty canvas for a batch without images. Processes that share weights must all run the
            towers in a step, or none.
    """

    def __init__(self, model: DeepseekVL, *, always_encode: bool = False):
        super().__init__()
        self.model = model
        self.always_encode = always_encode

    def forward(self, batch: DeviceBatch) -> Tensor:
        """Return the (S,) float32 losses of the targets."""
        model = self.model
        x_TD = model.language.embedding(batch.tokens_T)
        if batch.canvases_N3YX is not None:
            visual_NPD = model.encode(batch.canvases_N3YX)
            x_TD = x_TD.index_copy(0, batch.image_places, visual_NPD.flatten(0, 1))
        elif self.always_encode:
            side = model.config.image_px
            empty = torch.zeros(1, 3, side, side, dtype=torch.uint8, device=x_TD.device)
            x_TD = x_TD + 0 * model.encode(empty).sum()
        hidden_1TD = model.language(x_TD[None], batch.positions_T[None], batch.attention)
        return target_losses(hidden_1TD[0, batch.target_places], batch.targets_S, model.language.head)
