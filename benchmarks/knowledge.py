"""Sources of published data compared with bare loops that parse the same files, in one run on one core.

python -m benchmarks.knowledge text                 # rows of JSONL, Parquet and gzip made of bundled paragraphs
python -m benchmarks.knowledge pairs                # images of bundled PDFs as the hub stores them
python -m benchmarks.knowledge notebooks FOLDER     # real notebooks, also what became of their plots
python -m benchmarks.knowledge papers FOLDER        # .tex next to .pdf of texlive-*-doc; how many fit, checked pages

A bare loop decodes with the same libraries and computes the same hashes; it checks, cleans and keeps nothing. For
texts a second loop also cleans them and masks personal data by the same functions, so that it does the work and keeps
nothing; with `--datatrove VENV/bin/python` datatrove reads the same file.
"""

import argparse
import base64
import gzip
import hashlib
import io
import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
from PIL import Image

from benchmarks.papers_checked import check_pages
from filters.plot_code import PlotCode
from sources.base.sample import Sample, sample_id
from sources.base.source import InputError, ItemError, Source
from sources.images.fingerprint import picture_fingerprint
from sources.images.ink import ink
from sources.notebooks import Notebooks
from sources.ocr.passages import BundledPassages
from sources.pairs import Pairs
from sources.papers import Papers
from sources.plain_text import PlainText
from sources.text.cleaning import clean
from sources.text.personal_data import mask

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


def text(folder: Path, datatrove: Path | None = None, num_rows: int = 20_000) -> dict[str, Any]:
    """JSONL, gzip and Parquet of texts of some 1,000 characters, a fifth of them Chinese."""
    passages = BundledPassages()
    corpora = [[passages.paragraph(language, k) for k in range(400)] for language in ("en", "zh")]
    rng = np.random.default_rng(0)
    texts = ["\n\n".join(rng.choice(corpora[k % 5 == 0], 6)) for k in range(num_rows)]
    lines = "\n".join(json.dumps({"id": k, "text": text}, ensure_ascii=False) for k, text in enumerate(texts)).encode()
    (folder / "a.jsonl").write_bytes(lines)
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines, 6))
    pq.write_table(pa.table({"id": range(num_rows), "text": texts}), folder / "a.parquet", row_group_size=2000)

    source, digest = PlainText(), "0" * 64

    def of_rows(rows: Iterable[str], same_rules: bool) -> int:
        if not same_rules:
            return sum(bool(hashlib.sha256(row.encode()).digest()) for row in rows)
        masked = (mask(clean(row, repair=True), source.mask, source.phone_regions)[0] for row in rows)
        return sum(bool(sample_id(digest, source.locator(k)) and row) for k, row in enumerate(masked))

    def lines_of(name: str, same_rules: bool) -> int:
        opened = gzip.open if name.endswith("gz") else Path.open
        with opened(folder / name, "rb") as file:
            return of_rows((json.loads(line)["text"] for line in file), same_rules)

    def rows_of(name: str, same_rules: bool) -> int:
        batches = pq.ParquetFile(folder / name).iter_batches(columns=["text"])
        return of_rows((row["text"] for batch in batches for row in batch.to_pylist()), same_rules)

    found: dict[str, Any] = {}
    for name, loop in {"a.jsonl": lines_of, "a.jsonl.gz": lines_of, "a.parquet": rows_of}.items():
        ours = partial(_count, source, folder / name)
        found[name] = compare(name, ours, partial(loop, name, False))
        found[f"{name}, same rules"] = compare("  same rules", ours, partial(loop, name, True))
    if datatrove is not None:
        script = Path(__file__).with_name("datatrove_text.py")
        done = subprocess.run([datatrove, script, folder / "a.jsonl"], capture_output=True, check=True, text=True)
        found["datatrove"] = round(num_rows / float(done.stdout.split()[-1]))
        print(f"datatrove        {found['datatrove']:>10,} items/s")
    return found


def _count(source: Source, path: Path) -> int:
    return sum(1 for _ in read(source, [path]))


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
    parser.add_argument("--datatrove", type=Path, help="a Python with datatrove and ftfy")
    args = parser.parse_args()
    if args.what in ("notebooks", "papers"):
        if args.folder is None:
            parser.error(f"{args.what} needs a folder")
        print(json.dumps({"notebooks": notebooks, "papers": papers}[args.what](args.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(pairs(Path(folder)) if args.what == "pairs" else text(Path(folder), args.datatrove)))


if __name__ == "__main__":
    main()
