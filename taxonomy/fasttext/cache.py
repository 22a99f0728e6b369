"""Cache of trained models on disk, keyed by everything they depend on: taxonomy, settings, our version, fastText's."""

import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from taxonomy.examples import NUM_VARIANTS, examples_of
from taxonomy.fasttext import MODEL_VERSION
from taxonomy.fasttext.calibration import HELD_OUT_RATIO, train_calibrated
from taxonomy.fasttext.model import CLASSIFIERS, PromptModel
from taxonomy.tree import Taxonomy


def cache_folder() -> Path:
    """Return `$VELLUM_CACHE`, or `vellum` in the user's cache folder."""
    named = os.environ.get("VELLUM_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vellum"


def model_key(taxonomy: Taxonomy) -> str:
    """Return the cache key of a taxonomy's model."""
    parts = {
        "taxonomy": taxonomy.digest,
        "version": MODEL_VERSION,
        "classifiers": [asdict(classifier) for classifier in CLASSIFIERS],
        "variants": NUM_VARIANTS,
        "held_out_ratio": HELD_OUT_RATIO,
        "fasttext": importlib.metadata.version("fasttext-numpy2-wheel"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def model_of(taxonomy: Taxonomy) -> PromptModel:
    """Return the taxonomy's model: from the cache if it is there and intact, else trained now (seconds) and cached."""
    folder = cache_folder() / "taxonomy" / model_key(taxonomy)
    with suppress(FileNotFoundError, ValueError):
        return PromptModel.load(folder)
    model = train_calibrated(examples_of(taxonomy), list(taxonomy.leaves))
    with suppress(OSError):  # without a cache the next call only takes seconds longer
        _keep(model, folder)
    return model


def _keep(model: PromptModel, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        model.save(temporary)
        shutil.rmtree(folder, ignore_errors=True)  # it is damaged
        with suppress(OSError):  # another process was first
            temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
