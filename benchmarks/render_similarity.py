"""The `render_similarity` of synthesized pages after planted changes, and of the code made from them.

python -m benchmarks.render_similarity --pages 20

Each page is compared with itself after one change that a person would call small, medium or large; `reduced` is the
page's code after reduction, `another page` is another page of the same kind. Pages that a change does not affect (one
without a header) are not counted for it.
"""

import argparse
import asyncio
import json
from collections import defaultdict
from collections.abc import Callable

import numpy as np

from sources.browser.browser import Browser, BrowserSettings
from sources.browser.viewports import VIEWS
from sources.rng import generator
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.page import Page, make_page
from sources.synthetic_pages.vocabulary import BUNDLED
from sources.web.code.page_code import PageCoder
from sources.web.code.render import CodeRenderer
from sources.web.code.similarity import Look, compare


def styled(css: str) -> Callable[[Page], str]:
    """Return a change that adds rules to the page's style sheet."""
    return lambda page: page.html.replace("</style>", f"{css}\n</style>")


CHANGES: dict[str, Callable[[Page], str]] = {
    "none": lambda page: page.html,
    "shifted by 2 px": styled("body { padding-top: 2px }"),
    "corners and shadows": styled("* { border-radius: 0 !important; box-shadow: none !important }"),
    "accent of another colour": lambda page: page.html.replace(page.theme.accent, "#b8860b"),
    "text 8 % larger": styled(".card, p, li, td { font-size: 1.08em }"),
    "main part 40 px lower": styled("main { margin-top: 40px }"),
    "header missing": styled("header { visibility: hidden }"),
    "first heading missing": styled("h1 { visibility: hidden }"),
    "one card missing": styled(".card:first-of-type { visibility: hidden }"),
    "paragraphs missing": styled("p, dd, td, .meta, .card div, label { visibility: hidden }"),
    "light and dark exchanged": styled("html { filter: invert(1) hue-rotate(180deg) }"),
    "columns below each other": styled(
        "section, main, .columns { display: block !important } div, article { display: block !important }"
    ),
    "main part missing": styled("main { visibility: hidden }"),
    "blank": lambda _: "<!DOCTYPE html><title>blank</title>",
}


async def measure(num_pages: int) -> dict[str, list[float]]:
    """Return the similarities by change."""
    view = VIEWS["square"]
    found: dict[str, list[float]] = defaultdict(list)
    async with Browser(BrowserSettings()) as browser, PageCoder(browser) as coder, CodeRenderer(browser) as renderer:
        before = {}
        for number in range(num_pages):
            kind = list(KINDS)[number % len(KINDS)]
            language = ("en", "zh")[number // len(KINDS) % 2]
            page = make_page(kind, language, BUNDLED, generator(5, number, "benchmark"), 0.8)
            other = make_page(kind, language, BUNDLED, generator(6, number, "benchmark"), 0.8)
            before[number] = await renderer.render(page.html, view)
            for name, change in CHANGES.items():
                after = await renderer.render(change(page), view) if name != "blank" else None
                if after is None:
                    after = Look(np.full_like(before[number].pixels, 255), (), np.zeros((0, 4)), np.zeros((0, 4)))
                # Not every page has the part that a change removes.
                if name == "none" or not np.array_equal(after.pixels, before[number].pixels):
                    found[name].append(compare(before[number], after).score)
            found["another page"].append(compare(before[number], await renderer.render(other.html, view)).score)
            async with browser.page(view, offline=True) as shown:
                await shown.set_content(page.html)
                session = await shown.context.new_cdp_session(shown)
                found["reduced"].append((await coder.code(session, [await shown.screenshot()], view)).similarity.score)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=24)
    found = asyncio.run(measure(parser.parse_args().pages))
    ranked = sorted(found.items(), key=lambda item: -np.median(item[1]))
    print(f"{'change':28} {'median':>7} {'lowest':>7} {'highest':>7} {'pages':>6}")
    for name, scores in ranked:
        print(f"{name:28} {np.median(scores):7.2f} {min(scores):7.2f} {max(scores):7.2f} {len(scores):6}")
    print(json.dumps({name: round(float(np.median(scores)), 3) for name, scores in ranked}))


if __name__ == "__main__":
    main()
