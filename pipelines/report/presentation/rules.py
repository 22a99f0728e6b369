"""Rules: why samples were set aside, in words, from the recipe in a manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from filters.filter import Described
from pipelines.report.presentation.numbers import number
from pipelines.tables.bounds import Bound, bounds_of, described_filters
from pipelines.tables.schema import CONTAMINATED, DUPLICATE, NOT_SCORED, OVER_SHARE, REJECTED, SAME_CONTENT
from taxonomy.instructions import NO_WRITER
from taxonomy.targets import BEYOND_SHARE


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


MEANINGS = {
    SAME_CONTENT: "Another input has exactly the same bytes; the first by name is kept.",
    "near_duplicate": "A better sample is kept that shows the same picture, and the same text if both have one.",
    "same_text": "A sample without a picture that has the same words as a kept one.",
    "similar_text": "A sample without a picture that shares nearly all of its words with a kept one.",
    CONTAMINATED: "The sample shows an item of an evaluation set, or shares a run of 13 words with its text.",
    NOT_SCORED: "A filter hung or crashed on it, as its flag says; `--retry-failed` tries again.",
    NO_WRITER: "No instruction writer can ask anything about the page.",
    OVER_SHARE: "Its component has its share of the tokens already; the samples with the smallest hashes are kept.",
    BEYOND_SHARE: "Its use case has its share already; the samples with the smallest hashes are kept.",
}


def bounds(manifest: Mapping[str, Any]) -> list[Bound]:
    """Every threshold of the manifest's recipe with its value."""
    return bounds_of(manifest["recipe"])


def reasons_of_scores(manifest: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Reason codes that a filter gives on account of each of its scores."""
    found: dict[str, frozenset[str]] = {}
    for _, described in described_filters(manifest["recipe"]):
        for score in described.score_names:
            found[score] = found.get(score, frozenset()) | frozenset(described.reasons)
    return found


def rules(manifest: Mapping[str, Any]) -> list[Rule]:
    """One rule for every reason that the recipe can give or the manifest counts, in the recipe's order."""
    found = [
        _rule(described, entry, reason)
        for entry, described in described_filters(manifest["recipe"])
        for reason in described.reasons
    ]
    samples = manifest["samples"]
    for verdict, counts in ((REJECTED, samples["rejected"]), (DUPLICATE, samples["duplicates"])):
        known = {rule.reason for rule in found if rule.verdict == verdict}
        for reason in sorted(set(counts) - known):
            meaning = MEANINGS.get(reason, "")
            found.append(Rule(reason=reason, verdict=verdict, filter="", test="", meaning=meaning))
    return found


def _rule(described: Described, settings: Mapping[str, Any], reason: str) -> Rule:
    tests = [
        f"{t.score} {'<' if t.side == 'min' else '>'} {number(value)}"
        for t, value in described.thresholds
        if reason in t.reasons
    ]
    if not tests:  # no number decides it: show the lists that do
        tests = [
            f"{name} = {', '.join(map(str, value))}"
            for name, value in settings.items()
            if value and isinstance(value, list)
        ]
    return Rule(
        reason=reason,
        verdict=REJECTED,
        filter=settings["type"],
        test=" or ".join(tests),
        meaning=described.reasons[reason],
    )
