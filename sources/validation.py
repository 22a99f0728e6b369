"""Checks for settings that are names from a set, or weights by such names."""

import math
from collections.abc import Mapping


def check_names(setting: str, names: tuple[str, ...], allowed: tuple[str, ...], *, empty: bool = False) -> None:
    """Raise ValueError unless all names are allowed, none is repeated, and there is at least one (or `empty`)."""
    unknown = [name for name in names if name not in allowed]
    if unknown or (not names and not empty):
        raise ValueError(f"{setting} must be some of {', '.join(allowed)}; got {', '.join(unknown) or 'none'}")
    if len(set(names)) < len(names):
        raise ValueError(f"{setting} names something twice: {', '.join(names)}")


def check_weights(setting: str, weights: Mapping[str, float], allowed: tuple[str, ...], *, empty: bool = False) -> None:
    """Raise ValueError unless all names are allowed and their weights are finite, not negative and not all 0."""
    check_names(setting, tuple(weights), allowed, empty=empty)
    if any(not (math.isfinite(weight) and weight >= 0) for weight in weights.values()) or (
        weights and not sum(weights.values()) > 0
    ):
        raise ValueError(f"{setting} must have finite weights of 0 or more, not all 0; got {dict(weights)}")
