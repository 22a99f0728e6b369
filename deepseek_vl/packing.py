"""Weights in the block layout of the CPU's 16-bit kernels, which otherwise make it in every product.

Shapes: T tokens, I and O features in and out.
"""

import torch
from torch import Tensor, nn

from deepseek_vl.model import DeepseekVL

TOKENS_HINT = 8  # the layout for this many tokens; it reads more of them at the same speed


class PackedLinear(nn.Module):
    """A linear layer without bias for inference, whose weight only the kernels can read."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        assert linear.bias is None
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), TOKENS_HINT)

    def forward(self, x_TI: Tensor) -> Tensor:
        y_TO: Tensor = torch.ops.mkldnn._linear_pointwise(x_TI, self.packed, None, "none", [], "")
        return y_TO


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Return True if packing pays: in bfloat16 on a CPU with kernels for it."""
    has_kernels = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return device.type == "cpu" and dtype == torch.bfloat16 and has_kernels


def pack(model: DeepseekVL) -> None:
    """Pack the weights of the language model's blocks in place, if it pays; the model is then for inference only.

    There is no second copy: the weight of a layer is freed when it is packed. The head keeps its rows, which scoring
    reads one by one.
    """
    if not can_pack(model.device, model.dtype):
        return
    for block in model.language.blocks:
        for name, child in list(block.named_children()):
            if type(child) is nn.Linear and child.weight.dtype == torch.bfloat16:
                setattr(block, name, PackedLinear(child))
