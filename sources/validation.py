"""Checks of settings that name things: some of a known set, or weights for them."""

import math
from collections.abc import Mapping


def check_names(setting: str, names: tuple[str, ...], known: tuple[str, ...], *, empty: bool = False) -> None:
    """Raises ValueError unless all names are known, none comes twice, and there is one (or `empty`)."""
    unknown = [name for name in names if name not in known]
    if unknown or (not names and not empty):
        raise ValueError(f"{setting} must be some of {', '.join(known)}; got {', '.join(unknown) or 'none'}")
    if len(set(names)) < len(names):
        raise ValueError(f"{setting} names something twice: {', '.join(names)}")


def check_weights(setting: str, weights: Mapping[str, float], known: tuple[str, ...], *, empty: bool = False) -> None:
    """Raises ValueError unless all names are known and their weights finite, not negative and not all 0."""
    check_names(setting, tuple(weights), known, empty=empty)
    if any(not (math.isfinite(weight) and weight >= 0) for weight in weights.values()) or (
        weights and not sum(weights.values()) > 0
    ):
        raise ValueError(f"{setting} must have finite weights of 0 or more, not all 0; got {dict(weights)}")
