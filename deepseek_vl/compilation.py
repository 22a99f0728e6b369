"""Compiles a model block by block: all blocks of one kind share the compiled code."""

import torch

from deepseek_vl.language import Block
from deepseek_vl.model import DeepseekVL


def compile_blocks(model: DeepseekVL) -> None:
    """Compile the blocks in place, for any lengths; a second call changes nothing.

    In the language model, the parts before and after attention are compiled; attention has other kernels.
    """
    if "project" in vars(model.language.blocks[0]):
        return
    for tower in (model.siglip, model.sam):
        for block in [] if tower is None else tower.blocks:
            block.compile(dynamic=True)
    project, finish = (torch.compile(part, dynamic=True) for part in (Block.project, Block.finish))
    for block in model.language.blocks:
        block.project = project.__get__(block)
        block.finish = finish.__get__(block)
