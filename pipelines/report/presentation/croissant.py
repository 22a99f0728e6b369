"""Croissant: the dataset described for machines (MLCommons Croissant 1.1), as `mlcroissant` reads it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pipelines.report.presentation.escaping import visible
from pipelines.report.presentation.numbers import number, share, size
from pipelines.tables.manifest import num_possible

RECORDS = "samples"  # name of the record set: `mlcroissant.Dataset(…).records("samples")`
SHARDS = "shards"
PARQUET = "application/x-parquet"

# The standard context of Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html).
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def describe(
    manifest: Mapping[str, Any],
    fields: Mapping[str, str],
    languages: list[str],
    tags: list[str],
    holds: str,
    release: Mapping[str, Any],
) -> bytes:
    """`croissant.json`.

    Args:
        fields: the meaning of every column of `data/`.
        languages: ISO 639 codes of the kept samples, the most frequent first.
        tags: what the sources declare.
        holds: what the kept samples are, in words.
        release: version, date, creators and citation, of `release_of`.
    """
    shards = [entry for entry in manifest["files"] if entry["table"] in manifest["splits"]]
    sources = manifest["recipe"]["sources"]
    licenses = sorted({source["license"] for source in sources if source.get("license")})
    content = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": visible(manifest["recipe"]["name"]),
        "description": _description(manifest, holds),
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "version": release["version"],
        "datePublished": release["date"],
        "citeAs": release["citation"],
        "creator": [{"@type": "sc:Organization", "name": visible(name)} for name in release["creators"]],
        "license": [license_url(name) for name in licenses],
        "inLanguage": languages,
        "keywords": list(dict.fromkeys(["vision-language", *tags, *sorted({source["type"] for source in sources})])),
        "isLiveDataset": False,
        "distribution": [
            *(_file_object(entry) for entry in manifest["files"]),
            *([_file_set()] if shards else []),
        ],
        "recordSet": [_record_set(manifest, fields)] if shards else [],
    }
    content = {key: value for key, value in content.items() if value != []}
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def license_url(name: str) -> str:
    """A page that states the licence, where its address follows from the name; else the name."""
    name = name.strip()
    if name.lower() == "cc0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    match = re.fullmatch(r"cc-(by(?:-nc)?(?:-sa|-nd)?)-(\d\.\d)", name.lower())
    if match:
        return f"https://creativecommons.org/licenses/{match[1]}/{match[2]}/"
    return visible(name)


def _description(manifest: Mapping[str, Any], holds: str) -> str:
    samples, items = manifest["samples"], manifest["items"]
    several = f"{number(samples['total'])} samples of the " if items.get("further_samples") else ""
    return (
        f"{holds[:1].upper()}{holds[1:]}: {share(samples['kept'], num_possible(manifest))} of the "
        f"{several}{number(items['found'])} "
        f"{items['noun']}s found in {number(manifest['inputs']['read'])} inputs; made with Vellum "
        f"{manifest['vellum']}. ledger/ accounts for every one, kept or not."
    )


def _file_object(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": entry["path"],
        "name": entry["path"].rpartition("/")[2],
        "description": f"{number(entry['rows'])} rows of {entry['table']}, {size(entry['bytes'])}",
        "contentUrl": entry["path"],
        "contentSize": f"{entry['bytes']} B",
        "encodingFormat": PARQUET,
        "sha256": entry["sha256"],
    }


def _file_set() -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": SHARDS,
        "name": SHARDS,
        "description": "The Parquet shards of all splits.",
        "encodingFormat": PARQUET,
        "includes": "data/*.parquet",
    }


def _record_set(manifest: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    text, real, whole = "sc:Text", "cr:Float32", "cr:Int32"
    columns = [
        _field(fields, "id", text),
        _field(fields, "source", text),
        _field(fields, "images", "sc:ImageObject", path="bytes", repeated=True),
        _structure(fields, "messages", {"role": text, "content": text}, repeated=True),
        _field(fields, "text", text),
        _structure(
            fields,
            "words",
            {"text": text, "x0": real, "y0": real, "x1": real, "y1": real, "image": whole},
            repeated=True,
        ),
        _structure(fields, "elements", {"role": text, "name": text}, repeated=True),  # a list in a list has no type
        *([_field(fields, "html", text)] if "html" in fields else []),
        _field(fields, "flags", text, repeated=True),
        _field(fields, "language", text),
        _structure(fields, "label", {"use_case": text, "confidence": real, "labeller": text, "secondary": text}),
        *([_structure(fields, "scores", dict.fromkeys(manifest["scores"], real))] if manifest["scores"] else []),
        # phash is left out: Croissant has no type for raw bytes
        _structure(fields, "provenance", dict.fromkeys(("uri", "locator", "license", "fetched_at", "digest"), text)),
        _field(fields, "split", [text, "cr:Split"]),
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "One record a sample.",
        "key": {"@id": f"{RECORDS}/id"},
        "field": [column for column in columns if column is not None],
    }


def _field(
    fields: Mapping[str, str],
    name: str,
    data_type: str | list[str],
    *,
    path: str | None = None,
    repeated: bool = False,
) -> dict[str, Any]:
    field = _leaf(f"{RECORDS}/{name}", name, name, data_type, path)
    field["description"] = fields[name]
    if repeated:
        field["repeated"] = True
    return field


def _leaf(identifier: str, name: str, column: str, data_type: str | list[str], path: str | None) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": SHARDS}, "extract": {"column": column}}
    if path is not None:
        source["transform"] = {"jsonPath": path}
    return {"@type": "cr:Field", "@id": identifier, "name": name, "dataType": data_type, "source": source}


def _structure(
    fields: Mapping[str, str], name: str, members: Mapping[str, str], *, repeated: bool = False
) -> dict[str, Any] | None:
    """A field with sub-fields, None if it has none (Croissant cannot say an empty structure)."""
    if not members:
        return None
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{name}",
        "name": name,
        "description": fields[name],
        "subField": [
            _leaf(f"{RECORDS}/{name}/{member}", member, name, data_type, member)
            for member, data_type in members.items()
        ],
    }
    if repeated:
        field["repeated"] = True
    return field
