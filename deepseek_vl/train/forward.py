"""The forward pass of training: from a batch to the loss of each target.

Shapes: B sequences, T tokens, N images, P visual tokens per image, S targets, D width, Y and X pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepseek_vl.device import upload
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.batches import Batch
from deepseek_vl.train.loss import target_losses


@dataclass(frozen=True, slots=True)
class DeviceBatch:
    """A `Batch` on the device, with the same fields."""

    tokens_BT: Tensor
    positions_BT: Tensor
    examples_BT: Tensor
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

        names = ("tokens_BT", "positions_BT", "examples_BT", "image_places", "target_places", "targets_S", "datasets_S")
        canvases = None if batch.canvases_N3YX is None else put("canvases_N3YX")
        return DeviceBatch(**{name: put(name) for name in names}, canvases_N3YX=canvases)


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
        x_BTD = model.language.embedding(batch.tokens_BT)
        if batch.canvases_N3YX is not None:
            visual_NPD = model.encode(batch.canvases_N3YX)
            x_BTD = x_BTD.flatten(0, 1).index_copy(0, batch.image_places, visual_NPD.flatten(0, 1)).view_as(x_BTD)
        elif self.always_encode:
            side = model.config.image_px
            empty = torch.zeros(1, 3, side, side, dtype=torch.uint8, device=batch.tokens_BT.device)
            x_BTD = x_BTD + 0 * model.encode(empty).sum()
        mask_B1TT = packed_mask(batch.examples_BT)
        hidden_BTD = model.language(x_BTD, batch.positions_BT, mask_B1TT)
        hidden_SD = hidden_BTD.flatten(0, 1)[batch.target_places]
        return target_losses(hidden_SD, batch.targets_S, model.language.head)


def packed_mask(examples_BT: Tensor) -> Tensor | None:
    """Return the (B, 1, T, T) mask of causal attention within each example; None if a sequence is one example."""
    if not (examples_BT > 0).any():
        return None
    num_tokens = examples_BT.shape[1]
    same_BTT = examples_BT[:, :, None] == examples_BT[:, None, :]
    causal_TT = torch.ones(num_tokens, num_tokens, dtype=torch.bool, device=examples_BT.device).tril()
    return (same_BTT & causal_TT)[:, None]
