"""The style of a page: fonts, sizes, colours, margins and table style, sampled once per page."""

import math
import random as random_module
import string
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sources.ocr.formula import FONT_SETS
from sources.ocr.page import Box
from sources.ocr.typefaces import font_face_css
from sources.ocr.vocabulary import furniture_language
from sources.text.fonts import Font, FontError, advance, families, fonts_for, fonts_in, missing
from sources.text.languages import LANGUAGES, RIGHT_TO_LEFT, SQUARE, UNSPACED

Colour = tuple[int, int, int]
INKS: tuple[Colour, ...] = ((0, 0, 0), (20, 20, 20), (35, 31, 32), (25, 28, 48), (48, 36, 28))
ACCENTS: tuple[Colour, ...] = (
    (31, 73, 125), (146, 29, 36), (28, 100, 62), (96, 60, 120),
    (176, 92, 16), (16, 110, 122), (60, 60, 60), (122, 78, 40),
)  # fmt: skip
PAPERS: tuple[Colour, ...] = (
    (255, 255, 255), (255, 255, 255), (255, 255, 255), (252, 250, 243),
    (247, 242, 228), (244, 244, 246), (250, 246, 238),
)  # fmt: skip
PORTRAITS = (0.7071, 0.7071, 0.7727, 0.66, 0.75)  # width / height; A4 twice as often as letter, book and magazine
# Font size as a fraction of the long side: 9 to 13 pt on A4; larger for Chinese, whose characters have more strokes.
SIZES = {"en": (0.0115, 0.0165), "th": (0.0145, 0.02), **dict.fromkeys(SQUARE, (0.0138, 0.019))}
# Mean width in font sizes, for narrow fonts. A third of the characters of Thai stand above or below others.
CHARACTER_WIDTH = {"en": 0.42, "th": 0.36, "ko": 0.75, **dict.fromkeys(UNSPACED, 1.0)}
INDENTS = {"zh": 2, "zh-Hant": 2, "ja": 1}  # of a paragraph, in font sizes; others: 1.5
LOOSE_LINES = 1.06  # what lines that end at a word take in addition
SIGNS = "•–×÷€£¥" + string.ascii_letters + string.digits  # every font must have these characters of titles and labels
TABLE_STYLES = {
    "grid": "td,th{{border:1px solid {rule};padding:2px 5px}}",
    "rules": "td,th{{border-bottom:1px solid {rule};padding:3px 5px}}",
    "head": "td,th{{border-bottom:1px solid {rule};padding:3px 5px}} th{{background-color:{accent};color:#ffffff}}",
    "open": "td,th{{padding:2px 6px}} th{{border-bottom:2px solid {rule}}}",
    "boxed": "td,th{{border:1px solid {rule};padding:4px 6px}} th{{background-color:{tint}}}",
}


