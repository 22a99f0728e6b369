"""Safetensors files with bounded memory: tensors go between the file and their place in small chunks.

The library maps a file into memory, where every page that is read counts until the file is closed; loading then takes
twice the size of the weights.
"""

import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
CHUNK_BYTES = 1 << 20  # stays in the processor's cache between reading and copying
ALIGNMENT = 8  # of the first tensor, which the format demands


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in a file, not yet read.

    Args:
        dtype: the name of its type in the format: F32, BF16, …
        start: index of its first byte in the file.
    """

    path: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int

    def rows(self) -> Iterator[tuple[int, Tensor]]:
        """Read the tensor and yield (index of the first row, rows), about a megabyte at a time; a scalar is one row.

        The rows are overwritten when the next are read.

        Raises:
            ValueError: the type is not a floating-point type of `DTYPES`.
            OSError: the file cannot be read, or has become shorter.
        """
        if self.dtype not in DTYPES:
            raise ValueError(f"{self.name} is of type {self.dtype}; expected weights of type {', '.join(DTYPES)}")
        dtype = DTYPES[self.dtype]
        count, row_shape = (self.shape[0], self.shape[1:]) if self.shape else (1, ())
        row_bytes = math.prod(row_shape) * dtype.itemsize
        step = max(CHUNK_BYTES // max(row_bytes, 1), 1)
        buffer = torch.empty((min(step, count), *row_shape), dtype=dtype)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start)
            for first in range(0, count, step):
                rows = buffer[: min(step, count - first)]
                _read_exactly(file, rows.reshape(-1).view(torch.uint8).numpy().data)
                yield first, rows


def _read_exactly(file: io.FileIO, view: memoryview) -> None:
    while view:
        done = file.readinto(view)
        if not done:
            raise OSError(f"{file.name} ends early")
        view = view[done:]


def read_header(path: Path) -> list[StoredTensor]:
    """Return the tensors of a file in the order of their names.

    Raises:
        ValueError: the file is not a whole safetensors file.
        OSError: it cannot be read.
    """
    try:
        with safe_open(path, framework="pt"):
            pass  # the library has checked that the header describes exactly this file
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return [
        StoredTensor(path, name, entry["dtype"], tuple(entry["shape"]), 8 + length + entry["data_offsets"][0])
        for name, entry in sorted(header.items())
    ]


def write(path: Path, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Write a file of named tensors, which may be parts of one memory; it appears whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    named = list(tensors)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in named:
        offsets = [offset, offset + tensor.nbytes]
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        offset += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in named:
            flat = tensor.detach().reshape(-1)
            step = max(CHUNK_BYTES // tensor.element_size(), 1)
            for first in range(0, len(flat), step):
                file.write(flat[first : first + step].cpu().view(torch.uint8).numpy().data)
    temporary.replace(path)
