"""Reads checkpoints from a folder or a hub id in either public layout, and writes them in either."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deepseek_vl import tensor_file
from deepseek_vl.config import SPECIAL_TOKENS, ModelConfig
from deepseek_vl.layouts.authors import Authors
from deepseek_vl.layouts.layout import Entry, Layout
from deepseek_vl.layouts.native import Native
from deepseek_vl.layouts.values import expect
from deepseek_vl.model import DeepseekVL
from deepseek_vl.quantization import Quantized
from deepseek_vl.tensor_file import StoredTensor

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (Authors(), Native())}
INDEX = "model.safetensors.index.json"
KEPT = (torch.bfloat16, torch.float16, torch.float32)  # types of weights that a model can have
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
MAX_JSON_BYTES = 20_000_000
MAX_NAME = 255  # characters of a file's name
PICKLE_TO_SAFETENSORS = (
    "python -c \"import torch, safetensors.torch as s; w = torch.load('{0}', weights_only=True); "
    "s.save_file({{k: v.clone() for k, v in w.items()}}, '{0}.safetensors')\""
)
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


def load(source: str | Path, *, device: torch.device, dtype: torch.dtype, quantize: str | None = None) -> DeepseekVL:
    """Load a model from a folder or a hub id, in small chunks, directly to its device and type.

    Args:
        quantize: int8 or int4 to quantize the language model's weights on the way (see `quantization`).
    Raises:
        CheckpointError: a file, key or tensor is missing, unexpected, of the wrong shape or not a float; it is named.
        ValueError: `quantize` is unknown.
    """
    folder = find(source)
    config, places = _matched(folder)
    model = DeepseekVL.empty(config, device=device, dtype=dtype, quantize=quantize)
    parameters = dict(model.named_parameters())
    try:
        with torch.no_grad():
            for stored, entry in places:
                _fill(model, parameters, entry, stored)
    except (ValueError, OSError) as error:
        raise CheckpointError(f"{folder}: {error}") from error
    for module in model.modules():
        if isinstance(module, Quantized):
            module.finish()
    return model


def verify(folder: Path) -> ModelConfig:
    """Check that a folder holds a whole DeepSeek-VL, by the names and shapes of its tensors. Raises CheckpointError."""
    config, _ = _matched(folder)
    return config


def _matched(folder: Path) -> tuple[ModelConfig, list[tuple[StoredTensor, Entry]]]:
    tensors = _open_tensors(folder)
    layout = _layout_of(folder, tensors)
    content, described = _read_layout(folder)
    if described is not layout:
        raise CheckpointError(f"{folder}: config.json is of the {described.name} layout, the weights of {layout.name}")
    config = read_config(folder)
    return config, _match(folder, layout, config, tensors, tied=layout.tied(content))


def _fill(model: DeepseekVL, parameters: Mapping[str, Tensor], entry: Entry, stored: StoredTensor) -> None:
    """Read a tensor into its part of a parameter or of quantized weights."""
    if entry.parameter in parameters:
        target = _target(parameters[entry.parameter], entry)
        for first, rows in stored.rows():
            target[first : first + len(rows)].copy_(rows)
        return
    module = model.get_submodule(entry.parameter.rpartition(".")[0])
    assert isinstance(module, Quantized)
    start = module.rows // entry.parts * entry.part
    for first, rows in stored.rows():
        module.fill(start + first, rows)


def stored_dtype(folder: Path) -> torch.dtype:
    """Return the narrowest type that holds all weights of a folder; float32 for float64. Raises CheckpointError."""
    names = {stored.dtype for stored in _open_tensors(folder).values()}
    dtypes = {tensor_file.DTYPES[name] for name in names if name in tensor_file.DTYPES}
    # Neither of two different 16-bit types holds the values of the other.
    return next((dtype for dtype in KEPT if dtypes == {dtype}), torch.float32)


def digest(folder: Path) -> str:
    """Return the SHA-256 of everything in a checkpoint that its results depend on. Raises CheckpointError."""
    whole = hashlib.sha256()
    names = ("config.json", "preprocessor_config.json", "processor_config.json", *TOKENIZER_FILES[:2])
    for path in [*_weight_files(folder), *(folder / name for name in names)]:
        if path.is_file():
            with path.open("rb") as file:
                whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def read_config(folder: Path) -> ModelConfig:
    """Read the configuration in a checkpoint's JSON files. Raises CheckpointError."""
    content, layout = _read_layout(folder)
    preprocessor = _read_json(folder / "preprocessor_config.json", missing={})
    processor = _read_json(folder / "processor_config.json", missing={})
    try:
        expect(processor, "sft_format", "deepseek", default="deepseek")
        expect(processor, "image_tag", SPECIAL_TOKENS["image_token"], default=SPECIAL_TOKENS["image_token"])
        if "quantization_config" in content:
            raise ValueError("the weights are quantized; expected the released ones, with --quantize if wanted")
        # The transformers library of today writes the image processor into the processor's file.
        image_processor = preprocessor or processor.get("image_processor", {})
        return layout.read_config(content, image_processor, _special_tokens(folder))
    except KeyError as error:
        raise CheckpointError(f"{folder / 'config.json'}: the key {error} is missing") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder / 'config.json'}: {error}") from error


