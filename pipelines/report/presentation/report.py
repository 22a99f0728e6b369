"""The report: one HTML page that shows what was kept, what was set aside and why. It needs no network."""

import base64
import hashlib
import io
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from pipelines.report.presentation import coverage_chart, flow, histogram
from pipelines.report.presentation.clusters import Cluster
from pipelines.report.presentation.composition import sections, summary
from pipelines.report.presentation.conversations import Conversations
from pipelines.report.presentation.escaping import split_code, visible
from pipelines.report.presentation.mixture import mixture_lead, mixture_rows
from pipelines.report.presentation.numbers import measure, number, share, size
from pipelines.report.presentation.rules import bounds, rules
from pipelines.report.presentation.statistics import Statistics
from pipelines.report.presentation.thresholds import Margin, steps
from pipelines.report.presentation.variety import Figures, variety_rows, variety_warnings
from pipelines.tables.bounds import Bound
from pipelines.tables.manifest import num_possible
from pipelines.tables.schema import KEPT, REJECTED

TEMPLATES = Path(__file__).parent / "templates"
QUANTILES = (0, 0.05, 0.5, 0.95, 1)
MAX_TALLY = 15  # languages or flags listed
MAX_FILES = 2_000  # files listed; the manifest has them all
NEAR_PX = 192  # longer side of the pictures next to a threshold
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP")


