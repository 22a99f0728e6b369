"""The source `web`: settings of the crawl, one fetch task per site, and samples from captures."""

import asyncio
import contextlib
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, unquote

import PIL.Image
import zlib_ng

from sources.base.card import SourceCard
from sources.base.remote import Fetched, FetchTask, RemoteSource
from sources.base.sample import Sample
from sources.base.secrets import PROGRAM, read_secrets, secret
from sources.base.source import OPTIONAL, InputError, ItemError, Items
from sources.browser.viewports import VIEWS
from sources.images.encoding import check_encoding
from sources.optional_dependencies import check_installed
from sources.validation import check_names, check_weights
from sources.web.card import CARD
from sources.web.conversation import ELEMENT, GROUNDING
from sources.web.samples import TASKS, USE_CASES, SampleSettings, sample_of

if TYPE_CHECKING:
    from sources.web.client import Client
    from sources.web.crawl import CrawlSettings
    from sources.web.navigation import Name
    from sources.web.plan import Bounds, Seeds
    from sources.web.seeds import NamedSeeds
    from sources.web.segments import IndexEntry, SegmentReader

# Modules that need packages of the extra `web` are imported where they are used: other recipes do not need them.
PACKAGES = {"ada_url": "ada-url", "playwright": "playwright", "protego": "protego", "tldextract": "tldextract"}
CAPTURE_VERSION = 7  # increase it when a visit captures something else
SAMPLE_VERSION = 4  # increase it when the same capture gives other samples
NAME, VERSION = "vellum", "0.1"
URI = "web:"
CAPTURE_BYTES = 100_000  # of one of the 12 bundled pages, lossless; pages with photographs are larger
NOWHERE = "(seeds)"  # instead of a site, for seeds that are not visited


