"""The labellers that a recipe can name."""

from taxonomy.fasttext.labeller import FastText
from taxonomy.labeller import Labeller

LABELLERS: dict[str, type[Labeller]] = {cls.name: cls for cls in (FastText,)}