def render(
    manifest: Mapping[str, Any],
    statistics: Statistics,
    clusters: Sequence[Cluster] = (),
    conversations: Conversations | None = None,
    variety: Mapping[str, Figures] | None = None,
) -> bytes:
    """The page as UTF-8 HTML."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=lambda text: visible(str(text)), prose=_prose, size=size)
    script = (TEMPLATES / "report.js").read_text("utf-8")
    style = (TEMPLATES / "report.css").read_text("utf-8")
    all_bounds = bounds(manifest)
    groups = _groups(manifest, statistics)
    page = environment.get_template("report.html").render(
        manifest=manifest,
        name=visible(manifest["recipe"]["name"]),
        noun=manifest["items"]["noun"],
        lead=lead(manifest),
        holds=summary(statistics),
        num_words=statistics.composition().num_words,
        sections_of_sources=sections(manifest, statistics),
        sections=[
            ("account", "Account"),
            ("reasons", "Reasons"),
            ("pages", f"{manifest['items']['noun'].capitalize()}s"),
            *([("duplicates", "Duplicates")] if clusters else []),
            ("scores", "Scores"),
            *([("thresholds", "Thresholds")] if statistics.margins else []),
            ("contents", "Contents"),
            *([("variety", "Variety")] if variety else []),
            *([("mixture", "Mixture")] if "mixture" in manifest else []),
            *([("coverage", "Use cases")] if "labels" in manifest else []),
            *([("conversations", "Conversations")] if conversations else []),
            ("failures", "Failures"),
            ("files", "Files"),
            ("recipe", "Recipe"),
        ],
        tiles=_tiles(manifest),
        flow=flow.draw(flow.tree(manifest, statistics)),
        sums=sums(manifest),
        reasons=_reasons(manifest, statistics),
        groups=groups,
        cards=_cards(manifest, statistics, groups, all_bounds),
        clusters=[_cluster(cluster) for cluster in clusters],
        gallery_note=_gallery_note(manifest, statistics),
        score_names=manifest["scores"],
        languages=[{"code": code} for code in sorted({row["language"] or "" for row in statistics.pictures})],
        charts=_charts(statistics, all_bounds),
        thresholds=[_threshold(margin) for margin in statistics.margins],
        tallies=[
            ("Languages", tally(statistics.languages)),
            ("Splits", tally(statistics.splits)),
            ("Flags", tally(statistics.flags, manifest["samples"]["kept"])),
        ],
        variety={"rows": variety_rows(variety or {}), "warnings": variety_warnings(variety or {})},
        mixture={"lead": mixture_lead(manifest), "rows": mixture_rows(manifest)},
        coverage=use_cases(manifest),
        conversations=conversations,
        causes=causes(statistics),
        errors=statistics.errors,
        num_errors=statistics.failures.total(),
        files=manifest["files"][:MAX_FILES],
        recipe=recipe_yaml(manifest),
        versions=sorted(manifest["versions"].items()),
        style=Markup(style),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return page.encode()


def lead(manifest: Mapping[str, Any]) -> str:
    """One sentence: how much of what was found is kept."""
    items, samples, inputs = manifest["items"], manifest["samples"], manifest["inputs"]
    noun = items["noun"]
    if items.get("further_samples"):
        return (
            f"{samples['kept']:,} of {samples['total']:,} samples of {items['found']:,} {noun}s kept "
            f"({share(samples['kept'], num_possible(manifest))}), "
            f"from {inputs['read']:,} of {inputs['matched']:,} inputs."
        )
    return (
        f"{samples['kept']:,} of {items['found']:,} {noun}s kept ({share(samples['kept'], items['found'])}), "
        f"from {inputs['read']:,} of {inputs['matched']:,} inputs."
    )


def sums(manifest: Mapping[str, Any]) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """The equations of the account: (whole, count, its parts)."""
    inputs, items, samples = manifest["inputs"], manifest["items"], manifest["samples"]
    noun = items["noun"]
    rejected, duplicates = sum(samples["rejected"].values()), sum(samples["duplicates"].values())
    first = f"{noun}s with samples" if items.get("further_samples") else "samples"
    in_splits = [(name, split["samples"]) for name, split in sorted(manifest["splits"].items())]
    return [
        ("inputs matched", inputs["matched"], [("read", inputs["read"]), ("failed", inputs["failed"])]),
        (
            f"{noun}s found",
            items["found"],
            [
                (first, items["found"] - items["failed"]),
                (f"failed {noun}s", items["failed"]),
            ],
        ),
        *_sum_of_further(manifest),
        (
            "samples",
            samples["total"],
            [("kept", samples["kept"]), ("rejected", rejected), ("duplicates", duplicates)],
        ),
        ("kept", samples["kept"], in_splits),
    ]


def _sum_of_further(manifest: Mapping[str, Any]) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """The equation of samples and items, if some items gave several samples."""
    items, samples = manifest["items"], manifest["samples"]
    further = items.get("further_samples", 0)
    if not further:
        return []
    noun = items["noun"]
    first = items["found"] - items["failed"]
    return [("samples", samples["total"], [(f"first of a {noun}", first), (f"further of a {noun}", further)])]


def causes(statistics: Statistics) -> list[dict[str, Any]]:
    """Failures by cause, the most frequent first, with how many of them were whole inputs."""
    counts: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for (cause, is_whole), num in statistics.failures.items():
        counts[cause] += num
        whole[cause] += num if is_whole else 0
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"cause": visible(cause), "count": num, "inputs": whole[cause]} for cause, num in ordered]


def tally(counts: Mapping[str, int], whole: int | None = None) -> list[dict[str, Any]]:
    """The most frequent entries with their shares; the rest in one row."""
    ordered = sorted(((label, num) for label, num in counts.items() if num), key=lambda e: (-e[1], e[0]))
    total = sum(num for _, num in ordered) if whole is None else whole
    rest = sum(num for _, num in ordered[MAX_TALLY:])
    rows = [(visible(label) or "unknown", num) for label, num in ordered[:MAX_TALLY]]
    if rest:
        rows.append((f"{len(ordered) - MAX_TALLY} others", rest))
    most = max((num for _, num in rows), default=1)
    return [
        {"label": label, "count": num, "share": share(num, total), "width": round(100 * num / most, 1)}
        for label, num in rows
    ]


def recipe_yaml(manifest: Mapping[str, Any]) -> str:
    """The recipe as a user would write it, ready for `--recipe`."""
    return yaml.safe_dump(manifest["recipe"], sort_keys=False, allow_unicode=True, width=100)


def use_cases(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Coverage of the taxonomy: one sentence, a picture, the largest gaps; None if samples are not labelled."""
    leaves = coverage_chart.leaves_of(manifest)
    if not leaves:
        return None
    order = list(manifest["labels"]["targets"])
    return {
        "lead": coverage_chart.summary(manifest, leaves),
        "svg": coverage_chart.draw(sorted(leaves, key=lambda leaf: order.index(leaf.use_case))),
        "gaps": [leaf for leaf in leaves if leaf.missing][:MAX_TALLY],
        "unserved": [leaf.use_case for leaf in leaves if not leaf.count and not leaf.writers],
    }


def _prose(text: str) -> Markup:
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if is_code else Markup("{}").format(piece)
        for piece, is_code in split_code(text)
    )


