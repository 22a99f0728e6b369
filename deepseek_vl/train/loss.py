"""The loss on the targets alone, without the logits of a whole sequence in memory."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

CHUNK = 2048  # targets whose logits are in memory at a time: 0.84 GB of fp32 for 102,400 tokens


def target_losses(hidden_SD: Tensor, targets_S: Tensor, head: nn.Module, chunk: int = CHUNK) -> Tensor:
    """Return the (S,) float32 cross entropy of each target; logits are computed again in the backward pass.

    Args:
        hidden_SD: states after the final norm at the places where a target is predicted.
        targets_S: the token ids.
        head: maps states to logits.
    """
    losses = [
        checkpoint(_losses, hidden_SD[k : k + chunk], targets_S[k : k + chunk], head, use_reentrant=False)
        for k in range(0, len(targets_S), chunk)
    ]
    return torch.cat(losses) if losses else hidden_SD.float().sum(-1)  # empty, but with a gradient


def _losses(hidden_SD: Tensor, targets_S: Tensor, head: nn.Module) -> Tensor:
    return F.cross_entropy(head(hidden_SD).float(), targets_S, reduction="none")
