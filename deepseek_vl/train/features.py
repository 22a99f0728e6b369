"""Features of frozen towers on disk: an image is encoded once, not once an epoch, and then not even decoded again.

A file holds the features of one image. Its name is the digest of the image's bytes, in a folder that is named by
everything else that the features depend on. Files appear whole, by a rename, so processes share them without locks.
Nothing is removed: when the folder is full, more images are encoded each time that they are read.

Shapes: N images, P visual tokens per image, C channels of a tower.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from deepseek_vl.config import ModelConfig
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.parts import part_of

FORMAT = 1  # changes with everything that changes features and is not in their key
TOWERS = ("siglip", "sam")
Features = dict[str, Tensor]
"""The (P, C) features of an image by tower, for the frozen towers."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FeatureSettings:
    """Where features of frozen towers are kept.

    Args:
        folder: may be shared by processes and trainings; it must be on a disk that is faster than the towers.
        max_gb: size of the folder at which nothing more is written to it.
    """

    folder: str
    max_gb: float = 100.0

    def __post_init__(self) -> None:
        if not self.folder:
            raise ValueError("folder must not be empty")
        if not 0 < self.max_gb < float("inf"):
            raise ValueError(f"max_gb must be positive, got {self.max_gb}")


class FeatureStore:
    """Features of the frozen towers of one model in one type.

    Args:
        model: with whole weights, before they are divided among processes.
        dtype: type in which the towers compute.
        num_processes: each may fill its part of the room that is left.
    Raises:
        ValueError: every tower is trained, or the folder cannot be used.
    """

    def __init__(self, settings: FeatureSettings, model: DeepseekVL, dtype: torch.dtype, num_processes: int = 1):
        self.towers = frozen_towers(model)
        if not self.towers:
            raise ValueError("compute.features: every tower is trained, so there are no features to keep")
        self.needs_canvases = len(self.towers) < 1 + (model.sam is not None)
        self._shapes = _shapes(model.config)
        self._dtype = dtype
        self._folder = Path(settings.folder) / _key(model, self.towers, dtype)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            used = sum(path.stat().st_size for path in Path(settings.folder).rglob("*.safetensors"))
        except OSError as error:
            raise ValueError(f"compute.features: {settings.folder} cannot be used: {error.strerror}") from error
        self._room = max(0.0, settings.max_gb * 1e9 - used) / num_processes
        self._is_open = True

    def get(self, digest: str) -> Features | None:
        """Return the features of an image; None if they are not known, or their file is damaged."""
        try:
            found = load(self._path(digest).read_bytes())
        except (OSError, ValueError, RuntimeError):
            return None
        except Exception as error:  # the library raises its own class, which has no narrower parent
            log.warning("%s is damaged (%s); the image is encoded again", self._path(digest), error)
            return None
        fits = found.keys() == set(self.towers) and all(
            value.shape == self._shapes[name] and value.dtype == self._dtype for name, value in found.items()
        )
        return found if fits else None

    def put(self, digest: str, features: Features) -> None:
        """Keep the features of an image, if there is room. A full disk ends the keeping, not the training."""
        if not self._is_open:
            return
        data = save({name: value.detach().cpu().contiguous() for name, value in features.items()})
        if len(data) > self._room:
            self._close("its limit (compute.features.max_gb) is reached")
            return
        path = self._path(digest)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            self._close(error.strerror or str(error))
            return
        self._room -= len(data)

    def empty(self, device: torch.device) -> Features:
        """Return features of no image: zeros."""
        return {name: torch.zeros(self._shapes[name], dtype=self._dtype, device=device) for name in self.towers}

    def _close(self, reason: str) -> None:
        self._is_open = False
        log.warning("no more features are kept in %s: %s", self._folder, reason)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.safetensors"


def frozen_towers(model: DeepseekVL) -> tuple[str, ...]:
    """Return the towers of a model of which no parameter is trained."""
    trained = {part_of(name) for name, p in model.named_parameters() if p.requires_grad}
    return tuple(name for name in TOWERS if getattr(model, name) is not None and name not in trained)


def digest_of(image: bytes) -> str:
    """Return what names the features of an image."""
    return hashlib.sha256(image).hexdigest()


def encode_singly(
    model: DeepseekVL,
    store: FeatureStore | None,
    towers: Sequence[str],
    canvases: dict[int, Tensor],
    known: Sequence[Features | None],
    digests: Sequence[str],
    most: Callable[[int], int],
) -> list[Features]:
    """Return the features of the frozen towers for N images, one image at a time: they do not depend on the others.

    Args:
        canvases: the (3, Y, X) canvases of the images that are not known.
        known: (N,) features from the store.
        most: returns the largest of a number in all processes, which must run a divided tower equally often.
    """
    found: list[Features] = [{} if each is None else each for each in known]
    missing = [number for number, each in enumerate(known) if each is None]
    side = model.config.image_px
    for turn in range(most(len(missing))):
        if turn < len(missing):
            canvas = canvases[missing[turn]]
        else:
            canvas = torch.zeros(3, side, side, dtype=torch.uint8, device=model.device)
        with torch.no_grad():
            low, high = model.tower_inputs(canvas[None])
            inputs = {"siglip": low, "sam": high}
            features = {name: getattr(model, name)(inputs[name])[0] for name in towers}
        if turn < len(missing):
            found[missing[turn]] = features
            if store is not None:
                store.put(digests[missing[turn]], features)
    return found


def _shapes(config: ModelConfig) -> dict[str, tuple[int, int]]:
    shapes = {"siglip": (config.tokens_per_image, config.low.width)}
    if config.high is not None:
        shapes["sam"] = (config.tokens_per_image, config.high.output_width)
    return shapes


def _key(model: DeepseekVL, towers: Sequence[str], dtype: torch.dtype) -> str:
    """Return a digest of the towers' weights, the preprocessing, the type, and the kind of device."""
    digest = hashlib.sha256(f"{FORMAT} {towers} {model.config} {dtype} {model.device.type}".encode())
    for name, parameter in model.named_parameters():
        if part_of(name) in towers:
            digest.update(name.encode())
            digest.update(parameter.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()[:32]
