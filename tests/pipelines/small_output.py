"""A small output folder made as a run makes it: real PDFs, real pages, real Parquet; the graph left out."""

import dataclasses
import hashlib
import io
import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
from PIL import Image

from filters.filter import Scores
from pipelines.duplicates.fingerprint import fingerprints
from pipelines.recipe_file import build_recipe
from pipelines.tables.composition import composition_columns
from pipelines.tables.schema import DUPLICATE, ERRORS_SCHEMA, KEPT, REJECTED, SAME_CONTENT, ledger_schema
from sources.base.sample import Sample, dataset_schema, to_part
from sources.base.source import InputError
from sources.pdfs.source import Pdfs

THUMBNAIL_PX = 256
HOSTILE_NAME = (
    "inbox/<script>alert('x')</script> \"q\" & `tick` | [a](javascript:b)\n\u202egnp.\u200f עברית 🦙 "
    + "n" * 300
    + ".pdf"
)
HOSTILE_TEXT = "</script><script>document.title='owned'</script> <img src=x onerror=alert(1)> {{ 7*7 }} 🦙"

ENGLISH = (
    "A page is drawn once and read many times. Its words keep their places, its figures their ink, and what "
    "a machine learns from it depends on whether both were kept together. "
)
CHINESE = "每一页都只渲染一次，文字与图像保持对应。数据的质量决定了模型能学到什么，因此每个样本都有来源与判定。"


def make_pdf(pages: Sequence[str], *, size: tuple[float, float] = (420, 594), title: str = "") -> bytes:
    """A PDF with one page for each HTML text; an empty text gives a blank page."""
    document = pymupdf.open()
    for html in pages:
        page = document.new_page(width=size[0], height=size[1])
        if html == "scan":
            page.draw_rect(pymupdf.Rect(60, 60, 360, 400), fill=(0.7, 0.6, 0.5))
        elif html:
            page.insert_htmlbox(pymupdf.Rect(40, 40, size[0] - 40, size[1] - 40), html)
    document.set_metadata({"title": title})
    return document.tobytes(no_new_id=True)


def example_pdfs() -> dict[str, bytes]:
    """PDFs by name: kept, blank, short, scanned, Chinese, a strip, a copy, two broken, a hostile name."""
    essay = [f"<h2>Chapter {k}</h2>" + f"<p>{ENGLISH * (k + 1)}</p>" for k in range(4)]
    return {
        "papers/essay.pdf": make_pdf([*essay, ""], title="essay"),
        "papers/essay (copy).pdf": make_pdf([*essay, ""], title="essay"),
        "papers/中文.pdf": make_pdf([f"<p>{CHINESE * 4}</p>", f"<p style='color:#a22'>{CHINESE * 8}</p>"]),
        "papers/mixed.pdf": make_pdf(["7", "scan", f"<p style='color:#147'>{ENGLISH * 3}</p>"]),
        "papers/strip.pdf": make_pdf([f"<p>{ENGLISH}</p>"], size=(1400, 120)),
        HOSTILE_NAME: make_pdf([f"<p>{ENGLISH}</p>" + "<p>&lt;/script&gt; &lt;img src=x onerror=alert(1)&gt;</p>"]),
        "papers/broken.pdf": b"%PDF-1.7\nnothing here",
        "notes.pdf": b"not a PDF at all",
    }


