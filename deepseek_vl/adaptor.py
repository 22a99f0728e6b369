"""The adaptor between the towers and the language model.

Shapes: N images, P visual tokens, D width of the language model.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Adaptor(nn.Module):
    """Projects the features of the low tower and, if there is one, the high tower to (N, P, D) visual tokens.

    With two towers, each is projected to half the width and the two are concatenated, high first.
    """

    def __init__(self, low_width: int, high_width: int | None, width: int):
        super().__init__()
        self.low = nn.Linear(low_width, width if high_width is None else width // 2)
        self.high = None if high_width is None else nn.Linear(high_width, width // 2)
        self.out = nn.Linear(width, width)

    def forward(self, low_NPD: Tensor, high_NPD: Tensor | None) -> Tensor:
        x_NPD = self.low(low_NPD)
        if self.high is not None:
            x_NPD = torch.cat([self.high(high_NPD), x_NPD], dim=-1)
        visual_NPD: Tensor = self.out(F.gelu(x_NPD))
        return visual_NPD
