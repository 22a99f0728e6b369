"""Digests of the files in a folder of the output, so that a damaged one is made anew and not used."""

import hashlib
import json

from pipelines.storage.storage import Storage

DIGESTS = "sha256.json"


def write_digests(storage: Storage, folder: str) -> None:
    """Write the digests of a folder's files into it. Written last, it says that all files are there."""
    storage.write_bytes(f"{folder}/{DIGESTS}", json.dumps(_digests(storage, folder)).encode())


def are_whole(storage: Storage, folder: str) -> bool:
    """Return True if the folder has exactly the files that `write_digests` saw, as they were."""
    try:
        expected = json.loads(storage.read_bytes(f"{folder}/{DIGESTS}"))
    except (FileNotFoundError, ValueError):
        return False
    return bool(expected == _digests(storage, folder))


def _digests(storage: Storage, folder: str) -> dict[str, str]:
    names = [path.removeprefix(f"{folder}/") for path in storage.list(f"{folder}/")]
    return {
        name: hashlib.sha256(storage.read_bytes(f"{folder}/{name}")).hexdigest() for name in names if name != DIGESTS
    }
