"""The style of a diagram: size, font, colours of a light, dark or publication look."""

import random as random_module
from dataclasses import dataclass

from sources.charts.fonts import Face, faces_for

SIZES = ((720, 540), (800, 600), (860, 580), (760, 640), (900, 640))


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Colours: paper, ink, a pale grey for help lines, pale fills and strong colours."""

    paper: str
    ink: str
    pale: str
    fills: tuple[str, ...]
    colours: tuple[str, ...]


LOOKS = {
    "light": Look(
        paper="#FFFFFF", ink="#202428", pale="#C4C9CE",
        fills=("#DCEBF7", "#FCE8D5", "#DDF0DF", "#F3E0EC", "#FBF3CF", "#E4E2F4", "#D9EFEF", "#F6DEDC"),
        colours=("#1F6FB2", "#C8551B", "#2B8A3E", "#A43A7A", "#8A6D00", "#5B4BB5", "#0B7A7A", "#B3312C"),
    ),
    "cream": Look(
        paper="#FBF8F0", ink="#2B2622", pale="#CFC7B8",
        fills=("#E6EADB", "#F4E3CB", "#DCE6EA", "#EFDAD6", "#F1ECC9", "#E2DCEB", "#D8E8E0", "#EADFCF"),
        colours=("#4C6B2F", "#A85A17", "#2F6175", "#97413A", "#7F6A0C", "#62508A", "#2A7257", "#7C5A33"),
    ),
    "dark": Look(
        paper="#1B1F26", ink="#E9ECEF", pale="#4A525C",
        fills=("#24405A", "#553A26", "#27472F", "#4A2E43", "#4B4520", "#37335A", "#1F4646", "#552D2B"),
        colours=("#6CB6F2", "#F2A265", "#7BD48A", "#E28CC2", "#E3CC5C", "#A99BF0", "#5CCFCF", "#F08A84"),
    ),
    "publication": Look(
        paper="#FFFFFF", ink="#000000", pale="#BDBDBD",
        fills=("#F2F2F2", "#E3E3E3", "#FAFAFA", "#D6D6D6", "#ECECEC", "#DDDDDD", "#F6F6F6", "#E8E8E8"),
        colours=("#000000", "#444444", "#000000", "#444444", "#000000", "#444444", "#000000", "#444444"),
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class DiagramStyle:
    """The style of one diagram.

    Args:
        width_px, height_px: size of the picture, of which the drawing may use less.
        font_px: font size of labels; the title is larger.
        stroke_px: width of the main lines.
        title: the title is drawn.
    """

    width_px: int
    height_px: int
    font_px: int
    stroke_px: float
    face: Face
    look: str
    title: bool

    @property
    def colours(self) -> Look:
        return LOOKS[self.look]


def sample_style(random: random_module.Random, language: str) -> DiagramStyle:
    """Sample a style for a language."""
    width, height = random.choice(SIZES)
    return DiagramStyle(
        width_px=width,
        height_px=height,
        font_px=random.choice((15, 16, 17)),
        stroke_px=random.choice((1.5, 1.8, 2.2)),
        face=random.choice(faces_for(language)),
        look=random.choices(tuple(LOOKS), (4, 2, 2, 3))[0],
        title=random.random() < 0.75,
    )
