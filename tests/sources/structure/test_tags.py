"""Tagged PDFs: the structure tree gives headings, lists and tables that geometry does not show."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sources.pdfs.structure.content import Tag
from sources.pdfs.structure.tags import Mark, mark_of
from tests.sources.structure.drawing import markdown

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Canal</title><style>
* { font: 12pt serif; margin: 0; padding: 2pt } ul { list-style: none }
</style></head><body><h2>Locks of the canal</h2><p>They were built of oak.</p><ul><li>Upper lock</li><li>Lower
lock<ul><li>with a bridge</li></ul></li></ul>
<table><tr><th>Lock</th><th>Gates</th></tr><tr><td>Upper lock</td><td>two</td></tr></table></body></html>"""


@pytest.mark.slow
def test_tags_tell_what_the_look_does_not(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "a test needs chromium"
    source, path = tmp_path / "page.html", tmp_path / "page.pdf"
    source.write_text(PAGE)
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run([*command, f"--print-to-pdf={path}", str(source)], check=True, capture_output=True, timeout=120)
    assert markdown(path) == (
        "## Locks of the canal\n\nThey were built of oak.\n\n- Upper lock\n- Lower lock\n  - with a bridge\n\n"
        "| Lock | Gates |\n|---|---|\n| Upper lock | two |"
    )


def test_the_innermost_part_counts() -> None:
    assert mark_of(Tag(("Document", "H3", "Span"), (1, 2, 3))) == Mark("heading", 2, -1, 3)
    assert mark_of(Tag(("Document", "L", "LI", "Lbl"), (1, 2, 3, 4))) == Mark("list_item", 3, 3, 0, True)
    assert mark_of(Tag(("Document", "L", "LI", "LBody", "P"), (1, 2, 3, 4, 5))) == Mark("list_item", 5, 3)
    assert mark_of(Tag(("Document", "Sect"), (1, 2))) is None
