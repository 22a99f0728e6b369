"""Numbers for a person."""


def number(value: float) -> str:
    """A number for a person, as exact as settings are: thousands separated, six significant digits."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.6g}"


def measure(value: float) -> str:
    """A measured score for a person: whole numbers whole, others with three significant digits."""
    if float(value).is_integer() or abs(value) >= 1000:
        return number(round(value))
    return number(float(f"{value:.3g}"))


def share(part: int, whole: int) -> str:
    """A share in percent; tiny and nearly whole ones are not rounded to 0 or 100."""
    if whole == 0:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


def size(num_bytes: float) -> str:
    """Bytes in a unit that a person reads, e.g. `1.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if num_bytes < 1000:
            return f"{num_bytes:.0f} {unit}" if unit == "bytes" or num_bytes >= 100 else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:,.1f} TB"
