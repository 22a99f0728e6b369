"""Front matter: what the Hugging Face hub and `datasets` read at the top of a dataset's README.md."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipelines.report.presentation.composition import cards, columns_of, sections
from pipelines.report.presentation.escaping import visible
from pipelines.report.presentation.statistics import Statistics
from pipelines.tables.hub_features import IMAGES, dtype_name

MIN_LANGUAGE_SHARE = 0.01  # of the kept samples; rarer ones are mostly mistakes of the language model
# lid.176 has Wikipedia's codes; these are no ISO 639 code of the same language.
ISO_639 = {"als": "gsw", "bh": "bho", "eml": "egl", "sh": "hbs"}
_UNITS = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
SIZES = [(10**k, f"{low}<n<{high}") for k, (low, high) in enumerate(itertools.pairwise(_UNITS), start=4)]

# Licence tags of the hub (https://huggingface.co/docs/hub/repositories-licenses) that suit documents.
HUB_LICENSES = frozenset(
    {
        *("afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd", "bsd-2-clause", "bsd-3-clause"),
        *("bsd-3-clause-clear", "bsl-1.0", "c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0"),
        *("cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0"),
        *("cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0"),
        *("cc-by-nc-sa-4.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "ecl-2.0"),
        *("epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "gfdl", "gpl", "gpl-2.0", "gpl-3.0"),
        *("isc", "lgpl", "lgpl-2.1", "lgpl-3.0", "lgpl-lr", "lppl-1.3c", "mit", "mpl-2.0", "ms-pl", "ncsa"),
        *("odbl", "odc-by", "ofl-1.1", "openrail", "osl-3.0", "other", "pddl", "postgresql", "unknown"),
        *("unlicense", "wtfpl", "zlib"),
    }
)


def front_matter(manifest: Mapping[str, Any], statistics: Statistics) -> dict[str, Any]:
    """The mapping between the `---` lines."""
    kept = manifest["samples"]["kept"]
    sources = sorted({source["type"] for source in manifest["recipe"]["sources"]})
    matter = {
        "pretty_name": visible(manifest["recipe"]["name"]),
        **_license(manifest),
        "language": languages(statistics),
        "task_categories": tasks(manifest, statistics),
        "size_categories": [size_category(kept)],
        "tags": list(dict.fromkeys(["vellum", "vision-language", *tags(manifest), *sources])),
        "configs": _configs(manifest),
        "dataset_info": _dataset_info(manifest) if kept else None,
    }
    return {key: value for key, value in matter.items() if value}


def tasks(manifest: Mapping[str, Any], statistics: Statistics) -> list[str]:
    """Task categories of the hub: what the kept samples hold, and what their sources' conversations serve."""
    found: dict[str, None] = {}
    for section in sections(manifest, statistics):
        if not section.counted.with_images:
            found |= dict.fromkeys(section.card.tasks)
            continue
        if section.counted.with_text:
            found["image-to-text"] = None
        if section.counted.with_messages:
            found |= dict.fromkeys(["image-text-to-text", *section.card.tasks])
    return list(found)


def tags(manifest: Mapping[str, Any]) -> list[str]:
    """Tags that the recipe's sources declare."""
    return list(dict.fromkeys(tag for card in cards(manifest).values() for tag in card.tags))


def languages(statistics: Statistics) -> list[str]:
    """ISO 639 codes of at least 1 % of the kept samples, the most frequent first."""
    total = statistics.languages.total()
    ordered = sorted(statistics.languages.items(), key=lambda entry: (-entry[1], entry[0]))
    codes = [ISO_639.get(code, code) for code, num in ordered if code and num >= MIN_LANGUAGE_SHARE * total]
    return [code for code in dict.fromkeys(codes) if re.fullmatch("[a-z]{2,3}", code)]


def licenses(manifest: Mapping[str, Any]) -> list[str | None]:
    """Licences of the sources, each once; None if one is not known."""
    found = {source.get("license") or None for source in manifest["recipe"]["sources"]}
    return sorted(found, key=lambda name: (name is None, name or ""))


def size_category(num_samples: int) -> str:
    """The hub's size category."""
    if num_samples < 1_000:
        return "n<1K"
    return next((name for limit, name in SIZES if num_samples < limit), "n>1T")


def hub_license(name: str) -> str:
    """The hub's tag of an SPDX id; `other` if it has none."""
    tag = re.sub("-(only|or-later)$", "", name.strip().lower())
    return tag if tag in HUB_LICENSES else "other"


def _license(manifest: Mapping[str, Any]) -> dict[str, Any]:
    names = licenses(manifest)
    tags = list(dict.fromkeys("unknown" if name is None else hub_license(name) for name in names))
    other = [name for name in names if name is not None and hub_license(name) == "other"]
    matter: dict[str, Any] = {"license": tags[0] if len(tags) == 1 else tags}
    if other:  # the hub wants a name in small letters, digits, dots and hyphens
        matter["license_name"] = "-".join(re.findall("[a-z0-9.]+", " ".join(other).lower()))[:96] or "other"
    return matter


def _configs(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    files = [
        {"split": split, "path": f"data/{split}-*.parquet"}
        for split, counts in sorted(manifest["splits"].items())
        if counts["samples"]
    ]
    default = [{"config_name": "default", "default": True, "data_files": files}] if files else []
    return [*default, *(_table_config(table) for table in ("ledger", "errors") if has_rows(manifest, table))]


def _table_config(table: str) -> dict[str, Any]:
    return {"config_name": table, "data_files": [{"split": "train", "path": f"{table}/*.parquet"}]}


def has_rows(manifest: Mapping[str, Any], table: str) -> bool:
    """Return True if a table of the output has rows."""
    return any(entry["rows"] for entry in manifest["files"] if entry["table"] == table)


def _dataset_info(manifest: Mapping[str, Any]) -> dict[str, Any]:
    splits = [
        {"name": split, "num_bytes": counts["bytes"], "num_examples": counts["samples"]}
        for split, counts in sorted(manifest["splits"].items())
        if counts["samples"]
    ]
    schema = columns_of(manifest)
    num_bytes = sum(split["num_bytes"] for split in splits)
    return {
        "features": [_feature(field.name, field.type) for field in schema],
        "splits": splits,
        "download_size": num_bytes,
        "dataset_size": num_bytes,
    }


def _feature(name: str, arrow_type: pa.DataType) -> dict[str, Any]:
    """A column as `datasets.Features` writes it in YAML."""
    if name == IMAGES:
        return {"name": name, "list": "image"}
    if pa.types.is_list(arrow_type):
        item = arrow_type.value_type
        if pa.types.is_struct(item):
            return {"name": name, "list": [_feature(field.name, field.type) for field in item]}
        return {"name": name, "list": dtype_name(item)}
    if pa.types.is_struct(arrow_type):
        return {"name": name, "struct": [_feature(field.name, field.type) for field in arrow_type]}
    return {"name": name, "dtype": dtype_name(arrow_type)}
