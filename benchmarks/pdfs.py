"""Pages per second, processor time and memory of the PDF pipeline, compared with bare loops doing the same work.

    python benchmarks/pdfs.py --corpus FOLDER [--pages 3000] [--pages-per-file 200 15 3 1] [--workers 2]
                              [--rounds 2] [--contenders bare] [--memory 2000 10000]

The corpus is every PDF below the folder, cut into files of so many pages: a real collection has many short files. Each
contender renders at 1,024 px, encodes grey pages as PNG and others as JPEG 90, reads words with their boxes, hashes the
image and writes Parquet in parts of 64 pages, with as many processes as ours has workers. Ours also isolates its
readers, puts the text in reading order, filters, and writes shards, ledger, manifest, card and report; its time is from
the command to its exit. Nothing watches the processes while the time is taken: memory is measured in separate runs.
Processor time counts all processes of a contender, and of ours the start as well.
"""

import argparse
import ctypes
import io
import json
import math
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
PAGES_PER_PART = 64
PageWords = list[tuple[Any, ...]]  # (text, x0, y0, x1, y1) of each word
Encoding = Callable[[np.ndarray], tuple[bytes, np.ndarray]]
ROOT = Path(__file__).resolve().parent.parent
PR_SET_CHILD_SUBREAPER = 36
# Runs the command and writes the seconds of its processor, and of the coordinator's, to the file named first.
COMMAND = """\
import atexit, json, pathlib, resource, runpy, sys
times = pathlib.Path(sys.argv.pop(1))
def note():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    times.write_text(json.dumps([usage.ru_utime + usage.ru_stime for usage in used]))
atexit.register(note)
runpy.run_module("pipelines.run", run_name="__main__")
"""


class Measured(NamedTuple):
    """A finished run: its pages, seconds by the clock and seconds of all processors by kind of process."""

    pages: int
    seconds: float
    cpu_s: dict[str, float]


def cut_corpus(folder: Path, num_pages: int, pages_per_file: int, into: Path) -> int:
    """Cut the PDFs below `folder` into files of `pages_per_file` pages each; return the number of pages.

    Where the folder has too few pages, further rounds cut it at other offsets.
    """
    into.mkdir(parents=True)
    found = {path.stat().st_size: path for path in sorted(folder.rglob("*.pdf")) if not path.is_symlink()}
    if not found:
        raise SystemExit(f"--corpus {folder}: no PDF below it")
    written = 0
    for offset in range(pages_per_file):
        for path in found.values():
            with pymupdf.open(path) as whole:
                for first in range(offset, len(whole) - pages_per_file + 1, pages_per_file):
                    with pymupdf.open() as piece:
                        piece.insert_pdf(whole, from_page=first, to_page=first + pages_per_file - 1)
                        piece.save(into / f"{offset:03d}-{path.stem}-{first:05d}.pdf", garbage=3, deflate=True)
                    written += pages_per_file
                    if written >= num_pages:
                        return written
    raise SystemExit(f"--corpus {folder}: only {written} pages in files of {pages_per_file} for {num_pages}")


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
NAMES = {
    "bare": "bare PyMuPDF loop",
    "pillow": "bare PyMuPDF loop, PNG by Pillow",
    "pdfium": "pypdfium2",
    "poppler": "pdf2image",
}
WORD = pa.struct([("text", pa.string()), *((name, pa.float32()) for name in ("x0", "y0", "x1", "y1"))])


def work(task: tuple[str, list[Path], Path]) -> tuple[int, float]:
    """Convert files to Parquet parts in one process of a bare loop; return pages and seconds of its processor."""
    since = time.process_time()
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
    return written, time.process_time() - since


