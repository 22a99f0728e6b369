"""The files of an output that are published, and what is wrong with them or with its card."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.report.card import CROISSANT, README, REPORT, THUMBNAILS
from pipelines.storage import Storage
from pipelines.tables.manifest import MANIFEST

ABOUT = (README, CROISSANT, MANIFEST)  # published last: they describe the others
MAX_FILE_BYTES = 50_000_000_000  # https://huggingface.co/docs/hub/storage-limits
MAX_FOLDER_FILES = 10_000
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_LOCAL_PATH = re.compile(r"(?:/|~/|file:|[A-Za-z]:\\).")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedFile:
    """A file of an output.

    Args:
        sha256: as the manifest has it; None for files that it does not list.
    """

    path: str
    size: int
    sha256: str | None = None


def files_of(storage: Storage, manifest: Mapping[str, Any]) -> list[PublishedFile]:
    """The files of an output, without its staging folder. Raises FileNotFoundError if one is missing."""
    listed = [
        PublishedFile(path=entry["path"], size=storage.size(entry["path"]), sha256=entry["sha256"])
        for entry in manifest["files"]
    ]
    others = [
        PublishedFile(path=path, size=size)
        for path in (REPORT, THUMBNAILS, *ABOUT)
        if (size := storage.size_if_exists(path)) is not None
    ]
    return [*listed, *others]


def damages(files: list[PublishedFile], manifest: Mapping[str, Any]) -> list[str]:
    """Return what makes an output unfit to be published: files that are not as the manifest says, and no card."""
    sizes = {entry["path"]: entry["bytes"] for entry in manifest["files"]}
    found = [
        f"{file.path} has {file.size:,} bytes, the manifest says {sizes[file.path]:,}; see `vellum verify`"
        for file in files
        if file.path in sizes and file.size != sizes[file.path]
    ]
    there = {file.path for file in files}
    found += [f"{path} is missing; `vellum card` makes it" for path in (README, CROISSANT) if path not in there]
    return found


def problems(storage: Storage, files: list[PublishedFile], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a person should mend or know before publishing, one sentence each."""
    there = {file.path for file in files}
    if README in there:
        yield from _card_problems(storage.read_bytes(README).decode("utf-8", "replace"))
    if CROISSANT in there:
        yield from _croissant_problems(storage)
    if not manifest["samples"]["kept"]:
        yield "no sample was kept: there is no data to publish"
    for where, value in _strings(manifest["recipe"], "recipe"):
        if _LOCAL_PATH.match(value):
            yield f"{MANIFEST}: {where} names a place on this machine: {value:.100}"
    for file in files:
        if file.size > MAX_FILE_BYTES:
            yield f"{file.path} has {file.size:,} bytes; the hub takes at most {MAX_FILE_BYTES:,}"
    for folder, number in Counter(file.path.rpartition("/")[0] for file in files).items():
        if number > MAX_FOLDER_FILES:
            yield f"{folder}/ holds {number:,} files; the hub takes at most {MAX_FOLDER_FILES:,} in a folder"


def blob_id(data: bytes) -> str:
    """The name that git gives a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _card_problems(text: str) -> Iterator[str]:
    matter = _FRONT_MATTER.match(text)
    try:
        content = yaml.safe_load(matter[1]) if matter else None
    except yaml.YAMLError as error:
        yield f"{README}: what is between the lines --- is not valid YAML: {str(error).splitlines()[0]}"
        return
    if not isinstance(content, dict):
        yield f"{README} does not begin with a mapping between two lines ---; `vellum card` makes one"
        return
    names = content.get("license") or "unknown"
    if "unknown" in (names if isinstance(names, list) else [names]):
        yield f"{README}: the licence of some inputs is unknown; find out what their authors allow, and set `license`"
    if not content.get("configs"):
        yield f"{README} names no files of data (configs)"
    if not content.get("language"):
        yield f"{README} names no language"
    home = str(Path.home())
    if len(home) > 1 and re.search(rf"{re.escape(home)}/", text):
        yield f"{README} names a place on this machine: {home}/…"


def _croissant_problems(storage: Storage) -> Iterator[str]:
    try:
        content = json.loads(storage.read_bytes(CROISSANT))
    except ValueError as error:
        yield f"{CROISSANT} is not valid JSON: {error}"
        return
    for name in ("version", "datePublished", "license", "citeAs", "distribution"):
        if not content.get(name):
            yield f"{CROISSANT} has no {name}"


def _strings(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every text in nested lists and mappings, with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(inner, f"{where}.{key}")
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from _strings(inner, f"{where}[{k}]")