def _read_layout(folder: Path) -> tuple[dict[str, Any], Layout]:
    """Return the content of `config.json` and the layout that it names."""
    config = _read_json(folder / "config.json")
    kinds = {"multi_modality": "authors", "deepseek_vl": "native", "deepseek_vl_hybrid": "native"}
    kind = config.get("model_type")
    if kind not in kinds:
        raise CheckpointError(
            f"{folder / 'config.json'}: model_type is {kind!r}; expected one of {', '.join(kinds)}, a DeepSeek-VL"
        )
    return config, LAYOUTS[kinds[kind]]


def _special_tokens(folder: Path) -> dict[str, int]:
    """Return the ids of the special tokens in a folder's tokenizer, as far as it has them."""
    try:
        whole = _read_json(folder / "tokenizer.json", missing={})
        settings = _read_json(folder / "tokenizer_config.json", missing={})
        ids = {token["content"]: int(number) for number, token in settings.get("added_tokens_decoder", {}).items()}
        vocabulary = whole.get("model", {}).get("vocab", {})
        if isinstance(vocabulary, dict):  # of a model without merges it is a list
            ids |= {token: vocabulary[token] for token in SPECIAL_TOKENS.values() if token in vocabulary}
        ids |= {token["content"]: int(token["id"]) for token in whole.get("added_tokens", [])}
    except (CheckpointError, TypeError, KeyError, ValueError, AttributeError):
        return {}  # the processor, which needs the whole file, reports what is wrong with it
    return {field: ids[token] for field, token in SPECIAL_TOKENS.items() if token in ids}


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
        ValueError: `layout` is unknown, cannot express the model, or the model is quantized.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
    if any(isinstance(module, Quantized) for module in model.modules()):
        raise ValueError("a quantized model cannot be saved: its layouts hold floating-point weights")
    configuration = LAYOUTS[layout].write_config(model.config)
    folder.mkdir(parents=True, exist_ok=True)
    shards: list[list[tuple[str, Tensor]]] = [[]]
    filled = total = 0
    for name, tensor in _named_tensors(model, LAYOUTS[layout]):
        if shards[-1] and filled + tensor.nbytes > max_shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append((name, tensor))
        filled, total = filled + tensor.nbytes, total + tensor.nbytes
    names = [
        "model.safetensors" if len(shards) == 1 else f"model-{k + 1:05}-of-{len(shards):05}.safetensors"
        for k in range(len(shards))
    ]
    for name, shard in zip(names, shards, strict=True):
        tensor_file.write(folder / name, shard)
    if len(shards) > 1:
        weight_map = {tensor: name for name, shard in zip(names, shards, strict=True) for tensor, _ in shard}
        _write(folder / INDEX, _json_bytes({"metadata": {"total_size": total}, "weight_map": weight_map}))
    for name in TOKENIZER_FILES:
        if tokenizer_from is not None and (tokenizer_from / name).is_file() and tokenizer_from != folder:
            _write(folder / name, (tokenizer_from / name).read_bytes())
    for name, content in reversed(configuration.items()):
        _write(folder / name, _json_bytes(content))


