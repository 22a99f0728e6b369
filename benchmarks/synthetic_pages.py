"""Measure pages per second of `synthetic_pages`, against a bare loop that renders the same pages and takes screenshots.

python benchmarks/synthetic_pages.py [--pages 200]

The source makes the page, checks its fit and legibility, reads its words and elements, writes questions, encodes the
image and computes its hashes. The bare loop (`set_content` and `screenshot` of Playwright's synchronous interface, one
page in one context) gets finished pages. Both run alternately in one process; the start of the browsers is excluded.
"""

import argparse
import json
import time

from playwright.sync_api import sync_playwright

from sources.base.sample import Sample
from sources.browser.browser import ARGUMENTS
from sources.browser.chromium import find_chromium
from sources.browser.viewports import VIEWS
from sources.rng import generator
from sources.synthetic_pages import SyntheticPages
from sources.synthetic_pages.page import make_page
from sources.synthetic_pages.page_renderer import get_renderer
from sources.synthetic_pages.source import DENSITIES
from sources.synthetic_pages.vocabulary import BUNDLED

VIEW = "square"
TURN = 20  # pages


def our_seconds(source: SyntheticPages, numbers: range) -> float:
    """Return the seconds for these samples, errors included."""
    since = time.perf_counter()
    outcomes = [source.make(number, source.digest) for number in numbers]
    seconds = time.perf_counter() - since
    assert all(isinstance(sample, Sample) for sample in outcomes), [s for s in outcomes if not isinstance(s, Sample)]
    return seconds


def make_pages(source: SyntheticPages, numbers: range) -> list[str]:
    """Return about the same pages as HTML: the first attempt at each sample, whether it fits or not."""
    found = []
    for number in numbers:
        random = generator(source.seed, number, "specification")
        kind, language = random.choice(source.kinds_in_use), random.choice(source.languages)
        page = make_page(kind, language, BUNDLED, generator(source.seed, number, "page 0"), DENSITIES[0])
        found.append(page.html)
    return found


def bare_seconds(pages: list[str]) -> list[float]:
    """Return the seconds of each round of the bare loop, after a warm-up."""
    view, seconds = VIEWS[VIEW], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=list(ARGUMENTS), chromium_sandbox=False
        )
        page = browser.new_context(viewport={"width": view.width, "height": view.height}).new_page()
        for k in range(-TURN, len(pages), TURN):
            since = time.perf_counter()
            for html in pages[max(0, k) : max(0, k) + TURN]:
                page.set_content(html)
                page.screenshot()
            if k >= 0:
                seconds.append(time.perf_counter() - since)
        browser.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=200)
    num_pages = parser.parse_args().pages // (2 * TURN) * 2 * TURN
    source = SyntheticPages(num_samples=num_pages, views=(VIEW,), seed=11)
    half = num_pages // 2
    our_seconds(source, range(TURN))  # warm-up
    ours = our_seconds(source, range(half))
    bare_s = sum(bare_seconds(make_pages(source, range(num_pages))))
    our_seconds(source, range(TURN))
    ours += our_seconds(source, range(half, num_pages))
    get_renderer(VIEW, None).close()
    print(f"ours {num_pages / ours:.1f} pages/s, bare {num_pages / bare_s:.1f} pages/s, ratio {bare_s / ours:.2f}")
    print(
        json.dumps({"ours": num_pages / ours, "bare": num_pages / bare_s, "ratio": bare_s / ours, "pages": num_pages})
    )


if __name__ == "__main__":
    main()
