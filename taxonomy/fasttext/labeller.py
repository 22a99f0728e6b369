"""The labeller that uses fastText classifiers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from taxonomy.fasttext import MODEL_VERSION
from taxonomy.labeller import Labeller, Query
from taxonomy.tree import Taxonomy


class FastText(Labeller):
    """Predicts with fastText classifiers trained on the taxonomy's prompts; it ignores images."""

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

    def probabilities(self, queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        return self._model.probabilities([query.prompt for query in queries])
