"""The account: what the manifest says became of every input and sample, checked, and the rules behind it."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from filters.filter import Filter
from pipelines.ledger import DUPLICATE, REJECTED, SAME_CONTENT
from pipelines.recipe import FILTERS

MANIFEST = "manifest.json"


class Files(Protocol):
    """The files of one output folder, local or in a bucket (`pipelines.storage.Storage`)."""

    def read_bytes(self, relative: str) -> bytes: ...
    def open(self, relative: str) -> BinaryIO: ...
    def list(self, prefix: str) -> list[str]: ...
    def write_bytes(self, relative: str, data: bytes) -> None: ...


class AccountError(ValueError):
    """The counts of a dataset contradict each other, or its manifest cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """A threshold with its value."""

    score: str
    side: str
    value: float
    setting: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Why samples were set aside for one reason.

    Args:
        verdict: `rejected` or `duplicate`.
        filter: the recipe's type of the filter; empty for duplicates.
        test: what a sample with this reason looks like, e.g. `ink < 0.0005`.
        meaning: one sentence; `code` between backticks.
    """

    reason: str
    verdict: str
    filter: str
    test: str
    meaning: str


DUPLICATE_MEANINGS = {SAME_CONTENT: "Another input has exactly the same bytes; the first by name is kept."}


def read_manifest(files: Files) -> dict[str, Any]:
    """The manifest, with its sums checked. Raises AccountError, FileNotFoundError."""
    try:
        manifest = json.loads(files.read_bytes(MANIFEST))
    except ValueError as error:
        raise AccountError(f"{MANIFEST} is not valid JSON: {error}") from error
    try:
        _check_sums(manifest)
    except (KeyError, TypeError, AttributeError) as error:
        raise AccountError(f"{MANIFEST} does not have the shape of a Vellum manifest: {error!r}") from error
    return manifest


def _check_sums(manifest: Mapping[str, Any]) -> None:
    inputs, items, samples = manifest["inputs"], manifest["items"], manifest["samples"]
    noun = items["noun"]
    set_aside = sum(samples["rejected"].values()) + sum(samples["duplicates"].values())
    check("inputs matched", inputs["matched"], "read + failed", inputs["read"] + inputs["failed"])
    check(f"{noun}s found", items["found"], "samples + failed", samples["total"] + items["failed"])
    check("samples", samples["total"], "kept + rejected + duplicates", samples["kept"] + set_aside)
    in_splits = sum(split["samples"] for split in manifest["splits"].values())
    check("samples kept", samples["kept"], "samples of all splits", in_splits)
    for split, counts in manifest["splits"].items():
        rows = sum(f["rows"] for f in manifest["files"] if f["table"] == split)
        check(f"samples of the split {split}", counts["samples"], "rows of its files", rows)


def check(name: str, number: int, other_name: str, other: int) -> None:
    """Raises AccountError unless two counts agree."""
    if number != other:
        raise AccountError(
            f"the account does not reconcile: {name} is {number:,}, but {other_name} is {other:,}"
        )


def paths(manifest: Mapping[str, Any], table: str) -> list[str]:
    """Files of one table (`ledger`, `errors` or a split), in order."""
    return [entry["path"] for entry in manifest["files"] if entry["table"] == table]


def bounds(manifest: Mapping[str, Any]) -> list[Bound]:
    """Every threshold of the recipe with its value; filters that this version does not know have none."""
    found = []
    for entry in manifest["recipe"]["filters"]:
        cls = FILTERS.get(entry["type"])
        for threshold in cls.thresholds if cls else ():
            value = entry.get(threshold.setting)
            if isinstance(value, (int, float)):
                found.append(Bound(value=value, **dataclasses.asdict(threshold)))
    return found


def reasons_of_scores(manifest: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Reason codes that a filter gives on account of each of its scores."""
    found: dict[str, frozenset[str]] = {}
    for entry in manifest["recipe"]["filters"]:
        cls = FILTERS.get(entry["type"])
        for score in cls.score_names if cls else ():
            found[score] = found.get(score, frozenset()) | frozenset(cls.reasons if cls else ())
    return found


def rules(manifest: Mapping[str, Any]) -> list[Rule]:
    """One rule for every reason that the recipe can give or the manifest counts, in the recipe's order."""
    found = [
        _rule(FILTERS[entry["type"]], entry, reason)
        for entry in manifest["recipe"]["filters"]
        if entry["type"] in FILTERS
        for reason in FILTERS[entry["type"]].reasons
    ]
    samples = manifest["samples"]
    for verdict, counts in ((REJECTED, samples["rejected"]), (DUPLICATE, samples["duplicates"])):
        known = {rule.reason for rule in found if rule.verdict == verdict}
        for reason in sorted(set(counts) - known):
            meaning = DUPLICATE_MEANINGS.get(reason, "") if verdict == DUPLICATE else ""
            found.append(Rule(reason=reason, verdict=verdict, filter="", test="", meaning=meaning))
    return found


def _rule(cls: type[Filter], settings: Mapping[str, Any], reason: str) -> Rule:
    tests = [
        f"{t.score} {'<' if t.side == 'min' else '>'} {number(settings[t.setting])}"
        for t in cls.thresholds
        if reason in t.reasons and t.setting in settings
    ]
    if not tests:  # no number decides it: show the lists that do
        tests = [
            f"{name} = {', '.join(map(str, value))}"
            for name, value in settings.items()
            if value and isinstance(value, list)
        ]
    meaning = (cls.__doc__ or "").strip().split("\n", 1)[0]
    return Rule(reason=reason, verdict=REJECTED, filter=cls.name, test=" or ".join(tests), meaning=meaning)


def number(value: float) -> str:
    """A number for a person: thousands separated, at most four significant digits of a fraction."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def share(part: int, whole: int) -> str:
    """A share in percent; tiny and nearly whole ones are not rounded to 0 or 100."""
    if whole == 0:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


def size(num_bytes: float) -> str:
    """Bytes in a unit that a person reads, e.g. `1.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if num_bytes < 1000:
            return (
                f"{num_bytes:.0f} {unit}"
                if unit == "bytes" or num_bytes >= 100
                else f"{num_bytes:.1f} {unit}"
            )
        num_bytes /= 1000
    return f"{num_bytes:,.1f} TB"
