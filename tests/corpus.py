"""Small corpora that tests write themselves, and the digests of what a run makes of them."""

import hashlib
from pathlib import Path
from random import Random

import pymupdf

NOUNS = [
    "page",
    "input",
    "ledger",
    "row",
    "cause",
    "picture",
    "recipe",
    "worker",
    "pixel",
    "corpus",
    "shard",
    "card",
    "report",
    "filter",
    "score",
    "margin",
    "column",
    "word",
    "box",
    "line",
    "heading",
    "table",
    "figure",
    "caption",
    "index",
    "chapter",
    "letter",
    "ink",
    "paper",
    "scanner",
    "printer",
    "reader",
    "writer",
    "archive",
    "shelf",
    "library",
]
VERBS = [
    "reads",
    "counts",
    "keeps",
    "draws",
    "names",
    "moves",
    "checks",
    "sorts",
    "holds",
    "finds",
    "opens",
    "closes",
    "follows",
    "replaces",
    "measures",
]


def sentence(random: Random) -> str:
    """A plain English sentence of some fourteen words."""
    a, b, c, d = (random.choice(NOUNS) for _ in range(4))
    return f"The {a} of this {b} {random.choice(VERBS)} every {c} before another {d} {random.choice(VERBS)} it."


def write_pdf(path: Path, num_pages: int, text: str = "", words_a_page: int = 60) -> Path:
    """A PDF whose pages each say something else, the same bytes every time."""
    document = pymupdf.open()
    for number in range(num_pages):
        page = document.new_page()
        random = Random(f"{text}/{number}")
        lines = [f"{text} page {number + 1} of {num_pages}"]
        lines += [sentence(random) for _ in range(max(1, words_a_page // 14))]
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
