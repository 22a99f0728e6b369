"""The judges of a process: a model is loaded, and a server connected to, once."""

import functools

from filters.deepseek_vl.endpoints import Endpoints
from filters.deepseek_vl.questions import Judge
from filters.filter import FilterUnavailable


@functools.cache
def local_judge(
    model: str,
    device: str | None,
    dtype: str | None,
    quantize: str | None,
    threads: int | None,
    processes: int,
    digest: str,
) -> Judge:
    """This process's model. Raises FilterUnavailable if it cannot be loaded, or is another than the run began with."""
    from filters.deepseek_vl import local_model

    try:
        if local_model.digest(model) != digest:
            raise FilterUnavailable(f"the checkpoint {model} is not the one that the run began with")
        loaded = local_model.LocalModel(
            model, device=device, dtype=dtype, quantize=quantize, threads=threads, processes=processes
        )
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        raise FilterUnavailable(f"the model {model} cannot be loaded: {str(error).partition(chr(10))[0]}") from error
    return loaded


@functools.cache
def endpoints(
    urls: tuple[str, ...], digest: str, api_key: str | None, timeout_s: float, give_up_s: float, in_flight: int
) -> Endpoints:
    """This process's connections to endpoints."""
    return Endpoints(
        urls, digest=digest, api_key=api_key, timeout_s=timeout_s, give_up_s=give_up_s, in_flight=in_flight
    )
