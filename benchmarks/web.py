"""Web pages per second: our crawl and a bare Playwright loop that only navigates and takes screenshots; and memory.

    python -m benchmarks.web --pages 120              # both in turn, same pages, same browser
    python -m benchmarks.web sites --pages 24         # as many sites with a page each, beside one site with all pages
    python -m benchmarks.web memory --pages 3000      # one long crawl of the repeated manuals, memory over time

Needs real pages: apt-get install python3.11-doc postgresql-doc-15, or both packages unpacked (`dpkg -x`) in the folder
`--root`. They are served on loopback. For both, the clock starts in a browser that has already shown a page,
before the window for the counted pages is opened, and stops before the browser is closed; window size, pages and order
are the same. Processor time covers all processes.
The bare loop waits for the load event. Ours waits for load, fonts, pictures, a quiet network and, if a page has
scripts, 150 ms without a change; it follows robots.txt, uses the filtering proxy, clears its windows between pages,
reads words, elements and links, checks that they did not move, and writes segments. With many sites, both open a fresh
context for each: nothing passes between sites. The last line is JSON.
"""

import argparse
import asyncio
import dataclasses
import functools
import http.server
import itertools
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from playwright import async_api
from playwright.async_api import async_playwright

from sources.browser.browser import Browser, BrowserSettings
from sources.browser.chromium import find_chromium, sandbox_refusal
from sources.browser.processes import memory_mb
from sources.browser.viewports import VIEWS
from sources.web.address_policy import AddressPolicy
from sources.web.crawl import Crawl, CrawlSettings
from sources.web.crawls import browser_for, run_crawls
from sources.web.plan import Bounds, Seeds
from sources.web.segments import index
from sources.web.shared_browser import SharedBrowser
from sources.web.urls import Scope, host_of, site_of

