"""Where a data set comes from, what may be done with it, and what it does not show, for the card."""

from collections.abc import Mapping
from typing import Any

from filters.language import Language
from pipelines.registry import SOURCES
from pipelines.report.presentation.composition import cards, is_synthetic
from pipelines.report.presentation.escaping import Markdown, prose, visible
from pipelines.report.presentation.front_matter import licenses

GUESSED_LANGUAGES = "Languages are a statistical model's guess; short and mixed texts are often wrong."


def licence_short(manifest: Mapping[str, Any]) -> str:
    names = licenses(manifest)
    if names == [None]:
        return "unknown. Find out before you publish or train."
    return ", ".join("unknown for some sources" if name is None else visible(name) for name in names)


def licence_long(manifest: Mapping[str, Any]) -> Markdown:
    sources = manifest["recipe"]["sources"]
    unknown = [source["type"] for source in sources if not source.get("license")]
    if unknown:
        whose = "" if len(unknown) == len(sources) else f" of {', '.join(map(visible, dict.fromkeys(unknown)))}"
        return Markdown(
            f"**The licence{whose} is unknown.** The recipe names none for these inputs, and nothing here grants any "
            "right to use them. Whoever publishes this dataset must find out what the authors allow, and set "
            "`license:` in the recipe and at the top of this file."
        )
    if all(is_synthetic(source) for source in sources):
        return Markdown("The licence is what the recipe states for the samples.")
    return Markdown("The licence is what the recipe states for the inputs; it was not checked document by document.")


def source_row(source: Mapping[str, Any]) -> dict[str, Any]:
    patterns = source.get("input") or []
    shown = ", ".join(visible(pattern, 120) for pattern in patterns[:10])
    if len(patterns) > 10:
        shown += f" and {len(patterns) - 10} more"
    if not shown:
        shown = f"seed {source.get('seed', 0)}" if is_synthetic(source) else "the examples that come with Vellum"
    known = SOURCES.get(source["type"])
    return {
        "type": source["type"],
        "verb": "made from" if is_synthetic(source) else "read from",
        "rights": prose(known.card.rights) if known else "",
        "input": shown,
        "license": visible(source.get("license") or "unknown"),
    }


def limits(manifest: Mapping[str, Any]) -> list[Markdown]:
    names: dict[str, list[str]] = {}  # of the sources that share a limit
    found = cards(manifest)
    for name, card in found.items():
        for limit in card.limits:
            names.setdefault(limit, []).append(name)
    limits = [
        prose(limit if len(of) == len(found) else f"{', '.join(f'`{name}`' for name in of)}: {limit}")
        for limit, of in names.items()
    ]
    if any(entry["type"] == Language.name for entry in manifest["recipe"]["filters"]):
        limits.append(prose(GUESSED_LANGUAGES))
    return limits
