"""Image–text pairs and conversations about images, as others have published them."""

from sources.pairs.source import Pairs as Pairs
