"""Commands of the package siunitx."""

from collections.abc import Callable, Mapping
from functools import partial

from sources.papers.definitions import as_tex
from sources.papers.expansion import Expander
from sources.papers.quantities import as_formula, as_text, number_of, unit_of
from sources.papers.tokens import Raw, tokens

# `n` number, `u` unit, `a` angle.
_ARGUMENTS: Mapping[str, str] = {
    "\\SI": "nu", "\\qty": "nu", "\\si": "u", "\\unit": "u", "\\num": "n", "\\ang": "a",
    "\\SIrange": "nnu", "\\qtyrange": "nnu", "\\numrange": "nn",
}  # fmt: skip


def _quantity(expander: Expander, arguments: str) -> bool:
    """Push a number, unit, angle or range of siunitx as text, or as a formula if it has powers."""
    if expander.skip_spaces() not in ("{", "["):
        return False
    expander.optional()
    numbers = [expander.expanded(expander.argument()) for letter in arguments if letter in "na"]
    if "u" in arguments and numbers:
        expander.optional()  # what is printed before the number
    unit = unit_of(expander.expanded(expander.argument()), expander.units) if "u" in arguments else []
    parts: list[str] = []
    for given in numbers or [[]]:
        if arguments == "a":
            degrees = as_tex(given).replace(" ", "").split(";")
            number, power = "".join(f"{each}{sign}" for each, sign in zip(degrees, "°′″", strict=False) if each), ""
        else:
            number, power = number_of(given)
        text = as_text(number, power, unit)
        if text is None or expander.is_math:
            formula = list(tokens(as_formula(number, power, unit)))
            parts += formula if expander.is_math else ["$", *formula, "$"]
        else:
            parts.append(Raw(text, "text"))
        parts += ["\\text", "{", " to ", "}"] if expander.is_math else [Raw(" to ", "text")]
    expander.push(parts[: -4 if expander.is_math else -1])
    return True


def _declare_unit(expander: Expander) -> bool:
    r"""Read \DeclareSIUnit."""
    expander.optional()
    name = expander.name_argument()
    symbols = unit_of(expander.expanded(expander.argument()), expander.units)
    expander.units[name] = " ".join(symbol for symbol, _ in symbols)
    return True


QUANTITY_COMMANDS: Mapping[str, Callable[[Expander], bool]] = {
    **{name: partial(_quantity, arguments=arguments) for name, arguments in _ARGUMENTS.items()},
    "\\DeclareSIUnit": _declare_unit,
}