def build(
    root: Path,
    pdfs: Mapping[str, bytes],
    *,
    license: str | None = None,
    settings: Mapping[str, Any] | None = None,
    page_errors: Sequence[tuple[str, str]] = (),
    errors_file: bool = True,
    max_pages: int = 10_000,
    thumbnails: int = 24,
    shards: int = 1,
) -> dict[str, Any]:
    """Write data, ledger, errors and manifest under `root`; returns the manifest.

    Args:
        settings: recipe settings other than the source, e.g. `{"filters": […]}`.
        page_errors: (uri, cause) of pages that failed.
        errors_file: whether there is an errors file at all.
    """
    content = {"sources": [{"type": "pdfs", "license": license, "side_px": 512}], **(settings or {})}
    recipe = build_recipe({"name": "pdf-pages", "filters": _FILTERS, **content})
    failures: list[dict[str, Any]] = []
    inputs: dict[str, list[Sample]] = {}
    for uri in sorted(pdfs):
        try:
            inputs[uri] = _read(pdfs[uri], max_pages)
        except InputError as error:
            failures.append({"source": "pdfs", "uri": uri, "cause": error.cause, "message": error.message})
    num_failed_inputs = len(failures)
    failures += [
        {"source": "pdfs", "uri": uri, "locator": "page=9", "cause": cause, "message": HOSTILE_TEXT}
        for uri, cause in page_errors
    ]

    score_names = recipe.score_names()
    rows, kept, seen = [], [], set()
    for uri, samples in inputs.items():
        for sample in samples:
            scores, language = _scores(recipe.filters, sample)
            reasons = [reason for f in recipe.filters if (reason := _verdict(f, scores, language))]
            verdict = DUPLICATE if sample.id in seen else REJECTED if reasons else KEPT
            reason = SAME_CONTENT if verdict == DUPLICATE else reasons[0] if reasons else None
            seen.add(sample.id)
            split = ("validation" if len(kept) % 7 == 6 else "train") if verdict == KEPT else None
            row = {
                "id": sample.id,
                "source": sample.source,
                "uri": uri,
                "locator": sample.provenance.locator,
                "digest": sample.provenance.digest,
                "verdict": verdict,
                "reason": reason,
                "reasons": reasons if verdict == REJECTED else [],
                "duplicate_of": sample.id if verdict == DUPLICATE else None,
                "distance": None,
                "similarity": None,
                "matched_words": None,
                "language": language,
                "flags": list(sample.flags),
                "split": split,
                "num_bytes": len(sample.images[0].data),
                **{name: column[0].as_py() for name, column in composition_columns([sample]).items()},
                "scores": scores,
                "phash": sample.phash,
                "fingerprint": fingerprints([sample])[0].tobytes(),
                "thumbnail": None,
            }
            if sum((r["verdict"], r["reason"]) == (verdict, reason) for r in rows) < thumbnails:
                row["thumbnail"] = _thumbnail(sample)
            rows.append(row)
            if verdict == KEPT:
                kept.append((sample, row))

    files = []

    def write(path: str, table: pa.Table, name: str) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, root / path, row_group_size=16)
        data = (root / path).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        files.append({"path": path, "table": name, "rows": len(table), "bytes": len(data), "sha256": digest})

    splits = {}
    for split in ("train", "validation"):
        chosen = [entry for entry in kept if entry[1]["split"] == split]
        cuts = [chosen[k::shards] for k in range(shards)] if split == "train" else [chosen]
        for k, cut in enumerate(cuts):
            if cut:
                path = f"data/{split}-{k:05}-of-{len(cuts):05}.parquet"
                write(path, _dataset(cut, score_names, license), split)
        if chosen:
            num_bytes = sum(f["bytes"] for f in files if f["table"] == split)
            splits[split] = {"samples": len(chosen), "bytes": num_bytes}
    ledger = pa.Table.from_pylist(rows, schema=ledger_schema(score_names))
    write("ledger/ledger-00000-of-00001.parquet", ledger, "ledger")
    if errors_file:
        table = pa.Table.from_pylist(failures, schema=ERRORS_SCHEMA)
        write("errors/errors-00000-of-00001.parquet", table, "errors")
    manifest = {
        "vellum": "0.1.0",
        "recipe": recipe.to_json(),
        "versions": {"python": "3.11", "apache-beam": "2.77.0", "pymupdf": pymupdf.__version__},
        "inputs": {"matched": len(pdfs), "read": len(inputs), "failed": num_failed_inputs},
        "items": {"noun": "page", "found": len(rows) + len(page_errors), "failed": len(page_errors)},
        "samples": {
            "total": len(rows),
            "kept": len(kept),
            "rejected": dict(sorted(Counter(r["reason"] for r in rows if r["verdict"] == REJECTED).items())),
            "duplicates": dict(sorted(Counter(r["reason"] for r in rows if r["verdict"] == DUPLICATE).items())),
        },
        "failures": dict(sorted(Counter(row["cause"] for row in failures).items())),
        "splits": splits,
        "scores": score_names,
        "files": files,
    }
    save_manifest(root, manifest)
    return manifest


def save_manifest(root: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json` again, after a change."""
    (root / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False))


def _tally(rows: Sequence[Mapping[str, Any]], verdict: str) -> dict[str, int]:
    return dict(sorted(Counter(row["reason"] for row in rows if row["verdict"] == verdict).items()))


_FILTERS = [
    {"type": "min_short_side"},
    {"type": "max_aspect_ratio"},
    {"type": "min_ink"},
    {"type": "text_length"},
    {"type": "max_garbled_share"},
    {"type": "language", "keep": ["en", "zh"]},
]


def _read(data: bytes, max_pages: int) -> list[Sample]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.pdf"
        path.write_bytes(data)
        with Pdfs(side_px=512).open(path) as pages:
            return [pages[page] for page in range(min(len(pages), max_pages))]


def _scores(filters: Sequence[Any], sample: Sample) -> tuple[dict[str, float | None], str | None]:
    values: dict[str, float | None] = {}
    text = sample.plain_text()
    for f in filters:
        if f.name == "language":  # named by script here, so that the tests need no model
            values["language_confidence"] = (0.97 if "的" in text else 0.88) if text else None
        else:
            values.update(f.scores([sample])[0].values)
    return values, (("zh" if "的" in text else "en") if text else None)


def _verdict(f: Any, scores: Mapping[str, float | None], language: str | None) -> str | None:
    return f.rejects(Scores(values={name: scores[name] for name in f.score_names}, language=language))


def _thumbnail(sample: Sample) -> bytes:
    image = Image.open(io.BytesIO(sample.images[0].data)).convert("RGB")
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _dataset(kept: Sequence[tuple[Sample, dict[str, Any]]], score_names: list[str], license: str | None) -> pa.Table:
    schema = dataset_schema(score_names)
    samples = [
        dataclasses.replace(sample, provenance=dataclasses.replace(sample.provenance, uri=row["uri"], license=license))
        for sample, row in kept
    ]
    part = pa.Table.from_batches([to_part(samples)])
    columns = []
    for column in schema:
        if column.name in part.column_names:
            columns.append(part[column.name].combine_chunks())
        elif column.name in ("language", "scores", "split"):
            columns.append(pa.array([row[column.name] for _, row in kept], column.type))
        else:
            columns.append(pa.nulls(len(kept), column.type))
    return pa.Table.from_arrays(columns, schema=schema)
