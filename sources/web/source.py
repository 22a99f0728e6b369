"""The source `web`: one fetch task per site, and samples from captures."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, unquote

import PIL.Image
import zlib_ng

from sources.base.card import SourceCard
from sources.base.remote import BudgetUse, Fetched, FetchTask
from sources.base.sample import Sample
from sources.base.source import InputError, ItemError, Items
from sources.base.stores import NO_STORES, Stores
from sources.web.captured_site import captured_entries, copied_pages, digest_of, forget, navigation_of
from sources.web.card import CARD
from sources.web.conversation import ELEMENT, GROUNDING
from sources.web.crawl_settings import capture_key, client_of, crawl_settings, upstream_of
from sources.web.samples import SampleSettings, samples_of
from sources.web.settings import WebSettings
from sources.web.tasks import USE_CASES

if TYPE_CHECKING:
    from sources.web.navigation import Name
    from sources.web.plan import Seeds
    from sources.web.seeds import NamedSeeds
    from sources.web.segments import IndexEntry, SegmentReader

SAMPLE_VERSION = 5  # increase it when the same capture gives other samples
SAMPLE_SETTINGS = (
    "tasks_per_page", "num_questions", "code_picture", "min_similarity", "max_code_tokens", "format", "quality", "grey",
)  # fmt: skip
URI = "web:"
CAPTURE_BYTES = 100_000  # of one of the 12 bundled pages, lossless; pages with photographs are larger
NOWHERE = "(seeds)"  # instead of a site, for seeds that are not visited


@dataclass(frozen=True, kw_only=True)
class Web(WebSettings):
    """Web pages, visited by a real browser."""

    name: ClassVar[str] = "web"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = ()
    item_noun: ClassVar[str] = "page"
    use_cases: ClassVar[tuple[str, ...]] = tuple(USE_CASES.values())

    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "source": self.name,
            "code": SAMPLE_VERSION,
            "pillow": PIL.__version__,
            "zlib-ng": zlib_ng.__version__,
            "tasks": dict(self.tasks),
            **{name: getattr(self, name) for name in SAMPLE_SETTINGS},
        }

    def locator(self, item: int) -> str:
        return f"page={item + 1}"

    def repeats_pictures(self) -> bool:
        return self.tasks_per_page > 1

    def keeps_html(self) -> bool:
        return self.keep_html

    def check(self) -> None:
        from sources.browser.chromium import find_chromium

        find_chromium(self.browser)
        client_of(self)
        upstream_of(self)

    def warnings(self, stores: Stores = NO_STORES) -> list[str]:
        from sources.browser.chromium import find_chromium, sandbox_refusal

        refusal = sandbox_refusal(find_chromium(self.browser))
        found = [] if refusal is None else [f"web pages are opened without Chromium's sandbox: {refusal}"]
        if self.input and not self.contact and self._asks_hosts(stores):
            found.append("hosts are not told whom to write to; name an address with --set contact=…")
        if self.max_pages_per_host < self.max_pages:
            found.append(
                f"max_pages allows {self.max_pages:,} pages, but of each host at most {self.max_pages_per_host:,} are "
                f"visited; --set max_pages_per_host={self.max_pages} allows more"
            )
        return found

    def _asks_hosts(self, stores: Stores) -> bool:
        """Return True unless all that is named are archives; what cannot be read is reported elsewhere."""
        try:
            named = self._named(stores)
        except ValueError:
            return False
        return bool(named.pages or named.sitemaps)

    def fetch_tasks(self, stores: Stores = NO_STORES) -> Iterator[FetchTask]:
        """Yield one task per site, so that one process visits all its hosts and keeps the delays between visits."""
        yield from map(self._task, self._sites(self._named(stores)))

    def plan(self, workers: int, stores: Stores = NO_STORES) -> list[str]:
        from sources.web.estimate import ARCHIVES, SITES, estimate, spoken

        named = self._named(stores)
        sites = list(self._sites(named))
        never = [(cause, place) for seeds in sites for place, cause, _ in seeds.refused]
        delay_s = self.delay_s if self.input else 0.0
        parts = [
            ([seeds for seeds in sites if seeds.site != NOWHERE and seeds.archive is None], delay_s, SITES),
            ([seeds for seeds in sites if seeds.archive is not None], 0.0, ARCHIVES),
        ]
        found = [
            spoken(
                estimate(
                    of_kind,
                    depth=self.depth,
                    delay_s=pause_s,
                    num_views=len(self.views),
                    code=self.code,
                    capture_bytes=CAPTURE_BYTES if self.lossless_captures else CAPTURE_BYTES / 3,
                    workers=workers,
                ),
                workers,
                kind,
            )
            for of_kind, pause_s, kind in parts
            if of_kind
        ]
        causes = (
            f"{sum(each == cause for each, _ in never):,} seeds are not visited ({cause}), the first: "
            f"{next(place for each, place in never if each == cause)}"
            for cause in dict.fromkeys(cause for cause, _ in never)
        )
        return [*named.notes, *found, *causes]

    def _named(self, stores: Stores) -> "NamedSeeds":
        """Return what the user named, or the bundled site."""
        from sources.web.bundled import SEED
        from sources.web.seeds import NamedSeeds, read_seeds

        return read_seeds(self.input, self.url_column, stores) if self.input else NamedSeeds([SEED], [])

    def _sites(self, named: "NamedSeeds") -> "Iterator[Seeds]":
        """Yield the seeds of every site with its limit of pages, then those that are never visited."""
        from sources.web.plan import Seeds, by_site, split_budget

        sites = by_site(named.pages, named.sitemaps)
        wants = [len(seeds) if self.depth == 0 and not listed else None for seeds, listed in sites.values()]
        budgets = split_budget(self.max_pages, [*wants, *(None for _ in named.archives)])
        of_archives = budgets[len(sites) :]
        never_visited = list(named.refused)
        for (site, (seeds, listed)), budget in zip(sites.items(), budgets, strict=False):
            if budget == 0:
                message = f"max_pages={self.max_pages} is spent on the sites before it"
                never_visited += [(url, "over_limit", message) for url in (*seeds, *listed)]
                continue
            yield Seeds(site=site, pages=tuple(seeds), sitemaps=tuple(listed), budget=budget)
        for archive, budget in zip(named.archives, of_archives, strict=True):
            if budget == 0:
                message = f"max_pages={self.max_pages} is spent on the archives before it"
                never_visited.append((archive.name, "over_limit", message))
                continue
            site = f"{archive.name}~{archive.digest}"
            yield Seeds(site=site, pages=(), sitemaps=(), budget=budget, archive=archive)
        if never_visited:
            yield Seeds(site=NOWHERE, pages=(), sitemaps=(), budget=0, refused=tuple(never_visited))

    def _task(self, seeds: "Seeds") -> FetchTask:
        content = seeds.to_json()
        name = hashlib.sha256(seeds.to_json(with_paths=False) + json.dumps(self.scope_key()).encode()).hexdigest()[:8]
        return FetchTask(uri=f"{URI}{quote(seeds.site, safe='.:')}#{name}", content=content)

    def path_of(self, uri: str) -> str:
        site, _, name = uri.removeprefix(URI).partition("#")
        return f"{capture_key(self)}/{quote(unquote(site), safe='')}/{name}.json"

    def objects_of(self, path: Path, *, retry_failed: bool) -> Sequence[str]:
        from sources.web.captured_items import is_captured
        from sources.web.plan import Seeds

        seeds = Seeds.from_json(path.read_bytes())
        if seeds.archive is None or not seeds.archive.is_in_store:
            return ()
        is_done = is_captured(seeds, self.bounds(), self.views, path.parent, retry_failed=retry_failed)
        return () if is_done else seeds.archive.paths

    def fetch(
        self,
        paths: Sequence[Path],
        scratch: Path,
        *,
        retry_failed: bool,
        objects: Mapping[str, Path],
        save: Callable[[int, Path], None],
        beat: Callable[[int, Fetched], None],
    ) -> Sequence[BudgetUse]:
        from sources.browser.browser import BrowserDiedError
        from sources.web.archive.crawl import ArchiveCrawl
        from sources.web.bundled import HOST, serve
        from sources.web.crawl import Crawl
        from sources.web.crawls import browser_for, run_crawls
        from sources.web.plan import Seeds

        tasks = [(k, Seeds.from_json(path.read_bytes()), path.parent) for k, path in enumerate(paths)]
        tasks = [task for task in tasks if task[1].site != NOWHERE]
        with contextlib.ExitStack() as stack:
            is_bundled = any(seeds.site == HOST for _, seeds, _ in tasks)
            routes = {HOST: stack.enter_context(serve())} if is_bundled else {}
            settings = crawl_settings(self, routes, self.delay_s)
            undelayed = crawl_settings(self, routes, 0.0)
            uses = [BudgetUse() for _ in paths]

            async def crawl() -> None:
                async with browser_for(settings) as shared:
                    crawls = []
                    for k, seeds, folder in tasks:
                        mine = undelayed if seeds.site == HOST else settings
                        args = (seeds, mine, folder, scratch, partial(save, k), partial(beat, k), shared)
                        if seeds.archive is None:
                            crawls.append(Crawl(*args))
                        else:
                            crawls.append(ArchiveCrawl(seeds.archive.with_copies(objects), *args))
                    found = await run_crawls(crawls, retry_failed=retry_failed)
                for (k, _, _), use in zip(tasks, found, strict=True):
                    uses[k] = use

            try:
                asyncio.run(crawl())
            except* BrowserDiedError as errors:
                raise InputError("no_browser", str(errors.exceptions[0])) from errors
        return uses

    def moved_budgets(self, uses: Mapping[str, BudgetUse]) -> Mapping[str, int]:
        from sources.web.plan import moved_budgets

        return moved_budgets(uses)

    def enlarged(self, content: bytes, more: int) -> bytes:
        from sources.web.plan import Seeds

        return replace(Seeds.from_json(content), more=more).to_json()

    def digest_of(self, path: Path) -> str:
        forget()
        return digest_of(captured_entries(self.bounds(), self.views, path))

    @contextlib.contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        from sources.web.segments import SegmentReader

        if digest is None:
            digest = self.digest_of(path)
        entries = captured_entries(self.bounds(), self.views, path)
        if not entries:
            raise InputError("no_pages", "the seeds led to no page in scope")
        if digest_of(entries) != digest:
            raise InputError("changed", "the captures changed while the run was going on; run again")
        reader = SegmentReader()
        elsewhere, copies = self._asked_elsewhere(path), copied_pages(self.bounds(), self.views, path)

        def samples(item: int) -> list[Sample]:
            entry = entries[item]
            asked = elsewhere.get(entry.url, frozenset())
            return self._samples(reader, entry, asked, is_copy=(entry.url, entry.view) in copies)

        yield Items(len(entries), lambda item: samples(item)[0], read_all=samples)

    def _asked_elsewhere(self, path: Path) -> "Mapping[str, frozenset[Name]]":
        """Return the elements that are asked about on another page of the site, by URL."""
        if not any(self.tasks.get(task, 0) for task in (GROUNDING, ELEMENT)):
            return {}
        return navigation_of(self.bounds(), self.views, path)

    def _samples(
        self, reader: "SegmentReader", entry: "IndexEntry", elsewhere: "frozenset[Name]", *, is_copy: bool
    ) -> list[Sample]:
        capture = reader.read(entry)
        if capture.content is None:
            raise ItemError(capture.cause, capture.message, capture.url)
        settings = SampleSettings(
            tasks=self.tasks,
            tasks_per_page=self.tasks_per_page,
            code_picture=self.code_picture,
            num_questions=self.num_questions,
            min_similarity=self.min_similarity,
            max_code_tokens=self.max_code_tokens,
            format=self.format,
            quality=self.quality,
            grey=self.grey,
        )
        archive = f";archive={capture.archive}" if capture.archive else ""
        locator = f"page={entry.digest[:16]};view={capture.view}{archive}"
        return samples_of(capture, entry.digest, locator, settings, elsewhere, is_copy=is_copy)
