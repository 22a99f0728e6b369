"""What a checkpoint layout is."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from deepseek_vl.config import ModelConfig


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a checkpoint and the place of its values in our model.

    Args:
        name: of the tensor in the checkpoint.
        parameter: ours; where several tensors make one (q, k and v), this is part `part` of `parts` of its first axis.
        leading_axis: the checkpoint has one more axis, of length 1, in front.
    """

    name: str
    parameter: str
    part: int = 0
    parts: int = 1
    leading_axis: bool = False


class Layout(ABC):
    """Names of tensors and the JSON of one public layout."""

    name: ClassVar[str]
    marker: ClassVar[str]
    """A tensor that every checkpoint of this layout has and none of another."""
    unused: ClassVar[re.Pattern[str]]
    """Tensors that checkpoints of this layout may hold and that the model does not use."""

    @abstractmethod
    def entries(self, config: ModelConfig) -> Iterator[Entry]:
        """Every tensor of a checkpoint, in the order it is written."""

    @abstractmethod
    def read_config(self, config: Mapping[str, Any], preprocessor: Mapping[str, Any]) -> ModelConfig:
        """The model that two JSON files describe. Raises ValueError, KeyError, TypeError."""

    @abstractmethod
    def write_config(self, config: ModelConfig) -> dict[str, dict[str, Any]]:
        """The JSON files of a model, by file name."""

    def canonical(self, name: str) -> str:
        """The present name of a tensor that earlier files of this layout may name differently."""
        return name


def renamed(pairs: Iterable[tuple[str, str]], theirs: str, ours: str, kinds: str = "weight bias") -> Iterator[Entry]:
    """Entries of modules: the prefixes `theirs` and `ours`, a pair of module names, and the `kinds` of parameter."""
    for their_module, our_module in pairs:
        for kind in kinds.split():
            yield Entry(f"{theirs}{their_module}.{kind}", f"{ours}{our_module}.{kind}")


def merged(modules: Iterable[str], theirs: str, ours: str, kinds: str = "weight") -> Iterator[Entry]:
    """Entries of several modules that are one of ours, stacked along the first axis."""
    names = list(modules)
    for part, module in enumerate(names):
        for kind in kinds.split():
            yield Entry(f"{theirs}{module}.{kind}", f"{ours}.{kind}", part, len(names))


def llama_entries(theirs: str, head: str, layers: int) -> Iterator[Entry]:
    """The language model, whose inner names both layouts share."""
    yield Entry(f"{theirs}embed_tokens.weight", "language.embedding.weight")
    for n in range(layers):
        block, ours = f"{theirs}layers.{n}.", f"language.blocks.{n}."
        yield from merged(("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"), block, f"{ours}qkv")
        yield from merged(("mlp.gate_proj", "mlp.up_proj"), block, f"{ours}gate_up")
        yield from renamed(
            (
                ("self_attn.o_proj", "proj"),
                ("mlp.down_proj", "down"),
                ("input_layernorm", "norm1"),
                ("post_attention_layernorm", "norm2"),
            ),
            block,
            ours,
            "weight",
        )
    yield Entry(f"{theirs}norm.weight", "language.norm.weight")
    yield Entry(f"{head}.weight", "language.head.weight")