@dataclass(frozen=True, slots=True)
class Family:
    """A font family. If `italic` is None, no text is slanted."""

    regular: Font
    bold: Font
    italic: Font | None

    @property
    def fonts(self) -> tuple[Font, ...]:
        return tuple(dict.fromkeys(font for font in (self.regular, self.bold, self.italic) if font is not None))


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """The style of one page; lengths in pixels.

    Args:
        language: language of titles and labels.
        is_right_to_left: lines and columns begin on the right.
        side: long side of the page.
        size: font size of the running text.
        leading: line height as a multiple of the font size.
    """

    language: str
    is_right_to_left: bool
    side: int
    width: int
    height: int
    size: float
    leading: float
    margin: int
    ink: Colour
    accent: Colour
    paper: Colour
    body: Family
    head: Family
    mono: Family
    justify: bool
    indent: bool
    table_style: str
    math: str

    @property
    def fonts(self) -> tuple[Font, ...]:
        """All font faces that the style sheet names."""
        return tuple(dict.fromkeys((*self.body.fonts, *self.head.fonts, *self.mono.fonts)))

    @property
    def frame(self) -> Box:
        """The type area, x0, y0, x1, y1."""
        return self.margin, self.margin, self.width - self.margin, self.height - self.margin

    def capacity(self, boxes: Sequence[Box]) -> int:
        """Return about how many characters of running text fit into some boxes, a generous estimate."""
        area = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes)
        return (
            round(1.15 * area / (self.size**2 * self.leading * CHARACTER_WIDTH[_like(self.language, CHARACTER_WIDTH)]))
            + 200
        )

    def height_of(self, text: str, width: float) -> float:
        """Return about how many pixels of height a paragraph of running text takes, `width` pixels wide."""
        font = self.body.regular
        length = (2 if self.indent else 0) + LOOSE_LINES * sum(
            count * (0.5 if missing(sign, font) else advance(font, sign)) for sign, count in Counter(text).items()
        )
        num_lines = math.ceil(length * self.size / width)
        return (num_lines * self.leading + (0 if self.indent else 0.55)) * self.size

    def columns(self, count: int, top: float, bottom: float, gap: float | None = None) -> list[Box]:
        """Return columns of equal width over the type area, in reading order."""
        gap = self.size * 1.6 if gap is None else gap
        left, _, right, _ = self.frame
        width = (right - left - gap * (count - 1)) / count
        order = reversed(range(count)) if self.is_right_to_left else range(count)
        return [(left + k * (width + gap), top, left + k * (width + gap) + width, bottom) for k in order]

    def display(
        self, scale: float, *, margin: str = "0", align: str = "left", is_coloured: bool = False, is_bold: bool = True
    ) -> str:
        """Return the CSS rules of a heading, `scale` times as large as the text."""
        return (
            f"margin:{margin};font-family:head;font-weight:{'bold' if is_bold else 'normal'};text-align:{align};"
            f"font-size:{self.size * scale:.1f}px;line-height:1.15" + (f";color:{to_hex(self.accent)}" * is_coloured)
        )

    def code(self, size: float, rules: str = "") -> str:
        """Return the CSS rules of a code listing with a font size of `size` pixels."""
        gap, padding = self.size * 0.4, self.size * 0.5
        return (
            f"margin:{gap:.1f}px 0;padding:{padding:.1f}px;font-family:mono;font-size:{size:.1f}px;line-height:1.3;"
            f"white-space:pre-wrap;text-align:left;{rules}"
        )

    def css(self, **more: str) -> str:
        """Return the style sheet with all fonts and classes; `more` adds or replaces the rules of classes by name."""
        size, accent = self.size, to_hex(self.accent)
        red, green, blue = (round(255 - (255 - channel) * 0.15) for channel in self.accent)
        table_rules = TABLE_STYLES[self.table_style].format(
            rule=to_hex((120, 120, 120)), accent=accent, tint=to_hex((red, green, blue))
        )
        gap = "0" if self.indent else f"{size * 0.55:.1f}px"
        classes = {
            "p": f"margin:0 0 {gap} 0;" + ("text-align:justify;" if self.justify else "text-align:left;")
            + (f"text-indent:{size * INDENTS.get(self.language, 1.5):.1f}px;" if self.indent else ""),
            "rest": f"margin:0 0 {gap} 0;text-align:{'justify' if self.justify else 'left'}",
            "flat": f"margin:0 0 {size * 0.4:.1f}px 0;text-align:left",
            "tight": "margin:0;text-align:left",
            "centre": f"margin:0 0 {size * 0.4:.1f}px 0;text-align:center",
            "right": f"margin:0 0 {size * 0.4:.1f}px 0;text-align:right",
            "small": f"margin:0;font-size:{size * 0.82:.1f}px",
            "small-centre": f"margin:0;font-size:{size * 0.82:.1f}px;text-align:center",
            "small-right": f"margin:0;font-size:{size * 0.82:.1f}px;text-align:right",
            "li": f"margin:0 0 {size * 0.3:.1f}px 0;text-align:left"  # Story has no hanging indent to the right
            if self.is_right_to_left
            else f"margin:0 0 {size * 0.3:.1f}px {size * 1.8:.1f}px;text-indent:-{size * 1.3:.1f}px;text-align:left",
            "quote": f"margin:{size * 0.4:.1f}px {size * 2:.1f}px;padding-left:{size * 0.6:.1f}px;"
            f"border-left:3px solid {accent}",
            "caption": f"margin:0 0 {size * 0.8:.1f}px 0;font-size:{size * 0.85:.1f}px;text-align:center",
            "figure": f"margin:{size * 0.4:.1f}px 0 {size * 0.2:.1f}px 0;text-align:center;line-height:1",
            "code": self.code(size * 0.9),
            **{
                f"h{level}": self.display(
                    scale, margin=f"{size * above:.1f}px 0 {size * 0.5:.1f}px 0", is_coloured=level < 3
                )
                for level, scale, above in ((1, 2.0, 0), (2, 1.35, 0.7), (3, 1.1, 0.6))
            },
            **more,
        }  # fmt: skip
        rules = "".join(f".{name}{{{rule}}}" for name, rule in classes.items())
        faces = "".join(
            _faces_css(name, family) for name, family in (("body", self.body), ("head", self.head), ("mono", self.mono))
        )
        return (
            f"{faces}body{{margin:0;font-family:body;font-size:{size:.2f}px;line-height:{self.leading};"
            f"color:{to_hex(self.ink)}}}table{{width:100%;border-collapse:collapse;margin:{size * 0.4:.1f}px 0}}"
            f"td,th{{text-align:left;line-height:1.25}}{table_rules} .r{{text-align:right}}{rules}"
        )


