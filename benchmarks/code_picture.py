"""How well the code of a page fits its two possible pictures: the screenshot, and what the code draws.

    python -m benchmarks.code_picture --pages 24 --folder /usr/share/doc

Pages of folders, the bundled site and synthesized pages are served on loopback and captured with code and its render.
For each kind of page it prints, over the pages that gave code: the share of the screenshot's area that its code draws
in another colour, all of it and inside pictures alone; the share of the code's words that the screenshot shows at their
place; and the share of the screenshot's words that the code has there. For the render all of these are 0, 0, 1 and 1:
it is what the code draws. The last line is JSON.
"""

import argparse
import asyncio
import dataclasses
import json
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.web import HOST, served, settings_for
from sources.rng import generator
from sources.synthetic_pages.kinds import KINDS
from sources.synthetic_pages.page import make_page
from sources.synthetic_pages.vocabulary import BUNDLED
from sources.web.bundled import FOLDER
from sources.web.capture import PageContent
from sources.web.code.tokens import estimate_tokens
from sources.web.crawls import crawl_site
from sources.web.plan import Seeds
from sources.web.segments import index, read_captures

SEEN_DIFFERENCE = 24  # in a channel of a pixel, as `similarity.WORD_CONTRAST`
MIN_SIMILARITY, MAX_TOKENS = 0.85, 4000  # defaults of the filter `render_similarity`


@dataclasses.dataclass(frozen=True, slots=True)
class Fit:
    """How code fits the screenshot of its page: shares from 0 to 1, similarity and tokens as the filter sees them."""

    other_area: float
    other_in_pictures: float
    words_of_code_seen: float
    words_seen_in_code: float
    similarity: float
    tokens: int

    @property
    def is_kept(self) -> bool:
        return self.similarity >= MIN_SIMILARITY and self.tokens <= MAX_TOKENS


def fit_of(content: PageContent) -> Fit | None:
    """Measure one page; None if it gave no code."""
    code = content.code
    if not code.html or not code.images:
        return None
    seen, drawn = (
        np.concatenate([np.asarray(Image.open(BytesIO(tile)).convert("RGB"), np.int16) for tile in tiles])
        for tiles in (content.screenshot.images, code.images)
    )
    other = np.abs(seen - drawn).max(axis=2) >= SEEN_DIFFERENCE
    is_picture = np.zeros(other.shape, bool)
    for element in content.elements:
        if element.role == "image":
            x0, y0, x1, y1 = (max(0, round(edge)) for edge in element.box)
            is_picture[y0:y1, x0:x1] = True
    return Fit(
        other_area=float(other.mean()),
        other_in_pictures=float(other[is_picture].sum() / max(1, other.sum())),
        words_of_code_seen=_share_found(code.texts, code.boxes, content.texts, content.boxes),
        words_seen_in_code=_share_found(content.texts, content.boxes, code.texts, code.boxes),
        similarity=code.similarity,
        tokens=estimate_tokens(code.html),
    )


def _share_found(words: Sequence[str], boxes: np.ndarray, others: Sequence[str], there: np.ndarray) -> float:
    """Return the share of words in whose middle the other picture has the same word, or one that it is a part of.

    Words are divided in two ways: the page's at spaces, the code's also between letters of scripts without spaces.
    """
    found = 0
    for word, (x0, y0, x1, y1) in zip(words, boxes.tolist(), strict=True):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        under = (there[:, 0] <= x) & (x <= there[:, 2]) & (there[:, 1] <= y) & (y <= there[:, 3])
        found += any(word in others[k] or others[k] in word for k in np.flatnonzero(under))
    return found / len(words) if words else 1.0


def captured(root: Path, paths: Sequence[str], port: int, folder: Path) -> list[PageContent]:
    """Capture pages with code and its render; those that fail are left out."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    urls = tuple(f"http://{HOST}/{path}" for path in paths)
    seeds = Seeds(site=HOST, pages=urls, sitemaps=(), budget=len(urls))
    settings = dataclasses.replace(settings_for(port, 2, code=True), keeps_render=True)
    asyncio.run(crawl_site(seeds, settings, folder, scratch, lambda path: _move(path, folder)))
    return [found.content for found in read_captures(list(index(folder).values())) if found.content is not None]


def _move(path: Path, folder: Path) -> None:
    path.rename(folder / path.name)


def pages_below(root: Path, name: str, folder: Path, number: int) -> list[str]:
    """Link a folder below the root of the server; return paths of pages that are spread over it."""
    (root / name).symlink_to(folder)
    found = sorted(path.relative_to(folder) for path in folder.rglob("*.html") if not path.is_symlink())
    return [f"{name}/{path}" for path in found[:: max(1, len(found) // number)][:number]]


def synthesized(root: Path, number: int) -> list[str]:
    """Write synthesized pages below the root of the server; return their paths."""
    (root / "made").mkdir()
    kinds, paths = sorted(KINDS), []
    for k in range(number):
        page = make_page(kinds[k % len(kinds)], ("en", "zh")[k % 2], BUNDLED, generator(11, k, "code_picture"), 0.7)
        paths.append(f"made/{k}.html")
        (root / paths[-1]).write_text(page.html, encoding="utf-8")
    return paths


def summary(fits: Sequence[Fit]) -> dict[str, float]:
    """Return means over pages whose code is kept, and how many they are of those with code."""
    kept = [fit for fit in fits if fit.is_kept]
    names = ("other_area", "other_in_pictures", "words_of_code_seen", "words_seen_in_code")
    means = {name: round(float(np.mean([getattr(fit, name) for fit in kept])), 4) if kept else 0.0 for name in names}
    return {"with_code": len(fits), "kept": len(kept), **means}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=24, help="of each folder, and synthesized ones")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="a folder with HTML")
    args = parser.parse_args()
    fits: dict[str, list[Fit]] = {}
    with tempfile.TemporaryDirectory() as name, served(Path(name) / "site") as port:
        root = Path(name) / "site"
        root.mkdir()
        paths = {"bundled": pages_below(root, "bundled", FOLDER, 12), "synthesized": synthesized(root, args.pages)}
        paths |= {str(f): pages_below(root, f"folder-{k}", f, args.pages) for k, f in enumerate(args.folder)}
        for k, (kind, of_kind) in enumerate(paths.items()):
            contents = captured(root, of_kind, port, Path(name) / f"captures-{k}")
            fits[kind] = [fit for fit in map(fit_of, contents) if fit is not None]
            print(kind, json.dumps(summary(fits[kind])), flush=True)
    print(json.dumps({"all": summary([fit for found in fits.values() for fit in found])}))


if __name__ == "__main__":
    main()
