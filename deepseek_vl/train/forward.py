"""The forward pass of training: from a batch to the loss of each target.

Shapes: T tokens, S targets, D width, N images, M images that are encoded, P visual tokens per image, Y and X pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from deepseek_vl.attention import Packed
from deepseek_vl.device import upload
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.batches import Batch
from deepseek_vl.train.features import TOWERS, Features, FeatureStore, encode_singly, frozen_towers
from deepseek_vl.train.loss import target_losses


@dataclass(frozen=True, slots=True)
class DeviceBatch:
    """A `Batch` on the device, with the same fields."""

    tokens_T: Tensor
    positions_T: Tensor
    attention: Packed
    image_places: Tensor
    canvases_M3YX: Tensor | None
    canvas_places: Sequence[int]
    features: Sequence[Features | None]
    digests: Sequence[str]
    target_places: Tensor
    targets_S: Tensor
    datasets_S: Tensor

    @staticmethod
    def of(batch: Batch, device: torch.device) -> "DeviceBatch":
        """Copy a batch to the device."""

        def put(name: str) -> Tensor:
            return upload(torch.from_numpy(getattr(batch, name)), device)

        names = ("tokens_T", "positions_T", "image_places", "target_places", "targets_S", "datasets_S")
        known = [each and {name: upload(value, device) for name, value in each.items()} for each in batch.features]
        return DeviceBatch(
            **{name: put(name) for name in names},
            attention=Packed.documents(batch.lengths, device),
            canvases_M3YX=None if batch.canvases_M3YX is None else put("canvases_M3YX"),
            canvas_places=batch.canvas_places.tolist(),
            features=known,
            digests=batch.digests,
        )


class TrainingModel(nn.Module):
    """A model that returns losses.

    Frozen towers encode one image at a time on a CPU, where that costs nothing, and wherever features are kept: the
    features of an image then do not depend on the images beside it, and are the same to the bit when they are read.

    Args:
        always_encode: encode an empty canvas for a batch without images. Processes that share weights must all run the
            towers in a step, or none.
        store: keeps features of frozen towers.
        most: returns the largest of a number in all processes.
    """

    def __init__(
        self,
        model: DeepseekVL,
        *,
        always_encode: bool = False,
        store: FeatureStore | None = None,
        most: Callable[[int], int] = int,
    ):
        super().__init__()
        self.model = model
        self.always_encode = always_encode
        self._store, self._most = store, most
        is_single = store is not None or model.device.type == "cpu"
        self._single = frozen_towers(model) if is_single else ()

    def forward(self, batch: DeviceBatch) -> Tensor:
        """Return the (S,) float32 losses of the targets."""
        model = self.model
        x_TD = model.language.embedding(batch.tokens_T)
        visual_NPD = self._visual(batch)
        if batch.features:
            assert visual_NPD is not None
            x_TD = x_TD.index_copy(0, batch.image_places, visual_NPD.flatten(0, 1))
        elif visual_NPD is not None:
            x_TD = x_TD + 0 * visual_NPD.sum()
        hidden_1TD = model.language(x_TD[None], batch.positions_T[None], batch.attention)
        return target_losses(hidden_1TD[0, batch.target_places], batch.targets_S, model.language.head)

    def _visual(self, batch: DeviceBatch) -> Tensor | None:
        """Return the visual tokens of a batch; without images None, or the tokens of an empty canvas."""
        model, side = self.model, self.model.config.image_px
        canvases, places, known = batch.canvases_M3YX, batch.canvas_places, batch.features
        digests: Sequence[str] = batch.digests
        single = self._single
        features: list[Features] = []
        if not known and self.always_encode:
            canvases = torch.zeros(1, 3, side, side, dtype=torch.uint8, device=batch.tokens_T.device)
            known = [None] if self._store is None else [self._store.empty(batch.tokens_T.device)]
            places, digests = [0], [""]
        if single:
            by_place = {} if canvases is None else dict(zip(places, canvases, strict=True))
            features = encode_singly(model, self._store, single, by_place, known, digests, self._most)
        if not known:
            return None
        found: dict[str, Tensor | None] = dict.fromkeys(TOWERS)
        if len(single) < 1 + (model.sam is not None):
            assert canvases is not None  # of all images, as a tower is trained
            for name, pixels in zip(TOWERS, model.tower_inputs(canvases), strict=True):
                if name not in single and pixels is not None:
                    found[name] = getattr(model, name)(pixels)
        for name in single:
            found[name] = torch.stack([each[name] for each in features])
        visual_NPD: Tensor = model.adaptor(found["siglip"], found["sam"])
        return visual_NPD
