"""Compiles a model block by block: all blocks of one kind share the compiled code."""

import torch

from deepseek_vl.language import Block
from deepseek_vl.model import DeepseekVL


def compile_blocks(model: DeepseekVL) -> None:
    """Compile the blocks in place, for any lengths; a second call changes nothing.

    In the language model, the parts before and after attention are compiled; attention has other kernels. What is
    compiled is called by `forward` or is `forward` itself, so that training may compute it again in the backward pass.
    """
    if "project" in vars(model.language.blocks[0]):
        return
    for tower in (model.siglip, model.sam):
        if tower is not None:
            forward = torch.compile(type(tower.blocks[0]).forward, dynamic=True)
            for block in tower.blocks:
                block.forward = forward.__get__(block)
    project, finish = (torch.compile(part, dynamic=True) for part in (Block.project, Block.finish))
    for block in model.language.blocks:
        block.project = project.__get__(block)
        block.finish = finish.__get__(block)
