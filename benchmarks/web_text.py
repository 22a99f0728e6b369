"""The share of a page's text that our crawl reads, and how well its word boxes cover the letters.

    python -m benchmarks.web_text --pages 120 --seed 1

Manuals (apt-get install python3.11-doc postgresql-doc-15 debian-reference-zh-cn) are served on loopback, pages drawn by
seed. Each is crawled whole (up to 16 windows), and shown by a bare Playwright page as high as the capture. Measured are

- the similarity to `innerText` and the text of controls: 2 × characters in common and in order / all characters,
  without white space;
- the share of the letters' ink that is inside a word's box; ink are the pixels that change when text is transparent;
- the share of words whose box contains ink.

Text that is cut off (long lines in a box that scrolls) is in `innerText`, but not in ours. For pages higher than 16
windows, `innerText` is cut to the length of our text. The last line is JSON.
"""

import argparse
import asyncio
import io
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.async_api import Page, ViewportSize, async_playwright
from rapidfuzz.distance import Indel

from benchmarks.web import HOST, served, settings_for
from sources.browser.browser import ARGUMENTS
from sources.browser.chromium import find_chromium, sandbox_refusal
from sources.browser.viewports import VIEWS
from sources.images.encoding import luma
from sources.web.capture import Capture, PageContent
from sources.web.crawls import crawl_site
from sources.web.plan import Seeds
from sources.web.samples import WORD_CONTRAST
from sources.web.segments import index, read_captures

MANUALS = {
    "python": ("/usr/share/doc/python3.11/html", "*.html"),
    "postgresql": ("/usr/share/doc/postgresql-doc-15/html", "*.html"),
    "debian-zh": ("/usr/share/debian-reference", "*.zh-cn.html"),
}
VIEW = "desktop"  # wide enough for most lines of code; text that is cut off is not in the picture
MAX_TILES = 16
MARGIN_PX = 1  # around boxes: letters extend beyond them, and their edges are smoothed
INK = 24  # grey levels by which a pixel changes with its text
NO_TEXT = """*, *::before, *::after { color: transparent !important; -webkit-text-fill-color: transparent !important;
text-decoration-color: transparent !important; text-shadow: none !important }
*::marker { color: black !important }"""
TEXT_OF_CONTROLS = """for (const control of document.querySelectorAll("input:not([type=hidden])")) {
  if (control.checkVisibility()) control.replaceWith(control.value || control.placeholder);
}"""  # `innerText` leaves it out
KEEP_LINES = """for (const element of document.querySelectorAll("*")) { // borders often have the colour of the text
  const style = getComputedStyle(element);
  for (const name of ["borderTopColor", "borderRightColor", "borderBottomColor", "borderLeftColor", "outlineColor"]) {
    element.style.setProperty(name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase()), style[name], "important");
  }
}"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The measurements of one page.

    Args:
        similarity: similarity of our text and `innerText`, 0 to 1.
        words_with_ink: share of words whose box contains ink.
        covered_ink: share of the letters' ink that is inside a box.
        is_cut: True if the page is longer than the screenshot.
    """

    path: str
    similarity: float
    words_with_ink: float
    covered_ink: float
    is_cut: bool


