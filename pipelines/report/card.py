"""The dataset card: README.md for the hub and for a person; with it, Croissant, contact sheet and report.

    python -m pipelines.card OUT

makes all of them again from the manifest, the ledger and the error table alone.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from filters.calibration.corruptions import CORRUPTIONS
from pipelines.public_names import own_recipe
from pipelines.release import release_of
from pipelines.report.calibrations import read_calibrations
from pipelines.report.presentation import croissant, report
from pipelines.report.presentation.card_columns import column_rows, fields
from pipelines.report.presentation.card_loading import empty_split, examples, load_datasets, load_pyarrow, splits
from pipelines.report.presentation.card_rights import licence_long, licence_short, limits, source_row
from pipelines.report.presentation.clusters import read_clusters
from pipelines.report.presentation.composition import (
    SourceSection,
    is_synthetic,
    sections,
    summary,
)
from pipelines.report.presentation.contact_sheet import contact_sheet
from pipelines.report.presentation.conversations import Conversations, read_conversations
from pipelines.report.presentation.escaping import Markdown, code, code_block, markdown, prose, visible
from pipelines.report.presentation.front_matter import front_matter, has_rows, languages, tags
from pipelines.report.presentation.histogram import sparkline
from pipelines.report.presentation.mixture import mixture_lead, mixture_rows
from pipelines.report.presentation.numbers import measure, share, size
from pipelines.report.presentation.rules import rules
from pipelines.report.presentation.statistics import Statistics, read_statistics
from pipelines.report.presentation.variety import Figures, read_variety, variety_rows, variety_warnings
from pipelines.storage import Storage
from pipelines.tables.manifest import MANIFEST, AccountingError, Files, num_possible, read_manifest
from pipelines.tables.schema import REJECTED
from sources.terminal import escaping

_log = logging.getLogger(__name__)
PROG = "python -m pipelines.card"
EXAMPLES = """\
examples:
  %(prog)s out
  %(prog)s gs://bucket/v1"""
README, CROISSANT = "README.md", "croissant.json"
REPORT, THUMBNAILS = "report/index.html", "report/thumbnails.jpg"
MAX_REFERENCES = 100  # files listed; the manifest has them all


def export(out: Files) -> list[str]:
    """Write card, Croissant, report and contact sheet; returns the paths written.

    Raises:
        AccountingError: counts of manifest, ledger and errors contradict each other; nothing is written then.
        FileNotFoundError: the manifest or a file that it names is missing.
    """
    manifest = read_manifest(out)
    statistics = read_statistics(out, manifest)
    conversations = read_conversations(out, manifest)
    variety = read_variety(out, manifest)
    for sentence in variety_warnings(variety):
        _log.warning(sentence)
    earlier = out.read_bytes(CROISSANT) if out.exists(CROISSANT) else None
    release = release_of(manifest, earlier)
    sheet = contact_sheet([row["thumbnail"] for row in statistics.kept_pictures()])
    written = {
        README: render(
            manifest,
            statistics,
            read_calibrations(out, manifest),
            has_contact_sheet=sheet is not None,
            conversations=conversations,
            citation=release["citation"],
            variety=variety,
        ),
        CROISSANT: croissant.describe(
            manifest, fields(manifest, statistics), languages(statistics), tags(manifest), summary(statistics), release
        ),
        REPORT: report.render(
            manifest, statistics, read_clusters(out, manifest, _against(out, manifest)), conversations, variety
        ),
    }
    if sheet is not None:
        written[THUMBNAILS] = sheet
    for path, data in written.items():
        out.write_bytes(path, data)
    return sorted(written)


def _against(out: Files, manifest: Mapping[str, Any]) -> Sequence[str]:
    """Where the outputs are whose samples count as kept, as the recipe was given."""
    places: Sequence[str] = (own_recipe(out, manifest).get("dedupe") or {}).get("against") or ()
    return places


