"""Reads checkpoints from a folder or a hub id in either public layout, and writes them in either."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from deepseek_vl.config import ModelConfig
from deepseek_vl.layouts.authors import Authors
from deepseek_vl.layouts.layout import Entry, Layout
from deepseek_vl.layouts.native import Native
from deepseek_vl.model import DeepseekVL

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (Authors(), Native())}
INDEX = "model.safetensors.index.json"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
MAX_JSON_BYTES = 20_000_000
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
# The files of a tokenizer and its template, which `save` copies into the checkpoint.
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. The message names the place, the problem and what was expected."""


def find(source: str | Path) -> Path:
    """Return the folder of a checkpoint: `source` itself, or the folder of the files fetched from the hub.

    Raises:
        CheckpointError: `source` is neither a folder nor a hub id that can be fetched.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    name = str(source)
    if folder.exists() or name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise CheckpointError(f"{source} is neither a folder nor a hub id such as owner/name")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise CheckpointError(f"{name} is no folder; a hub id needs: pip install huggingface-hub") from error
    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors", "*.jinja"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        first_line = str(error).strip().split("\n")[0]
        raise CheckpointError(f"{name} is no folder here and cannot be fetched from the hub: {first_line}") from error


def load(source: str | Path, *, device: torch.device, dtype: torch.dtype) -> DeepseekVL:
    """Load a model from a folder or a hub id, one tensor at a time, directly to its device and type.

    Raises:
        CheckpointError: a file, key or tensor is missing, unexpected, of the wrong shape or not a float; it is named.
    """
    folder = find(source)
    with ExitStack() as stack:
        tensors = _open_tensors(folder, stack)
        layout = _layout_of(folder, tensors)
        config = read_config(folder)
        places = _match(folder, layout, config, tensors)
        model = DeepseekVL.empty(config, device=device, dtype=dtype)
        parameters = dict(model.named_parameters())
        with torch.no_grad():
            for name, entry in places.items():
                _target(parameters[entry.parameter], entry).copy_(tensors[name].get_tensor(name))
    return model


def read_config(folder: Path) -> ModelConfig:
    """Read the configuration in a checkpoint's JSON files. Raises CheckpointError."""
    config = _read_json(folder / "config.json")
    preprocessor = _read_json(folder / "preprocessor_config.json", missing={})
    kinds = {"multi_modality": "authors", "deepseek_vl": "native", "deepseek_vl_hybrid": "native"}
    kind = config.get("model_type")
    if kind not in kinds:
        raise CheckpointError(
            f"{folder / 'config.json'}: model_type is {kind!r}; expected one of {', '.join(kinds)}, a DeepSeek-VL"
        )
    try:
        return LAYOUTS[kinds[kind]].read_config(config, preprocessor)
    except KeyError as error:
        raise CheckpointError(f"{folder / 'config.json'}: the key {error} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: {error}") from error


def save(
    model: DeepseekVL,
    folder: Path,
    *,
    layout: str = "native",
    tokenizer_from: Path | None = None,
    max_shard_bytes: int = 5_000_000_000,
) -> None:
    """Write a checkpoint: weights in shards of at most `max_shard_bytes`, JSON files, and a tokenizer's files if given.

    Every file appears atomically; `config.json`, without which the folder is no checkpoint, comes last.

    Raises:
        ValueError: `layout` is unknown.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
    folder.mkdir(parents=True, exist_ok=True)
    parameters = dict(model.named_parameters())
    shards: list[list[Entry]] = [[]]
    filled = total = 0
    for entry in LAYOUTS[layout].entries(model.config):
        size = _target(parameters[entry.parameter], entry).nbytes
        if shards[-1] and filled + size > max_shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(entry)
        filled, total = filled + size, total + size
    names = [
        "model.safetensors" if len(shards) == 1 else f"model-{k + 1:05}-of-{len(shards):05}.safetensors"
        for k in range(len(shards))
    ]
    for name, entries in zip(names, shards, strict=True):
        # Parts of one parameter share its memory, which the format forbids: copy them, one shard at a time.
        values = {e.name: _target(parameters[e.parameter], e).detach().cpu().clone() for e in entries}
        temporary = folder / f".{name}.part"
        save_file(values, temporary, metadata={"format": "pt"})
        temporary.replace(folder / name)
    if len(shards) > 1:
        weight_map = {entry.name: name for name, entries in zip(names, shards, strict=True) for entry in entries}
        _write(folder / INDEX, _json_bytes({"metadata": {"total_size": total}, "weight_map": weight_map}))
    for name in TOKENIZER_FILES:
        if tokenizer_from is not None and (tokenizer_from / name).is_file() and tokenizer_from != folder:
            _write(folder / name, (tokenizer_from / name).read_bytes())
    for name, content in reversed(LAYOUTS[layout].write_config(model.config).items()):
        _write(folder / name, _json_bytes(content))


def _target(parameter: Tensor, entry: Entry) -> Tensor:
    """Return the part of our parameter that a tensor of the checkpoint fills, in the tensor's shape."""
    part: Tensor = parameter.chunk(entry.parts)[entry.part]
    return part[None] if entry.leading_axis else part