def paths_by_manual(root: Path, number: int, seed: int) -> dict[str, list[str]]:
    """Return pages of each manual as paths below `root`, which links to them."""
    found = {}
    for name, (folder, pattern) in MANUALS.items():
        if not Path(folder).is_dir():
            packages = "python3.11-doc postgresql-doc-15 debian-reference-zh-cn"
            raise SystemExit(f"{folder} is missing: apt-get install {packages}")
        (root / name).symlink_to(folder)
        pages = sorted(path.relative_to(folder) for path in Path(folder).rglob(pattern) if not path.is_symlink())
        chosen = random.Random(seed).sample(pages, min(len(pages), -(-number // len(MANUALS))))
        found[name] = [f"/{name}/{page}" for page in sorted(chosen)]
    return found


def crawl(port: int, paths: Sequence[str], folder: Path) -> list[Capture]:
    """Capture whole pages. Raises SystemExit if one fails."""
    settings = settings_for(port, at_once=2)
    settings = replace(settings, views=(VIEW,), visit=replace(settings.visit, max_tiles=MAX_TILES))
    seeds = Seeds(site=HOST, pages=tuple(f"http://{HOST}{path}" for path in paths), sitemaps=(), budget=len(paths))
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)

    def save(path: Path) -> None:
        path.rename(folder / path.name)

    asyncio.run(crawl_site(seeds, settings, folder, scratch, save))
    captures = list(read_captures(list(index(folder).values())))
    for capture in captures:
        if capture.content is None:
            raise SystemExit(f"{capture.url} failed: {capture.cause}: {capture.message}")
    return captures


async def compare(port: int, captures: Sequence[Capture]) -> list[Figures]:
    """Compare each capture with the same page in a bare browser."""
    found = []
    async with async_playwright() as playwright:
        program = find_chromium()
        browser = await playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS), chromium_sandbox=sandbox_refusal(program) is None
        )
        for capture in captures:
            assert capture.content is not None
            path = capture.url.partition(HOST)[2]
            size: ViewportSize = {"width": VIEWS[VIEW].width, "height": capture.content.screenshot.tops[-1]}
            page = await browser.new_page(viewport=size, reduced_motion="reduce")
            await page.goto(f"http://127.0.0.1:{port}{path}", wait_until="networkidle")
            found.append(await _figures(page, path, capture.content))
            await page.close()
        await browser.close()
    return found


async def _figures(page: Page, path: str, seen: PageContent) -> Figures:
    is_cut = seen.screenshot.tops[-1] == MAX_TILES * VIEWS[VIEW].height
    ours = "".join("".join(seen.texts).split())
    await page.add_style_tag(content="*::marker { color: black !important }")  # bullets are not text of the document
    shown = await _grey(page)
    await page.evaluate(KEEP_LINES)
    await page.add_style_tag(content=NO_TEXT)
    letters = np.abs(shown - await _grey(page)) >= INK
    in_boxes = np.zeros_like(letters)
    num_inked = 0
    for x0, y0, x1, y1 in seen.boxes:
        rows, columns = slice(int(y0), int(np.ceil(y1))), slice(int(x0), int(np.ceil(x1)))
        num_inked += int(np.ptp(shown[rows, columns]) >= WORD_CONTRAST)
        around = (slice(max(0, side.start - MARGIN_PX), side.stop + MARGIN_PX) for side in (rows, columns))
        in_boxes[tuple(around)] = True
    await page.evaluate(TEXT_OF_CONTROLS)
    expected = "".join(str(await page.evaluate("document.body.innerText")).split())
    return Figures(
        path=path,
        similarity=Indel.normalized_similarity(ours, expected[: len(ours)] if is_cut else expected),
        words_with_ink=num_inked / max(1, len(seen.texts)),
        covered_ink=float((letters & in_boxes).sum() / max(1, letters.sum())),
        is_cut=is_cut,
    )


async def _grey(page: Page) -> np.ndarray:
    picture = Image.open(io.BytesIO(await page.screenshot(animations="disabled"))).convert("RGB")
    return luma(picture).astype(np.int16)


def summary(figures: Sequence[Figures]) -> dict[str, Any]:
    """Return the medians and the worst values of a manual's pages."""
    names = ("similarity", "words_with_ink", "covered_ink")
    by_name = {name: np.array([getattr(each, name) for each in figures]) for name in names}
    return {
        "pages": len(figures),
        "cut": sum(each.is_cut for each in figures),
        **{f"{name}_median": round(float(np.median(values)), 4) for name, values in by_name.items()},
        **{f"{name}_lowest": round(float(values.min()), 4) for name, values in by_name.items()},
        "share_from_0.98": round(float((by_name["similarity"] >= 0.98).mean()), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=120, help="number of pages, all manuals together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worst", type=int, default=3, help="number of worst pages to list for each manual")
    args = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory() as name, served(Path(name) / "site") as port:
        root = Path(name) / "site"
        root.mkdir()
        for manual, paths in paths_by_manual(root, args.pages, args.seed).items():
            figures = asyncio.run(compare(port, crawl(port, paths, Path(name) / f"captures-{manual}")))
            result[manual] = summary(figures)
            print(f"{manual}: {result[manual]}", flush=True)
            for key in ("similarity", "words_with_ink", "covered_ink"):
                for each in sorted(figures, key=lambda page: getattr(page, key))[: args.worst]:
                    print(f"  {key} {getattr(each, key):.4f} {each.path}{' (cut)' if each.is_cut else ''}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
