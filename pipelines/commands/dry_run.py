"""The plan of a run: what was found, and what it will probably come to, from a small sample that is really read."""

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml

from filters.filter import Filter
from pipelines.commands.wording import counted
from pipelines.recipe import Recipe
from pipelines.stages.input_files import InputFiles
from pipelines.stages.list_inputs import gather_all, limited, list_inputs
from pipelines.storage import Storage
from pipelines.storage.arrow_file import read_local
from pipelines.storage.object_files import ObjectFiles
from pipelines.units import Input, units_of
from pipelines.workers.pool import ItemFault, readers_of, scorers_of
from pipelines.workers.protocol import InspectInputs, ReadSlice, ReadUnit, ScoreRows
from sources.base.remote import RemoteSource
from sources.base.source import InputError

MEASURED_S = 60.0  # of an expensive filter
SHARE_OF = 10_000  # ids by which the share of samples is estimated that a filter measures
SAMPLED_INPUTS = 100
SAMPLED_READS = 8
ITEMS_A_READ = 4


def print_plan(recipe: Recipe, storage: Storage, limit: int | None, workers: int) -> None:
    """Print inputs found, work units, settings and estimated output; write nothing. Raises UsageError."""
    settings = recipe.to_json()
    for entry in settings["filters"]:
        entry.pop("pinned_as", None)  # what the run adds, and long
    print(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip())
    print()
    with tempfile.TemporaryDirectory(prefix="vellum-parts-") as parts:
        num_samples = _print_sources(recipe, storage, limit, workers, Path(parts))
        for f in recipe.filters_by_part():
            _print_costs(recipe, f, sorted(Path(parts).iterdir()), num_samples, workers)
    print(f"output: {storage.root} ({'exists: finished parts are used again' if _has_parts(storage) else 'new'})")


def _print_sources(recipe: Recipe, storage: Storage, limit: int | None, workers: int, parts: Path) -> int:
    """Print what was found, and leave what was read in `parts`. Gives about how many items there are."""
    total = 0
    for index, source in enumerate(recipe.sources):
        if isinstance(source, RemoteSource):
            num_inputs = len(set(limited(list_inputs(InputFiles(recipe, storage, 1), index), limit)))
            print(f"source {source.name}: {counted(num_inputs, 'input')} to fetch; nothing is fetched in a dry run")
            for line in source.plan(workers, ObjectFiles()):
                print(f"  {line}")
            continue
        num_items = num_failed = num_read = num_bytes = 0
        found: list[tuple[str, Input]] = []
        notes: Counter[str] = Counter()
        seconds = 0.0
        with tempfile.TemporaryDirectory(prefix="vellum-") as folder:
            scratch = Storage(folder)  # for material, which a plan must not leave in the output
            material = gather_all(recipe, scratch, 1)
            inputs = InputFiles(recipe, scratch, 1)
            listed = iter([material[index]]) if index in material else list_inputs(inputs, index)
            uris = sorted(set(limited(listed, limit)))
            sampled = uris[:: max(1, len(uris) // SAMPLED_INPUTS)][:SAMPLED_INPUTS]
            for k, uri in enumerate(sampled):
                try:
                    with inputs.opened(index, uri) as local, readers_of(recipe, 1).reader() as reader:
                        request = InspectInputs(source=index, paths=(local.path,), digests=(local.digest,))
                        (contents,) = reader.ask(request).found
                        if contents.cause:
                            num_failed += 1
                            continue
                        num_items += contents.num_items
                        notes[contents.note] += 1
                        found.append((contents.digest, Input(uri, contents.num_items, contents.num_bytes, "")))
                        if k % max(1, len(sampled) // SAMPLED_READS):
                            continue
                        part, last = parts / f"{index}-{k}", min(ITEMS_A_READ, contents.num_items)
                        since = time.monotonic()
                        reader.ask(
                            ReadUnit(
                                source=index,
                                slices=(ReadSlice(path=local.path, digest=contents.digest, first=0, last=last),),
                                part=part,
                                scores=Path(folder) / "scores",
                            )
                        )
                        seconds += time.monotonic() - since
                        num_read += last
                        num_bytes += part.stat().st_size
                except (InputError, ItemFault):
                    num_failed += 1
        scale = len(uris) / max(1, len(sampled))
        about = "" if scale == 1 else "about "
        num_units = sum(1 for _ in units_of(index, found, source.items_per_unit))
        items, units = round(num_items * scale), round(num_units * scale)
        total += items
        noun = source.item_noun
        held = f"{about}{counted(items, noun)} in {about}{counted(units, 'work unit')}"
        print(f"source {source.name}: {counted(len(uris), 'input')}, {held}")
        for note, count in notes.most_common():
            if note:
                print(f"  {note} in {count:,} of {counted(len(sampled), 'input')} looked at")
        if num_failed:
            looked_at = counted(len(sampled), "input")
            print(f"  {num_failed:,} of {looked_at} looked at cannot be read and will be error rows")
        if num_read:
            megabytes = num_bytes / num_read * items / 1e6
            minutes = seconds / num_read * items / workers / 60
            print(
                f"  estimated from {counted(num_read, noun)}: {megabytes:,.1f} MB of samples at most, "
                f"twice that on disk with the staging folder, {minutes:,.1f} minutes with {workers} workers"
            )
    return total


def _print_costs(recipe: Recipe, f: Filter, parts: Sequence[Path], num_samples: int, workers: int) -> None:
    """Print what an expensive filter costs, from the samples that it can measure here in a minute."""
    pool, seconds, num_measured = scorers_of(recipe, f, 1), 0.0, 0
    how = f.worker()
    assert how is not None
    since = time.monotonic()
    for part in parts:
        rows = tuple(range(len(read_local(part))))
        for first in range(0, len(rows), how.batch_size):
            if time.monotonic() - since > MEASURED_S:
                break
            batch = rows[first : first + how.batch_size]
            try:
                answer = pool.ask(ScoreRows(part=part, rows=batch, names=f.score_names))
            except (InputError, ItemFault):
                continue
            seconds += answer.seconds
            num_measured += len(batch)
    pool.stop()
    if not num_measured:
        print(f"{f.name} runs on every sample after that; no sample could be measured here")
        return
    sample_s, processes = seconds / num_measured, how.processes or (1 if how.accelerator else workers)
    share = sum(f.skips(f"{k:032x}", False) is None for k in range(SHARE_OF)) / SHARE_OF
    hours = num_samples * share * sample_s / processes / 3600
    print(
        f"{f.name}: {processes / sample_s:,.2f} samples/s here, measured on {num_measured}; "
        f"about {num_samples * share:,.0f} samples take {hours:,.2f} hours"
    )
    for line in f.costs(sample_s, num_samples):
        print(f"  {line}")


def _has_parts(storage: Storage) -> bool:
    return storage.exists("manifest.json") or bool(storage.list(".staging/parts/"))
