"""The context from which components make their content.

`ComponentContext.sample_count` reduces the number of entries with each attempt, until the page fits its window.
"""

import random as random_module
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from sources.synthetic_pages.drawings import HEIGHT, SCENES, WIDTH, drawing
from sources.synthetic_pages.icons import ICONS, icon
from sources.synthetic_pages.texts import Texts
from sources.synthetic_pages.theme import Theme
from sources.synthetic_pages.vocabulary import Words

Content = Mapping[str, Any]  # values for a template


@dataclass(frozen=True, slots=True)
class ComponentContext:
    """Random generator, words, texts and theme for the content of components.

    Args:
        words: words of the user interface.
        texts: running texts, names and things.
        site: name of the site.
        heading: heading of the main part.
        density: 0 to 1, fraction of the usual number of entries.
        is_drawn: pictures are drawings; else they are coloured areas.
    """

    random: random_module.Random
    words: Words
    texts: Texts
    theme: Theme
    site: str
    heading: str
    density: float
    is_drawn: bool = True

    def sample_count(self, lowest: int, highest: int) -> int:
        """Return a random number of entries, scaled by the density."""
        return max(2, round(self.random.randint(lowest, highest) * self.density))

    def chance(self, share: float) -> bool:
        """Return True with probability `share`."""
        return self.random.random() < share

    def picture(self, label: str = "", scene: str = "", css_class: str = "picture") -> Markup:
        """Return an element with a drawing, or with a colour or gradient in its place.

        Args:
            label: what the picture is of, which the element has as its accessible name.
            scene: one of SCENES; by default any but a portrait.
        """
        name = Markup(' aria-label="{}"').format(label) if label else Markup()
        if not self.is_drawn:
            return Markup('<div class="{}" role="img"{} style="background: {}"></div>').format(
                css_class, name, self._tint()
            )
        scene = scene or self.random.choice([each for each in SCENES if each != "portrait"])
        shapes = drawing(scene, self.random, self.theme.tints)
        return Markup(
            '<svg class="{}" role="img"{} viewBox="0 0 {} {}" preserveAspectRatio="xMidYMid slice">{}</svg>'
        ).format(css_class, name, WIDTH, HEIGHT, shapes)

    def icons(self, number: int, size: int) -> list[Markup]:
        """Return different icons."""
        return [icon(name, size) for name in self.random.sample(list(ICONS), number)]

    def _tint(self) -> str:
        """Return a CSS colour or gradient."""
        first, second = self.random.sample(self.theme.tints, 2)
        return (
            first
            if self.chance(0.4)
            else f"linear-gradient({self.random.choice((90, 135, 180))}deg, {first}, {second})"
        )

    def price(self, highest: int = 200) -> str:
        amount = self.random.randint(4, highest)
        if self.words.language == "zh":
            return f"¥{amount * 7}"
        return f"${amount}.{self.random.choice(('00', '50', '95', '99'))}"

    def date(self) -> str:
        month, day = self.random.randint(1, 12), self.random.randint(1, 28)
        if self.words.language == "zh":
            return f"{month}月{day}日"
        return f"{self.words.all('months')[month - 1][:3]} {day}"

    def time(self) -> str:
        return f"{self.random.randint(8, 19)}:{self.random.choice((0, 5, 10, 15, 20, 30, 40, 45)):02d}"
