"""The first weights of a training that starts from nothing."""

import torch
from torch import nn

from deepseek_vl.model import DeepseekVL

DRAWN = 0.02  # standard deviation of the weights of `DeepseekVL.random`


@torch.no_grad()
def widen(model: DeepseekVL) -> None:
    """Scale random weights of layers and positions to a deviation of 1 / sqrt(inputs), in place.

    That is the 0.02 of the public models at their width of 2,048. At the width of `pico` it is five times as much: with
    0.02, what the towers see is lost among the residual connections, and reading is learned much later
    (docs/decisions.md).
    """
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, nn.Linear | nn.Conv2d) and name == "weight":
                parameter.mul_(parameter[0].numel() ** -0.5 / DRAWN)
            elif name == "positions":
                parameter.mul_(parameter.shape[-1] ** -0.5 / DRAWN)
