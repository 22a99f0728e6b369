"""Pages per second and memory of the PDF pipeline, compared with bare loops doing the same work, in one run.

    python benchmarks/pdfs.py --corpus /usr/share [--pages 4000] [--workers 2] [--memory 2000 10000]

The corpus is every PDF below the folder, cut into files of 15 pages until there are enough; a real collection has many
short files. Each contender renders at 1,024 px, encodes grey pages as PNG and others as JPEG 90, reads words with their
boxes, hashes the image and writes Parquet in parts of 64 pages, with as many processes as ours has workers. Ours also
isolates its readers, puts the text in reading order, filters, and writes shards, ledger, manifest, card and report.
"""

import argparse
import io
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pymupdf
from PIL import Image

from sources.images.encoding import encode, grey_of
from sources.images.fingerprint import phash_of, picture_fingerprint
from sources.images.ink import ink

SIDE_PX = 1024
PAGES_PER_FILE = 15
PAGES_PER_PART = 64
PageWords = list[tuple[Any, ...]]  # (text, x0, y0, x1, y1) of each word
Encoding = Callable[[np.ndarray], tuple[bytes, np.ndarray]]
ROOT = Path(__file__).resolve().parent.parent


def cut_corpus(folder: Path, num_pages: int, into: Path) -> int:
    """Cut the PDFs below `folder` into files of 15 pages, in rounds with other offsets; return the number of pages."""
    into.mkdir(parents=True)
    found = {path.stat().st_size: path for path in sorted(folder.rglob("*.pdf")) if not path.is_symlink()}
    if not found:
        raise SystemExit(f"--corpus {folder}: no PDF below it")
    written = 0
    for offset in range(PAGES_PER_FILE):
        for path in found.values():
            with pymupdf.open(path) as whole:
                for first in range(offset, len(whole), PAGES_PER_FILE):
                    last = min(first + PAGES_PER_FILE, len(whole), first + num_pages - written) - 1
                    with pymupdf.open() as piece:
                        piece.insert_pdf(whole, from_page=first, to_page=last)
                        piece.save(into / f"{offset:02d}-{path.stem}-{first:05d}.pdf", garbage=3, deflate=True)
                    written += last - first + 1
                    if written >= num_pages:
                        return written
    raise SystemExit(f"--corpus {folder}: only {written} different pages for {num_pages}")


def pymupdf_pages(path: Path) -> Iterator[tuple[np.ndarray, PageWords]]:
    """Yield pixels and words of every page, with PyMuPDF."""
    with pymupdf.open(path) as document:
        for page in document:
            zoom = SIDE_PX / max(page.rect.width, page.rect.height)
            pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
            pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)
            yield pixels, [(w[4], *w[:4]) for w in page.get_text("words")]


def pdfium_pages(path: Path) -> Iterator[tuple[np.ndarray, PageWords]]:
    """Yield pixels and text of every page, with pypdfium2; its closest match to words are rectangles in a line."""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    for page in document:
        pixels = page.render(scale=SIDE_PX / max(page.get_size()), rev_byteorder=True).to_numpy()[..., :3]
        textpage = page.get_textpage()
        rects = [textpage.get_rect(k) for k in range(textpage.count_rects())]
        yield np.ascontiguousarray(pixels), [(textpage.get_text_bounded(*rect), *rect) for rect in rects]
    document.close()


