"""Raised and lowered text in plain characters."""

_RAISED = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_ORDINALS = frozenset(("st", "nd", "rd", "th", "er", "re", "e", "º", "ª", "o", "a", "TM", "™", "®"))


def raised(text: str) -> str:
    """Return raised text: `²`, `1st`, or `^(n+k)` where there are no raised characters."""
    return _moved(text, _RAISED, "^")


def lowered(text: str) -> str:
    """Return lowered text: `₂`, or `_(max)` where there are no lowered characters."""
    return _moved(text, _LOWERED, "_")


def _moved(text: str, table: dict[int, int], mark: str) -> str:
    core = text.strip()
    moved = core.translate(table)
    if all(old != new for old, new in zip(core, moved, strict=True)):
        return moved
    if mark == "^" and core in _ORDINALS:
        return core
    return mark + (core if len(core) == 1 else f"({core})")
