"""The registry of labellers, by the name that recipes use."""

from taxonomy.fasttext.labeller import FastText
from taxonomy.labeller import Labeller

LABELLERS: dict[str, type[Labeller]] = {cls.name: cls for cls in (FastText,)}
