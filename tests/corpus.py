"""Small corpora that tests write themselves, and the digests of what a run makes of them."""

import hashlib
from pathlib import Path

import pymupdf

SENTENCES = (
    "Every input is accounted for: it was read or it failed, and the ledger says which.",
    "A page that cannot be drawn is an error row with its cause, never a blank image.",
    "The same inputs and the same recipe give the same bytes at any number of workers.",
    "Memory stays flat however large the corpus grows, because pixels never cross a shuffle.",
)


def write_pdf(path: Path, num_pages: int, text: str = "", words_a_page: int = 60) -> Path:
    """A PDF whose pages each say something else, the same bytes every time."""
    document = pymupdf.open()
    for number in range(num_pages):
        page = document.new_page()
        lines = [f"{text} page {number + 1} of {num_pages}"]
        lines += [SENTENCES[(number + k) % len(SENTENCES)] for k in range(max(1, words_a_page // 14))]
        page.insert_text((72, 72), lines, fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.save(path, no_new_id=True, deflate=True)
    return path


def digests(out: Path) -> dict[str, str]:
    """sha256 of the shards, ledger, errors and manifest of an output."""
    files = [path for folder in ("data", "ledger", "errors") for path in sorted((out / folder).rglob("*.parquet"))]
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in [*files, out / "manifest.json"]
    }
