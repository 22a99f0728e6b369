"""The dataset card: README.md for the hub and for a person; with it, Croissant, contact sheet and report.

    python -m pipelines.card OUT

makes all of them again from the manifest, the ledger and the error table alone.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from filters.calibration.corruptions import CORRUPTIONS
from filters.language import Language
from pipelines.registry import SOURCES
from pipelines.release import release_of
from pipelines.report.calibrations import read_calibrations
from pipelines.report.presentation import croissant, report
from pipelines.report.presentation.clusters import read_clusters
from pipelines.report.presentation.composition import (
    SourceSection,
    cards,
    filled,
    is_synthetic,
    sections,
    summary,
)
from pipelines.report.presentation.contact_sheet import contact_sheet
from pipelines.report.presentation.conversations import Conversations, read_conversations
from pipelines.report.presentation.escaping import Markdown, code, code_block, markdown, split_code, visible
from pipelines.report.presentation.front_matter import front_matter, has_rows, languages, licenses, tags
from pipelines.report.presentation.histogram import sparkline
from pipelines.report.presentation.mixture import mixture_lead, mixture_rows
from pipelines.report.presentation.numbers import measure, share, size
from pipelines.report.presentation.rules import rules
from pipelines.report.presentation.statistics import Statistics, read_statistics
from pipelines.report.presentation.variety import Figures, read_variety, variety_rows, variety_warnings
from pipelines.storage import Storage
from pipelines.tables.manifest import MANIFEST, AccountingError, Files, paths, read_manifest
from pipelines.tables.schema import REJECTED
from sources.base.sample import dataset_schema
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
PLACE = "path/to/this/folder"  # in the snippets: a folder or the name of a dataset on the hub

# Meaning of every column of data/, in the order of `sources.base.sample.dataset_schema`; `fields` adds counts.
FIELDS = {
    "id": "Content id: a hash of the input's bytes and the place inside it, never of its name.",
    "source": "The kind of source.",
    "images": "The encoded images, one for each `<image>` in the text.",
    "messages": "Turns of an instruction sample, each a role and its content; null if `text` is set.",
    "text": "A pre-training sample, `<image>` where an image stands; null if `messages` is set.",
    "words": "Every word with its box on the image, in pixels from the top left, and the index of the image.",
    "flags": "Facts that are no verdict, such as `scan` or `ocr_layer`.",
    "language": "ISO 639 code of the text as fastText names it; null if unknown.",
    "label": "Use case from the taxonomy, its confidence, who gave it, and further use cases separated by spaces.",
    "scores": "Every filter's score; null where it has no meaning.",
    "phash": "256-bit perceptual hash of the first image.",
    "provenance": "The input's name, the place in it, its licence, when it was fetched, and its SHA-256.",
    "split": "`train` or `validation`.",
}
GUESSED_LANGUAGES = "Languages are a statistical model's guess; short and mixed texts are often wrong."


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
        REPORT: report.render(manifest, statistics, read_clusters(out, manifest), conversations, variety),
    }
    if sheet is not None:
        written[THUMBNAILS] = sheet
    for path, data in written.items():
        out.write_bytes(path, data)
    return sorted(written)


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
        licence_short=_licence_short(manifest),
        licence_long=_licence_long(manifest),
        load_datasets=_load_datasets(manifest, statistics),
        load_pyarrow=_load_pyarrow(statistics),
        examples=_examples(manifest, statistics),
        splits=_splits(manifest),
        fields=_fields(manifest, statistics),
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
        mixture={"lead": _prose(mixture_lead(manifest)), "rows": mixture_rows(manifest)},
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
        sources=[_source(source) for source in manifest["recipe"]["sources"]],
        recipe=code_block(report.recipe_yaml(manifest), "yaml"),
        reproduce=code_block("python -m pipelines.run --recipe recipe.yaml --output out", "sh"),
        versions=sorted(manifest["versions"].items()),
        limits=_limits(manifest),
        citation=code_block(citation, "bibtex"),
        empty_split=_prose(_empty_split(manifest)),
        tables=[table for table in ("ledger", "errors") if has_rows(manifest, table)],
    )
    matter = yaml.safe_dump(front_matter(manifest, statistics), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{matter}---\n\n{body}".encode()


def _prose(text: str) -> Markdown:
    """Our own sentence as Markdown: code stays code, all else is escaped."""
    return Markdown("".join(f"`{piece}`" if is_code else markdown(piece) for piece, is_code in split_code(text)))


def fields(manifest: Mapping[str, Any], statistics: Statistics) -> dict[str, str]:
    """The meaning of every column of data/, with how many samples of this dataset have it."""
    total = statistics.composition()
    found = dict(FIELDS)
    for name, count, empty in (
        ("images", total.with_images, "Empty"),
        ("messages", total.with_messages, "Null"),
        ("text", total.with_text, "Null"),
        ("words", total.with_words, "Empty"),
        ("language", total.samples - statistics.languages[""], "Null"),
        ("label", statistics.labels.total(), "Null"),
    ):
        if total.samples:
            found[name] += f" {filled(count, total.samples, empty)}"
    rules = {section.name: section.card.splits for section in sections(manifest, statistics)}
    several = len(set(rules.values())) > 1
    for rule in dict.fromkeys(rules.values()):
        names = ", ".join(name for name, other in rules.items() if other == rule)
        found["split"] += f" Source {names}: {rule[0].lower()}{rule[1:]}" if several else f" {rule}"
    if not manifest["scores"]:
        del found["scores"]
    return found


def _lead(manifest: Mapping[str, Any], statistics: Statistics) -> str:
    items, samples, inputs = manifest["items"], manifest["samples"], manifest["inputs"]
    holds = summary(statistics)
    where = ""
    if not all(is_synthetic(source) for source in manifest["recipe"]["sources"]):
        where = f" found in {inputs['read']:,} of {inputs['matched']:,} inputs"
    return (
        f"{holds[:1].upper()}{holds[1:]}, for training vision-language models: "
        f"{share(samples['kept'], items['found'])} of the {items['found']:,} {items['noun']}s{where}."
    )


def _section(section: SourceSection) -> dict[str, Any]:
    """A source for the template: what its samples hold, and how many."""
    counted = section.counted
    counts = {
        "images": counted.with_images,
        "text": counted.with_text,
        "messages": counted.with_messages,
        "words": counted.with_words,
    }
    return {
        "name": section.name,
        "samples": f"{counted.samples:,}",
        "holdings": [(column, f"{counts[column]:,}", _prose(what)) for column, what in section.holdings],
    }


def _examples(manifest: Mapping[str, Any], statistics: Statistics) -> list[dict[str, Any]]:
    """Python for each source, to be run after `_load_datasets`."""
    found = sections(manifest, statistics)
    examples = []
    for section in found:
        chosen = "dataset"
        if len(found) > 1:
            chosen = f'dataset.filter(lambda sample: sample["source"] == "{section.name}")'
        for example in section.examples:
            code = f"samples = {chosen}\n{example.code.rstrip()}"
            examples.append({"title": example.title, "code": code_block(code, "python")})
    return examples


def _licence_short(manifest: Mapping[str, Any]) -> str:
    names = licenses(manifest)
    if names == [None]:
        return "unknown. Find out before you publish or train."
    return ", ".join("unknown for some sources" if name is None else visible(name) for name in names)


def _licence_long(manifest: Mapping[str, Any]) -> Markdown:
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


def _load_datasets(manifest: Mapping[str, Any], statistics: Statistics) -> Markdown:
    split = next((name for name, counts in sorted(manifest["splits"].items()) if counts["samples"]), "train")
    total = statistics.composition()
    lines = [
        "from datasets import load_dataset",
        "",
        f'dataset = load_dataset("{PLACE}", split="{split}")  # or its name on the hub',
        "sample = dataset[0]",
    ]
    if total.with_images == total.samples:
        lines.append('image = sample["images"][0]  # a PIL image')
    elif total.with_images:
        lines.append('images = sample["images"]  # PIL images; may be empty')
    if total.with_messages == total.samples:
        lines += ['for message in sample["messages"]:', '    print(message["role"], message["content"])']
    elif total.with_text == total.samples:
        lines.append('print(sample["text"])  # "<image>" where an image stands')
    else:
        lines += [
            'if sample["messages"]:  # a conversation',
            '    for message in sample["messages"]:',
            '        print(message["role"], message["content"])',
            "else:",
            '    print(sample["text"])',
        ]
    return code_block("\n".join(lines), "python")


def _load_pyarrow(statistics: Statistics) -> Markdown:
    total = statistics.composition()
    held = {"images": total.with_images, "messages": total.with_messages, "text": total.with_text}
    columns = ", ".join(f'"{name}"' for name in ("id", *(name for name, count in held.items() if count)))
    lines = [
        "import pyarrow.dataset",
        "",
        f'shards = pyarrow.dataset.dataset("{PLACE}/data", format="parquet")',
        f"for batch in shards.to_batches(columns=[{columns}], batch_size=64):",
        "    for sample in batch.to_pylist():",
    ]
    if total.with_images:
        lines.append('        encoded = [image["bytes"] for image in sample["images"]]  # PNG, JPEG or WebP')
    else:
        lines.append('        print(sample["id"])')
    return code_block("\n".join(lines), "python")


def _empty_split(manifest: Mapping[str, Any]) -> str:
    """Why a validation split is missing that the recipe has a share for; empty if none is missing."""
    wanted = manifest["recipe"]["output"].get("validation", 0)
    kept = manifest["samples"]["kept"]
    if not wanted or not kept or manifest["splits"].get("validation", {}).get("samples"):
        return ""
    return (
        f"There is no validation split: the recipe asks for {wanted:g} of the documents, chosen by their content, and "
        f"none of these few was chosen. Set `output.validation` higher, or add documents."
    )


def _splits(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "name": name,
            "samples": f"{counts['samples']:,}",
            "shards": f"{len(paths(manifest, name)):,}",
            "size": size(counts["bytes"]),
        }
        for name, counts in sorted(manifest["splits"].items())
        if counts["samples"]
    ]


def _fields(manifest: Mapping[str, Any], statistics: Statistics) -> list[dict[str, Any]]:
    schema = dataset_schema(manifest["scores"])
    meanings = fields(manifest, statistics)
    return [
        {
            "name": field.name,
            "type": Markdown(_type(field.name, field.type)),
            "meaning": _prose(meanings[field.name]),
        }
        for field in schema
    ]


def _type(name: str, arrow_type: pa.DataType) -> str:
    if name == "images":
        return "list of images"
    if pa.types.is_list(arrow_type):
        return f"list of {_type('', arrow_type.value_type)}s"
    if pa.types.is_struct(arrow_type):
        return "struct"
    if pa.types.is_fixed_size_binary(arrow_type):
        return f"{arrow_type.byte_width} bytes"
    return str(arrow_type)


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
                "meaning": _prose(rule.meaning),
                "count": f"{count:,}",
                "share": share(count, manifest["items"]["found"]),
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


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
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
        "rights": _prose(known.card.rights) if known else "",
        "input": shown,
        "license": visible(source.get("license") or "unknown"),
    }


def _limits(manifest: Mapping[str, Any]) -> list[Markdown]:
    names: dict[str, list[str]] = {}  # of the sources that share a limit
    found = cards(manifest)
    for name, card in found.items():
        for limit in card.limits:
            names.setdefault(limit, []).append(name)
    limits = [
        _prose(limit if len(of) == len(found) else f"{', '.join(f'`{name}`' for name in of)}: {limit}")
        for limit, of in names.items()
    ]
    if any(entry["type"] == Language.name for entry in manifest["recipe"]["filters"]):
        limits.append(_prose(GUESSED_LANGUAGES))
    return limits


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