FOLDERS = ("usr/share/doc/python3.11/html", "usr/share/doc/postgresql-doc-15/html")
HOST = "docs.vellum.example"
VIEW = "square"
REPORT_EVERY_PAGES = 100
MAX_SITES = 200
MAX_GROWTH = 1.15  # median memory of the last third relative to the middle third


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def served(root: Path) -> Iterator[int]:
    """Serve a folder on loopback and yield the port."""
    handler = functools.partial(_Handler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def manuals(number: int, unpacked: Path = Path("/")) -> Iterator[tuple[int, list[str], Path]]:
    """Serve pages of both manuals on loopback; yield the port, the paths of the pages, and an empty folder.

    Args:
        unpacked: the folder into which the packages were unpacked.
    """
    with tempfile.TemporaryDirectory() as name, served(Path(name) / "site") as port:
        root = Path(name) / "site"
        root.mkdir()
        yield port, _paths(root, number, unpacked), Path(name)


def _paths(root: Path, number: int, unpacked: Path) -> list[str]:
    """Return pages of both manuals, spread over each, as paths below `root`, which links to them.

    If more are wanted than exist, files are repeated under other URLs.
    """
    found: list[list[str]] = []
    for folder in (unpacked / name for name in FOLDERS):
        if not folder.is_dir():
            raise SystemExit(f"{folder} is missing: apt-get install python3.11-doc postgresql-doc-15")
        link = root / folder.parent.name
        link.symlink_to(folder)
        pages = sorted(path for path in folder.rglob("*.html") if not path.is_symlink())
        each = -(-number // len(FOLDERS))
        step = max(1, len(pages) // each)
        files = [f"/{link.name}/{page.relative_to(folder)}" for page in pages[::step]]
        found.append(
            [f"{files[k % len(files)]}{f'?again={k // len(files)}' if k >= len(files) else ''}" for k in range(each)]
        )
    return [path for paths in found for path in paths][:number]


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """Wall time and processor time, in seconds."""

    seconds: float
    processor_s: float

    @staticmethod
    def now() -> "Cost":
        """Return the time, and the processor time so far of this process and its descendants, ended ones included."""
        used = 0.0
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used += times.user + times.system + times.children_user + times.children_system
        return Cost(time.perf_counter(), used)

    def __sub__(self, earlier: "Cost") -> "Cost":
        return Cost(self.seconds - earlier.seconds, self.processor_s - earlier.processor_s)


def site_name(number: int) -> str:
    """Return the name of one of many sites, each of which is a registrable domain."""
    return f"site-{number}.example"


async def bare(port: int, urls: Sequence[str]) -> Cost:
    """Measure the bare loop, which uses one page for each site, `goto` and `screenshot`."""
    view = VIEWS[VIEW]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(),
            chromium_sandbox=sandbox_refusal() is None,
            args=[f"--host-resolver-rules=MAP * 127.0.0.1:{port}"],
        )
        size: async_api.ViewportSize = {"width": view.width, "height": view.height}
        page = await browser.new_page(viewport=size)
        await page.goto(urls[0])  # warm-up
        await page.screenshot()
        await page.close()
        since = Cost.now()
        for _, of_site in itertools.groupby(urls, host_of):
            page = await browser.new_page(viewport=size)
            for url in of_site:
                await page.goto(url)
                await page.screenshot()
            await page.close()
        cost = Cost.now() - since
        await browser.close()
    return cost


def settings_for(port: int, at_once: int, code: bool = False) -> CrawlSettings:
    return CrawlSettings(
        views=(VIEW,),
        bounds=Bounds(depth=0, max_pages_per_host=1_000_000, scope=Scope()),
        name="vellum",
        agent="Mozilla/5.0 (compatible; Vellum benchmark)",
        policy=AddressPolicy(routes=dict.fromkeys((HOST, *map(site_name, range(MAX_SITES))), ("127.0.0.1", port))),
        browser=BrowserSettings(),
        delay_s=0,
        per_host=at_once,
        at_once=at_once,
        code=code,
    )


async def crawl(
    port: int,
    urls: Sequence[str],
    at_once: int,
    folder: Path,
    on_progress: Callable[[int], None] = lambda _: None,
    *,
    code: bool = False,
) -> Cost:
    """Measure our crawls of sites in an open browser that has already shown a page; segments go to `folder`.

    Args:
        on_progress: called every few seconds with the number of pages visited since the last call.
        code: also reduce pages to HTML that renders back.
    """
    settings = settings_for(port, at_once, code)
    sites = [list(of_site) for _, of_site in itertools.groupby(urls, host_of)]
    async with Browser(dataclasses.replace(settings.browser, user_agent=settings.agent)) as browser:
        async with browser_for(settings, browser) as shared:
            await _share(urls[:1], settings, folder / "warm-up", shared).run()
        since = Cost.now()
        async with browser_for(settings, browser) as shared:
            await run_crawls(
                [_share(of_site, settings, folder / str(k), shared, on_progress) for k, of_site in enumerate(sites)]
            )
        cost = Cost.now() - since
    found = [each for k in range(len(sites)) for each in index(folder / str(k)).values()]
    failed = [each for each in found if each.cause]
    if failed or len(found) != len(urls):
        raise SystemExit(f"{len(found)} of {len(urls)} pages, {len(failed)} failed: {failed[:1]}")
    return cost


def _share(
    urls: Sequence[str],
    settings: CrawlSettings,
    folder: Path,
    shared: SharedBrowser,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Crawl:
    seeds = Seeds(site=site_of(urls[0]), pages=tuple(urls), sitemaps=(), budget=len(urls))
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)

    def save(path: Path) -> None:
        path.rename(folder / path.name)

    return Crawl(seeds, settings, folder, scratch, save, lambda done: on_progress(done.num_items), shared)


def sites(number: int, at_once: int, rounds: int, unpacked: Path, *, code: bool) -> dict[str, float]:
    """Measure the same pages on one site and on a site each, ours and the bare loop, by processor time."""
    with manuals(number, unpacked) as (port, paths, folder):
        kinds = {
            "one_site": [f"http://{HOST}{path}" for path in paths],
            "many_sites": [f"http://{site_name(k)}{path}" for k, path in enumerate(paths)],
        }
        used: dict[str, list[float]] = {}
        for k in range(rounds):
            for kind, urls in kinds.items():
                costs = {"bare": asyncio.run(bare(port, urls))}
                costs["ours"] = asyncio.run(crawl(port, urls, at_once, folder / f"{kind}-{k}", code=code))
                for who, cost in costs.items():
                    ms = 1000 * cost.processor_s / number
                    used.setdefault(f"{who}_{kind}", []).append(ms)
                    print(f"round {k + 1}, {who}, {kind}: {ms:.0f} ms, {number / cost.seconds:.2f} pages/s", flush=True)
    least = {f"{who}_cpu_ms": min(found) for who, found in used.items()}
    ratio = {who: least[f"{who}_many_sites_cpu_ms"] / least[f"{who}_one_site_cpu_ms"] for who in ("ours", "bare")}
    return {**least, "ratio": ratio["ours"], "bare_ratio": ratio["bare"], "pages": number}


def speed(number: int, at_once: int, rounds: int, unpacked: Path) -> dict[str, float]:
    """Measure pages per second of each in turn, best of the rounds. The ratio is without web code, which bare lacks."""
    with manuals(number, unpacked) as (port, paths, folder):
        costs: dict[str, list[Cost]] = {"bare": [], "ours": [], "ours_with_code": []}
        for k in range(rounds):
            folders = {who: folder / f"{who}-{k}" for who in ("ours", "ours_with_code")}
            urls = [f"http://{HOST}{path}" for path in paths]
            costs["bare"].append(asyncio.run(bare(port, urls)))
            for who, captures in folders.items():
                costs[who].append(asyncio.run(crawl(port, urls, at_once, captures, code=who == "ours_with_code")))
            for who, (*_, cost) in costs.items():
                rate, used_ms = len(paths) / cost.seconds, 1000 * cost.processor_s / len(paths)
                print(f"round {k + 1}, {who}: {rate:.2f} pages/s, {used_ms:.0f} ms of processor time each", flush=True)
    rates = {who: len(paths) / min(cost.seconds for cost in found) for who, found in costs.items()}
    used = {f"{who}_cpu_ms": 1000 * min(c.processor_s for c in found) / len(paths) for who, found in costs.items()}
    ratios = {"ratio": rates["ours"] / rates["bare"], "ratio_with_code": rates["ours_with_code"] / rates["bare"]}
    return {**rates, **ratios, **used, "pages": len(paths), "at_once": at_once}


def memory(number: int, at_once: int, unpacked: Path) -> dict[str, float | bool]:
    """Measure the memory in MB of the crawling process, and of all its descendants, during one crawl."""
    samples: list[tuple[float, float]] = []
    num_visited = num_printed = 0
    since = time.perf_counter()

    def on_progress(more: int) -> None:
        nonlocal num_visited, num_printed
        num_visited += more
        me = os.getpid()
        whole, ours = memory_mb(me), psutil.Process(me).memory_info().rss / 1e6
        samples.append((ours, whole))
        if num_visited - num_printed >= REPORT_EVERY_PAGES:
            num_printed = num_visited - num_visited % REPORT_EVERY_PAGES
            seconds = time.perf_counter() - since
            print(
                f"{num_visited} pages, {seconds:.0f} s: crawler {ours:.0f} MB, with browser {whole:.0f} MB", flush=True
            )

    with manuals(number, unpacked) as (port, paths, folder):
        urls = [f"http://{HOST}{path}" for path in paths]
        seconds = asyncio.run(crawl(port, urls, at_once, folder / "captures", on_progress)).seconds
    third = max(1, len(samples) // 3)
    result: dict[str, float | bool] = {"pages": len(paths), "pages_per_s": len(paths) / seconds}
    for k, part in enumerate(("crawler", "all")):
        middle, last = (
            statistics.median(sample[k] for sample in each)
            for each in (samples[third : 2 * third] or samples, samples[-third:])
        )
        result |= {f"{part}_mb_middle": middle, f"{part}_mb_last": last, f"{part}_growth": last / middle}
    result["is_flat"] = max(result["crawler_growth"], result["all_growth"]) <= MAX_GROWTH
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", nargs="?", choices=("speed", "sites", "memory"), default="speed")
    parser.add_argument("--pages", type=int, default=120)
    parser.add_argument("--at-once", type=int, default=max(2, 2 * (os.cpu_count() or 1)))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--root", type=Path, default=Path("/"), help="folder into which the packages are unpacked")
    parser.add_argument("--code", action="store_true", help="of many sites: also make code of pages")
    args = parser.parse_args()
    modes: dict[str, Callable[[], Mapping[str, float | bool]]] = {
        "speed": lambda: speed(args.pages, args.at_once, args.rounds, args.root),
        "sites": lambda: sites(min(args.pages, MAX_SITES), args.at_once, args.rounds, args.root, code=args.code),
        "memory": lambda: memory(args.pages, args.at_once, args.root),
    }
    result = modes[args.mode]()
    print(json.dumps({name: round(value, 3) if isinstance(value, float) else value for name, value in result.items()}))


if __name__ == "__main__":
    main()
