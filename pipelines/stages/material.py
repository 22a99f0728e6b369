"""Material: the files that a synthetic source makes its samples from, as one file in the output's staging folder.

It travels as the taxonomy does: gathered once at the start of a run, named by its content, found by every worker.
"""

import dataclasses
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pipelines.recipe import Recipe, UsageError
from pipelines.storage import STAGING, Storage, fetch
from pipelines.storage.local_cache import LocalCache
from pipelines.workers.pool import ItemFault, readers_of
from pipelines.workers.protocol import GatherMaterial
from sources.base.source import InputError
from sources.base.synthetic import SyntheticSource

FOLDER = f"{STAGING}/material"
QUERY = "material"  # of the virtual input's name
SUFFIX = ".arrow"


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """The material of one source.

    Args:
        digest: sha256 of the file, hex.
        files: files it was gathered from.
        holds: what is in it, by kind (paragraphs by language).
        dropped: what was left out, by reason.
    """

    digest: str
    files: int
    holds: Mapping[str, int]
    dropped: Mapping[str, int]


def gather_material(recipe: Recipe, index: int, uris: Iterable[str], storage: Storage, readers: int) -> Material:
    """Gather the material of a source, and put it and its description into the staging folder.

    Files are opened in a reader process: one that crashes or hangs it costs a sentence, not the run's coordinator.

    Args:
        uris: files, in order.
        readers: size of the pool of readers to use.

    Raises UsageError for a file that cannot be used, and if nothing is left of all of them.
    """
    source = recipe.sources[index]
    assert isinstance(source, SyntheticSource)
    dropped: Counter[str] = Counter()
    gathered: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="vellum-material-") as name:
        folder = Path(name)
        for number, uri in enumerate(uris):
            out = folder / f"{number:06d}{SUFFIX}"
            try:
                path = fetch(uri, folder / "input")
                with readers_of(recipe, readers).reader() as reader:
                    found = reader.ask(GatherMaterial(source=index, path=path, name=uri, out=out))
            except FileNotFoundError:
                raise UsageError(f"--input {uri}: the file does not exist") from None
            except (InputError, ItemFault) as error:
                raise UsageError(f"--input {uri}: {error.message}") from error
            except OSError as error:
                raise UsageError(f"--input {uri}: the file cannot be read: {error.strerror or error}") from error
            (folder / "input").unlink(missing_ok=True)
            dropped.update(found.dropped)
            gathered.append(out)
        whole = folder / "whole"
        holds = source.merge(gathered, whole)
        if not holds:
            raise UsageError(f"--input holds nothing that samples can be made from{_listed(dropped)}")
        with whole.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        material = Material(
            digest=digest, files=len(gathered), holds=dict(sorted(holds.items())), dropped=dict(sorted(dropped.items()))
        )
        storage.publish_file(whole, f"{FOLDER}/{digest}{SUFFIX}")  # again, as an earlier one may be damaged
        storage.write_bytes(f"{FOLDER}/{digest}.json", json.dumps(dataclasses.asdict(material)).encode())
    return material


def _listed(dropped: Mapping[str, int]) -> str:
    if not dropped:
        return ": it is empty"
    return ": " + ", ".join(f"{reason} {count:,}" for reason, count in sorted(dropped.items()))


def uri_of(source: SyntheticSource, material: Material) -> str:
    """The virtual input of a source with its material."""
    return f"{source.uri}&{QUERY}={material.digest}"


def digest_in(uri: str) -> str | None:
    """The material that a virtual input's name tells, None if it has none."""
    found = parse_qs(urlsplit(uri).query).get(QUERY)
    return found[0] if found else None


def describe_material(uri: str, storage: Storage) -> Material:
    """Read the description of the material of a virtual input."""
    digest = digest_in(uri)
    assert digest is not None
    return Material(**json.loads(storage.read_bytes(f"{FOLDER}/{digest}.json")))


_copies = LocalCache("vellum-material-")


def local_material(uri: str, storage: Storage) -> Path:
    """A file here with the material of a virtual input, fetched once a process; an empty path without any."""
    digest = digest_in(uri)
    if digest is None:
        return Path()
    place = storage.path(f"{FOLDER}/{digest}{SUFFIX}")
    if storage.is_local:
        return Path(place)
    name = f"{digest}{SUFFIX}"
    return _copies.folder(place, lambda folder: fetch(place, folder / name)) / name
