"""Values that a process makes once, whichever of its threads asks first."""

import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def once(function: Callable[P, T]) -> Callable[P, T]:
    """Keep the results of a function as `functools.cache` does, and make none of them twice.

    Threads that ask while a result is being made wait for it; with `cache` alone each would make its own.
    """
    cached, lock = cache(function), threading.RLock()

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        with lock:
            return cached(*args, **kwargs)  # type: ignore[arg-type]  # as for `cache`, arguments are hashable

    return ask
