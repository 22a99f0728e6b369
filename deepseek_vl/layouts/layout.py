"""The interface of checkpoint layouts."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from deepseek_vl.config import ModelConfig


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a checkpoint and the parameter of our model that it fills.

    Args:
        name: the tensor's name in the checkpoint.
        parameter: our parameter's name; if several tensors fill it (q, k and v), this is part `part` of `parts` along
            its first axis.
        leading_axis: True if the tensor has an additional first axis of length 1.
    """

    name: str
    parameter: str
    part: int = 0
    parts: int = 1
    leading_axis: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A tensor that the reference's classes create and never read; we write `value` in it, for strict loaders."""

    name: str
    shape: tuple[int, ...]
    value: float


class Layout(ABC):
    """The tensor names and JSON files of one public layout."""

    name: ClassVar[str]
    marker: ClassVar[str]
    """The embedding, a tensor that every checkpoint of this layout has, and no other."""
    head: ClassVar[str]
    """The head, which a checkpoint lacks if it is the embedding."""
    unused: ClassVar[re.Pattern[str]]
    """Tensors that checkpoints of this layout may contain and the model does not use."""

    @abstractmethod
    def entries(self, config: ModelConfig) -> Iterator[Entry]:
        """Yield every tensor of a checkpoint, in the order of writing."""

    @abstractmethod
    def read_config(
        self, config: Mapping[str, Any], preprocessor: Mapping[str, Any], tokens: Mapping[str, int]
    ) -> ModelConfig:
        """Return the model that `config.json` and the image processor's configuration (empty: as released) describe.

        Args:
            tokens: ids of the special tokens in the tokenizer, by the field of `ModelConfig`; empty without tokenizer.
                The reference's classes write LLaMA's ids, 1 and 2, into the configuration and use the tokenizer's.

        Raises:
            ValueError, KeyError, TypeError: a value that changes the model's results is one that we do not compute.
        """

    @abstractmethod
    def tied(self, config: Mapping[str, Any]) -> bool:
        """Return True if the head is the embedding and may be missing from the file."""

    @abstractmethod
    def write_config(self, config: ModelConfig) -> dict[str, dict[str, Any]]:
        """Return the JSON files of a model by file name."""

    def unread(self, config: ModelConfig) -> Iterator[Unread]:
        """Yield the tensors that nothing reads and a strict loader of the reference expects."""
        yield from ()

    def canonical(self, name: str) -> str:
        """Return the present name of a tensor, which older files may name differently."""
        return name


def renamed(pairs: Iterable[tuple[str, str]], theirs: str, ours: str, kinds: str = "weight bias") -> Iterator[Entry]:
    """Yield the entries of modules, given as pairs (their name, our name), for each kind of parameter."""
    for their_module, our_module in pairs:
        for kind in kinds.split():
            yield Entry(f"{theirs}{their_module}.{kind}", f"{ours}{our_module}.{kind}")


def merged(modules: Iterable[str], theirs: str, ours: str, kinds: str = "weight") -> Iterator[Entry]:
    """Yield the entries of several modules that are stacked along the first axis into one of ours."""
    names = list(modules)
    for part, module in enumerate(names):
        for kind in kinds.split():
            yield Entry(f"{theirs}{module}.{kind}", f"{ours}.{kind}", part, len(names))


def llama_entries(theirs: str, head: str, layers: int) -> Iterator[Entry]:
    """Yield the entries of the language model, which are the same in both layouts except for the prefix."""
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