def _named_tensors(model: DeepseekVL, layout: Layout) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of a checkpoint: parts of our parameters, and those that only strict loaders want."""
    parameters = dict(model.named_parameters())
    for entry in layout.entries(model.config):
        yield entry.name, _target(parameters[entry.parameter], entry)
    for unread in layout.unread(model.config):
        yield unread.name, torch.full(unread.shape, unread.value, dtype=model.dtype)


def _target(parameter: Tensor, entry: Entry) -> Tensor:
    """Return the part of our parameter that a tensor of the checkpoint fills, in the tensor's shape."""
    part: Tensor = parameter.chunk(entry.parts)[entry.part]
    return part[None] if entry.leading_axis else part


def _open_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Return every tensor in the shards of a folder by its name."""
    tensors: dict[str, StoredTensor] = {}
    for path in _weight_files(folder):
        try:
            header = tensor_file.read_header(path)
        except (ValueError, OSError) as error:
            raise CheckpointError(str(error)) from error
        for stored in header:
            if stored.name in tensors:
                raise CheckpointError(f"{path}: {stored.name} is also in {tensors[stored.name].path.name}")
            tensors[stored.name] = stored
    return tensors


def _weight_files(folder: Path) -> Iterator[Path]:
    index = folder / INDEX
    if index.is_file():
        weight_map = _read_json(index).get("weight_map")
        if not isinstance(weight_map, dict) or not weight_map:
            raise CheckpointError(f"{index}: expected a `weight_map` from tensors to files")
        for name in sorted({str(value) for value in weight_map.values()}):
            if Path(name).name != name or len(name) > MAX_NAME:
                raise CheckpointError(f"{index}: {name!r:.80} is not the name of a file beside it")
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
                f" if you trust it, convert it: {PICKLE_TO_SAFETENSORS.format(pickled[0])}"
            )
        raise CheckpointError(f"{folder}: no *.safetensors file")
    yield from files


def _layout_of(folder: Path, tensors: Mapping[str, StoredTensor]) -> Layout:
    for layout in LAYOUTS.values():
        if layout.marker in tensors:
            return layout
    markers = " or ".join(f"{layout.marker} ({layout.name})" for layout in LAYOUTS.values())
    raise CheckpointError(f"{folder}: neither layout of DeepSeek-VL: no tensor {markers}")


def _match(
    folder: Path, layout: Layout, config: ModelConfig, tensors: Mapping[str, StoredTensor], *, tied: bool
) -> list[tuple[StoredTensor, Entry]]:
    """Return tensors with their entries. Raises CheckpointError if tensors are missing, unexpected or misshapen.

    Args:
        tied: a missing head is the embedding.
    """
    with torch.device("meta"):
        parameters = dict(DeepseekVL(config).named_parameters())
    found: dict[str, StoredTensor] = {}
    for name, stored in tensors.items():
        other = found.setdefault(layout.canonical(name), stored)
        if other is not stored:
            raise CheckpointError(f"{folder}: {name} and {other.name} are the same tensor by an earlier name")
    entries = {entry.name: entry for entry in layout.entries(config)}
    if tied and layout.marker in found:
        found.setdefault(layout.head, found[layout.marker])
    missing = sorted(entries.keys() - found.keys())
    unexpected = sorted(
        stored.name for name, stored in found.items() if name not in entries and not layout.unused.fullmatch(name)
    )
    matched = [(found[name], entry) for name, entry in entries.items() if name in found]
    misshapen = sorted(
        f"{stored.name} is {stored.shape}, expected {wanted}"
        for stored, entry in matched
        if stored.shape != (wanted := tuple(_target(parameters[entry.parameter], entry).shape))
    )
    for problem, names in (("is missing", missing), ("is unexpected", unexpected), ("", misshapen)):
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
