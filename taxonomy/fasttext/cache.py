"""Trained models on disk, by everything they depend on: the taxonomy's digest, our code's version, fastText's."""

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
from taxonomy.fasttext.model import MEMBERS, PromptModel
from taxonomy.tree import Taxonomy


def cache_folder() -> Path:
    """`$VELLUM_CACHE`, or `vellum` in the user's cache folder."""
    named = os.environ.get("VELLUM_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vellum"


def model_key(taxonomy: Taxonomy) -> str:
    """Names the model of a taxonomy."""
    parts = {
        "taxonomy": taxonomy.digest,
        "version": MODEL_VERSION,
        "members": [asdict(member) for member in MEMBERS],
        "variants": NUM_VARIANTS,
        "held_out_ratio": HELD_OUT_RATIO,
        "fasttext": importlib.metadata.version("fasttext-numpy2-wheel"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def model_of(taxonomy: Taxonomy) -> PromptModel:
    """The taxonomy's model, from the cache if it stands there whole, else trained now (seconds) and kept."""
    folder = cache_folder() / "taxonomy" / model_key(taxonomy)
    with suppress(FileNotFoundError, ValueError):
        return PromptModel.load(folder)
    model = train_calibrated(examples_of(taxonomy), list(taxonomy.leaves))
    with suppress(OSError):  # a cache that cannot be written costs seconds, nothing else
        _keep(model, folder)
    return model


def _keep(model: PromptModel, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        model.save(aside)
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        with suppress(OSError):  # another process was first
            os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