def render(
    manifest: Mapping[str, Any],
    statistics: Statistics,
    calibrations: Sequence[Mapping[str, Any]] = (),
    *,
    has_contact_sheet: bool,
    citation: str,
    conversations: Conversations | None = None,
    variety: Mapping[str, Figures] | None = None,
) -> bytes:
    """README.md: front matter and text, UTF-8."""
    environment = Environment(
        loader=FileSystemLoader(report.TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=markdown,  # every value is escaped, unless it is Markdown already
        keep_trailing_newline=True,
    )
    environment.filters.update(code=code, trusted=Markdown)
    noun = manifest["items"]["noun"]
    body = environment.get_template("card.md").render(
        manifest=manifest,
        name=visible(manifest["recipe"]["name"]),
        noun=noun,
        lead=_lead(manifest, statistics),
        sections=[_section(section) for section in sections(manifest, statistics)],
        contact_sheet=has_contact_sheet,
        licence_short=licence_short(manifest),
        licence_long=licence_long(manifest),
        load_datasets=load_datasets(manifest, statistics),
        load_pyarrow=load_pyarrow(statistics),
        examples=examples(manifest, statistics),
        splits=splits(manifest),
        fields=column_rows(manifest, statistics),
        example=_example(statistics),
        sums=[(whole, f"{count:,}", _sum(parts)) for whole, count, parts in report.sums(manifest)],
        reasons=_reasons(manifest, statistics),
        causes=report.causes(statistics),
        scores=_scores(statistics),
        calibrations=_calibrations(calibrations),
        tallies=[
            (title, rows)
            for title, rows in (
                ("Language", report.tally(statistics.languages)),
                ("Flag", report.tally(statistics.flags, manifest["samples"]["kept"])),
            )
            if rows
        ],
        variety={"rows": variety_rows(variety or {}), "warnings": variety_warnings(variety or {})},
        mixture={"lead": prose(mixture_lead(manifest)), "rows": mixture_rows(manifest)},
        coverage=report.use_cases(manifest),
        conversations=conversations,
        references=[
            {
                "setting": reference["setting"],
                "uri": visible(reference["uri"], 120),
                "num_items": f"{reference['items']:,}",
                "sha256": reference["sha256"],
            }
            for reference in manifest.get("references", ())[:MAX_REFERENCES]
        ],
        num_references=len(manifest.get("references", ())),
        compares=bool(manifest["recipe"].get("dedupe")),
        sources=[source_row(source) for source in manifest["recipe"]["sources"]],
        recipe=code_block(report.recipe_yaml(manifest), "yaml"),
        reproduce=code_block("python -m pipelines.run --recipe recipe.yaml --output out", "sh"),
        versions=sorted(manifest["versions"].items()),
        limits=limits(manifest),
        citation=code_block(citation, "bibtex"),
        empty_split=prose(empty_split(manifest)),
        tables=[table for table in ("ledger", "errors") if has_rows(manifest, table)],
    )
    matter = yaml.safe_dump(front_matter(manifest, statistics), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{matter}---\n\n{body}".encode()


def _lead(manifest: Mapping[str, Any], statistics: Statistics) -> str:
    samples, inputs = manifest["samples"], manifest["inputs"]
    holds = summary(statistics)
    where = ""
    if not all(is_synthetic(source) for source in manifest["recipe"]["sources"]):
        where = f" found in {inputs['read']:,} of {inputs['matched']:,} inputs"
    return (
        f"{holds[:1].upper()}{holds[1:]}, for training vision-language models: "
        f"{share(samples['kept'], num_possible(manifest))} of the {_whole(manifest)}{where}."
    )


def _whole(manifest: Mapping[str, Any]) -> str:
    """What the kept samples are a share of, e.g. `804 samples of the 201 pages`."""
    items = manifest["items"]
    found = f"{items['found']:,} {items['noun']}s"
    return f"{manifest['samples']['total']:,} samples of the {found}" if items.get("further_samples") else found


def _section(section: SourceSection) -> dict[str, Any]:
    """A source for the template: what its samples hold, and how many."""
    counted = section.counted
    counts = {
        "images": counted.with_images,
        "text": counted.with_text,
        "messages": counted.with_messages,
        "words": counted.with_words,
        "elements": counted.with_elements,
    }
    return {
        "name": section.name,
        "samples": f"{counted.samples:,}",
        "holdings": [(column, f"{counts[column]:,}", prose(what)) for column, what in section.holdings],
    }


def _example(statistics: Statistics) -> dict[str, str] | None:
    """One kept sample as the ledger describes it."""
    row = next(iter(statistics.kept_pictures()), None)
    if row is None:
        return None
    scores = [f"{name} {measure(value)}" for name, value in (row.get("scores") or {}).items() if value is not None]
    return {
        "id": row["id"],
        "locator": row["locator"] or "",
        "uri": visible(row["uri"] or "", 100),
        "size": size(row["num_bytes"] or 0),
        "language": row["language"] or "unknown",
        "split": row["split"] or "",
        "scores": ", ".join(scores),
    }


def _sum(parts: Sequence[tuple[str, int]]) -> str:
    return " + ".join(f"{count:,} {label}" for label, count in parts)


def _reasons(manifest: Mapping[str, Any], statistics: Statistics) -> list[dict[str, Any]]:
    rows = []
    for rule in rules(manifest):
        count, broken = statistics.reasons[rule.verdict, rule.reason], statistics.broken[rule.reason]
        rows.append(
            {
                "rule": rule,
                "meaning": prose(rule.meaning),
                "count": f"{count:,}",
                "share": share(count, num_possible(manifest)),
                "broken": f"{broken:,}" if rule.verdict == REJECTED else "–",
            }
        )
    return rows


def _scores(statistics: Statistics) -> list[dict[str, Any]]:
    rows = []
    for name, distribution in statistics.scores.items():
        quantiles = distribution.quantiles(report.QUANTILES)
        if quantiles is not None:
            cells = [markdown(measure(value)) for value in quantiles]
            rows.append({"name": name, "quantiles": cells, "sparkline": sparkline(distribution)})
    return rows


def _calibrations(results: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Calibrations side by side: a row for each corruption that was measured, a column for each score."""
    rows = []
    for name, corruption in CORRUPTIONS.items():
        found = [result["corruptions"].get(name, {}) for result in results]
        cells = [f"{f['auc']:.2f} ({f['low']:.2f}–{f['high']:.2f})" if "auc" in f else "–" for f in found]
        if any("auc" in f for f in found):
            rows.append({"about": corruption.about, "cells": cells})
    notes = []
    for result in results:
        earlier = "" if result["is_current"] else ", before the data changed"
        notes.append(f"{result['score']}: {result['samples']:,} samples{earlier}.")
    return {"scores": [result["score"] for result in results], "rows": rows, "notes": notes} if rows else None


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Make card, Croissant and report again from manifest, ledger and errors alone.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", metavar="OUT", help="the dataset's folder: local, gs://… or s3://…")
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """The command: 0 done, 1 failed, 2 wrong usage."""
    out = build_parser(prog).parse_args(arguments).out
    storage = Storage(out)
    try:
        storage.read_bytes(MANIFEST)
    except FileNotFoundError:
        print(f"{out} holds no {MANIFEST}; expected the output folder of a finished run", file=sys.stderr)
        return 2
    try:
        written = export(storage)
    except AccountingError as error:
        print(f"{out}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{out}: a file could not be read or written: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(f"{out.rstrip('/')}/{path}")
    return 0
