"""The edition of a data set: its version, date and citation, for Croissant and the card."""

import datetime
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_VERSION = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
EPOCH = "SOURCE_DATE_EPOCH"  # https://reproducible-builds.org/specs/source-date-epoch/


@dataclass(frozen=True, kw_only=True)
class Release:
    """The edition of a data set, as its publisher states it.

    Args:
        version: three numbers, as in semantic versioning.
        date: day of publication, `YYYY-MM-DD`; empty: the day on which the card was made first.
        creators: names of people and organisations.
        citation: how to cite the data set, as BibTeX; empty: made from the above.
    """

    version: str = "1.0.0"
    date: str = ""
    creators: tuple[str, ...] = ()
    citation: str = ""

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"version must be three numbers such as 1.0.0, got {self.version!r}")
        try:
            if self.date and datetime.date.fromisoformat(self.date).isoformat() != self.date:
                raise ValueError
        except ValueError as error:
            raise ValueError(f"date must be a day as YYYY-MM-DD, got {self.date!r}") from error


def release_of(manifest: Mapping[str, Any], earlier: bytes | None) -> dict[str, Any]:
    """Return version, date, creators and citation of an output.

    The date comes from the recipe, else from SOURCE_DATE_EPOCH, else from an earlier Croissant file of the same shards;
    else it is today.

    Args:
        earlier: the Croissant file that is there, if there is one.
    """
    given = Release(**(manifest["recipe"].get("release") or {}))
    date = given.date or _of_epoch() or _of_earlier(manifest, earlier) or _today()
    name = manifest["recipe"]["name"]
    return {
        "version": given.version,
        "date": date,
        "creators": list(given.creators),
        "citation": given.citation or _bibtex(name, given, date, manifest["vellum"]),
    }


def _of_epoch() -> str:
    text = os.environ.get(EPOCH, "")
    if not text.isdigit():
        return ""
    return datetime.datetime.fromtimestamp(int(text), datetime.UTC).date().isoformat()


def _of_earlier(manifest: Mapping[str, Any], earlier: bytes | None) -> str:
    try:
        content = json.loads(earlier) if earlier else {}
        known = {entry.get("sha256") for entry in content["distribution"]} if content else set()
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    is_same = {entry["sha256"] for entry in manifest["files"]} <= known
    date = content.get("datePublished") if is_same else ""
    return date if isinstance(date, str) else ""


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _bibtex(name: str, release: Release, date: str, vellum: str) -> str:
    plain = re.sub(r"[\\{}$&#^_%~\s]+", " ", name).strip() or "dataset"
    key = "_".join(re.findall("[a-z0-9]+", plain.lower())) or "dataset"
    fields = {
        "title": f"{{{plain}}}",
        **({"author": re.sub(r"[\\{}]", "", " and ".join(release.creators))} if release.creators else {}),
        "year": date[:4],
        "version": release.version,
        "note": f"Made with Vellum {vellum}",
    }
    lines = [f"  {field} = {{{value}}}" for field, value in fields.items()]
    return f"@misc{{{key}_{date[:4]},\n" + ",\n".join(lines) + "\n}"
