"""Checkpoints of a training: everything that is needed to continue as if it had never stopped.

A checkpoint is a folder `step-000100` of safetensors files, in which each process writes its part of the trained
weights and the optimizer's moments, and `progress.json`. It appears whole, by a rename, and is written while the
training goes on.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import async_save

from deepseek_vl.train.processes import Processes

PROGRESS = "progress.json"
MOMENTS = ("exp_avg", "exp_avg_sq")
log = logging.getLogger(__name__)


class Saver:
    """Writes checkpoints into a folder in the background, one at a time, and keeps the latest."""

    def __init__(self, folder: Path, keep: int, processes: Processes):
        self._folder, self._keep, self._processes = folder, keep, processes
        self._running: tuple[int, Future[Any]] | None = None
        self.failures = 0
        # Checkpoints are written in another thread: with the group of the training, the messages of both
        # would be mixed up.
        self._group = dist.new_group(backend="gloo")

    def save(self, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Mapping[str, Any]) -> None:
        """Begin to write the checkpoint of a step; waits until the one before is written."""
        self.finish()
        part = self._part(step)
        if self._processes.is_first:
            shutil.rmtree(part, ignore_errors=True)
            try:
                part.mkdir(parents=True)
                content = {**progress, "step": step, "updates": _updates(model, optimizer)}
                (part / PROGRESS).write_text(json.dumps(content), encoding="utf-8")
            except OSError as error:
                self._note_failure(step, error)
        self._processes.wait()
        writer = HuggingFaceStorageWriter(str(part), save_distributed=True)
        tensors = _tensors(model, optimizer)
        future = async_save(tensors, storage_writer=writer, process_group=self._group)
        assert isinstance(future, Future)
        self._running = step, future

    def poll(self) -> None:
        """Let a checkpoint appear that is written by now."""
        if self._running is not None and self._running[1].done():
            self.finish()

    def finish(self) -> bool:
        """Wait until the running checkpoint is written; return False if it could not be."""
        if self._running is None:
            return True
        (step, future), self._running = self._running, None
        try:
            future.result()
            if self._processes.is_first:
                self._publish(step)
        except (Exception, CheckpointException) as error:  # a full disk costs the checkpoint, not the training
            self._note_failure(step, error)
            return False
        return True

    def _publish(self, step: int) -> None:
        final = self._folder / f"step-{step:06d}"
        shutil.rmtree(final, ignore_errors=True)
        self._part(step).rename(final)
        for old in sorted(self._folder.glob("step-*"))[: -self._keep]:
            shutil.rmtree(old, ignore_errors=True)

    def _note_failure(self, step: int, error: BaseException) -> None:
        self.failures += 1
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        log.warning("the checkpoint of step %d could not be written: %s", step, reason)
        if self._processes.is_first:
            shutil.rmtree(self._part(step), ignore_errors=True)

    def _part(self, step: int) -> Path:
        return self._folder / f".step-{step:06d}.part"


def latest(folder: Path) -> Path | None:
    """Return the folder of the latest whole checkpoint, or None."""
    found = [path for path in folder.glob("step-*") if (path / PROGRESS).is_file()]
    return max(found, default=None, key=lambda path: path.name)


def read_progress(checkpoint: Path) -> dict[str, Any]:
    """Return what `save` was given as progress, with `step`. Raises ValueError if the file is damaged."""
    path = checkpoint / PROGRESS
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged: {error}; remove the folder to continue from the checkpoint before"
        ) from error
    return content


def restore(checkpoint: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Load weights and the optimizer's state in place.

    Raises:
        ValueError: the checkpoint does not fit the model, or is damaged.
    """
    updates: dict[str, int] = read_progress(checkpoint)["updates"]
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    unknown = sorted(updates.keys() - trained.keys())
    if unknown:
        raise ValueError(f"{checkpoint} trains {unknown[0]}, which these settings do not")
    for name, count in updates.items():
        parameter = trained[name]
        optimizer.state[parameter] = {
            "step": torch.tensor(
                float(count), device=parameter.device if _is_fused_on_gpu(optimizer, parameter) else None
            ),
            **{moment: torch.zeros_like(parameter) for moment in MOMENTS},
        }
    tensors = _tensors(model, optimizer)
    try:
        load(tensors, storage_reader=HuggingFaceStorageReader(str(checkpoint)))
    except (OSError, ValueError, KeyError, RuntimeError, CheckpointException) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ValueError(f"{checkpoint} cannot be loaded: {reason}") from error


def _tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the trained parameters and their moments by name."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            tensors[f"model.{name}"] = parameter.detach()
            for moment in MOMENTS:
                if parameter in optimizer.state:
                    tensors[f"optimizer.{name}.{moment}"] = optimizer.state[parameter][moment]
    return tensors


def _updates(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, int]:
    """Return how often each trained parameter was updated; one without a gradient so far is left out."""
    return {
        name: int(optimizer.state[parameter]["step"])
        for name, parameter in model.named_parameters()
        if parameter in optimizer.state
    }


def _is_fused_on_gpu(optimizer: torch.optim.Optimizer, parameter: Tensor) -> bool:
    return bool(optimizer.defaults.get("fused")) and parameter.device.type == "cuda"
