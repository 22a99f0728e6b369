"""Pages of a paper by the data pipeline of Nougat, run by a Python that has nougat-ocr and its extra `dataset`.

python benchmarks/nougat_pages.py PAPER.html PAPER.pdf

Prints a JSON list with the Markdown of each page, empty for pages that the pipeline gives up. The models of the package
are not imported.
"""

import importlib.util
import json
import re
import sys
import types
from pathlib import Path

RASTER_DPI = 96  # the pipeline's own default
MIN_SCORE = 0.9  # as in the pipeline's script
UNKNOWN_REFERENCE = re.compile(r"\[(?:\?\?(?:. )?)+\]")


def main() -> None:
    html_path, pdf_path = map(Path, sys.argv[1:])
    print(json.dumps(pages(html_path.read_text("utf-8"), pdf_path)))


def pages(source: str, pdf_path: Path) -> list[str]:
    """Return the Markdown of each page, and draw the pages that have one."""
    found = importlib.util.find_spec("nougat")
    assert found is not None, "nougat-ocr is not installed"
    package = types.ModuleType("nougat")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["nougat"] = package  # its own __init__ loads the model

    import htmlmin
    from bs4 import BeautifulSoup
    from nougat.dataset.parser.html2md import format_document, parse_latexml
    from nougat.dataset.rasterize import rasterize_paper
    from nougat.dataset.split_md_to_pages import split_markdown

    html = BeautifulSoup(htmlmin.minify(source.replace("\xa0", " "), remove_all_empty_space=True), "html.parser")
    document = parse_latexml(html)
    if document is None:
        return []
    text, figures = format_document(document, keep_refs=True)
    split = split_markdown(text, str(pdf_path), figure_info=None, doc_fig=figures, min_score=MIN_SCORE)
    if split is None:
        return []
    kept = [page if page and not UNKNOWN_REFERENCE.search(page) else "" for page in split[0]]
    rasterize_paper(pdf_path, None, dpi=RASTER_DPI, return_pil=True, pages=[k for k, page in enumerate(kept) if page])
    return kept


if __name__ == "__main__":
    main()
