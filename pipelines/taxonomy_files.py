"""The taxonomy's files in a run: they travel to the workers through the output's staging folder."""

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.recipe import Recipe, UsageError
from pipelines.storage import STAGING, Storage, fetch
from pipelines.storage.digests import are_whole, write_digests
from pipelines.storage.local_cache import LocalCache
from sources.config_file import ConfigFileError
from taxonomy.corrections import read_corrections
from taxonomy.instructions import INSTRUCTIONS_VERSION
from taxonomy.labellers import LABELLERS
from taxonomy.labelling import SampleLabeller
from taxonomy.loader import BUNDLED, checked_bytes, from_checked_bytes, load, load_text, read_taxonomy
from taxonomy.targets import leaf_shares
from taxonomy.tree import Taxonomy

TAXONOMY_FILE, CHECKED_FILE, CORRECTIONS_FILE = "use_cases.yaml", "use_cases.json", "corrections.jsonl"


def pinned(recipe: Recipe) -> Recipe:
    """The recipe with its taxonomy checked and its digest written in, so that a changed file is another recipe.

    Raises UsageError.
    """
    if recipe.taxonomy is None:
        return recipe
    settings = recipe.taxonomy
    path = Path(settings.path) if settings.path else BUNDLED
    try:
        text = read_taxonomy(path)
        digest = hashlib.sha256(text.encode())
        if settings.path or settings.corrections or settings.shares:  # the bundled file is as it was tested
            taxonomy = load_text(text, path)
            _check_shares(settings.shares, taxonomy)
            if settings.corrections:
                digest.update(Path(settings.corrections).read_bytes())
                read_corrections(Path(settings.corrections), taxonomy)
    except ConfigFileError as error:
        raise UsageError(f"the taxonomy cannot be used:\n{error}") from error
    except OSError as error:
        raise UsageError(f"taxonomy.corrections {settings.corrections} cannot be read: {error.strerror}") from error
    return dataclasses.replace(recipe, taxonomy=dataclasses.replace(settings, digest=digest.hexdigest()[:16]))


def _check_shares(shares: Mapping[str, float], taxonomy: Taxonomy) -> None:
    for use_case in shares:
        if use_case not in taxonomy.shares:
            raise UsageError(f"taxonomy.targets names {use_case}, which is no node{taxonomy.nearest(use_case)}")


def publish_taxonomy(recipe: Recipe, storage: Storage) -> None:
    """Put taxonomy, corrections and what the labeller learnt where every worker of the run finds them."""
    settings = recipe.taxonomy
    if settings is None or are_whole(storage, _folder(recipe)):
        return
    path = Path(settings.path) if settings.path else BUNDLED
    taxonomy = load(path)
    with tempfile.TemporaryDirectory(prefix="vellum-taxonomy-") as name:
        folder = Path(name)
        if settings.labeller is not None:
            LABELLERS[settings.labeller].prepare(taxonomy, folder)
        if settings.corrections:
            (folder / CORRECTIONS_FILE).write_bytes(Path(settings.corrections).read_bytes())
        (folder / CHECKED_FILE).write_bytes(checked_bytes(taxonomy))
        for made in sorted(folder.iterdir()):
            storage.publish_file(made, f"{_folder(recipe)}/{made.name}")
    storage.write_bytes(f"{_folder(recipe)}/{TAXONOMY_FILE}", path.read_bytes())
    write_digests(storage, _folder(recipe))


def _folder(recipe: Recipe) -> str:
    assert recipe.taxonomy is not None
    return f"{STAGING}/taxonomy/{recipe.taxonomy.digest}-{_labeller(recipe)}"


def _labeller(recipe: Recipe) -> str:
    """The labeller with its version."""
    assert recipe.taxonomy is not None
    name = recipe.taxonomy.labeller
    return "none" if name is None else f"{name}-{LABELLERS[name].version}"


_copies = LocalCache("vellum-taxonomy-")


def local_taxonomy(recipe: Recipe, storage: Storage) -> str | None:
    """A folder on this machine with what `publish_taxonomy` wrote; None if the recipe has no taxonomy."""
    if recipe.taxonomy is None:
        return None
    place = storage.path(_folder(recipe))
    if storage.is_local:
        return place

    def download(folder: Path) -> None:
        for path in storage.list(f"{_folder(recipe)}/"):
            fetch(storage.path(path), folder / path.rpartition("/")[2])

    return str(_copies.folder(place, download))


def load_labelling(recipe: Recipe, folder: Path) -> SampleLabeller:
    """The labelling that `publish_taxonomy` left in a folder."""
    assert recipe.taxonomy is not None
    taxonomy = _published(folder)
    corrections_path = folder / CORRECTIONS_FILE
    corrections = read_corrections(corrections_path, taxonomy) if corrections_path.exists() else {}
    return SampleLabeller(taxonomy, recipe.taxonomy, corrections, folder)


def _published(folder: Path) -> Taxonomy:
    checked = folder / CHECKED_FILE  # outputs of older versions have none
    return from_checked_bytes(checked.read_bytes()) if checked.exists() else load(folder / TAXONOMY_FILE)


def labels_key(recipe: Recipe) -> str:
    """Names the labels of a recipe: changes exactly when a sample might get another label; empty without labels."""
    if recipe.taxonomy is None:
        return ""
    settings, instructions = recipe.taxonomy, recipe.instructions
    parts: list[Any] = [settings.digest, _labeller(recipe), settings.threshold]
    if instructions is not None:
        parts += [INSTRUCTIONS_VERSION, instructions.writers, dict(instructions.weights)]
        parts += [instructions.max_turns, dict(settings.shares)]
    return "-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def targets_of(recipe: Recipe, storage: Storage) -> dict[str, float] | None:
    """The target share of every leaf of the run's taxonomy; None if samples are not labelled."""
    folder = local_taxonomy(recipe, storage)
    if folder is None:
        return None
    assert recipe.taxonomy is not None
    return leaf_shares(_published(Path(folder)), recipe.taxonomy.shares)
