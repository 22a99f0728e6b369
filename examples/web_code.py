"""Make docs/web_code.webp: synthetic pages, and pages of the example site next to renderings of their reduced code.

python examples/web_code.py
"""

import asyncio
import io
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.async_api import Route

from sources.browser.browser import Browser, BrowserSettings
from sources.browser.viewports import VIEWS
from sources.synthetic_pages import SyntheticPages
from sources.synthetic_pages.kinds import KINDS
from sources.web.code.page_code import PageCoder

ROOT = Path(__file__).resolve().parent.parent

SITE = ("index.html", "opening-hours.html", "gallery.html")
COLUMNS, SIDE, GAP = 6, 300, 8
VIEW = VIEWS["square"]


def make_pages(number: int) -> list[Image.Image]:
    """Return pages of different kinds, alternately in English and Chinese."""
    found = []
    for k in range(number):
        source = SyntheticPages(
            kinds=(list(KINDS)[k % len(KINDS)],), languages=(("en", "zh")[k % 2],), views=("square",), seed=4
        )
        sample = source.make(k, source.digest)
        found.append(Image.open(io.BytesIO(sample.images[0].data)).convert("RGB"))
    return found


async def _serve(route: Route) -> None:
    """Answer a request from the folder of the example site, without network."""
    path = ROOT / "sources/web/examples" / urlsplit(route.request.url).path.lstrip("/")
    await (route.fulfill(path=path) if path.is_file() else route.abort())


async def render_pairs() -> list[Image.Image]:
    """Return screenshots of the example site, each followed by a rendering of its code."""
    found = []
    async with Browser(BrowserSettings()) as browser, PageCoder(browser) as coder:
        for name in SITE:
            async with browser.page(VIEW) as page, browser.page(VIEW, offline=True, javascript=False) as back:
                await page.route("**/*", _serve)
                await page.goto(f"http://site.example/{name}")
                screenshot = await page.screenshot()
                code = await coder.code(await page.context.new_cdp_session(page), [screenshot], VIEW)
                await back.set_content(code.html)
                found += [Image.open(io.BytesIO(data)).convert("RGB") for data in (screenshot, await back.screenshot())]
            print(f"{name}: similarity {code.similarity.score:.3f}, {code.num_tokens} tokens")
    return found


def main() -> None:
    pictures = [*make_pages(3 * COLUMNS), *asyncio.run(render_pairs())]
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (SIDE + GAP) + GAP, rows * (SIDE + GAP) + GAP), "#888888")
    for k, picture in enumerate(pictures):
        place = (GAP + k % COLUMNS * (SIDE + GAP), GAP + k // COLUMNS * (SIDE + GAP))
        sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), place)
    sheet.save(ROOT / "docs/web_code.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