def _like(language: str, known: Collection[str]) -> str:
    """Return a language, or `en` if nothing is known about it."""
    return language if language in known else "en"


def to_hex(colour: Colour) -> str:
    """Return a colour in CSS notation."""
    return "#" + "".join(f"{channel:02x}" for channel in colour)


def _faces_css(name: str, family: Family) -> str:
    css = font_face_css(name, family.regular) + font_face_css(name, family.bold, bold=True)
    return css + (font_face_css(name, family.italic, italic=True) if family.italic else "")


@lru_cache(maxsize=16)
def font_families(language: str, kinds: tuple[str, ...]) -> tuple[Family, ...]:
    """Return the families with a regular face that support a language. Raises FontError if there is none."""
    return _with_faces(font for font in fonts_for(language, kinds) if not missing(SIGNS, font))


def _with_faces(fonts: Iterable[Font]) -> tuple[Family, ...]:
    """Return the families of fonts that have a regular face."""
    found = []
    for faces in families(fonts).values():
        upright = sorted((font for font in faces if not font.italic), key=lambda font: abs(font.weight - 400))
        if not upright or upright[0].weight > 500:
            continue
        bold = sorted((font for font in upright if font.bold), key=lambda font: abs(font.weight - 700))
        italic = sorted((font for font in faces if font.italic), key=lambda font: abs(font.weight - 400))
        italic = [font for font in italic if font.weight <= 500]
        found.append(Family(upright[0], bold[0] if bold else upright[0], italic[0] if italic else None))
    return tuple(found)


@lru_cache(maxsize=32)
def folder_families(language: str, folder: str) -> tuple[Family, ...]:
    """Return the families in a folder that support a language. Raises FontError if there is none."""
    fonts, needed = fonts_in(folder), LANGUAGES[language].sample + SIGNS
    found = _with_faces(font for font in fonts if not missing(needed, font))
    if not found:
        lacks = missing(needed, fonts[0])
        why = f"{fonts[0].family} lacks {lacks[0]!r}" if lacks else f"{fonts[0].family} has no regular face"
        raise FontError(f"fonts: no font in {folder} can write {language}: {why}")
    return found


def chosen_families(language: str, chosen: Sequence[str], folder: str = "") -> tuple[Family, ...]:
    """Return the families of running text in a language, all or those with certain names. Raises FontError.

    Args:
        folder: where the fonts lie, instead of those that are installed.
    """
    if folder:
        found = folder_families(language, folder)
    else:
        found = font_families(language, ("serif", "sans", "monospaced") if chosen else ("serif", "sans"))
    fitting = tuple(family for family in found if not chosen or family.regular.family in chosen)
    if not fitting:
        names = ", ".join(family.regular.family for family in found)
        raise FontError(f"no font family of {', '.join(chosen)} is installed for {language}; there are {names}")
    return fitting


def sample_style(
    random: random_module.Random, language: str, side: int, chosen: Sequence[str] = (), folder: str = ""
) -> Style:
    """Sample the style of a portrait page whose long side is `side` pixels.

    Args:
        chosen: names of the families of the text; empty for all.
        folder: folder of the fonts of the text; empty for those that are installed.
    Raises:
        FontError: none of the chosen families supports the language.
    """
    text = chosen_families(language, chosen, folder)
    mono = font_families("en", ("monospaced",))
    body = random.choice(text)
    furniture = furniture_language(language)
    size = side * random.uniform(*SIZES[_like(furniture, SIZES)])
    width = round(side * random.choice(PORTRAITS))
    return Style(
        language=furniture,
        is_right_to_left=language in RIGHT_TO_LEFT,
        side=side,
        width=width,
        height=side,
        size=size,
        leading=random.uniform(1.2, 1.5) if furniture not in (*SQUARE, "th") else random.uniform(1.35, 1.75),
        margin=round(width * random.uniform(0.06, 0.13)),
        ink=random.choice(INKS),
        accent=random.choice(ACCENTS),
        paper=random.choice(PAPERS),
        body=body,
        head=random.choice((body, random.choice(text))),
        mono=random.choice(mono),
        justify=random.random() < 0.6,
        indent=random.random() < 0.45,
        table_style=random.choice(sorted(TABLE_STYLES)),
        math=random.choice(FONT_SETS),
    )
