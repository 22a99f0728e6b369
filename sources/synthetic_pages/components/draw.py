"""What every component is drawn from.

`Draw.many` scales the number of entries down from attempt to attempt, until the page fits its window.
"""

import random as random_module
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sources.synthetic_pages.theme import Theme
from sources.synthetic_pages.vocabulary import Words

Content = Mapping[str, Any]  # what a template is filled with


@dataclass(frozen=True, slots=True)
class Draw:
    """All that a component is drawn from.

    Args:
        site: the page's name.
        heading: of its main part.
        density: 0 to 1, the share of the usual number of entries.
    """

    random: random_module.Random
    words: Words
    theme: Theme
    site: str
    heading: str
    density: float

    def many(self, lowest: int, highest: int) -> int:
        """A random number of entries, fewer where there is less room."""
        return max(2, round(self.random.randint(lowest, highest) * self.density))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def tint(self) -> str:
        """The colours of a picture's place."""
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
