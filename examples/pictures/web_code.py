"""The picture of docs/sources/synthetic_pages.md: synthesized pages, and pages of the example site.

Next to each page of the example site is the rendering of its reduced code.
"""

import asyncio
import functools
import io
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.async_api import Route

from examples.pictures.sheet import Sheet
from sources.browser.browser import Browser, BrowserSettings
from sources.browser.viewports import VIEWS
from sources.synthetic_pages import SyntheticPages
from sources.synthetic_pages.kinds import KINDS
from sources.web import source as web
from sources.web.code.page_code import PageCoder

SITE = Path(web.__file__).parent / "examples"
CRAWLED = ("index.html", "opening-hours.html", "gallery.html")
COLUMNS, SIDE_PX = 6, 300
VIEW = VIEWS["square"]


def synthesized(number: int) -> tuple[Image.Image, str]:
    """A page of a kind, in English and Chinese by turns."""
    kind, language = list(KINDS)[number % len(KINDS)], ("en", "zh")[number % 2]
    source = SyntheticPages(kinds=(kind,), languages=(language,), views=("square",), seed=4)
    sample = source.make(number, source.digest)
    return Image.open(io.BytesIO(sample.images[0].data)), f"{kind}, {language}"


async def _serve(route: Route) -> None:
    """Answer from the folder of the example site; no network is needed."""
    path = SITE / urlsplit(route.request.url).path.lstrip("/")
    await (route.fulfill(path=path) if path.is_file() else route.abort())


async def _visit(name: str) -> tuple[bytes, bytes]:
    async with (
        Browser(BrowserSettings()) as browser,
        PageCoder(browser) as coder,
        browser.page(VIEW) as page,
        browser.page(VIEW, offline=True, javascript=False) as back,
    ):
        await page.route("**/*", _serve)
        await page.goto(f"http://site.example/{name}")
        screenshot = await page.screenshot()
        code = await coder.code(await page.context.new_cdp_session(page), [screenshot], VIEW)
        await back.set_content(code.html)
        return screenshot, await back.screenshot()


@functools.cache
def _visited(name: str) -> tuple[bytes, bytes]:
    """Screenshot of a page of the example site, and of what its code renders to."""
    return asyncio.run(_visit(name))


def crawled(name: str, which: int) -> tuple[Image.Image, str]:
    """The page as it is (0), or rendered from its code (1)."""
    return Image.open(io.BytesIO(_visited(name)[which])), name


SHEET = Sheet(
    file="web_code.webp",
    drawings=[
        *(partial(synthesized, number) for number in range(3 * COLUMNS)),
        *(partial(crawled, name, which) for name in CRAWLED for which in (0, 1)),
    ],
    columns=COLUMNS,
    cell_px=(SIDE_PX, SIDE_PX),
    gap_px=8,
    background="#888888",
)