@dataclass(frozen=True, slots=True)
class Shard:
    """An open file of weights."""

    path: Path
    file: Any

    def get_tensor(self, name: str) -> Tensor:
        """Read one tensor. Raises CheckpointError if it is not of a floating-point type."""
        tensor: Tensor = self.file.get_tensor(name)
        if tensor.dtype not in FLOATS:
            raise CheckpointError(f"{self.path}: {name} is of type {tensor.dtype}; expected floating-point weights")
        return tensor


def _open_tensors(folder: Path, stack: ExitStack) -> dict[str, Shard]:
    """Open the shards of a folder; return the shard of every tensor by the tensor's name."""
    tensors: dict[str, Shard] = {}
    for path in _weight_files(folder):
        try:
            shard = Shard(path, stack.enter_context(safe_open(path, framework="pt", device="cpu")))
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from error
        for name in sorted(shard.file.keys()):
            if name in tensors:
                raise CheckpointError(f"{path}: {name} is also in {tensors[name].path.name}")
            tensors[name] = shard
    return tensors


def _weight_files(folder: Path) -> Iterator[Path]:
    index = folder / INDEX
    if index.is_file():
        weight_map = _read_json(index).get("weight_map")
        if not isinstance(weight_map, dict) or not weight_map:
            raise CheckpointError(f"{index}: expected a `weight_map` from tensors to files")
        for name in sorted({str(value) for value in weight_map.values()}):
            if Path(name).name != name:
                raise CheckpointError(f"{index}: {name!r} is not the name of a file beside it")
            if not (folder / name).is_file():
                raise CheckpointError(f"{folder}: the shard {name}, which {INDEX} lists, is missing")
            yield folder / name
        return
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLED)
        if pickled:
            raise CheckpointError(
                f"{folder}: {pickled[0]} is a pickle, which can run any code when it is read, and is refused;"
                " convert it to safetensors where you trust it, or use a checkpoint that has them"
            )
        raise CheckpointError(f"{folder}: no *.safetensors file")
    yield from files


def _layout_of(folder: Path, tensors: Mapping[str, Shard]) -> Layout:
    for layout in LAYOUTS.values():
        if layout.marker in tensors:
            return layout
    markers = " or ".join(f"{layout.marker} ({layout.name})" for layout in LAYOUTS.values())
    raise CheckpointError(f"{folder}: neither layout of DeepSeek-VL: no tensor {markers}")


def _match(folder: Path, layout: Layout, config: ModelConfig, tensors: Mapping[str, Shard]) -> dict[str, Entry]:
    """Return the entry of every tensor. Raises CheckpointError if tensors are missing, unexpected or misshapen."""
    with torch.device("meta"):
        parameters = dict(DeepseekVL(config).named_parameters())
    expected = {entry.name: entry for entry in layout.entries(config)}
    matched: dict[str, Entry] = {}
    unexpected, misshapen = [], []
    for name, shard in tensors.items():
        entry = expected.get(layout.canonical(name))
        if entry is None:
            if not layout.unused.fullmatch(layout.canonical(name)):
                unexpected.append(name)
            continue
        shape = tuple(shard.file.get_slice(name).get_shape())
        wanted = tuple(_target(parameters[entry.parameter], entry).shape)
        if shape != wanted:
            misshapen.append(f"{name} is {shape}, expected {wanted}")
        matched[name] = entry
    missing = sorted(expected.keys() - {entry.name for entry in matched.values()})
    for problem, names in (("is missing", missing), ("is unexpected", sorted(unexpected)), ("", sorted(misshapen))):
        if names:
            more = f" (and {len(names) - 1} more: {', '.join(names[1:10])})" if len(names) > 1 else ""
            raise CheckpointError(f"{folder} ({layout.name} layout): {names[0]} {problem}".rstrip() + more)
    return matched


def _read_json(path: Path, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    if not path.is_file():
        if missing is not None:
            return missing
        raise CheckpointError(f"{path} is missing")
    if path.stat().st_size > MAX_JSON_BYTES:
        raise CheckpointError(f"{path} is larger than {MAX_JSON_BYTES} bytes")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected an object, got {type(content).__name__}")
    return content


def _json_bytes(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
