"""How well the structure of PDF pages is found: Markdown of 60 marked pages against plain text and another tool.

    python -m benchmarks.pdf_structure --documents /tmp/documents [--peer /tmp/peer/bin/python] [--details]

`benchmarks/pdf_structure_pages` has the pages: Markdown written by hand after looking at the page, and in
`documents.yaml` the package of each document with its licence. To get them: `apt-get download PACKAGE`, then
`dpkg -x FILE.deb /tmp/documents/PACKAGE`. Our own documents are written by Chromium and LibreOffice on the way. In a
marked page `first words ⟨…⟩ last words` is the text between them in the page's content stream, so that no other
people's text is copied here.

Measured are, for every page and then averaged:

- text: 1 - edit distance of the normalized Markdown / length of the longer one; white space and emphasis do not count;
- blocks: 1 - edit distance of the sequence of blocks, in which a changed block costs its edit distance, at least 0.5 if
  its kind (heading, list item, table, code, paragraph) is wrong;
- teds: TEDS of every marked table, 0 if it is not found; `teds_with_false` counts tables where there is none as 0;
- heading_f1: of the texts of headings; heading_level: share of these that have the right level;
- lists: 1 - edit distance of the sequence of items with their levels, on pages with a list;
- ms: processor time per page for reading, drawing and encoding (ours), or for Markdown alone (peer).

`--peer` names a Python with pymupdf4llm, which is then measured, too. The last line is JSON.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pdf_structure_documents import MarkedPage, marked_pages
from benchmarks.pdf_structure_score import score, summary
from sources.pdfs.source import Pdfs

_PEER = """
import json, sys, time, pymupdf4llm
for path, page in json.load(sys.stdin):
    begin = time.process_time()
    text = pymupdf4llm.to_markdown(path, pages=[page - 1], show_progress=False)
    print(json.dumps([text, time.process_time() - begin]))
"""

Texts = tuple[list[str], float]  # Markdown of every page, and seconds of processor time per page


def ours(pages: Sequence[MarkedPage], text: str) -> Texts:
    """Return the text that our source gives."""
    source = Pdfs(text=text)
    texts = []
    begin = time.process_time()
    for page in pages:
        with source.open(page.path, "0" * 64) as items:
            texts.append(items[page.page - 1].plain_text())
    return texts, (time.process_time() - begin) / len(pages)


def peer(pages: Sequence[MarkedPage], python: str) -> Texts:
    """Return the Markdown of pymupdf4llm, run by another Python."""
    request = json.dumps([(str(page.path), page.page) for page in pages])
    done = subprocess.run([python, "-c", _PEER], input=request, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
    return [text for text, _ in answers], sum(seconds for _, seconds in answers) / len(answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path, required=True, help="folder with the packages' files")
    parser.add_argument("--peer", help="a Python with pymupdf4llm")
    parser.add_argument("--details", action="store_true", help="print every page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        pages = list(marked_pages(options.documents, Path(temporary)))
        tools = {text: ours(pages, text) for text in ("plain", "markdown")}
        if options.peer:
            tools["pymupdf4llm"] = peer(pages, options.peer)
    result = {}
    for name, (texts, seconds) in tools.items():
        scores = [score(text, page.markdown) for text, page in zip(texts, pages, strict=True)]
        result[name] = {**summary(scores), "ms": 1000 * seconds}
        for page, one in zip(pages, scores, strict=True) if options.details else ():
            tables = " ".join(f"{value:.2f}" for value in one["tables"])
            print(f"{name:12} {page.name:24} text {one['text']:.3f} blocks {one['blocks']:.3f} tables {tables}")
    columns = list(next(iter(result.values())))
    print(f"{len(pages)} pages\n{'':12}" + "".join(f"{column:>17}" for column in columns))
    for name, figures in result.items():
        print(f"{name:12}" + "".join(f"{figures[column]:17.3f}" for column in columns))
    print(json.dumps({"pages": len(pages), **result}))


if __name__ == "__main__":
    main()