def poppler_pages(path: Path) -> Iterator[tuple[np.ndarray, PageWords]]:
    """Yield pixels with pdf2image and words with `pdftotext -bbox`; both use Poppler."""
    import re

    from pdf2image import convert_from_path

    html = subprocess.run(["pdftotext", "-bbox", str(path), "-"], capture_output=True, check=True, text=True).stdout
    word = re.compile(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>')
    texts = [[(w[4], *map(float, w[:4])) for w in word.findall(page)] for page in html.split("<page ")[1:]]
    for image, words in zip(convert_from_path(path, size=SIDE_PX), texts, strict=True):
        yield np.asarray(image.convert("RGB")), words


def our_encoding(pixels: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Encode a page as the project does; return the data and the grey page."""
    grey = grey_of(pixels)
    if grey is not None:
        return encode(grey, "png").data, grey
    return encode(pixels, "jpeg", 90).data, np.asarray(Image.fromarray(pixels).convert("L"))


def pillow_encoding(pixels: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Encode a page with Pillow's PNG at its fastest level; return the data and the grey page."""
    image = Image.fromarray(pixels)
    grey, buffer = image.convert("L"), io.BytesIO()
    if (pixels == np.asarray(grey)[..., None]).all():
        grey.save(buffer, "PNG", compress_level=1)
    else:
        image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue(), np.asarray(grey)


READERS: dict[str, tuple[Callable[[Path], Iterator[tuple[np.ndarray, PageWords]]], Encoding]] = {
    "bare PyMuPDF loop": (pymupdf_pages, our_encoding),
    "bare PyMuPDF loop, PNG by Pillow": (pymupdf_pages, pillow_encoding),
    "pypdfium2": (pdfium_pages, our_encoding),
    "pdf2image": (poppler_pages, our_encoding),
}
WORD = pa.struct([("text", pa.string()), *((name, pa.float32()) for name in ("x0", "y0", "x1", "y1"))])


def work(task: tuple[str, list[Path], Path]) -> int:
    """Convert files to Parquet parts in one process of a bare loop; return the number of pages."""
    name, paths, out = task
    pages, encoding = READERS[name]
    rows: list[dict[str, Any]] = []
    written = 0

    def flush() -> None:
        nonlocal written
        if rows:
            columns = {
                "image": pa.array([row["image"] for row in rows], pa.binary()),
                "text": pa.array([row["text"] for row in rows], pa.string()),
                "words": pa.array([row["words"] for row in rows], pa.list_(WORD)),
                "ink": pa.array([row["ink"] for row in rows], pa.float32()),
                "phash": pa.array([row["phash"] for row in rows], pa.binary(32)),
            }
            pq.write_table(pa.table(columns), out / f"{os.getpid()}-{written:06d}.parquet", compression="none")
            written += len(rows)
            rows.clear()

    for path in paths:
        for pixels, words in pages(path):
            data, grey = encoding(pixels)
            rows.append(
                {
                    "image": data,
                    "text": " ".join(word[0] for word in words),
                    "words": [dict(zip(("text", "x0", "y0", "x1", "y1"), word, strict=True)) for word in words],
                    "ink": ink(grey),
                    "phash": phash_of(picture_fingerprint(grey)),
                }
            )
            if len(rows) == PAGES_PER_PART:
                flush()
    flush()
    return written


def run_bare(name: str, corpus: Path, workers: int, out: Path) -> tuple[int, float]:
    """Run a bare loop over the corpus; return pages and seconds."""
    out.mkdir()
    paths = sorted(corpus.iterdir())
    # Small tasks, given to processes as they become free, as a careful loop would do.
    tasks = [(name, paths[k : k + 8], out) for k in range(0, len(paths), 8)]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(abs, range(workers * 4))  # processes started and imports done before the clock starts
        since = time.monotonic()
        pages = sum(pool.imap_unordered(work, tasks))
        return pages, time.monotonic() - since


def run_ours(corpus: Path, workers: int, out: Path) -> tuple[int, float, dict[str, float]]:
    """Run the command; return pages, seconds (with start-up) and peak memory in MB by kind of process."""
    line = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--input", str(corpus)]
    line += ["--output", str(out), "--workers", str(workers)]
    peaks: dict[str, float] = {}
    since = time.monotonic()
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        watcher = threading.Thread(target=_watch_memory, args=(process, peaks))
        watcher.start()
        if process.wait() != 0:
            raise SystemExit("the run failed")
        seconds = time.monotonic() - since
        watcher.join()
    manifest = json.loads((out / "manifest.json").read_text())
    return manifest["samples"]["total"], seconds, peaks


def _watch_memory(process: "subprocess.Popen[bytes]", peaks: dict[str, float]) -> None:
    """Record the largest unique memory (USS) in MB of each kind of process."""
    kinds = {
        "pipelines.stages.coordinator": "coordinator",
        "pipelines.workers.reader": "reader",
        "sdk_worker_main": "worker",
    }
    while process.poll() is None:
        try:
            for child in psutil.Process(process.pid).children(recursive=True):
                command = " ".join(child.cmdline())
                kind = next((kind for mark, kind in kinds.items() if mark in command), None)
                if kind:
                    peaks[kind] = max(peaks.get(kind, 0), child.memory_full_info().uss / 1e6)
        except psutil.Error:
            pass
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1, help="runs of every contender, in turn; the best counts")
    parser.add_argument("--memory", type=int, nargs="*", default=[], help="also: peak memory at these numbers of pages")
    args = parser.parse_args()
    result: dict[str, Any] = {
        "pages": args.pages,
        "workers": args.workers,
        "pages_per_s": {},
        "ratio": {},
        "memory_mb": {},
    }
    with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as name:
        folder = Path(name)
        if args.pages:
            corpus = folder / "corpus"
            pages = cut_corpus(args.corpus, args.pages, corpus)
            best: dict[str, float] = {}

            def note(contender: str, done: int, seconds: float) -> None:
                assert done == pages, f"{contender} gave {done} of {pages} pages"
                print(f"{contender}: {done} pages in {seconds:.1f} s, {done / seconds:.0f} pages/s", flush=True)
                best[contender] = max(best.get(contender, 0), done / seconds)

            for _ in range(args.rounds):
                out = folder / "out"
                note("ours", *run_ours(corpus, args.workers, out)[:2])
                shutil.rmtree(out)
                for contender in READERS:
                    note(contender, *run_bare(contender, corpus, args.workers, out))
                    shutil.rmtree(out)
            result["pages_per_s"] = {contender: round(speed, 1) for contender, speed in best.items()}
            result["ratio"] = {c: round(best["ours"] / speed, 2) for c, speed in best.items() if c != "ours"}
            for contender, ratio in result["ratio"].items():
                print(f"ours / {contender}: {ratio:.2f}")
        for pages in args.memory:
            corpus, out = folder / f"corpus-{pages}", folder / f"out-{pages}"
            cut_corpus(args.corpus, pages, corpus)
            done, seconds, peaks = run_ours(corpus, args.workers, out)
            result["memory_mb"][pages] = {kind: round(peak) for kind, peak in sorted(peaks.items())}
            speed = done / seconds
            print(f"memory at {done} pages ({speed:.0f} pages/s): {result['memory_mb'][pages]} MB", flush=True)
            shutil.rmtree(out)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
