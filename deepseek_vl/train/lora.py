"""LoRA (arXiv 2106.09685): frozen linear layers to whose results a trained product of two narrow matrices is added."""

import fnmatch
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@dataclass(frozen=True, kw_only=True)
class LoraSettings:
    """Which layers are adapted, and how.

    Args:
        rank: width of the product.
        alpha: the product is multiplied by alpha / rank.
        layers: names of linear layers, or patterns such as `language.blocks.*.qkv` or `siglip.*`.
    """

    rank: int = 16
    alpha: float = 32.0
    layers: tuple[str, ...] = ("language.blocks.*",)

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0:
            raise ValueError(f"rank and alpha must be positive, got {self.rank} and {self.alpha}")
        if not self.layers:
            raise ValueError("layers must name at least one linear layer")


class LoraLinear(nn.Linear):
    """A linear layer whose weight is frozen, with a trained product `up @ down` added to it."""

    def __init__(self, linear: nn.Linear, settings: LoraSettings, seed: int):
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.weight.requires_grad_(False)
        if self.bias is not None:
            self.bias.requires_grad_(False)
        self.scale = settings.alpha / settings.rank
        device, dtype = linear.weight.device, linear.weight.dtype
        generator = torch.Generator().manual_seed(seed)
        bound = 1 / math.sqrt(linear.in_features)
        down = torch.empty(settings.rank, linear.in_features).uniform_(-bound, bound, generator=generator)
        self.down = nn.Parameter(down.to(device, dtype))
        self.up = nn.Parameter(torch.zeros(linear.out_features, settings.rank, device=device, dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        frozen = nn.functional.linear(input, self.weight, self.bias)
        return frozen + nn.functional.linear(nn.functional.linear(input, self.down), self.up) * self.scale

    def merged(self) -> nn.Linear:
        """Return a plain linear layer that computes the same; the sum is computed in float32."""
        linear = nn.Linear(self.in_features, self.out_features, bias=self.bias is not None, device="meta")
        weight = self.weight.float() + (self.up.float() @ self.down.float()) * self.scale
        linear.weight = nn.Parameter(weight.to(self.weight.dtype))
        if self.bias is not None:
            linear.bias = self.bias
        return linear


def add_lora(model: nn.Module, settings: LoraSettings, seed: int = 0) -> list[str]:
    """Replace the layers that `settings` names, in place; return their names.

    Raises:
        ValueError: a pattern names no linear layer.
    """
    linears = {name: module for name, module in model.named_modules() if type(module) is nn.Linear}
    chosen: dict[str, nn.Linear] = {}
    for pattern in settings.layers:
        found = {name: module for name, module in linears.items() if fnmatch.fnmatchcase(name, pattern)}
        if not found:
            raise ValueError(f"lora: {pattern!r} names no linear layer, such as {next(iter(linears))}")
        chosen |= found
    for number, name in enumerate(sorted(chosen)):
        _replace(model, name, LoraLinear(chosen[name], settings, seed * 1_000_003 + number))
    return sorted(chosen)


def merge_lora(model: nn.Module) -> None:
    """Replace all adapted layers by plain ones that compute the same, in place."""
    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLinear):
            _replace(model, name, module.merged())


def lora_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The trained parameters of all adapted layers, with their names."""
    for name, module in model.named_modules():
        if isinstance(module, LoraLinear):
            yield f"{name}.down", module.down
            yield f"{name}.up", module.up


def save_lora(model: nn.Module, settings: LoraSettings, folder: Path) -> None:
    """Write the trained matrices alone: a few megabytes, without the model that they adapt."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: parameter.detach().cpu().contiguous() for name, parameter in lora_parameters(model)}
    temporary = folder / f".{WEIGHTS}.part"
    save_file(values, temporary, metadata={"format": "pt"})
    temporary.replace(folder / WEIGHTS)
    content = {"rank": settings.rank, "alpha": settings.alpha, "layers": list(settings.layers)}
    (folder / CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def load_lora(model: nn.Module, folder: Path) -> LoraSettings:
    """Adapt a model by matrices that `save_lora` wrote. Raises ValueError if they do not fit."""
    try:
        content = json.loads((folder / CONFIG).read_text("utf-8"))
        settings = LoraSettings(rank=content["rank"], alpha=content["alpha"], layers=tuple(content["layers"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder / CONFIG} does not describe LoRA matrices: {error}") from error
    add_lora(model, settings)
    wanted = dict(lora_parameters(model))
    with safe_open(folder / WEIGHTS, framework="pt") as file, torch.no_grad():
        different = wanted.keys() ^ set(file.keys())
        if different:
            raise ValueError(f"{folder / WEIGHTS} does not fit the model: {min(different)} is on one side only")
        for name, parameter in wanted.items():
            value = file.get_tensor(name)
            if value.shape != parameter.shape:
                raise ValueError(
                    f"{folder / WEIGHTS}: {name} is {tuple(value.shape)}, expected {tuple(parameter.shape)}"
                )
            parameter.copy_(value)
    return settings


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)
