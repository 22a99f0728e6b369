"""The labeller that asks fastText classifiers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from taxonomy.fasttext import MODEL_VERSION
from taxonomy.labeller import Labeller, Query
from taxonomy.tree import Taxonomy


class FastText(Labeller):
    """fastText classifiers trained on the taxonomy's prompts; looks at the words alone."""

    name = "fasttext"
    version = MODEL_VERSION

    @classmethod
    def prepare(cls, taxonomy: Taxonomy, folder: Path) -> None:
        from taxonomy.fasttext.cache import model_of  # fastText takes a while to import, and many samples need none

        model_of(taxonomy).save(folder)

    def __init__(self, taxonomy: Taxonomy, folder: Path | None = None):
        from taxonomy.fasttext.cache import model_of
        from taxonomy.fasttext.model import PromptModel

        self._model = model_of(taxonomy) if folder is None else PromptModel.load(folder)

    def probabilities(self, asks: Sequence[Query]) -> np.ndarray:
        return self._model.probabilities([ask.prompt for ask in asks])
