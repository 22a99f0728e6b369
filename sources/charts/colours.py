"""Colours with readable contrast."""


def contrasting_colour(colour: str) -> str:
    """Return black or white, whichever has more contrast with a `#RRGGBB` colour."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#FFFFFF"  # WCAG contrast: equal at 0.179


def mix(colour: str, share: float, other: str) -> str:
    """Mix a `#RRGGBB` colour with this fraction of another one."""
    mixed = (round(int(colour[k : k + 2], 16) * (1 - share) + int(other[k : k + 2], 16) * share) for k in (1, 3, 5))
    return "#" + "".join(f"{value:02X}" for value in mixed)
