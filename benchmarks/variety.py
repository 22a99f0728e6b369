"""Measure how varied synthesized texts are, next to a real text of the same number of words.

python benchmarks/variety.py [--source ocr | synthetic_pages] [--samples 1000 10000] [--real 'texts/*.txt']

The texts of the samples are made without degradation at a small size, as pixels do not matter. Without `--real`, the
real text is the documentation of Python that comes with it (the topics of `help()` and the docstrings of its modules).
"""

import argparse
import ast
import html
import json
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
_TAG = re.compile(r"<[^>]+>")
MIN_TEXT = 200  # characters of a docstring that counts as a text


def synthesized(source: str, count: int) -> Iterator[tuple[str, str | None]]:
    """Yield the text and the use case of `count` samples."""
    from pipelines.registry import SOURCES

    settings: dict[str, Any] = {"ocr": {"strength": 0.0, "side_px": 640}}.get(source, {})
    made = SOURCES[source](seed=1, num_samples=count, **settings)
    for number in range(count):
        sample = made.make(number, made.digest)
        text = sample.text or "\n".join(message.content for message in sample.messages or ())
        yield text, sample.use_case


def page_texts(count: int) -> Iterator[tuple[str, None]]:
    """Yield the texts of synthesized pages, a line per text of the markup; nothing is drawn."""
    from sources.rng import generator
    from sources.synthetic_pages.kinds import KINDS
    from sources.synthetic_pages.page import make_page
    from sources.synthetic_pages.vocabulary import BUNDLED, LANGUAGES

    kinds = list(KINDS)
    for number in range(count):
        language = LANGUAGES[number // len(kinds) % len(LANGUAGES)]
        random = generator(0, number, "variety")
        page = make_page(kinds[number % len(kinds)], language, BUNDLED, random, 0.9)
        body = page.html.partition("</style>")[2]
        yield "\n".join(filter(None, (html.unescape(text).strip() for text in _TAG.split(body)))), None


def real_texts(patterns: list[str]) -> Iterator[str]:
    """Yield the paragraphs of files, or texts of Python's documentation."""
    for pattern in patterns:
        for path in sorted(Path().glob(pattern)):
            yield from path.read_text("utf-8", errors="replace").split("\n\n")
    if patterns:
        return
    from pydoc_data.topics import topics

    yield from topics.values()
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("**/*.py")):
        if "site-packages" not in path.parts:
            yield from _docstrings(path)


def _docstrings(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text and len(text) >= MIN_TEXT:
                yield text


def main() -> None:
    from pipelines.report.presentation.variety import Variety

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="ocr")
    parser.add_argument("--samples", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--real", nargs="*", default=[])
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    most = max(arguments.samples)
    pages = arguments.source == "synthetic_pages"
    made_texts = page_texts(most) if pages else synthesized(arguments.source, most)
    made = Variety()
    for number, (text, label) in enumerate(made_texts, start=1):
        made.add(text, label)
        if number in arguments.samples:
            found[f"{arguments.source}, {number:,} samples"] = _described(made)
            real = Variety()
            for real_text in real_texts(arguments.real):
                if real.words.total() >= made.words.total():
                    break
                real.add(real_text)
            found[f"real text beside {number:,} samples"] = _described(real)
    for name, figures in found.items():
        print(name, *(f"  {key}: {value}" for key, value in figures.items()), sep="\n")
    print(json.dumps(found))


def _described(variety: Any) -> dict[str, Any]:
    figures = variety.figures()
    return {
        "texts": figures.num_samples,
        "words": figures.num_words,
        "word types": figures.num_word_types,
        "type-token ratio": round(figures.type_token_ratio, 4),
        "Chinese characters": figures.num_characters,
        "different ones": figures.num_character_types,
        "sentences": variety.num_sentences,
        "repeated sentences": round(figures.repeated_sentences, 4),
        "repeated contents": round(figures.repeated_contents, 4),
        "near duplicates": round(figures.near_duplicates, 4),
        "use cases": len(figures.labels),
        "label balance": round(figures.label_balance, 3),
        "warnings": figures.warnings(),
    }


if __name__ == "__main__":
    main()
