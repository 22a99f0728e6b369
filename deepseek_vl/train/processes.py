"""Processes that train together: one per GPU under torchrun, or a single one. The same code runs in both cases."""

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from deepseek_vl import device as devices
from deepseek_vl.model import DeepseekVL
from deepseek_vl.train import parts

TIMEOUT = timedelta(minutes=30)  # for the slowest process, e.g. while it reads a checkpoint


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train together."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """True in the one process that writes the log."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        if self.world_size > 1:
            dist.all_reduce(values)
        return values

    def most(self, value: int) -> int:
        """Return the largest of a number over all processes."""
        if self.world_size == 1:
            return value
        largest = torch.tensor(value, device=self.device)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def gather(self, value: Any) -> list[Any]:
        """Return a JSON value of every process, in order."""
        if self.world_size == 1:
            return [value]
        found: list[Any] = [None] * self.world_size
        dist.all_gather_object(found, value)
        return found

    def wait(self) -> None:
        """Wait for all processes."""
        if self.world_size > 1:
            dist.barrier()


def start(device_name: str | None) -> Processes:
    """Join the processes that torchrun started, or start alone.

    Raises:
        ValueError: the device cannot be used.
    """
    device = devices.pick(device_name)
    if device.type == "mps":
        raise ValueError("training shards its weights, which PyTorch does not support on mps; use cpu or cuda")
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    if "RANK" in os.environ:
        dist.init_process_group(backend, timeout=TIMEOUT)
    else:
        store = dist.HashStore()  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=store, rank=0, world_size=1)
    return Processes(dist.get_rank(), dist.get_world_size(), device)


def stop() -> None:
    """Leave the group of processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def shard(model: nn.Module, inner: DeepseekVL, processes: Processes, dtype: torch.dtype) -> None:
    """Divide the weights of a model among the processes, block by block.

    Weights and optimizer state stay in float32; each block is gathered and converted to `dtype` while it computes.

    Args:
        model: the module that is called; it contains `inner`.
    """
    mesh = init_device_mesh(processes.device.type, (processes.world_size,))
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    for _, block in parts.blocks(inner):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)


def full(tensor: Tensor) -> Tensor:
    """Return the whole of a divided tensor; all processes must ask for it."""
    if isinstance(tensor, DTensor):
        return tensor.full_tensor()
    return tensor


def copy_full(source: nn.Module, target: nn.Module | None) -> None:
    """Copy the parameters of a divided model to a whole one of the same structure, one at a time.

    Args:
        target: None in a process that needs no copy; all processes must take part.
    """
    wanted = None if target is None else dict(target.named_parameters())
    with torch.no_grad():
        for name, parameter in source.named_parameters():
            value = full(parameter.detach())
            if wanted is not None:
                wanted[name].copy_(value)
