"""The summary a run ends with: what came out, and where to look."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.commands.wording import counted
from pipelines.report.presentation.mixture import mixture_limit, mixture_rows
from pipelines.stages.progress import MEASURED, SCORING_MS, read_progress
from pipelines.storage import STAGING, Storage
from pipelines.tables.manifest import MANIFEST

MAX_COUNTED = 100_000  # files of the staging folder; a store lists a thousand in a request


def print_summary(storage: Storage, progress: Path | None, elapsed_s: float) -> dict[str, Any]:
    """Print the counts of a finished output and the paths of its card and report. Gives the manifest."""
    manifest: dict[str, Any] = json.loads(storage.read_bytes(MANIFEST))
    inputs, items, samples = manifest["inputs"], manifest["items"], manifest["samples"]
    noun = items["noun"]
    rejected, duplicates = sum(samples["rejected"].values()), sum(samples["duplicates"].values())
    num_samples = counted(samples["total"], "sample")
    print(f"{counted(inputs['matched'], 'input')}: {inputs['read']:,} read, {inputs['failed']:,} failed")
    print(f"{counted(items['found'], noun)}: {num_samples}, {items['failed']:,} failed")
    print(
        f"{num_samples}: {samples['kept']:,} kept, {rejected:,} rejected{_listed(samples['rejected'])}, "
        f"{counted(duplicates, 'duplicate')}{_listed(samples['duplicates'])}"
    )
    if "mixture" in manifest:
        reached = "; ".join(f"{r['name']} {r['reached']} ({r['wanted']} wanted)" for r in mixture_rows(manifest))
        print(f"{counted(manifest['mixture']['tokens'], 'token')}: {reached}")
        if limit := mixture_limit(manifest):
            print(limit)
    if manifest["failures"]:
        print(f"failures{_listed(manifest['failures'])}; each is a row of {storage.path('errors')}")
    counts: Mapping[str, int] = read_progress(progress) if progress is not None else {}
    made = counts.get("units_read", 0)
    used_again = counts.get("units_done", 0) - made
    parts = f"; {counted(made, 'part')} made, {used_again:,} used again" if counts else ""
    if counts.get("samples_to_score"):
        scored, reused = counts.get("scores_made", 0), counts.get("scores_reused", 0)
        parts += f"; {counted(scored, 'sample')} scored, {counted(reused, 'score')} used again"
        if counts.get("samples_skipped"):
            parts += f", {counts['samples_skipped']:,} skipped"
    if counts.get("files_damaged"):
        is_one = counts["files_damaged"] == 1
        damaged = f"{counts['files_damaged']:,} file{'' if is_one else 's'} of the staging folder"
        print(f"{damaged} {'was' if is_one else 'were'} damaged, and {'was' if is_one else 'were'} made again")
    print(f"{elapsed_s:,.1f} s, {items['found'] / elapsed_s:,.0f} {noun}s/s{parts}")
    for entry in manifest["recipe"]["filters"]:
        _print_whole_cost(entry, counts, samples["total"])
    for what, path in (("data", "data"), ("card", "README.md"), ("report", "report/index.html")):
        print(f"{what + ':':8}{storage.path(path)}")
    _print_staging(storage, is_kept=manifest["recipe"]["output"].get("keep_staging", True))
    return manifest


def _print_staging(storage: Storage, *, is_kept: bool) -> None:
    """Print what the staging folder takes; of a very large one on a store only what counting takes some seconds for."""
    if not is_kept:
        print("staging: removed")
        return
    sizes = list(itertools.islice(storage.sizes(f"{STAGING}/"), MAX_COUNTED))
    at_least = "more than " if len(sizes) == MAX_COUNTED else ""
    print(
        f"staging: {at_least}{sum(sizes) / 1e6:,.1f} MB in {storage.path(STAGING)}, used again by later runs "
        f"(output.keep_staging=false removes it)"
    )


def _listed(counts: dict[str, int]) -> str:
    if not counts:
        return ""
    return " (" + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda c: -c[1])) + ")"


def _print_whole_cost(entry: dict[str, Any], counts: Mapping[str, int], num_samples: int) -> None:
    """Print what measuring all samples would take, if a filter has measured a share of them."""
    name, share = entry["type"], entry.get("sample", 1)
    num_measured = counts.get(f"{MEASURED}{name}", 0)
    if share == 1 or not num_measured:
        return
    hours = counts[f"{SCORING_MS}{name}"] / 1000 / num_measured * num_samples / entry.get("processes", 1) / 3600
    print(
        f"{name} judged {counted(num_measured, 'sample')}, a share of {share:g}; "
        f"all {num_samples:,} would take about {hours:,.2f} hours on this machine"
    )
