"""The style of a chart: size, font, colours, grid, legend; sampled once and used by both renderers."""

import dataclasses
import random
from dataclasses import dataclass

from sources.charts.fonts import Face, faces_for

# Qualitative palettes. The first three are safe for colour-blind readers (Okabe–Ito; Tol bright; Tol muted).
PALETTES = {
    "okabe_ito": ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"),
    "tol_bright": ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#888888", "#332288"),
    "tol_muted": ("#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#AA4499"),
    "tableau": ("#4E79A7", "#F28E2B", "#E15759", "#76B7B2", "#59A14F", "#EDC948", "#B07AA1", "#9C755F"),
    "earth": ("#8C510A", "#35978F", "#D8B365", "#01665E", "#BF812D", "#80CDC1", "#543005", "#5AB4AC"),
    "vivid": ("#E63946", "#1D3557", "#2A9D8F", "#F4A261", "#6A4C93", "#8AC926", "#FF99C8", "#264653"),
    "slate": ("#355070", "#B56576", "#6D597A", "#EAAC8B", "#56876D", "#E56B6F", "#88A0A8", "#2F3E46"),
}
# Palettes of dark and of printed charts, which other charts do not use.
SPECIAL_PALETTES = {
    "pastel": ("#8DD3C7", "#FFD27F", "#BEBADA", "#FB8072", "#80B1D3", "#FDB462", "#B3DE69", "#FCCDE5"),
    "greys": ("#262626", "#8C8C8C", "#595959", "#BFBFBF", "#404040", "#A6A6A6", "#737373", "#D9D9D9"),
}
DARK = ("#1E222A", "#E6E8EB")
LOOK_SHARES = {"light": 0.78, "dark": 0.12, "publication": 0.1}
COLOUR_BLIND_SAFE = ("okabe_ito", "tol_bright", "tol_muted")
SEQUENTIAL = ("viridis", "cividis", "magma", "YlGnBu", "Blues", "Greens")
BACKGROUNDS = (("#FFFFFF", "#222222"), ("#FFFFFF", "#000000"), ("#F7F7F2", "#2B2B2B"), ("#FAFAFA", "#333333"))
SIZES = ((640, 480), (720, 540), (800, 500), (800, 600), (900, 560), (960, 640), (700, 700), (1024, 640))
SMALL_SIZES = ((320, 240), (320, 320), (360, 240))
SMALL_FONTS = (13, 14, 15)
LEGENDS = ("right", "top", "bottom")


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """The style of one chart.

    Args:
        width_px, height_px, dpi: size and resolution of the picture.
        font_px: font size of tick labels; titles are larger.
        palette: name of one of PALETTES.
        value_labels: numbers are printed at the marks, so they can be read exactly.
    """

    width_px: int
    height_px: int
    dpi: int
    font_px: int
    face: Face
    palette: str
    background: str
    ink: str
    grid: bool
    box: bool
    legend: str
    colormap: str
    value_labels: bool
    grouped_numbers: bool
    bold_title: bool
    title_left: bool
    marker: str

    @property
    def colours(self) -> tuple[str, ...]:
        return {**PALETTES, **SPECIAL_PALETTES}[self.palette]

    @property
    def is_small(self) -> bool:
        """True for a small picture, which holds few bars."""
        return (self.width_px, self.height_px) in SMALL_SIZES

    @property
    def title_px(self) -> float:
        return round(self.font_px * 1.35)


def sample_style(random: random.Random, language: str, *, small: bool = False) -> Style:
    """Sample a style; if `small`, of a small picture with large type and printed numbers."""
    width, height = random.choice(SMALL_SIZES if small else SIZES)
    background, ink = random.choice(BACKGROUNDS)
    style = Style(
        width_px=width,
        height_px=height,
        dpi=random.choice((80, 96, 100, 120, 150)),
        font_px=random.choice(SMALL_FONTS if small else (12, 13, 14)) + (width > 850),
        face=random.choice(faces_for(language)),
        palette=random.choice(tuple(PALETTES)),
        background=background,
        ink=ink,
        grid=random.random() < 0.6,
        box=random.random() < 0.4,
        legend=random.choice(LEGENDS),
        colormap=random.choice(SEQUENTIAL),
        value_labels=random.random() < 0.5 or small,
        grouped_numbers=random.random() < 0.6,
        bold_title=random.random() < 0.5,
        title_left=random.random() < 0.3,
        marker=random.choice(("o", "s", "^", "D", "")),
    )
    return style if small else _with_look(style, random.choices(tuple(LOOK_SHARES), tuple(LOOK_SHARES.values()))[0])


def _with_look(style: Style, look: str) -> Style:
    """Return a style in one of LOOK_SHARES: on dark paper, or black and grey on white as printed journals have it."""
    if look == "dark":
        return dataclasses.replace(style, background=DARK[0], ink=DARK[1], palette="pastel")
    if look == "publication":  # without markers, lines have different dashes
        return dataclasses.replace(
            style, background="#FFFFFF", ink="#000000", palette="greys", colormap="Greys", grid=False, marker=""
        )
    return style


def enlarge_style(style: Style, attempt: int) -> Style:
    """Return the style after `attempt` illegible pictures: larger, then with the legend on the right."""
    if attempt == 0:
        return style
    if style.is_small:
        factor = 1 + 0.2 * attempt
        return dataclasses.replace(
            style, width_px=round(style.width_px * factor), height_px=round(style.height_px * factor)
        )
    larger = dataclasses.replace(style, width_px=max(style.width_px, 900), height_px=max(style.height_px, 700))
    return (
        larger
        if attempt == 1
        else dataclasses.replace(larger, width_px=1024, height_px=max(768, style.height_px), font_px=12, legend="right")
    )
