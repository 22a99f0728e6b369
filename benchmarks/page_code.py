"""The cost of web code in a crawl, and how well the code of real pages renders back.

    python -m benchmarks.page_code --pages 40

Manuals (apt-get install python3.11-doc postgresql-doc-15) are served on loopback and crawled without and with `code`,
in turn. The last line is JSON: pages per second of both, their ratio, quantiles of similarity and tokens, the share of
pages that render back, the share that the filter `render_similarity` keeps by default, and rejections by cause.
"""

import argparse
import asyncio
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.web import HOST, manuals, settings_for
from filters.render_similarity import RenderSimilarity
from sources.web.capture import Code
from sources.web.crawls import crawl_site
from sources.web.plan import Seeds
from sources.web.segments import index, read_captures


def crawl(port: int, paths: Sequence[str], at_once: int, folder: Path, *, code: bool) -> tuple[float, list[Code]]:
    """Crawl; return the seconds, including the browser's start, and the code of the pages."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    seeds = Seeds(site=HOST, pages=tuple(f"http://{HOST}{path}" for path in paths), sitemaps=(), budget=len(paths))
    settings = dataclasses.replace(settings_for(port, at_once), code=code)

    def save(path: Path) -> None:
        path.rename(folder / path.name)

    since = time.perf_counter()
    asyncio.run(crawl_site(seeds, settings, folder, scratch, save))
    seconds = time.perf_counter() - since
    captures = list(read_captures(list(index(folder).values())))
    failed = [capture for capture in captures if capture.content is None]
    if failed:
        raise SystemExit(f"{len(failed)} pages failed, the first: {failed[0].url}: {failed[0].cause}")
    return seconds, [capture.content.code for capture in captures if capture.content is not None]


def measure(num_pages: int, at_once: int, rounds: int, unpacked: Path) -> dict[str, Any]:
    """Measure both crawls in turn and take the best of the rounds, with the code of the last round."""
    best = {False: float("inf"), True: float("inf")}
    codes: list[Code] = []
    with manuals(num_pages, unpacked) as (port, paths, folder):
        for k in range(rounds):
            for code in (False, True):
                seconds, codes = crawl(port, paths, at_once, folder / f"captures-{k}-{code}", code=code)
                best[code] = min(best[code], seconds)
                print(f"round {k + 1}, code {'on' if code else 'off'}: {len(paths) / seconds:.2f} pages/s", flush=True)
    rendered = [code for code in codes if code.html]
    bounds = RenderSimilarity()
    kept = [c for c in rendered if c.similarity >= bounds.min_similarity and c.num_tokens <= bounds.max_code_tokens]
    quantiles = (0, 0.25, 0.5, 0.75, 1)
    return {
        "pages": len(paths),
        "pages_per_s_without": round(len(paths) / best[False], 2),
        "pages_per_s_with": round(len(paths) / best[True], 2),
        "ratio": round(best[False] / best[True], 2),
        "similarity": np.quantile([code.similarity for code in rendered], quantiles).round(3).tolist(),
        "tokens": np.quantile([code.num_tokens for code in rendered], quantiles).astype(int).tolist(),
        "renders_back": round(sum(c.similarity >= bounds.min_similarity for c in rendered) / len(codes), 2),
        "kept": round(len(kept) / len(codes), 2),
        "refused": dict(Counter(code.refusal for code in codes if code.refusal)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--root", type=Path, default=Path("/"), help="folder into which the packages are unpacked")
    args = parser.parse_args()
    print(json.dumps(measure(args.pages, args.at_once, args.rounds, args.root)))


if __name__ == "__main__":
    main()
