"""The settings of the source `web`, checked when the source is made."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sources.base.remote import RemoteSource
from sources.base.secrets import PROGRAM, secret
from sources.base.source import OPTIONAL
from sources.browser.viewports import VIEWS
from sources.images.encoding import check_encoding
from sources.optional_dependencies import check_installed
from sources.validation import check_names, check_weights
from sources.web.samples import RENDER, SCREENSHOT
from sources.web.tasks import TASKS
from sources.web.visit_settings import VisitSettings

if TYPE_CHECKING:
    from sources.web.plan import Bounds

# Modules that need packages of the extra `web` are imported where they are used: other recipes do not need them.
PACKAGES = {
    **{"ada_url": "ada-url", "cryptography": "cryptography", "playwright": "playwright", "protego": "protego"},
    "tldextract": "tldextract",
}

_COUNTS = (
    "max_pages", "max_pages_per_host", "per_host", "at_once", "tasks_per_page", "num_questions",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WebSettings(VisitSettings, RemoteSource):
    """What is visited, and what samples are made of it; how a page is visited is in `VisitSettings`.

    Args:
        url_column: the column of CSV, JSON Lines and Parquet files of seeds; by default it is guessed.
        max_pages: maximum number of pages in total, divided among the sites of the seeds.
        max_pages_per_host: maximum number of pages per host.
        depth: maximum number of links from a seed to a page; 0 visits only the seeds.
        robots_sitemaps: with a depth of 1 or more, also follow the sitemaps that robots.txt of the seeds' hosts names.
        same: `site` follows links on the seeds' registrable domains, `host` only on their hosts.
        include, exclude: URL patterns with `*`; links must match one of `include` (if given) and none of `exclude`.
        views: names of VIEWS, the windows in which each page is shown; each gives a sample.
        contact: an e-mail address or URL for the operators of hosts, sent with every request.
        user_agent: an own user agent; robots.txt is then obeyed under its first word.
        headers: `Name: value`, sent to the hosts of the seeds' sites with every request; a secret.
        cookies: lines of a `cookies.txt`, set for every page of their site; a secret.
        proxy: `http://user:password@host:port`, through which everything is fetched; a secret.
        style: CSS that is added to every page, or @FILE.
        delay_s: seconds between two visits to a host; a longer delay in its robots.txt is obeyed.
        per_host, at_once: maximum concurrent visits to one host, and to all hosts that share a browser.
        retry_waits_s: seconds before each further attempt where a host answers 429 or 503 and names no time.
        retry_most_s: a host that names a longer time in `Retry-After` is not asked again.
        allow: hosts (`intranet.example`, `localhost:8000`) or address ranges that may be visited although they are not
            public.
        ports: allowed ports.
        browser: the browser's program, only from the command line; None searches for one.
        locale, timezone: locale and time zone that pages see.
        response_mb, page_mb: maximum megabytes of a response, and of a page in total.
        code: also reduce each page to HTML that renders back to its screenshot, which takes time.
        code_picture: the picture of samples about code: `screenshot` of the page, or `render` of the code itself, which
            is kept with the capture and shows what the code draws, e.g. grey boxes in place of photographs.
        tasks: weights of the tasks `text`, `code`, `grounding`, `element`, `title` and `description`; each sample has
            one that its page makes possible.
        tasks_per_page: maximum number of samples of a page, each about another task; 6 makes all that are possible.
        num_questions: maximum number of questions about elements per sample.
        min_similarity, max_code_tokens: a page whose code renders back less well, or is longer, gets another task; keep
            them as in the filter `render_similarity`.
        format, quality, grey: encoding of images, as in `pdfs`.
    """

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
    contact: str = ""
    user_agent: str = ""
    headers: tuple[str, ...] = field(default=(), metadata=secret("VELLUM_WEB_HEADERS"), repr=False)
    cookies: tuple[str, ...] = field(default=(), metadata=secret("VELLUM_WEB_COOKIES"), repr=False)
    proxy: str = field(default="", metadata=secret("VELLUM_WEB_PROXY"), repr=False)
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
    response_mb: float = 25
    page_mb: float = 60
    code: bool = True
    code_picture: str = SCREENSHOT
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
    tasks_per_page: int = 1
    num_questions: int = 4
    min_similarity: float = 0.85
    max_code_tokens: int = 4000
    format: str = "jpeg"
    quality: int = 90
    grey: str = "png"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_installed("web needs", PACKAGES, "web")
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        self.check_visit()
        if self.depth < 0:
            raise ValueError(f"depth must not be negative, got {self.depth}")
        for name in ("response_mb", "page_mb"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be a positive number, got {getattr(self, name)}")
        if not 0 <= self.delay_s <= 3600:
            raise ValueError(f"delay_s must be between 0 and 3600 seconds, got {self.delay_s}")
        if not all(math.isfinite(wait) and wait >= 0 for wait in (*self.retry_waits_s, self.retry_most_s)):
            raise ValueError("retry_waits_s and retry_most_s must be seconds, none of them negative")
        if not 0 <= self.min_similarity <= 1:
            raise ValueError(f"min_similarity must be between 0 and 1, got {self.min_similarity}")
        if self.max_code_tokens < 1:
            raise ValueError(f"max_code_tokens must be at least 1, got {self.max_code_tokens}")
        if self.code_picture not in (SCREENSHOT, RENDER):
            raise ValueError(f"code_picture must be {SCREENSHOT} or {RENDER}, got {self.code_picture!r}")
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
        self.bounds()
        _check_ranges(self.allow)

    def bounds(self) -> "Bounds":
        """Return the limits of the crawl."""
        from sources.web.plan import Bounds
        from sources.web.urls import Scope

        scope = Scope(same=self.same, include=self.include, exclude=self.exclude)
        return Bounds(
            depth=self.depth,
            max_pages_per_host=self.max_pages_per_host,
            scope=scope,
            robots_sitemaps=self.robots_sitemaps,
        )

    def scope_key(self) -> list[Any]:
        """Return the settings on which the plan of a site depends."""
        return [
            self.depth,
            self.max_pages_per_host,
            self.same,
            list(self.include),
            list(self.exclude),
            list(self.views),
            self.robots_sitemaps,
        ]


def _check_ranges(allow: tuple[str, ...]) -> None:
    from sources.web.address_policy import networks

    try:
        networks(allow)
    except ValueError as error:
        raise ValueError(f"allow expects hosts or address ranges such as 10.0.0.0/8: {error}") from error
