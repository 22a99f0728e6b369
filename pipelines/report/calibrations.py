"""Calibrations of an output, for its card: how well its scores find samples that were spoilt on purpose."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipelines.tables.manifest import DATA_TABLES, Files

FOLDER = "calibration"


def data_digest(manifest: Mapping[str, Any]) -> str:
    """Names the data of an output: changes when a sample comes or leaves."""
    digests = [entry["sha256"] for entry in manifest["files"] if entry["table"] in DATA_TABLES]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]


def read_calibrations(files: Files, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The results of the scores that the output has, each with `is_current`: the data are those that it was made on."""
    found = []
    for score in manifest["scores"]:
        try:
            result: dict[str, Any] = json.loads(files.read_bytes(f"{FOLDER}/{score}.json"))
        except FileNotFoundError:
            continue
        found.append({**result, "is_current": result["data"] == data_digest(manifest)})
    return found
