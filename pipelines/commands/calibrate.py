"""`python -m filters.calibrate OUT --axis ocr_agreement [--precision 0.95]`: how well a score finds spoilt samples.

Corruptions are planted in held-out samples of a finished output. The table, a JSON file and a picture tell the area
under the ROC curve by corruption; with `--precision` the threshold is written into a recipe.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filters.calibration import chart
from filters.calibration.corruptions import CORRUPTIONS
from filters.calibration.measure import Measured, NoScoresError, measure
from filters.filter import Filter, Threshold
from pipelines.commands import finished_output
from pipelines.commands.held_out import read_trials
from pipelines.commands.recipe_file import with_setting
from pipelines.overrides import apply_setting
from pipelines.public_names import own_recipe
from pipelines.recipe import Recipe, UsageError
from pipelines.recipe_file import build_recipe
from pipelines.report import card
from pipelines.report.calibrations import FOLDER, data_digest
from pipelines.report.presentation.report import recipe_yaml
from pipelines.storage import Storage
from pipelines.tables.bounds import bounds_of
from pipelines.tables.manifest import read_manifest
from sources.terminal import escaping

PROG = "python -m filters.calibrate"
EXAMPLES = """\
examples:
  %(prog)s out --axis ocr_agreement
  %(prog)s out --axis ocr_agreement --precision 0.95 --recipe my.yaml
  %(prog)s out --axis ocr_agreement num_chars --samples 50"""
NUM_SAMPLES = 200


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    description = "Plant corruptions in held-out samples and measure how well scores find them."
    parser = finished_output.build_parser(prog, description, EXAMPLES)
    parser.add_argument("--axis", nargs="+", required=True, metavar="SCORE", help="scores of the output's ledger")
    parser.add_argument("--precision", type=float, metavar="SHARE", help="write the threshold with this precision")
    parser.add_argument(
        "--recipe", type=Path, metavar="FILE", help="the recipe to change (default: a new file in the output)"
    )
    parser.add_argument("--samples", type=int, default=NUM_SAMPLES, metavar="N", help=f"default: {NUM_SAMPLES}")
    parser.add_argument(
        "--corruption",
        nargs="+",
        choices=tuple(CORRUPTIONS),
        default=tuple(CORRUPTIONS),
        metavar="NAME",
        help=f"default: all, {', '.join(CORRUPTIONS)}",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the filter, as for `run`"
    )
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    args = build_parser(prog).parse_args(arguments)
    return finished_output.outcome(args.out, lambda storage: _calibrate(storage, args))


def _calibrate(storage: Storage, args: argparse.Namespace) -> None:
    if args.precision is not None and not 0.5 < args.precision < 1:
        raise UsageError(f"--precision must be above 0.5 and below 1, got {args.precision:g}")
    if args.precision is not None and len(args.axis) > 1:
        raise UsageError("--precision is for one score; name one with --axis")
    if args.samples < 2:
        raise UsageError(f"--samples must be at least 2, got {args.samples}")
    if args.recipe is not None and args.precision is None:
        raise UsageError("--recipe is changed by --precision; give both")
    manifest = read_manifest(storage)
    recipe = _recipe(storage, manifest, args.set)
    chosen = _filters(recipe, args.axis)
    whole = {**manifest, "recipe": recipe.to_json()}
    text = recipe_yaml(whole) if args.recipe is None else _recipe_text(args.recipe)
    if args.precision is not None:
        ((f, (score,)),) = chosen
        with_setting(text, f.name, _threshold(f, score).setting, 0.0)  # it can be written
    chosen = [(_ready(f, tuple(sides)), sides) for f, sides in chosen]
    trials, num_held_out = read_trials(storage, manifest, args.samples)
    if len(trials) < 2:
        raise UsageError(f"the output keeps {len(trials)} samples; a calibration needs at least 2, and better 100")
    print(f"{len(trials):,} samples, {num_held_out:,} of them of the validation split")
    results = []
    for f, sides in chosen:
        started = time.process_time()
        f.load()
        is_slow = f.worker() is not None
        try:
            all_measured = measure(trials, f, sides, args.corruption, _progress if is_slow else _silence)
        except NoScoresError as error:
            raise UsageError(f"--axis {error}") from error
        results += [_result(measured, f, manifest, args.precision) for measured in all_measured]
        if is_slow:
            print(f"{f.name}: {time.process_time() - started:,.0f} s of processor time", file=sys.stderr)
    _print(results)
    for result in results:
        _write(storage, f"{FOLDER}/{result['score']}.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    picture = f"{FOLDER}/{'-'.join(args.axis)[:100]}.svg"
    _write(storage, picture, chart.draw(results))
    card.export(storage)
    print(f"picture: {storage.path(picture)}")
    if args.precision is not None:
        _write_threshold(storage, results[0], text, args.recipe, args.precision)


def _recipe(storage: Storage, manifest: Mapping[str, Any], settings: Sequence[str]) -> Recipe:
    content = build_recipe(own_recipe(storage, manifest), "the output's recipe").to_json()
    for setting in settings:
        apply_setting(content, setting)
    return build_recipe(content, "the command line")


def _filters(recipe: Recipe, axes: Sequence[str]) -> list[tuple[Filter, dict[str, bool]]]:
    """The filters that give the wanted scores, each with its wanted scores and whether a higher one is better."""
    sides = {bound.score: bound.side == "min" for bound in reversed(bounds_of(recipe.to_json()))}
    found: list[tuple[Filter, dict[str, bool]]] = []
    names = recipe.score_names()
    for axis in axes:
        if axis not in names:
            raise UsageError(f"--axis {axis}: the output has no such score; it has {', '.join(names) or 'none'}")
    for f in recipe.filters:
        wanted = {score: sides.get(score, True) for score in axes if score in f.score_names}
        if wanted:
            found.append((f, wanted))
    return found


def _ready(f: Filter, wanted: Sequence[str]) -> Filter:
    """The filter with all it needs, for the wanted scores alone. Raises UsageError if it cannot be used here."""
    try:
        f.check()
        return f.pinned().only(wanted)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _recipe_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--recipe {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _result(measured: Measured, f: Filter, manifest: Mapping[str, Any], precision: float | None) -> dict[str, Any]:
    result = {
        **measured.to_json(),
        "filter": f.name,
        "measured_as": hashlib.sha256(f.cache_key().encode()).hexdigest()[:16],
        "data": data_digest(manifest),
    }
    if precision is not None:
        threshold = _threshold(f, measured.score)
        point = measured.at(precision)
        result["wanted"] = {"setting": f"{f.name}.{threshold.setting}", "at_least": precision}
        if point is None:
            result["wanted"]["best"] = max((p.precision for p in measured.curve if p.recall > 0), default=None)
        else:
            result["wanted"] |= {**dataclasses.asdict(point), "threshold": _rounded(point.threshold, f, threshold)}
    return result


def _threshold(f: Filter, score: str) -> Threshold:
    found = f.threshold_for(score)
    if found is None:
        raise UsageError(f"--precision: no setting of {f.name} bounds {score}")
    return found


def _rounded(value: float, f: Filter, threshold: Threshold) -> float:
    """A threshold that is short to write and keeps what the exact one keeps."""
    rounded = math.floor if threshold.side == "min" else math.ceil
    if isinstance(getattr(f, threshold.setting, None), int):
        return rounded(value)
    scale = 10**4
    return rounded(value * scale) / scale


def _progress(name: str) -> None:
    print(f"  {name} …", file=sys.stderr)


def _silence(name: str) -> None:
    """Fast filters are done before a line could be read."""


def _print(results: Sequence[Mapping[str, Any]]) -> None:
    width = max(map(len, CORRUPTIONS))
    print(f"{'AUC':{width}}" + "".join(f"  {result['score'][:28]:>28}" for result in results) + "   does not apply")
    for name in results[0]["corruptions"]:
        cells = []
        for result in results:
            found = result["corruptions"][name]
            told = f"{found['auc']:.3f} ({found['low']:.3f}–{found['high']:.3f})" if "auc" in found else "–"
            told += f" {found['unscored']} null" if found["unscored"] else ""
            cells.append(f"  {told:>28}")
        print(f"{name:{width}}{''.join(cells)}   {results[0]['corruptions'][name]['not_applicable']:,}")


def _write(storage: Storage, path: str, text: str) -> None:
    storage.write_bytes(path, text.encode())


def _write_threshold(
    storage: Storage, result: Mapping[str, Any], text: str, recipe: Path | None, precision: float
) -> None:
    wanted = result["wanted"]
    kind, _, setting = wanted["setting"].partition(".")
    if wanted.get("threshold") is None:
        best = "no score separates them" if wanted["best"] is None else f"the best is {wanted['best']:.3f}"
        raise UsageError(
            f"no threshold has a precision of {precision:g} on these corruptions ({best}); no recipe is written"
        )
    told = f"{wanted['setting']} = {wanted['threshold']:g}"
    changed = with_setting(text, kind, setting, wanted["threshold"])
    print(f"{told}: precision {wanted['precision']:.3f}, recall {wanted['recall']:.3f}")
    if recipe is None:
        place = f"{FOLDER}/recipe.yaml"
        _write(storage, place, changed)
        print(f"written to a new file, {storage.path(place)}")
    else:
        recipe.write_text(changed, "utf-8")
        print(f"written into {recipe}")
    print(f"apply it to this output: vellum refit {storage.root} --set {wanted['setting']}={wanted['threshold']:g}")
