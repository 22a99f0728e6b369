"""Everything that depends on the kind of device."""

import time

import torch


def pick(name: str | None = None) -> torch.device:
    """Return the device of that name, or the best available one. Raises ValueError if it cannot be used."""
    if name is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"the device {name!r} cannot be used: {str(error).splitlines()[0]}") from error
    return device


def pick_dtype(name: str | None, device: torch.device, *, quantized: bool = False) -> torch.dtype:
    """Return the type of that name, or the fast one of the device. Raises ValueError for an unknown name.

    Kernels for quantized weights are fast in 16 bits on a CPU, too.
    """
    names = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
    if name is None:
        return torch.float32 if device.type == "cpu" and not quantized else torch.bfloat16
    if name not in names:
        raise ValueError(f"unknown dtype {name!r}; expected one of {', '.join(names)}")
    return names[name]


def is_memory(error: Exception) -> bool:
    """Return True for the errors of torch and Python that say that there is no memory left."""
    is_cpu = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or is_cpu


def upload(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy a CPU tensor to the device, asynchronously if possible."""
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class Download:
    """A copy of a device tensor on its way to the host; on CUDA the caller goes on while it is made."""

    def __init__(self, tensor: torch.Tensor):
        self._event: torch.cuda.Event | None = None
        if tensor.is_cuda:
            self._copy = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._copy.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()
        else:
            self._copy = tensor.cpu()

    @classmethod
    def of(cls, tensor: torch.Tensor | None) -> "Download | None":
        """Start a copy, if there is a tensor."""
        return None if tensor is None else cls(tensor)

    def read(self) -> torch.Tensor:
        """Wait for the copy and return it."""
        if self._event is not None:
            self._event.synchronize()
        return self._copy


def now(device: torch.device) -> float:
    """Return the time in seconds, after all work queued on the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()


def describe(device: torch.device) -> str:
    """Return the device's name, for the record of a benchmark."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"
