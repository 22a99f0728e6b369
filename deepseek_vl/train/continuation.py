"""Whether a checkpoint belongs to a training that wants to continue from it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepseek_vl.model import DeepseekVL
from deepseek_vl.train.settings import TrainSettings, to_json

# Settings that may change when a training continues, because they change nothing of what is learned.
FREE = {"output", "log_every", "compute", "saving", "predictions"}


def frozen_digest(model: DeepseekVL) -> str:
    """Return a digest of a few values of every frozen parameter: enough to notice another model."""
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            digest.update(f"{name}{tuple(parameter.shape)}".encode())
            digest.update(parameter.detach().flatten()[:16].float().cpu().numpy().tobytes())
    return digest.hexdigest()


def check_same(
    settings: TrainSettings, progress: Mapping[str, Any], datasets: Sequence[str], frozen: str, folder: Path
) -> None:
    """Compare a training with the one that made a checkpoint.

    Raises:
        ValueError: settings that change what is learned, the shards or the frozen weights are others.
    """
    # Through JSON, which turns tuples into lists.
    now, then = json.loads(json.dumps(to_json(settings))), progress["settings"]
    for key in sorted(now.keys() | then.keys()):
        if key not in FREE and now.get(key) != then.get(key):
            difference = _first_difference(then.get(key), now.get(key), key)
            raise ValueError(f"{folder} was made with other settings: {difference}; use another output folder")
    for source, before, after in zip(settings.data.sources, progress["datasets"], datasets, strict=True):
        if before != after:
            raise ValueError(f"{source.path} has other shards than when {folder} was made; use another output folder")
    if frozen != progress["frozen"]:
        raise ValueError(f"the frozen parts of {settings.model} differ from when {folder} was made")


def _first_difference(then: Any, now: Any, key: str) -> str:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted(then.keys() | now.keys()):
            if then.get(name) != now.get(name):
                return _first_difference(then.get(name), now.get(name), f"{key}.{name}")
    return f"{key} was {json.dumps(then)} and is {json.dumps(now)}"