def _tiles(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    inputs, items, samples = manifest["inputs"], manifest["items"], manifest["samples"]
    noun, found = items["noun"], items["found"]
    whole = num_possible(manifest)
    several = bool(items.get("further_samples"))
    rejected, duplicates = sum(samples["rejected"].values()), sum(samples["duplicates"].values())

    def of_found(count: int) -> str:
        return f"{share(count, whole)} of {'samples' if several else f'{noun}s'}"

    matched = f"of {inputs['matched']:,} matched"
    note = f"gave {samples['total']:,} samples" if several else "in the inputs read"
    failed = [
        f"{count:,} {name}{'s' if count != 1 else ''}"
        for count, name in ((inputs["failed"], "input"), (items["failed"], noun))
        if count
    ]
    return [
        {"label": "Inputs read", "count": inputs["read"], "note": matched, "kind": "all"},
        {"label": f"{noun.capitalize()}s found", "count": found, "note": note, "kind": "all"},
        {"label": "Kept", "count": samples["kept"], "note": of_found(samples["kept"]), "kind": "kept"},
        {"label": "Rejected", "count": rejected, "note": of_found(rejected), "kind": "rejected"},
        {"label": "Duplicates", "count": duplicates, "note": of_found(duplicates), "kind": "duplicate"},
        {
            "label": "Failed",
            "count": inputs["failed"] + items["failed"],
            "note": " and ".join(failed) or "nothing",
            "kind": "failed",
        },
    ]


def _reasons(manifest: Mapping[str, Any], statistics: Statistics) -> list[dict[str, Any]]:
    found = num_possible(manifest)
    counted = [(rule, statistics.reasons[rule.verdict, rule.reason]) for rule in rules(manifest)]
    most = max((count for _, count in counted), default=0) or 1
    return [
        {
            "rule": rule,
            "count": count,
            "broken": statistics.broken[rule.reason],
            "share": share(count, found),
            "width": round(100 * count / most, 1),
        }
        for rule, count in counted
    ]


def _groups(manifest: Mapping[str, Any], statistics: Statistics) -> list[dict[str, Any]]:
    counts = Counter((row["verdict"], row["reason"] or "") for row in statistics.pictures)
    order = [(KEPT, ""), *((rule.verdict, rule.reason) for rule in rules(manifest))]
    return [
        {"verdict": key[0], "key": key, "label": visible(key[1] or key[0]), "count": counts[key]}
        for key in [*order, *sorted(counts.keys() - set(order))]
        if counts[key]
    ]


def _gallery_note(manifest: Mapping[str, Any], statistics: Statistics) -> str:
    noun, shown = manifest["items"]["noun"], len(statistics.pictures)
    note = f"Samples of every verdict and reason: {shown:,} of {manifest['samples']['total']:,} {noun}s."
    if shown < statistics.num_pictures:
        note += f" The ledger holds {statistics.num_pictures:,} thumbnails: each reason has an equal part."
    return note


def _cards(
    manifest: Mapping[str, Any],
    statistics: Statistics,
    groups: Sequence[Mapping[str, Any]],
    all_bounds: Sequence[Bound],
) -> list[dict[str, Any]]:
    index = {group["key"]: k for k, group in enumerate(groups)}
    cards = [_card(row, manifest, all_bounds) for row in statistics.pictures]
    for card in cards:
        card["group"] = index[card["key"]]
    return sorted(cards, key=lambda card: card["group"])  # stable: in ledger order inside a group


def _card(row: Mapping[str, Any], manifest: Mapping[str, Any], all_bounds: Sequence[Bound]) -> dict[str, Any]:
    values = [(row.get("scores") or {}).get(name) for name in manifest["scores"]]
    values = [value if value is not None and math.isfinite(value) else None for value in values]
    uri, locator = visible(row["uri"] or ""), visible(row["locator"] or "")
    scores = []
    for name, value in zip(manifest["scores"], values, strict=True):
        broken = [
            f"{bound.side} {number(bound.value)}"
            for bound in all_bounds
            if bound.score == name and value is not None and _beyond(value, bound)
        ]
        scores.append((name, "none" if value is None else measure(value), ", ".join(broken)))
    image, width, height = _image(row["thumbnail"])
    return {
        "key": (row["verdict"], row["reason"] or ""),
        "verdict": row["verdict"],
        "label": visible(row["reason"] or row["verdict"]),
        "reasons": [visible(reason) for reason in row["reasons"] or [row["reason"]] if reason],
        "split": row["split"] if row["verdict"] != REJECTED else None,
        "title": f"{visible((row['uri'] or '').rpartition('/')[2] or row['uri'] or '', 90)} · {locator}",
        "uri": uri,
        "locator": locator,
        "language": row["language"] or "",
        "flags": [visible(flag) for flag in row["flags"] or []],
        "scores": scores,
        "scores_json": json.dumps(values),
        "size": size(row["num_bytes"] or 0),
        "id": row["id"],
        "image": image,
        "width": width,
        "height": height,
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    """A group of duplicates as the page shows it: the kept sample, then the others with their differences."""

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        image, width, height = _image(row["thumbnail"])
        told = [f"{row['distance']} bits"] if row["distance"] is not None else []
        told += [f"text {row['similarity']:.2f}"] if row["similarity"] is not None else []
        return {
            "image": image,
            "width": width,
            "height": height,
            "title": f"{visible((row['uri'] or '').rpartition('/')[2], 60)} · {visible(row['locator'] or '')}",
            "uri": visible(row["uri"] or ""),
            "reason": visible(row["reason"] or ""),
            "told": " · ".join(told),
        }

    return {
        "id": cluster.id,
        "count": cluster.num_members,
        "kept": shown(cluster.kept) if cluster.kept else None,
        "is_elsewhere": cluster.is_elsewhere,
        "members": [shown(row) for row in cluster.members],
    }


def _beyond(value: float, bound: Bound) -> bool:
    return value < bound.value if bound.side == "min" else value > bound.value


def _image(data: bytes) -> tuple[str | None, int, int]:
    """A thumbnail as a data URI with its size in pixels; None if it is no image."""
    try:
        with Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image:
            kind, (width, height) = (image.format or "").lower(), image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None, 0, 0
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}", width, height


def _threshold(margin: Margin) -> dict[str, Any]:
    """A threshold as the page shows it: what other values would keep, and the samples next to it."""
    bound = margin.bound
    found = steps(margin)
    present = next(k for k, step in enumerate(found) if step.value == bound.value)

    def shown(rows: Sequence[tuple[float, str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        return [_near_picture(row, bound) for _, _, row in rows]

    return {
        "setting": f"{bound.filter}.{bound.setting}",
        "score": bound.score,
        "sign": "≥" if bound.side == "min" else "≤",
        "value": number(bound.value),
        "present": present,
        "kept": found[present].kept,
        "steps": [(number(step.value), step.kept, step.kept - found[present].kept) for step in found],
        "steps_json": json.dumps([[number(step.value), step.kept] for step in found]),
        "sides": [
            ("Nearest that are rejected by this alone", "rejected", shown(margin.nearest_rejected)),
            ("Nearest that are kept", "kept", shown(margin.nearest_kept)),
        ],
    }


def _near_picture(row: Mapping[str, Any], bound: Bound) -> dict[str, Any]:
    image, width, height = _image(_smaller(row["thumbnail"]))
    return {
        "image": image,
        "width": width,
        "height": height,
        "value": measure(row["scores"][bound.score]),
        "title": f"{visible((row['uri'] or '').rpartition('/')[2], 60)} · {visible(row['locator'] or '')}",
        "uri": visible(row["uri"] or ""),
    }


def _smaller(data: bytes) -> bytes:
    """A thumbnail at half its size; as it is if it is no image."""
    try:
        with Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image:
            small = image.convert("RGB")
            small.thumbnail((NEAR_PX, NEAR_PX))
    except (OSError, ValueError, Image.DecompressionBombError):
        return data
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def _charts(statistics: Statistics, all_bounds: Sequence[Bound]) -> list[dict[str, Any]]:
    charts = []
    for name, distribution in statistics.scores.items():
        of_score = [bound for bound in all_bounds if bound.score == name]
        shape = histogram.bins(distribution, [bound.value for bound in of_score])
        quantiles = distribution.quantiles(QUANTILES)
        charts.append(
            {
                "name": name,
                "svg": histogram.draw(name, distribution, of_score),
                "is_log": shape is not None and shape.is_log,
                "missing": distribution.num_missing,
                "quantiles": [measure(value) for value in quantiles] if quantiles else None,
            }
        )
    return charts