def run_bare(name: str, corpus: Path, workers: int, out: Path) -> Measured:
    """Run a bare loop over the corpus. The start of its processes and their imports are not measured."""
    out.mkdir()
    paths = sorted(corpus.iterdir())
    # Small tasks, given to processes as they become free, as a careful loop would do; not so small that a part holds
    # a few pages only.
    pages_per_file = len(pymupdf.open(paths[0]))
    step = max(1, 2 * PAGES_PER_PART // pages_per_file)
    tasks = [(name, paths[k : k + step], out) for k in range(0, len(paths), step)]
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(abs, range(workers * 4))  # processes started and imports done before the clock starts
        since = time.monotonic()
        done = list(pool.imap_unordered(work, tasks))
        seconds = time.monotonic() - since
        pool.close()
        pool.join()
    cpu_s = sum(cpu for _, cpu in done)
    if name == "pdf2image":  # its work is done by programs that it starts
        cpu_s = _cpu_s(resource.getrusage(resource.RUSAGE_CHILDREN)) - _cpu_s(children)
    return Measured(sum(pages for pages, _ in done), seconds, {"loop": cpu_s})


def _cpu_s(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def run_ours(corpus: Path, workers: int, out: Path, peaks: dict[str, float] | None = None) -> Measured:
    """Run the command.

    Args:
        peaks: filled with peak memory in MB by kind of process; watching it takes processor time.
    """
    times = out.with_name("times.json")
    line = [sys.executable, "-c", COMMAND, str(times), "--source", "pdfs", "--input", str(corpus)]
    line += ["--output", str(out), "--workers", str(workers)]
    known = {child.pid for child in psutil.Process().children()}
    since = time.monotonic()
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL)
    watcher = threading.Thread(target=_watch_memory, args=(process.pid, peaks, ended := threading.Event()))
    if peaks is not None:
        watcher.start()
    _, status, _ = os.wait4(process.pid, 0)
    seconds = time.monotonic() - since
    process.returncode = os.waitstatus_to_exitcode(status)  # else Popen would wait for it again
    ended.set()
    if process.returncode != 0:
        raise SystemExit("the run failed")
    command, coordinator = json.loads(times.read_text())
    cpu_s = {"command": command, "coordinator": coordinator, "readers": _orphans_cpu_s(known)}
    if peaks is not None:
        watcher.join()
    manifest = json.loads((out / "manifest.json").read_text())
    return Measured(manifest["samples"]["total"], seconds, cpu_s)


def adopt_orphans() -> None:
    """Become the parent of processes whose parent ends first, so that their processor time can be read."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _orphans_cpu_s(known: set[int]) -> float:
    """Wait for all processes that a run left to us, its readers; return their seconds.

    Args:
        known: children that the run has nothing to do with (`multiprocessing` keeps one).
    """
    total = 0.0
    for child in psutil.Process().children():
        if child.pid not in known:
            _, _, usage = os.wait4(child.pid, 0)
            total += _cpu_s(usage)
    return total


def _watch_memory(pid: int, peaks: dict[str, float], ended: threading.Event) -> None:
    """Record the largest unique memory (USS) in MB of each kind of process."""
    kinds = {
        "pipelines.stages.coordinator": "coordinator",
        "pipelines.workers.reader": "reader",
        "sdk_worker_main": "worker",
    }
    while not ended.wait(0.1):
        try:
            for child in psutil.Process(pid).children(recursive=True):
                command = " ".join(child.cmdline())
                kind = next((kind for mark, kind in kinds.items() if mark in command), None)
                if kind:
                    peaks[kind] = max(peaks.get(kind, 0), child.memory_full_info().uss / 1e6)
        except psutil.Error:
            pass


def compare(corpus: Path, contenders: Sequence[str], rounds: int, workers: int, folder: Path) -> dict[str, Any]:
    """Run ours and the contenders in turn; print and return the best speeds, the least processor times and ratios."""
    speed: dict[str, float] = {}
    cpu: dict[str, float] = {}
    for _ in range(rounds):
        for contender in ("ours", *contenders):
            out = folder / "out"
            is_ours = contender == "ours"
            done = run_ours(corpus, workers, out) if is_ours else run_bare(contender, corpus, workers, out)
            shutil.rmtree(out)
            cpu_s = sum(done.cpu_s.values())
            parts = ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in done.cpu_s.items())
            print(
                f"  {contender}: {done.pages} pages in {done.seconds:.1f} s, {done.pages / done.seconds:.0f} pages/s; "
                f"{cpu_s / done.pages * 1000:.1f} ms of processor a page ({parts} s)",
                flush=True,
            )
            speed[contender] = max(speed.get(contender, 0), done.pages / done.seconds)
            cpu[contender] = min(cpu.get(contender, math.inf), cpu_s / done.pages * 1000)
    ratios = {}
    for contender in contenders:
        ratios[contender] = {
            "time": round(speed["ours"] / speed[contender], 2),
            "processor": round(cpu[contender] / cpu["ours"], 2),
        }
        print(f"  ours / {contender}: {ratios[contender]['time']:.2f} of its speed by the clock, ", end="")
        print(f"{ratios[contender]['processor']:.2f} by processor time", flush=True)
    return {
        "pages_per_s": {name: round(value, 1) for name, value in speed.items()},
        "cpu_ms_a_page": {name: round(value, 2) for name, value in cpu.items()},
        "ratio": ratios,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--pages-per-file", type=int, nargs="+", default=[200, 15, 3, 1])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1, help="runs of every contender, in turn; the best counts")
    parser.add_argument("--contenders", nargs="*", choices=["all", *NAMES], default=["bare"])
    parser.add_argument("--memory", type=int, nargs="*", default=[], help="also: peak memory at these numbers of pages")
    args = parser.parse_args()
    contenders = [NAMES[name] for name in (NAMES if "all" in args.contenders else args.contenders)]
    adopt_orphans()
    result: dict[str, Any] = {"workers": args.workers, "pages_per_file": {}, "memory_mb": {}}
    with tempfile.TemporaryDirectory(prefix="vellum-benchmark-") as name:
        folder = Path(name)
        for pages_per_file in args.pages_per_file if args.pages else ():
            corpus = folder / f"corpus-{pages_per_file}"
            pages = cut_corpus(args.corpus, args.pages, pages_per_file, corpus)
            print(f"{pages} pages in {pages // pages_per_file} files of {pages_per_file}", flush=True)
            found = compare(corpus, contenders, args.rounds, args.workers, folder)
            result["pages_per_file"][pages_per_file] = {"pages": pages, **found}
            shutil.rmtree(corpus)
        for pages in args.memory:
            corpus, out = folder / f"corpus-{pages}", folder / f"out-{pages}"
            pages_per_file = args.pages_per_file[0]
            cut_corpus(args.corpus, pages, pages_per_file, corpus)
            peaks: dict[str, float] = {}
            done = run_ours(corpus, args.workers, out, peaks)
            result["memory_mb"][pages] = {kind: round(peak) for kind, peak in sorted(peaks.items())}
            print(f"memory at {done.pages} pages, {pages_per_file} a file: {result['memory_mb'][pages]} MB", flush=True)
            shutil.rmtree(out)
            shutil.rmtree(corpus)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
