"""`python -m pipelines.duplicates`: print groups of duplicates in an output or a folder of images; change nothing."""

import argparse
import csv
import io
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from pipelines.commands.picture_files import read_pictures
from pipelines.commands.wording import counted
from pipelines.duplicates.fingerprint import FINGERPRINT, from_arrow
from pipelines.duplicates.groups import nearest_kept
from pipelines.duplicates.index import Index, rows_of, write_index
from pipelines.duplicates.search import REASONS, find_edges
from pipelines.duplicates.settings import FINGERPRINT_VERSION, Dedupe
from pipelines.recipe import UsageError
from pipelines.stages.references import sample_ids
from pipelines.storage import Storage
from pipelines.tables.manifest import MANIFEST, AccountingError, paths, read_manifest
from pipelines.tables.schema import DUPLICATE, KEPT
from pipelines.tables.siblings import first_rows, one_per_item
from sources.terminal import escaping, for_terminal

DONE, FAILED, WRONG_USAGE = 0, 1, 2
PROG = "python -m pipelines.duplicates"
EXAMPLES = """\
examples:
  %(prog)s out
  %(prog)s photos --list copies.csv
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
    parser.add_argument(
        "--list",
        type=Path,
        metavar="FILE",
        help="also write what to keep, to remove and to look at, a line per file, as CSV or JSON (by the name's end)",
    )
    parser.add_argument("--no-cache", action="store_true", help="read files again that have not changed")
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    try:
        settings = Dedupe(hash=args.hash, bits=args.bits, radius=args.radius, text_similarity=args.text_similarity)
        if args.list is not None and args.list.suffix not in (".csv", ".json"):
            raise UsageError(f"--list expects a name that ends in .csv or .json, got {args.list}")
        names, records, unread = read_place(args.place, is_cached=not args.no_cache)
        groups = list(find_groups(names, records, settings))
        if args.list is not None:
            args.list.write_text(action_list(groups, unread, as_json=args.list.suffix == ".json"), "utf-8")
    except (UsageError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED if isinstance(error, AccountingError) else WRONG_USAGE
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_USAGE if isinstance(error, FileNotFoundError) else FAILED
    for group in groups:
        print(json.dumps(group, ensure_ascii=False) if args.json else _lines(group))
    for name, reason in unread:
        print(f"not read: {for_terminal(name)}: {for_terminal(reason)}", file=sys.stderr)
    if not args.json:
        num_duplicates = sum(len(group["duplicates"]) for group in groups)
        counts = f"{counted(num_duplicates, 'duplicate')} in {counted(len(groups), 'group')}"
        unreadable = f"; {counted(len(unread), 'file')} not read" if unread else ""
        print(f"{counted(len(names), 'sample')}: {counts}{unreadable}")
    return DONE


def read_place(place: str, *, is_cached: bool = True) -> tuple[list[str], np.ndarray, list[tuple[str, str]]]:
    """Names and fingerprints of the samples of an output that its filters keep, or of images in files.

    Args:
        is_cached: files that have not changed are not read again.
    Returns:
        The names, their (N,) fingerprints, and (name, reason) of what cannot be read.
    Raises:
        UsageError: there is nothing to compare.
    """
    root = Storage(place)
    names: list[str] = []
    records: list[np.ndarray] = []
    unread: list[tuple[str, str]] = []
    if root.exists(MANIFEST):
        manifest = read_manifest(root)
        if manifest.get("fingerprint") != FINGERPRINT_VERSION:
            raise UsageError(f"{place} holds hashes of another kind; run it again with this Vellum")
        for path in paths(manifest, "ledger"):
            with root.open(path) as file:
                table = pq.read_table(file, columns=["uri", "digest", "locator", "verdict", "reason", "fingerprint"])
            rows = table.select(["uri", "digest", "locator", "verdict", "reason"]).to_pylist()
            items = first_rows([(row["uri"], row["digest"]) for row in rows], [row["locator"] for row in rows])
            compared = [
                k
                for k, row in enumerate(rows)
                if row["verdict"] == KEPT or (row["verdict"] == DUPLICATE and row["reason"] in REASONS)
            ]
            compared = one_per_item(compared, items)  # the samples of an item are no duplicates of each other
            records.append(from_arrow(table["fingerprint"], FINGERPRINT)[compared])
            names += [f"{rows[k]['uri']} {rows[k]['locator']}" for k in compared]
    else:
        names, found, unread = read_pictures(place, is_cached=is_cached)
        records.append(found)
    if not names:
        first = f"; the first of {counted(len(unread), 'file')}: {': '.join(unread[0])}" if unread else ""
        expected = "expected an output of Vellum, or images and Parquet files"
        raise UsageError(f"{place} holds no samples that can be read; {expected}{first}")
    return names, np.concatenate(records), unread


def find_groups(names: Sequence[str], records: np.ndarray, settings: Dedupe) -> Iterator[dict[str, Any]]:
    """Kept samples with their duplicates, the largest group first."""
    with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
        storage = Storage(folder)
        write_index(storage, "rows", rows_of(records, sample_ids(names), np.arange(len(names)), settings))
        rows = Index(storage, ["rows"], settings)
        chosen = nearest_kept(find_edges(rows, settings), rows)
    groups: dict[int, list[dict[str, Any]]] = {}
    for winner, loser, reason, distance, similarity, _ in chosen.tolist():
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


def action_list(groups: Sequence[dict[str, Any]], unread: Sequence[tuple[str, str]], *, as_json: bool) -> str:
    """What to do with every file of a group, and what could not be read, as CSV or as a JSON list.

    Rows have `group` (counted from 1), `name`, `action` (keep, remove or look), `reason`, `distance` in bits and
    `similarity` of texts.
    """
    columns = ("group", "name", "action", "reason", "distance", "similarity")
    rows: list[dict[str, Any]] = []
    for number, group in enumerate(groups, start=1):
        rows.append({"group": number, "name": group["kept"], "action": "keep"})
        rows += [{"group": number, "action": "remove", **member} for member in group["duplicates"]]
    rows += [{"name": name, "action": "look", "reason": reason} for name, reason in unread]
    whole = [{column: row.get(column) for column in columns} for row in rows]
    if as_json:
        return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(whole)
    return written.getvalue()


def _lines(group: dict[str, Any]) -> str:
    lines = [for_terminal(group["kept"])]
    for member in group["duplicates"]:
        told = [f"{member['distance']} bits"] if member["distance"] is not None else []
        told += [f"text {member['similarity']:.2f}"] if member["similarity"] is not None else []
        lines.append(f"  {for_terminal(member['name'])}  ({member['reason']}, {', '.join(told)})")
    return "\n".join(lines)
