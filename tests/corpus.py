"""Small corpora written by tests, and the digests of a run's output."""

import hashlib
import random
from pathlib import Path

import pymupdf

NOUNS = ["page", "picture", "word", "line", "margin", "letter", "reader", "table", "figure", "answer", "river"]
VERBS = ["shows", "holds", "follows", "reads", "crosses", "keeps", "finds", "leaves", "opens", "answers", "carries"]


def prose(seed: str, num_sentences: int) -> list[str]:
    """Return English sentences that depend on the seed."""
    chance = random.Random(seed)
    return [
        f"The {chance.choice(NOUNS)} {chance.choice(VERBS)} the {chance.choice(NOUNS)} before every "
        f"{chance.choice(NOUNS)} {chance.choice(VERBS)} another {chance.choice(NOUNS)}."
        for _ in range(num_sentences)
    ]


def write_pdf(path: Path, num_pages: int, text: str = "", words_a_page: int = 60) -> Path:
    """Write a PDF with a different text on each page, always the same bytes."""
    document = pymupdf.open()
    for number in range(num_pages):
        page = document.new_page()
        lines = [f"{text} page {number + 1} of {num_pages}"]
        lines += prose(f"{text}/{number}", max(1, words_a_page // 14))
        page.insert_text((72, 72), lines, fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    document.save(path, no_new_id=True, deflate=True)
    return path


def digests(out: Path) -> dict[str, str]:
    """Return the sha256 of the shards, ledger, errors and manifest of an output."""
    files = [path for folder in ("data", "ledger", "errors") for path in sorted((out / folder).rglob("*.parquet"))]
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in [*files, out / "manifest.json"]
    }