@dataclass(frozen=True, kw_only=True)
class Web(RemoteSource):
    """Web pages, visited by a real browser.

    Args:
        url_column: the column of CSV, JSON Lines and Parquet files of seeds; by default it is guessed.
        max_pages: maximum number of pages in total, divided among the sites of the seeds.
        max_pages_per_host: maximum number of pages per host.
        depth: maximum number of links from a seed to a page; 0 visits only the seeds.
        robots_sitemaps: with a depth of 1 or more, also follow the sitemaps that robots.txt of the seeds' hosts names.
        same: `site` follows links on the seeds' registrable domains, `host` only on their hosts.
        include, exclude: URL patterns with `*`; links must match one of `include` (if given) and none of `exclude`.
        views: names of VIEWS, the windows in which each page is shown; each gives a sample.
        max_tiles: maximum number of tiles, each as high as the window; more than 1 captures the page below the window.
        contact: an e-mail address or URL for the operators of hosts, sent with every request.
        user_agent: an own user agent; robots.txt is then obeyed under its first word.
        headers: `Name: value`, sent to the hosts of the seeds' sites with every request; a secret.
        cookies: lines of a `cookies.txt`, set for every page of their site; a secret.
        style: CSS that is added to every page, or @FILE.
        delay_s: seconds between two visits to a host; a longer delay in its robots.txt is obeyed.
        per_host, at_once: maximum concurrent visits to one host, and to all hosts of a site.
        retry_waits_s: seconds before each further attempt where a host answers 429 or 503 and names no time.
        retry_most_s: a host that names a longer time in `Retry-After` is not asked again.
        allow: hosts (`intranet.example`, `localhost:8000`) or address ranges that may be visited although they are not
            public.
        ports: allowed ports.
        browser: the browser's program, only from the command line; None searches for one.
        locale, timezone: locale and time zone that pages see.
        load_s, settle_s, page_s: maximum seconds for loading the document, for settling, and for a page in total.
        quiet_ms: milliseconds without a change after which a page counts as settled.
        wait_ms: milliseconds to wait after loading, whatever the page does; a part of settle_s.
        wait_for: CSS selector of an element that is waited for, at most settle_s.
        response_mb, page_mb: maximum megabytes of a response, and of a page in total.
        code: also reduce each page to HTML that renders back to its screenshot, which takes time.
        lossless_captures: True stores captures as PNG, False as JPEG at quality 90 (a third of the space).
        tasks: weights of the tasks `text`, `code`, `grounding`, `element`, `title` and `description`; each sample has
            one that its page makes possible.
        num_questions: maximum number of questions about elements per sample.
        min_similarity, max_code_tokens: a page whose code renders back less well, or is longer, gets another task; keep
            them as in the filter `render_similarity`.
        format, quality, grey: encoding of images, as in `pdfs`.
    """

    name: ClassVar[str] = "web"
    card: ClassVar[SourceCard] = CARD
    suffixes: ClassVar[tuple[str, ...]] = ()
    item_noun: ClassVar[str] = "page"
    use_cases: ClassVar[tuple[str, ...]] = tuple(USE_CASES.values())

    items_per_unit: int = 32
    url_column: str = ""
    max_pages: int = 1000
    max_pages_per_host: int = 1000
    depth: int = 1
    robots_sitemaps: bool = True
    same: str = "site"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    views: tuple[str, ...] = ("square",)
    max_tiles: int = 1
    contact: str = ""
    user_agent: str = ""
    headers: tuple[str, ...] = field(default=(), metadata=secret("VELLUM_WEB_HEADERS"), repr=False)
    cookies: tuple[str, ...] = field(default=(), metadata=secret("VELLUM_WEB_COOKIES"), repr=False)
    style: str = field(default="", metadata=OPTIONAL)
    delay_s: float = 1.0
    per_host: int = 2
    at_once: int = 4
    retry_waits_s: tuple[float, ...] = (2.0, 8.0)
    retry_most_s: float = 120
    allow: tuple[str, ...] = ()
    ports: tuple[int, ...] = (80, 443, 8080, 8443)
    browser: str | None = field(default=None, metadata=PROGRAM)
    locale: str = "en-US"
    timezone: str = "UTC"
    load_s: float = 20
    settle_s: float = 6
    quiet_ms: int = 150
    wait_ms: int = 0
    wait_for: str = ""
    page_s: float = 60
    response_mb: float = 25
    page_mb: float = 60
    code: bool = True
    lossless_captures: bool = True
    tasks: Mapping[str, float] = field(
        default_factory=lambda: {
            "text": 0.35,
            "code": 0.3,
            "grounding": 0.15,
            "element": 0.1,
            "title": 0.05,
            "description": 0.05,
        }
    )
    num_questions: int = 4
    min_similarity: float = 0.85
    max_code_tokens: int = 4000
    format: str = "jpeg"
    quality: int = 90
    grey: str = "png"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("web needs", PACKAGES, "web")
        for name in ("max_pages", "max_pages_per_host", "max_tiles", "per_host", "at_once", "num_questions"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.max_tiles > 16:
            raise ValueError(f"max_tiles must be at most 16, got {self.max_tiles}")
        if self.depth < 0:
            raise ValueError(f"depth must not be negative, got {self.depth}")
        for name in ("load_s", "settle_s", "page_s", "response_mb", "page_mb"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be a positive number, got {getattr(self, name)}")
        if not 0 <= self.delay_s <= 3600:
            raise ValueError(f"delay_s must be between 0 and 3600 seconds, got {self.delay_s}")
        if not all(math.isfinite(wait) and wait >= 0 for wait in (*self.retry_waits_s, self.retry_most_s)):
            raise ValueError("retry_waits_s and retry_most_s must be seconds, none of them negative")
        if self.quiet_ms < 1 or not 0 <= self.wait_ms <= 1000 * self.settle_s:
            raise ValueError("quiet_ms must be at least 1, and wait_ms between 0 and settle_s")
        if not 0 <= self.min_similarity <= 1:
            raise ValueError(f"min_similarity must be between 0 and 1, got {self.min_similarity}")
        if self.max_code_tokens < 1:
            raise ValueError(f"max_code_tokens must be at least 1, got {self.max_code_tokens}")
        check_names("views", self.views, tuple(VIEWS))
        check_weights("tasks", self.tasks, tuple(TASKS))
        if not self.code and {name for name, weight in self.tasks.items() if weight} == {"code"}:
            raise ValueError("tasks want nothing but code, and code is off")
        if self.grey not in ("png", "none"):
            raise ValueError(f"grey must be png or none, got {self.grey!r}")
        check_encoding(self.format, self.quality)
        if not re.fullmatch(r"[\x21-\x7e]*", self.contact):
            raise ValueError(f"contact must be an e-mail address or URL, got {self.contact!r}")
        if not re.fullmatch(r"([!-~]([ -~]*[!-~])?)?", self.user_agent):
            raise ValueError(f"user_agent must be printable ASCII, got {self.user_agent!r}")
        self._bounds()
        _check_ranges(self.allow)

    def fingerprint(self) -> Mapping[str, Any]:
        return {
            "source": self.name,
            "code": SAMPLE_VERSION,
            "pillow": PIL.__version__,
            "zlib-ng": zlib_ng.__version__,
            "tasks": dict(self.tasks),
            **{
                name: getattr(self, name)
                for name in ("num_questions", "min_similarity", "max_code_tokens", "format", "quality", "grey")
            },
        }

    def locator(self, item: int) -> str:
        return f"page={item + 1}"

    def check(self) -> None:
        from sources.browser.chromium import find_chromium

        find_chromium(self.browser)
        self._client()

    def warnings(self) -> list[str]:
        from sources.browser.chromium import find_chromium, sandbox_refusal

        refusal = sandbox_refusal(find_chromium(self.browser))
        found = [] if refusal is None else [f"web pages are opened without Chromium's sandbox: {refusal}"]
        if self.input and not self.contact:
            found.append("hosts are not told whom to write to; name an address with --set contact=…")
        return found

    def fetch_tasks(self) -> Iterator[FetchTask]:
        """Yield one task per site, so that one process visits all its hosts and keeps the delays between visits."""
        yield from map(self._task, self._sites(self._named()))

    def plan(self, workers: int) -> list[str]:
        from sources.web.estimate import estimate, spoken

        named = self._named()
        sites = list(self._sites(named))
        never = [(cause, place) for seeds in sites for place, cause, _ in seeds.refused]
        delay_s = self.delay_s if self.input else 0.0
        found = estimate(
            [seeds for seeds in sites if seeds.site != NOWHERE],
            depth=self.depth,
            delay_s=delay_s,
            num_views=len(self.views),
            code=self.code,
            capture_bytes=CAPTURE_BYTES if self.lossless_captures else CAPTURE_BYTES / 3,
            workers=workers,
        )
        causes = (
            f"{sum(each == cause for each, _ in never):,} seeds are not visited ({cause}), the first: "
            f"{next(place for each, place in never if each == cause)}"
            for cause in dict.fromkeys(cause for cause, _ in never)
        )
        return [*named.notes, spoken(found, workers), *causes]

    def _named(self) -> "NamedSeeds":
        """Return what the user named, or the bundled site."""
        from sources.web.bundled import SEED
        from sources.web.seeds import NamedSeeds, read_seeds

        return read_seeds(self.input, self.url_column) if self.input else NamedSeeds([SEED], [])

    def _sites(self, named: "NamedSeeds") -> "Iterator[Seeds]":
        """Yield the seeds of every site with its limit of pages, then those that are never visited."""
        from sources.web.plan import Seeds, by_site, split_budget

        sites = by_site(named.pages, named.sitemaps)
        wants = [len(seeds) if self.depth == 0 and not listed else None for seeds, listed in sites.values()]
        budgets = split_budget(self.max_pages, wants)
        never_visited = list(named.refused)
        for (site, (seeds, listed)), budget in zip(sites.items(), budgets, strict=True):
            if budget == 0:
                message = f"max_pages={self.max_pages} is spent on the sites before it"
                never_visited += [(url, "over_limit", message) for url in (*seeds, *listed)]
                continue
            yield Seeds(site=site, pages=tuple(seeds), sitemaps=tuple(listed), budget=budget)
        if never_visited:
            yield Seeds(site=NOWHERE, pages=(), sitemaps=(), budget=0, refused=tuple(never_visited))

    def _task(self, seeds: "Seeds") -> FetchTask:
        content = seeds.to_json()
        name = hashlib.sha256(content + json.dumps(self._scope()).encode()).hexdigest()[:8]
        return FetchTask(uri=f"{URI}{quote(seeds.site, safe='.:')}#{name}", content=content)

    def path_of(self, uri: str) -> str:
        site, _, name = uri.removeprefix(URI).partition("#")
        return f"{self._capture_key()}/{quote(unquote(site), safe='')}/{name}.json"

    def fetch(
        self,
        path: Path,
        scratch: Path,
        *,
        retry_failed: bool,
        save: Callable[[Path], None],
        beat: Callable[[Fetched], None],
    ) -> None:
        from sources.browser.browser import BrowserDiedError
        from sources.web.bundled import HOST, serve
        from sources.web.crawl import Crawl
        from sources.web.plan import Seeds

        seeds = Seeds.from_json(path.read_bytes())
        if seeds.site == NOWHERE:
            return
        with contextlib.ExitStack() as stack:
            is_bundled = seeds.site == HOST
            routes = {HOST: stack.enter_context(serve())} if is_bundled else {}
            settings = self._crawl_settings(routes, 0.0 if is_bundled else self.delay_s)
            crawl = Crawl(seeds, settings, path.parent, scratch, save, beat)
            try:
                asyncio.run(crawl.run(retry_failed=retry_failed))
            except* BrowserDiedError as errors:
                raise InputError("no_browser", str(errors.exceptions[0])) from errors

    def digest_of(self, path: Path) -> str:
        _entries.cache_clear()  # more may have been fetched since
        _navigation.cache_clear()
        _copies.cache_clear()
        return _digest(_entries(self._bounds(), self.views, path))

    @contextlib.contextmanager
    def open(self, path: Path, digest: str | None = None) -> Iterator[Items]:
        from sources.web.segments import SegmentReader

        if digest is None:
            digest = self.digest_of(path)
        entries = _entries(self._bounds(), self.views, path)
        if not entries:
            raise InputError("no_pages", "the seeds led to no page in scope")
        if _digest(entries) != digest:
            raise InputError("changed", "the captures changed while the run was going on; run again")
        reader = SegmentReader()
        elsewhere, copies = self._asked_elsewhere(path), _copies(self._bounds(), self.views, path)

        def sample(item: int) -> Sample:
            entry = entries[item]
            asked = elsewhere.get(entry.url, frozenset())
            return self._sample(reader, entry, asked, is_copy=(entry.url, entry.view) in copies)

        yield Items(len(entries), sample)

    def _asked_elsewhere(self, path: Path) -> "Mapping[str, frozenset[Name]]":
        """Return the elements that are asked about on another page of the site, by URL."""
        if not any(self.tasks.get(task, 0) for task in (GROUNDING, ELEMENT)):
            return {}
        return _navigation(self._bounds(), self.views, path)

    def _sample(
        self, reader: "SegmentReader", entry: "IndexEntry", elsewhere: "frozenset[Name]", *, is_copy: bool
    ) -> Sample:
        capture = reader.read(entry)
        if capture.content is None:
            raise ItemError(capture.cause, capture.message, capture.url)
        settings = SampleSettings(
            tasks=self.tasks,
            num_questions=self.num_questions,
            min_similarity=self.min_similarity,
            max_code_tokens=self.max_code_tokens,
            format=self.format,
            quality=self.quality,
            grey=self.grey,
        )
        return sample_of(capture, entry.digest, f"view={capture.view}", settings, elsewhere, is_copy=is_copy)

    def _bounds(self) -> "Bounds":
        from sources.web.plan import Bounds
        from sources.web.urls import Scope

        scope = Scope(same=self.same, include=self.include, exclude=self.exclude)
        return Bounds(
            depth=self.depth,
            max_pages_per_host=self.max_pages_per_host,
            scope=scope,
            robots_sitemaps=self.robots_sitemaps,
        )

    def _scope(self) -> list[Any]:
        return [
            self.depth,
            self.max_pages_per_host,
            self.same,
            list(self.include),
            list(self.exclude),
            list(self.views),
            self.robots_sitemaps,
        ]

    def _agent(self) -> str:
        """Return the user agent with the contact address."""
        if self.user_agent:
            return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent
        contact = f"; +{self.contact}" if self.contact else ""
        return f"Mozilla/5.0 (compatible; Vellum/{VERSION}{contact})"

    def _robot_name(self) -> str:
        """Return the name under which robots.txt and opt-outs address the crawler."""
        product = re.match(r"[A-Za-z_-]+", self.user_agent)
        return NAME if product is None or product[0].lower() == "mozilla" else product[0]

    def _client(self) -> "Client":
        """Return what hosts are sent, from the files and the environment. Raises ValueError."""
        from sources.web.client import COOKIES, HEADERS, Client, parse_cookies, parse_headers, read_style

        cookies = read_secrets(self.cookies, COOKIES)
        parse_cookies(cookies)
        headers = parse_headers(read_secrets(self.headers, HEADERS))
        return Client(headers=headers, cookies=cookies, style=read_style(self.style))

    def _capture_key(self) -> str:
        """Return the name of the folder of captures, a digest of the settings on which captures depend."""
        from sources.web.client import secret_digest
        from sources.web.code.page_code import CODE_VERSION, MAX_TOKENS

        names = ("locale", "timezone", "max_tiles", "load_s", "settle_s", "quiet_ms", "wait_ms", "wait_for", "page_s")
        limits = ("response_mb", "page_mb")
        code = [CODE_VERSION, MAX_TOKENS] if self.code else None
        settings = [CAPTURE_VERSION, self.lossless_captures, code, *(getattr(self, name) for name in (*names, *limits))]
        client = self._client()
        shown = (*(": ".join(header) for header in client.headers), *client.cookies)
        settings += [self.user_agent, client.style, secret_digest(shown) if shown else ""]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]

    def _crawl_settings(self, routes: Mapping[str, tuple[str, int]], delay_s: float) -> "CrawlSettings":
        from sources.browser.browser import BrowserSettings
        from sources.web.address_policy import AddressPolicy
        from sources.web.crawl import CrawlSettings
        from sources.web.politeness import Patience
        from sources.web.proxy import TrafficLimits
        from sources.web.visit import Timeouts

        return CrawlSettings(
            views=self.views,
            bounds=self._bounds(),
            name=self._robot_name(),
            agent=self._agent(),
            policy=AddressPolicy(ports=self.ports, allow=self.allow, routes=routes),
            limits=TrafficLimits(response_mb=self.response_mb, page_mb=self.page_mb),
            browser=BrowserSettings(program=self.browser, locale=self.locale, timezone=self.timezone),
            timeouts=Timeouts(
                load_s=self.load_s,
                settle_s=self.settle_s,
                page_s=self.page_s,
                quiet_ms=self.quiet_ms,
                wait_ms=self.wait_ms,
                wait_for=self.wait_for,
                max_tiles=self.max_tiles,
                lossless=self.lossless_captures,
            ),
            delay_s=delay_s,
            per_host=self.per_host if delay_s else self.at_once,
            at_once=self.at_once,
            patience=Patience(self.retry_waits_s, self.retry_most_s),
            code=self.code,
            client=self._client(),
        )


def _digest(items: "Sequence[IndexEntry]") -> str:
    content = json.dumps([[item.url, item.view, item.digest] for item in items])
    return hashlib.sha256(content.encode()).hexdigest()


@lru_cache(maxsize=4)
def _entries(bounds: "Bounds", views: tuple[str, ...], path: Path) -> "list[IndexEntry]":
    """Return the captures of a site in the order of its plan; they do not change while they are read."""
    from sources.web.crawl import captured_items
    from sources.web.plan import Seeds

    return captured_items(Seeds.from_json(path.read_bytes()), bounds, views, path.parent)


@lru_cache(maxsize=4)
def _navigation(bounds: "Bounds", views: tuple[str, ...], path: Path) -> "Mapping[str, frozenset[Name]]":
    from sources.web.navigation import asked_elsewhere
    from sources.web.segments import element_names

    copies = _copies(bounds, views, path)
    entries = [entry for entry in _entries(bounds, views, path) if (entry.url, entry.view) not in copies]
    return asked_elsewhere(element_names(entries))


@lru_cache(maxsize=4)
def _copies(bounds: "Bounds", views: tuple[str, ...], path: Path) -> Mapping[tuple[str, str], str]:
    """Return the captures of a site that are copies of another one's page, as (URL, view)."""
    from sources.web.copies import copies_of
    from sources.web.segments import words_of

    return copies_of(_entries(bounds, views, path), words_of)


def _check_ranges(allow: tuple[str, ...]) -> None:
    from sources.web.address_policy import networks

    try:
        networks(allow)
    except ValueError as error:
        raise ValueError(f"allow expects hosts or address ranges such as 10.0.0.0/8: {error}") from error
