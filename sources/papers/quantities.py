r"""Numbers and units of the package siunitx as they are printed: `\SI{5}{\kilo\metre}` is `5 km`."""

import re
from collections.abc import Mapping, Sequence

from sources.papers.definitions import as_tex

PREFIXES: Mapping[str, str] = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "µ", "milli": "m",
    "centi": "c", "deci": "d", "deca": "da", "deka": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G",
    "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi",
}  # fmt: skip
# Others print their name: `\km` is km, `\bar` bar.
UNITS: Mapping[str, str] = {
    "metre": "m", "meter": "m", "second": "s", "gram": "g", "kilogram": "kg", "ampere": "A", "kelvin": "K",
    "mole": "mol", "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W",
    "coulomb": "C", "volt": "V", "farad": "F", "ohm": "Ω", "siemens": "S", "weber": "Wb", "tesla": "T", "henry": "H",
    "celsius": "°C", "degreeCelsius": "°C", "lumen": "lm", "lux": "lx", "becquerel": "Bq", "gray": "Gy",
    "sievert": "Sv", "katal": "kat", "minute": "min", "hour": "h", "day": "d", "degree": "°", "arcminute": "′",
    "arcsecond": "″", "hectare": "ha", "litre": "l", "liter": "L", "tonne": "t", "electronvolt": "eV", "dalton": "Da",
    "bel": "B", "decibel": "dB", "percent": "%", "angstrom": "Å", "byte": "B", "bit": "bit", "neper": "Np",
    "steradian": "sr", "radian": "rad", "micron": "µm", "astronomicalunit": "au", "kWh": "kWh",
}  # fmt: skip
_POWERS = {"\\square": "2", "\\cubic": "3", "\\squared": "2", "\\cubed": "3"}
_BETWEEN = frozenset((".", "~", " ", "\\,", "\\cdot", "\\ "))
_NEAR = ("°", "′", "″")  # no space before these
_EXPONENT = re.compile(r"(.*?)[eEdD]([+-]?\d+)")
_TEX = {"µ": "\\mu ", "Ω": "\\Omega ", "°": "^{\\circ}", "′": "'", "″": "''", "%": "\\%", "±": "\\pm ", "×": "\\times ",
        "−": "-"}  # fmt: skip


def number_of(tokens: Sequence[str]) -> tuple[str, str]:
    """Return a number as text, and the power of ten behind it; empty if there is none."""
    text = as_tex(tokens).replace(" ", "").replace("\\pm", "±").replace("+-", "±").replace("\\times", "x")
    found = _EXPONENT.fullmatch(text)
    text, power = (found[1], found[2].removeprefix("+")) if found else (text, "")
    return text.replace(",", ".").replace("-", "−").replace("x", " × ").replace("±", " ± "), power


def unit_of(tokens: Sequence[str], known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the symbols of a unit, each with its power; empty for one.

    Args:
        known: symbols of units that the paper declares.
    """
    found: list[tuple[str, str]] = []
    sign = power = prefix = ""
    is_joined = False
    k = 0
    while k < len(tokens):
        token = tokens[k]
        k += 1
        name = token[1:] if token.startswith("\\") else ""
        if token in ("\\square", "\\cubic"):
            power = _POWERS[token]
        elif token in ("\\squared", "\\cubed", "\\tothe", "^") and found:
            given = _POWERS.get(token, "")
            if not given:
                given, k = _group(tokens, k)
            symbol, before = found[-1]
            found[-1] = (symbol, f"-{given}" if before == "-1" and not given.startswith("-") else given)
            is_joined = False
        elif token == "\\raiseto":
            power, k = _group(tokens, k)
        elif token == "\\of":
            _, k = _group(tokens, k)
        elif token == "\\per":
            sign, is_joined = "-", False
        elif name in PREFIXES:
            prefix += PREFIXES[name]
        elif token in _BETWEEN:
            is_joined = False
        elif token not in ("{", "}"):
            symbol = prefix + (known.get(token) or _symbol(name) if name else token)
            if is_joined and not name:
                found[-1] = (found[-1][0] + symbol, "")
            else:
                found.append((symbol, f"{sign}{power or ('1' if sign else '')}"))
            is_joined = not name
            sign = power = prefix = ""
    return found


def _symbol(name: str) -> str:
    if name in UNITS:
        return UNITS[name]
    if name.endswith("ohm"):
        return f"{name[:-3]}Ω"
    return f"µ{name[1:]}" if name[0] == "u" and 1 < len(name) <= 4 else name


def _group(tokens: Sequence[str], k: int) -> tuple[str, int]:
    """Return the argument that begins at a token, and the place after it."""
    if k < len(tokens) and tokens[k] == "{":
        end = tokens.index("}", k) if "}" in tokens[k:] else len(tokens)
        return "".join(tokens[k + 1 : end]), end + 1
    end = k + 2 if tokens[k : k + 1] == ["-"] else k + 1
    return "".join(tokens[k:end]), end


def as_text(number: str, power: str, unit: Sequence[tuple[str, str]]) -> str | None:
    """Return a quantity as text; None if it has powers, which only a formula shows."""
    if power or "\\" in number or any(each for _, each in unit):
        return None
    symbols = " ".join(symbol for symbol, _ in unit)
    return number + ("" if not number or not symbols or symbols in _NEAR else " ") + symbols


def as_formula(number: str, power: str, unit: Sequence[tuple[str, str]]) -> str:
    """Return a quantity as TeX of a formula."""
    ten = f"10^{{{power}}}" if power else ""
    numbers = f"{number} × {ten}" if number and ten else number + ten
    symbols = "\\,".join(_tex(symbol) + (f"^{{{each}}}" if each else "") for symbol, each in unit)
    if not symbols:
        return _tex(numbers)
    gap = "\\," if numbers and not symbols.startswith(("^", "'")) else ""
    return f"{_tex(numbers)}{gap}\\mathrm{{{symbols}}}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)
