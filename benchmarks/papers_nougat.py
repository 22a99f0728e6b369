"""Papers by the source `papers` and by Nougat's data pipeline, on the same papers.

python -m benchmarks.papers_nougat DOC --python VENV/bin/python [--papers 8]

DOC is as for `benchmarks.knowledge papers`. VENV has the wheel nougat-ocr with what its extra `dataset` names; latexmlc
must be installed. The papers are those of `papers_checked.yaml` whose pages have texts that were written from their
pictures, the shortest PDFs first; these pages are some that our filter keeps. Figures are not looked for by Nougat
(pdffigures2 is a Java program). The last line is JSON: processor seconds per page, pages with markup, and the share of
the texts that each finds on its page, of all and of those on pages that it keeps.
"""

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pymupdf
import yaml

from benchmarks.papers_checked import CHECKED
from filters.markup_fit import MinMarkupFit
from sources.base.source import ItemError
from sources.papers import Papers

TIMEOUT_S = 240
PAGES = Path(__file__).with_name("nougat_pages.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", type=Path, required=True, help="a Python with nougat-ocr[dataset]")
    parser.add_argument("--papers", type=int, default=8)
    args = parser.parse_args()
    totals: dict[str, dict[str, float]] = {side: defaultdict(float) for side in ("ours", "nougat")}
    for name, entries in checked(args.folder)[: args.papers]:
        path = args.folder / f"{name}.tex"
        for side, (pages, seconds) in {"ours": ours(path), "nougat": nougat(path, args.python)}.items():
            total = totals[side]
            found = [
                letters(text) in letters(pages.get(entry["page"], "")) for entry in entries for text in entry["has"]
            ]
            kept = [entry["page"] in pages for entry in entries for _ in entry["has"]]
            total["seconds"] += seconds
            total["pages"] += len(pages)
            total["found"] += sum(found)
            total["kept"] += sum(kept)
            total["texts"] += len(found)
            print(f"{name}: {side} {seconds:.1f} s, {len(pages)} pages, {sum(found)} of {len(found)} texts", flush=True)
    print(json.dumps({side: figures(total) for side, total in totals.items()}))


def checked(folder: Path) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the papers that have texts from pictures, the shortest PDFs first, with their pages."""
    of_paper: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in yaml.safe_load(CHECKED.read_text("utf-8")):
        if "has" in entry and (folder / f"{entry['paper']}.pdf").exists():
            of_paper[entry["paper"]].append(entry)

    def num_pages(name: str) -> int:
        with pymupdf.open(folder / f"{name}.pdf") as document:
            return len(document)

    return sorted(of_paper.items(), key=lambda item: (num_pages(item[0]), item[0]))


def ours(path: Path) -> tuple[dict[int, str], float]:
    """Return the markup of the pages that the filter keeps, and the processor time."""
    since, filter_ = time.process_time(), MinMarkupFit()
    pages: dict[int, str] = {}
    with Papers(compile="never").open(path) as items:
        for item in range(len(items)):
            try:
                sample = items[item]
            except ItemError:
                continue
            if filter_.rejects(filter_.scores([sample])[0]) is None:
                pages[item + 1] = sample.text or ""
    return pages, time.process_time() - since


def nougat(path: Path, python: Path) -> tuple[dict[int, str], float]:
    """Return the Markdown of the pages that Nougat's pipeline keeps, and the processor time of its programs."""
    since = _children_s()
    pages: Sequence[str] = ()
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder) / "paper.html"
        try:
            convert = ["latexmlc", "--format=html5", "--quiet", f"--dest={html}", f"--path={path.parent}", str(path)]
            subprocess.run(convert, capture_output=True, timeout=TIMEOUT_S, check=False, cwd=folder)
            if html.exists():
                command = [str(python), str(PAGES), str(html), str(path.with_suffix(".pdf"))]
                done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False, text=True)
                pages = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else ()
                if done.returncode:
                    print(f"  {path.stem}: {(done.stderr.splitlines() or ['no message'])[-1]}")
        except subprocess.TimeoutExpired:
            print(f"  {path.stem}: more than {TIMEOUT_S} s")
    return {k + 1: page for k, page in enumerate(pages) if page}, _children_s() - since


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def letters(text: str) -> str:
    """Return the letters and digits of a text, which both ways of writing markup share."""
    return "".join(filter(str.isalnum, text)).lower()


def figures(total: Mapping[str, float]) -> dict[str, float]:
    return {
        "pages": total["pages"],
        "seconds_per_page": round(total["seconds"] / max(1, total["pages"]), 3),
        "texts_found": round(total["found"] / max(1, total["texts"]), 3),
        "texts_found_on_kept_pages": round(total["found"] / max(1, total["kept"]), 3),
    }


if __name__ == "__main__":
    main()
