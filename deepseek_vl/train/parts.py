"""The parts of a model that are trained or frozen, each with its own learning rate."""

from collections.abc import Iterator, Mapping

from torch import nn

from deepseek_vl.model import DeepseekVL

PARTS = ("adaptor", "siglip", "sam", "language")


def part_of(name: str) -> str:
    """Return the part that a parameter of the model belongs to."""
    return name.split(".")[0]


def freeze(model: DeepseekVL, rates: Mapping[str, float]) -> None:
    """Make the parts with a learning rate trainable and freeze the others.

    Raises:
        ValueError: the model has no such part.
    """
    present = {part_of(name) for name, _ in model.named_parameters()}
    for part in rates:
        if part not in present:
            raise ValueError(f"train: the model has no part {part}; its parts are {', '.join(sorted(present))}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) in rates)


def blocks(model: DeepseekVL) -> Iterator[tuple[str, nn.Module]]:
    """The transformer blocks of all parts, with their names."""
    for part in ("siglip", "sam", "language"):
        module = getattr(model, part)
        if module is not None:
            for number, block in enumerate(module.blocks):
                yield f"{part}.blocks.{number}", block


def counts(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Return the number of parameters of each part: trained, and all."""
    found: dict[str, tuple[int, int]] = {}
    for name, parameter in model.named_parameters():
        trained, total = found.get(part_of(name), (0, 0))
        size = parameter.numel()
        found[part_of(name)] = trained + size * parameter.requires_grad, total + size
    return found
