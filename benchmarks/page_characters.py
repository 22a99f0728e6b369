"""Processor time per page of the ways from PyMuPDF to characters, words and text.

    python -m benchmarks.page_characters FILE.pdf [FILE.pdf …] [--pages 20] [--rounds 5]

Each way reads the same text pages, which are made before the time is taken. The last line is JSON.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import pymupdf

from sources.pdfs.characters import characters_of
from sources.pdfs.source import TEXT_FLAGS
from sources.text.gaps import words_of
from sources.text.page_text import in_reading_order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--pages", type=int, default=20, help="pages of each file at most")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    pages = []
    for path in arguments.files:
        document = pymupdf.open(path)
        for number in range(min(len(document), arguments.pages)):
            drawn = document[number].get_displaylist()
            textpage = pymupdf.TextPage(drawn.get_textpage(TEXT_FLAGS))
            textpage.parent = document[number]
            pages.append((drawn, textpage))
    ways: dict[str, Callable[[pymupdf.DisplayList, pymupdf.TextPage], object]] = {
        "extractWORDS": lambda _, textpage: textpage.extractWORDS(),
        "extractDICT": lambda _, textpage: textpage.extractDICT(),
        "extractRAWDICT": lambda _, textpage: textpage.extractRAWDICT(),
        "extractXML": lambda _, textpage: textpage.extractXML(),
        "get_texttrace": lambda _, textpage: textpage.parent.get_texttrace(),
        "our characters": lambda drawn, textpage: characters_of(drawn, textpage, TEXT_FLAGS),
        "our words": lambda drawn, textpage: words_of(characters_of(drawn, textpage, TEXT_FLAGS)),
        "our text": lambda drawn, textpage: in_reading_order(words_of(characters_of(drawn, textpage, TEXT_FLAGS))),
    }
    num_characters = sum(len(characters_of(*page, TEXT_FLAGS)) for page in pages) / len(pages)
    print(f"{len(pages)} pages, {num_characters:,.0f} characters per page, PyMuPDF {pymupdf.__version__}")
    measured = {}
    for name, way in ways.items():
        for page in pages[:2]:
            way(*page)  # warm-up
        start = time.process_time()
        for _ in range(arguments.rounds):
            for page in pages:
                way(*page)
        measured[name] = (time.process_time() - start) / arguments.rounds / len(pages) * 1000
        print(f"{name:16} {measured[name]:6.2f} ms")
    print(json.dumps({name: round(value, 3) for name, value in measured.items()}))


if __name__ == "__main__":
    main()
