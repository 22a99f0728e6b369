"""Names of inputs as an output tells them: relative to the patterns that name them, never as places on this machine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pipelines.recipe import Recipe
from pipelines.storage import STAGING, Storage
from pipelines.storage.names import MEMBER, printable
from pipelines.storage.patterns import Pattern

OWN_RECIPE = f"{STAGING}/recipe.json"  # the recipe with the places on this machine, for commands that read inputs again
# Settings whose values are files and folders. Other texts may begin with a slash too, such as paths of web pages.
PATHS = frozenset(
    {
        *("input", "decontaminate", "image_folder", "path", "corrections", "vocabulary", "model", "axes", "tokenizer"),
        *("checkpoint", "examples", "weights"),
    }
)


class Readable(Protocol):
    """The files of an output."""

    def read_bytes(self, relative: str) -> bytes: ...


class PublicNames:
    """The names of a recipe's local inputs. On stores and on the web they are as given."""

    def __init__(self, recipe: Recipe):
        self._patterns = [printable(pattern) for source in recipe.sources for pattern in source.input]

    def of(self, uri: str) -> str:
        """Return the name of an input relative to the folder of its pattern; for a single file, its name."""
        if _has_scheme(uri):
            return uri
        names = [name for pattern in self._patterns if (name := _below(uri, pattern)) is not None]
        if names:
            return min(names, key=len)
        return "/".join(uri.split("/")[-2:]) if _is_local_place(uri) else uri

    def of_message(self, message: str, uri: str) -> str:
        """Return a message about an input with its public name."""
        return message.replace(uri, self.of(uri)) if _is_local_place(uri) else message


def public_recipe(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe in which files and folders of this machine have their last names only."""
    found = _public(content, "")
    assert isinstance(found, dict)
    return found


def public_place(place: str) -> str:
    """Return the last name of a place on this machine, with the wildcards after it; anything else as it is."""
    mark = "@" if place.startswith("@") else ""
    path = place.removeprefix(mark)
    if not _is_local_place(path):
        return place
    folder, wildcards = Pattern.split(path.rstrip("/"))
    if wildcards:
        return f"{mark}{_last(folder.rstrip('/'))}/{wildcards}"
    return mark + _last(folder)


def save_own_recipe(storage: Storage, content: Mapping[str, Any]) -> None:
    """Keep a recipe as it was given in the staging folder, which is never published."""
    storage.write_bytes(OWN_RECIPE, json.dumps(content, ensure_ascii=False).encode())


def own_recipe(storage: Readable, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe of an output as it was given; without its staging folder, as the manifest tells it."""
    try:
        content = json.loads(storage.read_bytes(OWN_RECIPE))
    except (FileNotFoundError, ValueError):
        content = None
    is_of_output = isinstance(content, dict) and public_recipe(content) == manifest["recipe"]
    found: dict[str, Any] = content if is_of_output else dict(manifest["recipe"])
    return found


def _below(uri: str, pattern: str) -> str | None:
    """The name of a file relative to a pattern that names it; None if the pattern cannot name it."""
    if pattern.startswith("@"):
        return _inside(uri, str(Path(pattern[1:]).absolute().parent))
    if uri == pattern or uri.startswith(pattern + MEMBER):
        return uri[len(pattern) - len(_last(pattern)) :]
    folder, wildcards = Pattern.split(pattern)
    if not wildcards:
        return _inside(uri, pattern)
    return uri[len(folder) :] if uri.startswith(folder) else None


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _inside(uri: str, folder: str) -> str | None:
    beginning = f"{folder.rstrip('/')}/"
    return uri[len(beginning) :] if uri.startswith(beginning) else None


def _has_scheme(uri: str) -> bool:
    return ":" in uri.partition("/")[0]


def _is_local_place(path: str) -> bool:
    return path.startswith(("/", "~/", "../")) or path[1:3] == ":\\"


def _public(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _public(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_public(inner, key) for inner in value]
    return public_place(value) if isinstance(value, str) and key in PATHS else value
