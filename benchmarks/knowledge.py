"""Sources of published data compared with bare loops that parse the same files, in one run on one core.

python -m benchmarks.knowledge text                 # rows of JSONL, Parquet and gzip made of bundled paragraphs
python -m benchmarks.knowledge pairs                # images of bundled PDFs as the hub stores them
python -m benchmarks.knowledge notebooks FOLDER     # real notebooks, also what became of their plots
python -m benchmarks.knowledge papers FOLDER        # .tex beside .pdf of texlive-*-doc; how many fit, checked pages

A bare loop decodes with the same libraries and computes the same hashes; it checks, cleans and keeps nothing.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
from PIL import Image

from benchmarks.papers_checked import check_pages
from filters.plot_code import PlotCode
from sources.base.sample import Sample
from sources.base.source import InputError, ItemError, Source
from sources.images.fingerprint import picture_fingerprint
from sources.images.ink import ink
from sources.notebooks import Notebooks
from sources.pairs import Pairs
from sources.papers import Papers
from sources.plain_text import PlainText

ROOT = Path(__file__).parents[1]
REPEATS = 3


def read(source: Source, paths: list[Path]) -> Iterator[Sample | str]:
    """Yield samples, or causes of errors."""
    for path in paths:
        try:
            with source.open(path, hashlib.sha256(str(path).encode()).hexdigest()) as items:
                for item in range(len(items)):
                    try:
                        yield items[item]
                    except ItemError as error:
                        yield error.cause
        except InputError as error:
            yield error.cause


def seconds(run: Callable[[], int], repeats: int) -> tuple[float, int]:
    """Return the least processor time of some runs, after one that warms up, and what they counted."""
    count = run()
    times = []
    for _ in range(repeats):
        since = time.process_time()
        run()
        times.append(time.process_time() - since)
    return min(times), count


def compare(name: str, ours: Callable[[], int], bare: Callable[[], int], repeats: int = REPEATS) -> dict[str, Any]:
    """Print and return items per second of both, and their ratio."""
    (our_s, count), (bare_s, bare_count) = seconds(ours, repeats), seconds(bare, repeats)
    assert count == bare_count, (count, bare_count)
    print(f"{name:<16} {count / our_s:>10,.0f} items/s   bare {count / bare_s:>10,.0f}   ratio {bare_s / our_s:.2f}")
    return {"items": count, "per_s": round(count / our_s), "bare_per_s": round(count / bare_s), "ratio": bare_s / our_s}


def text(folder: Path, num_rows: int = 20_000) -> dict[str, Any]:
    """JSONL, gzip and Parquet of texts of some 1,500 characters, a fifth of them Chinese."""
    corpora = [(ROOT / f"sources/ocr/corpus/{name}.txt").read_text("utf-8").split("\n") for name in ("en", "zh")]
    rng = np.random.default_rng(0)
    texts = ["\n\n".join(rng.choice(corpora[k % 5 == 0], 6)) for k in range(num_rows)]
    lines = "\n".join(json.dumps({"id": k, "text": text}, ensure_ascii=False) for k, text in enumerate(texts)).encode()
    (folder / "a.jsonl").write_bytes(lines)
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines, 6))
    pq.write_table(pa.table({"id": range(num_rows), "text": texts}), folder / "a.parquet", row_group_size=2000)

    def parsed(file: Any) -> int:
        return sum(bool(hashlib.sha256(json.loads(line)["text"].encode()).digest()) for line in file)

    def bare_lines() -> int:
        with (folder / "a.jsonl").open("rb") as file:
            return parsed(file)

    def bare_gzip() -> int:
        with gzip.open(folder / "a.jsonl.gz") as file:
            return parsed(file)

    def bare_parquet() -> int:
        batches = pq.ParquetFile(folder / "a.parquet").iter_batches(columns=["text"])
        rows = (row["text"] for batch in batches for row in batch.to_pylist())
        return sum(bool(hashlib.sha256(row.encode()).digest()) for row in rows)

    loops = {"a.jsonl": bare_lines, "a.jsonl.gz": bare_gzip, "a.parquet": bare_parquet}
    return {
        name: compare(name, lambda name=name: sum(1 for _ in read(PlainText(), [folder / name])), bare)  # type: ignore[misc]
        for name, bare in loops.items()
    }


def hashed(grey: np.ndarray) -> bool:
    """Compute what every picture of a dataset has."""
    return bool(picture_fingerprint(grey)) and ink(grey) >= 0


def pairs(folder: Path, num_rows: int = 400) -> dict[str, Any]:
    """A Parquet file of the hub's layout with JPEG images of 640 pixels."""
    pictures = []
    for path in sorted((ROOT / "sources/pdfs/examples").glob("*.pdf")):
        try:
            with pymupdf.open(path) as document:
                pictures += [page.get_pixmap(dpi=60).pil_image().convert("RGB") for page in document]
        except (RuntimeError, ValueError):
            continue
    rows = []
    for k in range(num_rows):
        buffer = io.BytesIO()
        pictures[k % len(pictures)].resize((640, 480 + k % 200)).save(buffer, "JPEG", quality=90)
        rows.append({"image": {"bytes": buffer.getvalue(), "path": f"{k}.jpg"}, "caption": f"A page, number {k}."})
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet", row_group_size=100)

    def bare() -> int:
        count = 0
        for batch in pq.ParquetFile(folder / "a.parquet").iter_batches(64):
            for row in batch.to_pylist():
                with Image.open(io.BytesIO(row["image"]["bytes"])) as image:
                    image.draft("L", image.size)
                    count += hashed(np.asarray(image.convert("L")))
        return count

    return {"a.parquet": compare("a.parquet", lambda: sum(1 for _ in read(Pairs(), [folder / "a.parquet"])), bare)}


