"""`python -m pipelines.duplicates`: print groups of duplicates in an output or a folder of images; change nothing."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow
from pipelines.duplicates.groups import nearest_kept
from pipelines.duplicates.index import Index, rows_of, write_index
from pipelines.duplicates.search import REASONS, find_edges
from pipelines.duplicates.settings import FINGERPRINT_VERSION, Dedupe
from pipelines.recipe import UsageError
from pipelines.stages.references import sample_ids
from pipelines.storage import Storage, fetch, match
from pipelines.tables.manifest import MANIFEST, AccountingError, paths, read_manifest
from pipelines.tables.schema import DUPLICATE, KEPT
from pipelines.workers.evaluation_items import IMAGE_SUFFIXES, read_collection
from sources.base.source import InputError

DONE, FAILED, WRONG_USAGE = 0, 1, 2
PROG = "python -m pipelines.duplicates"
EXAMPLES = """\
examples:
  %(prog)s out
  %(prog)s photos --hash dhash --bits 64 --radius 6
  %(prog)s gs://bucket/v1 --json"""


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Print the groups of duplicates in an output or a folder of images; change nothing.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "place", metavar="OUT|FOLDER", help="an output of Vellum, or images and Parquet files with images"
    )
    parser.add_argument(
        "--radius", type=int, metavar="BITS", help="bits that the hashes may differ in (default: an eighth)"
    )
    parser.add_argument("--hash", choices=("phash", "dhash"), default="phash")
    parser.add_argument("--bits", type=int, choices=(256, 64), default=256)
    parser.add_argument("--text-similarity", type=float, default=Dedupe.text_similarity, metavar="SHARE")
    parser.add_argument("--json", action="store_true", help="print one JSON object per group")
    return parser


def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    try:
        settings = Dedupe(hash=args.hash, bits=args.bits, radius=args.radius, text_similarity=args.text_similarity)
        names, records = read_place(args.place)
        groups = list(find_groups(names, records, settings))
    except (UsageError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED if isinstance(error, AccountingError) else WRONG_USAGE
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE if isinstance(error, FileNotFoundError) else FAILED
    for group in groups:
        print(json.dumps(group, ensure_ascii=False) if args.json else _lines(group))
    if not args.json:
        num_duplicates = sum(len(group["duplicates"]) for group in groups)
        print(f"{len(names):,} samples: {num_duplicates:,} duplicates in {len(groups):,} groups")
    return DONE


def read_place(place: str) -> tuple[list[str], np.ndarray]:
    """Names and fingerprints of the samples of an output that its filters keep, or of images in files.

    Raises:
        UsageError: there is nothing to compare, or a file cannot be read; it names the file.
    """
    root = Storage(place)
    names: list[str] = []
    records: list[np.ndarray] = []
    if root.exists(MANIFEST):
        manifest = read_manifest(root)
        if manifest.get("fingerprint") != FINGERPRINT_VERSION:
            raise UsageError(f"{place} holds hashes of another kind; run it again with this Vellum")
        for path in paths(manifest, "ledger"):
            with root.open(path) as file:
                table = pq.read_table(file, columns=["uri", "locator", "verdict", "reason", "fingerprint"])
            rows = table.select(["uri", "locator", "verdict", "reason"]).to_pylist()
            compared = [
                row["verdict"] == KEPT or (row["verdict"] == DUPLICATE and row["reason"] in REASONS) for row in rows
            ]
            records.append(from_arrow(table["fingerprint"], FINGERPRINT)[compared])
            names += [f"{row['uri']} {row['locator']}" for row, is_in in zip(rows, compared, strict=True) if is_in]
    else:
        with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
            for uri in match(place):
                if not uri.lower().endswith((".parquet", *IMAGE_SUFFIXES)):
                    continue
                try:
                    table = read_collection(fetch(uri, Path(folder) / "input"), uri)
                except InputError as error:
                    raise UsageError(f"{uri}: {error.message}") from error
                records.append(from_arrow(table["fingerprint"], FINGERPRINT))
                names += table["name"].to_pylist()
    if not names:
        raise UsageError(f"{place} holds no samples; expected an output of Vellum, or images and Parquet files")
    return names, np.concatenate(records)


def find_groups(names: Sequence[str], records: np.ndarray, settings: Dedupe) -> Iterator[dict[str, Any]]:
    """Kept samples with their duplicates, the largest group first."""
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        storage = Storage(folder)
        write_index(storage, "rows", rows_of(records, sample_ids(names), np.arange(len(names)), settings))
        rows = Index(storage, ["rows"], settings)
        chosen = nearest_kept(find_edges(rows, settings), rows)
    groups: dict[int, list[dict[str, Any]]] = {}
    for winner, loser, reason, distance, similarity in chosen.tolist():
        groups.setdefault(winner, []).append(
            {
                "name": names[loser],
                "reason": REASONS[reason],
                "distance": distance if distance >= 0 else None,
                "similarity": None if np.isnan(similarity) else round(similarity, 3),
            }
        )
    for winner, members in sorted(groups.items(), key=lambda entry: (-len(entry[1]), names[entry[0]])):
        yield {"kept": names[winner], "duplicates": sorted(members, key=lambda member: str(member["name"]))}


def _lines(group: dict[str, Any]) -> str:
    lines = [group["kept"]]
    for member in group["duplicates"]:
        told = [f"{member['distance']} bits"] if member["distance"] is not None else []
        told += [f"text {member['similarity']:.2f}"] if member["similarity"] is not None else []
        lines.append(f"  {member['name']}  ({member['reason']}, {', '.join(told)})")
    return "\n".join(lines)
