"""Values of a checkpoint's JSON files that must be as we compute: others are refused, never ignored."""

from collections.abc import Mapping
from typing import Any

from deepseek_vl.config import Triple

RESCALE = 1 / 255


def expect(values: Mapping[str, Any], key: str, *allowed: Any, default: Any) -> Any:
    """Return a value of a JSON object. Raises ValueError if it is not one that we compute as the reference does."""
    value = values.get(key, default)
    if value not in allowed:
        choices = " or ".join(map(repr, allowed))
        raise ValueError(f"{key} is {value!r}; expected {choices}, because other values change the results")
    return value


def triple(value: Any, key: str) -> Triple:
    """Return three numbers, one per channel, of a list or one number. Raises ValueError."""
    values = [value] * 3 if isinstance(value, int | float) else value
    if not isinstance(values, list | tuple) or len(values) != 3 or not all(isinstance(v, int | float) for v in values):
        raise ValueError(f"{key} is {value!r}; expected three numbers, one per channel")
    red, green, blue = map(float, values)
    return red, green, blue


def side_px(value: Any, key: str) -> int:
    """Return the side of a square from a number, a pair or height and width. Raises ValueError."""
    if isinstance(value, Mapping) and value.keys() == {"height", "width"}:
        value = [value["height"], value["width"]]
    sides = value if isinstance(value, list | tuple) else [value]
    if not sides or not all(isinstance(side, int) and side == sides[0] for side in sides):
        raise ValueError(f"{key} is {value!r}; expected the side of a square in pixels")
    return int(sides[0])


def check_rescale(preprocessor: Mapping[str, Any]) -> None:
    """Raise ValueError if the reference would not scale pixels to 0 to 1."""
    factor = preprocessor.get("rescale_factor", RESCALE)
    if not isinstance(factor, int | float) or abs(factor - RESCALE) > 1e-9:
        raise ValueError(f"rescale_factor is {factor!r}; expected 1/255, because other values change the results")