def notebooks(folder: Path) -> dict[str, Any]:
    """All plots of the notebooks below a folder."""
    paths = sorted(folder.rglob("*.ipynb"))
    filter_ = PlotCode()

    def outcome(found: Sample | str) -> str:
        return found if isinstance(found, str) else filter_.rejects(filter_.scores([found])[0]) or "kept"

    counts = Counter(map(outcome, read(Notebooks(), paths)))
    print(f"{len(paths)} notebooks: {dict(counts.most_common())}")

    def bare() -> int:
        count = 0
        for path in paths:
            try:
                content = json.loads(path.read_bytes())
            except ValueError:
                continue
            sheets = [content] if content.get("cells") else content.get("worksheets") or []
            for cell in (cell for sheet in sheets for cell in sheet.get("cells", ())):
                for output in cell.get("outputs", ()):
                    data = output.get("data", {}).get("image/png") or output.get("png")
                    if data:
                        with Image.open(io.BytesIO(base64.b64decode("".join(data)))) as image:
                            count += hashed(np.asarray(image.convert("L")))
        return count

    num_drawn = bare()

    def ours() -> int:
        list(read(Notebooks(), paths))
        return num_drawn

    return {"notebooks": len(paths), "outcomes": counts, "plots": compare("plots", ours, bare, repeats=1)}


def papers(folder: Path, max_papers: int = 20) -> dict[str, Any]:
    """Pages with their markup; the bare loop draws, encodes and hashes each page and reads its words."""
    paths = [path for path in sorted(folder.rglob("*.tex")) if path.with_suffix(".pdf").exists()]
    paths = [path for path in paths if b"\\documentclass" in path.read_bytes()]
    paths = paths[:: max(1, len(paths) // max_papers)][:max_papers]
    fits: list[float] = []
    counts: Counter[str] = Counter()
    for outcome in read(Papers(), paths):
        if isinstance(outcome, str):
            counts[outcome] += 1
        else:
            fits.append(outcome.measures["markup_fit"])
    shares = {f"fit_{share}": sum(fit >= share for fit in fits) for share in (0.9, 0.95, 0.99)}

    def bare() -> int:
        count = 0
        for path in paths:
            with pymupdf.open(path.with_suffix(".pdf")) as document:
                for page in document:
                    zoom = 1024 / max(page.rect.width, page.rect.height)
                    image = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom)).pil_image()
                    grey = np.asarray(image.convert("L"))
                    image.convert("L").save(io.BytesIO(), "PNG", compress_level=1)
                    page.get_text("words")
                    count += hashed(grey)
        return count

    num_pages = bare()

    def ours() -> int:
        list(read(Papers(), paths))
        return num_pages

    outcomes = {"papers": len(paths), "pages": len(fits), **shares, "errors": counts}
    print(outcomes)
    checked = check_pages(folder)
    return {**outcomes, "checked": checked, "speed": compare("pages", ours, bare, repeats=1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["text", "pairs", "notebooks", "papers"])
    parser.add_argument("folder", nargs="?", type=Path, help="of notebooks or papers")
    args = parser.parse_args()
    if args.what in ("notebooks", "papers"):
        if args.folder is None:
            parser.error(f"{args.what} needs a folder")
        print(json.dumps({"notebooks": notebooks, "papers": papers}[args.what](args.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"text": text, "pairs": pairs}[args.what](Path(folder))))


if __name__ == "__main__":
    main()
