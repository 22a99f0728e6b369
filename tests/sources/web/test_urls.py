"""URLs, robots.txt, sitemaps, and the plan of a crawl."""

import gzip
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.base.remote import BudgetUse
from sources.web.plan import Bounds, Level, Seeds, by_site, levels, moved_budgets, split_budget
from sources.web.robots import Robots, opt_out
from sources.web.sitemap import SitemapError, parse_sitemap
from sources.web.urls import Scope, canonical, comparison_key, site_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Example.ORG:80/a/../b/./c#part", "http://example.org/b/c"),
        ("https://example.org:443", "https://example.org/"),
        ("https://example.org:8443/x", "https://example.org:8443/x"),
        ("https://user:password@example.org/", "https://example.org/"),
        ("http://example.org/%7Euser/%e4%b8%ad?b=2&a=1", "http://example.org/%7Euser/%e4%b8%ad?b=2&a=1"),
        ("http://example.org/a%2Fb", "http://example.org/a%2Fb"),
        ("http://example.org/x?utm_source=mail&id=7", "http://example.org/x?utm_source=mail&id=7"),
        ("http://example.org/?/topic/12-hello/", "http://example.org/?/topic/12-hello/"),
        ("http://example.org/?flag", "http://example.org/?flag"),
        ("http://example.org/a;b?x;y", "http://example.org/a;b?x;y"),
        ("http://example.org/%D6%D0?q=%D6%D0", "http://example.org/%D6%D0?q=%D6%D0"),
        ("http://example.org/a/%2e%2e/b", "http://example.org/b"),
        ("http://fa\u00df.example/", "http://xn--fa-hia.example/"),
        ("http://example.org/\ud83d", None),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("mailto:someone@example.org", None),
        ("javascript:alert(1)", None),
        ("http://", None),
        ("http://example.org:port/", None),
        ("http://example.org/" + "x" * 3000, None),
    ],
)
def test_canonical(url: str, expected: str | None) -> None:
    assert canonical(url) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://e.org/x?utm_source=mail&id=7&fbclid=z", "http://e.org/x?id=7", True),
        ("http://e.org/%7Euser", "http://e.org/~user", True),
        ("http://e.org/%e4%b8%ad", "http://e.org/%E4%B8%AD", True),
        ("http://e.org/?", "http://e.org/", True),
        ("http://e.org/a%2Fb", "http://e.org/a/b", False),
        ("http://e.org/?flag", "http://e.org/?flag=", False),
        ("http://e.org/?a;b", "http://e.org/?a&b", False),
        ("http://e.org/X", "http://e.org/x", False),
    ],
)
def test_urls_of_the_same_page(one: str, other: str, same: bool) -> None:
    assert (comparison_key(one) == comparison_key(other)) == same


@given(st.text(max_size=60))
def test_canonical_is_a_fixed_point(path: str) -> None:
    once = canonical("http://example.org/" + path)
    assert once is None or canonical(once) == once


def test_sites() -> None:
    assert site_of("https://docs.example.co.uk/") == "example.co.uk"
    assert site_of("http://127.0.0.1:8000/") == "127.0.0.1:8000"
    assert site_of("http://intranet/") == "intranet"


def test_scope() -> None:
    hosts = frozenset({"www.example.org"})
    scope = Scope(include=("*/docs/*",), exclude=("*print*",))
    assert scope.has("https://other.example.org/docs/a", "example.org", hosts)
    assert not scope.has("https://other.example.org/blog/a", "example.org", hosts)
    assert not scope.has("https://www.example.org/docs/print", "example.org", hosts)
    assert not Scope(same="host").has("https://other.example.org/", "example.org", hosts)
    assert not Scope().has("https://example.com/", "example.org", hosts)


RULES = b"""
User-agent: *
Disallow: /a*/x$
Allow: /a/public
Crawl-delay: 2

User-agent: vellum
Disallow: /only-vellum
Crawl-delay: 7
"""


def test_robots_of_our_own_name_and_of_all() -> None:
    robots = Robots.of_answer(200, RULES)
    assert robots.refusal("http://e.org/only-vellum", "vellum")
    assert robots.refusal("http://e.org/abc/x", "vellum") is None
    assert robots.refusal("http://e.org/abc/x", "other")
    assert robots.refusal("http://e.org/abc/xy", "other") is None
    assert (robots.delay_s("vellum"), robots.delay_s("other")) == (7, 2)


@pytest.mark.parametrize(
    ("status", "may"), [(404, True), (401, True), (200, True), (500, False), (429, False), (None, False)]
)
def test_robots_that_do_not_come(status: int | None, may: bool) -> None:
    assert (Robots.of_answer(status, b"").refusal("http://e.org/", "vellum") is None) == may


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        (["index, follow"], None),
        (["noai, noimageai"], "noai"),
        (["NOINDEX"], "noindex"),
        (["googlebot: noindex"], None),
        (["vellum: noimageai"], "noimageai"),
        (["none"], "none"),
        (["max-snippet: 20, noindex"], "noindex"),
        (["otherbot: noindex", "noai"], "noai"),
        (["max-video-preview: -1, noindex"], "noindex"),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], "noai"),
        (["googlebot: noindex, nofollow"], None),
        (["googlebot: nofollow, vellum: noindex"], "noindex"),
        (["noimageindex"], "noimageindex"),
        (["noml"], "noml"),
        ([""], None),
    ],
)
def test_opt_outs(directives: list[str], expected: str | None) -> None:
    assert opt_out(directives, "vellum") == expected


def test_robots_that_begin_with_a_byte_order_mark() -> None:
    robots = Robots.of_answer(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /x\n")
    assert robots.refusal("http://e.org/x", "vellum")


@pytest.mark.parametrize(
    ("rules", "path", "reserved"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /", "/", True),
        ("User-agent: *\nContent-Signal: search=yes,ai-train=yes", "/", False),
        ("User-agent: other\nContent-Signal: ai-train=no\nUser-agent: *\nAllow: /", "/", False),
        ("User-agent: vellum\nAllow: /\n\nUser-agent: *\nContent-Signal: ai-train=no", "/", False),
        ("User-agent: a\nUser-agent: vellum\nContent-Usage: train-ai=n", "/", True),
        ("User-agent: *\nContent-Usage: /art train-ai=n\nContent-Usage: train-ai=y", "/art/1", True),
        ("User-agent: *\nContent-Usage: /art train-ai=n\nContent-Usage: train-ai=y", "/text/1", False),
    ],
)
def test_signals_in_robots(rules: str, path: str, reserved: bool) -> None:
    robots = Robots.of_answer(200, rules.encode())
    assert (robots.opt_out(f"http://e.org{path}", "vellum") is not None) == reserved


@pytest.mark.parametrize(
    ("tdmrep", "path", "reserved"),
    [
        ('[{"location": "/", "tdm-reservation": 1}]', "/a", True),
        ('[{"location": "/open/*", "tdm-reservation": 0}, {"location": "/*", "tdm-reservation": 1}]', "/open/a", False),
        ('[{"location": "/open/*", "tdm-reservation": 0}, {"location": "/*", "tdm-reservation": 1}]', "/b", True),
        ('[{"location": "/a$", "tdm-reservation": "1"}]', "/ab", False),
        ('{"location": "/", "tdm-reservation": 1}', "/a", False),
        ("[" * 100_000, "/a", False),
        ("not JSON", "/a", False),
    ],
)
def test_reservations_of_tdmrep(tdmrep: str, path: str, reserved: bool) -> None:
    robots = Robots.of_answer(404, b"", tdmrep.encode())
    assert (robots.opt_out(f"http://e.org{path}", "vellum") is not None) == reserved


SITEMAP = b"""<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc> http://e.org/1 </loc><image:image xmlns:image="i"><image:loc>http://e.org/i.png</image:loc></image:image></url>
<url><loc>http://e.org/2?a=1&amp;b=2</loc></url></urlset>"""


def test_sitemaps() -> None:
    pages = ["http://e.org/1", "http://e.org/2?a=1&b=2"]
    assert parse_sitemap(SITEMAP) == (pages, [])
    assert parse_sitemap(gzip.compress(SITEMAP)) == (pages, [])
    nested = b"<sitemapindex><sitemap><loc>http://e.org/s.xml</loc></sitemap></sitemapindex>"
    assert parse_sitemap(nested) == ([], ["http://e.org/s.xml"])


@pytest.mark.parametrize(
    ("data", "pages"),
    [
        (b"\n  <?xml version='1.0'?><urlset><url><loc>http://e.org/1</loc></url></urlset>", ["http://e.org/1"]),
        (b"<urlset><url><loc>http://e.org/?a=1&b=2&nbsp;</loc></url></urlset>", ["http://e.org/?a=1&b=2&nbsp;"]),
        (b"<!DOCTYPE urlset><urlset><url><loc>http://e.org/1</loc></url></urlset>", ["http://e.org/1"]),
        (b"<urlset><url><loc>http://e.org/1</loc></url><url><loc>http://e.o", ["http://e.org/1"]),
        (
            gzip.compress(b"<urlset><url><loc>http://e.org/1</loc></url>" + b" " * 9999, mtime=0)[:-12],
            ["http://e.org/1"],
        ),
        (
            b"<rss><channel><link>http://e.org/</link><item><title>x</title><link>http://e.org/1</link></item>"
            b"</channel></rss>",
            ["http://e.org/1"],
        ),
        (
            b"<feed xmlns='http://www.w3.org/2005/Atom'><link href='http://e.org/feed'/><entry><link rel='edit' "
            b"href='http://e.org/e'/><link href='http://e.org/1'/></entry></feed>",
            ["http://e.org/1"],
        ),
        (b"\xef\xbb\xbfhttp://e.org/1\r\n\r\nhttps://e.org/2\n", ["http://e.org/1", "https://e.org/2"]),
        ("<urlset><url><loc>http://e.org/1</loc></url></urlset>".encode("utf-16"), ["http://e.org/1"]),
        (b"<urlset>" + b"<url><loc>u</loc></url>" * 50_010 + b"</urlset>", ["u"] * 50_000),
    ],
)
def test_sitemaps_with_flaws(data: bytes, pages: list[str]) -> None:
    assert parse_sitemap(data) == (pages, [])


@pytest.mark.parametrize(
    "data",
    [
        b"no xml",
        b"",
        b"\x1f\x8bbroken",
        gzip.compress(b" " * 60_000_000, mtime=0),
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>',
        b"<!doctype html><html><body>Not found</body></html>",
    ],
)
def test_bad_sitemaps(data: bytes) -> None:
    with pytest.raises(SitemapError):
        parse_sitemap(data)


LINKS = {
    "/": ["/a", "/b", "/", "http://other.test/"],
    "/a": ["/c", "/b"],
    "/b": ["/d", "/c"],
    "/c": ["/"],
}


def _use(budget: int, depth: int, more: int = 0) -> BudgetUse:
    seeds = Seeds(site="e.org", pages=("http://e.org/",), sitemaps=(), budget=budget, more=more)
    plan = levels(seeds, Bounds(depth=depth, max_pages_per_host=99, scope=Scope(), robots_sitemaps=False))
    level = next(plan)
    while True:
        links = {url: LINKS.get(url.removeprefix("http://e.org"), []) for url in level.urls}
        try:
            level = plan.send({url: [f"http://e.org{path}" for path in to] for url, to in links.items()})
        except StopIteration as end:
            use: BudgetUse = end.value
            return use


def test_a_plan_ends_with_what_became_of_its_budget() -> None:
    assert _use(9, 9) == BudgetUse(unused=4, wanted=0)
    assert _use(1, 0) == BudgetUse(unused=0, wanted=0)
    assert _use(1, 1) == BudgetUse(unused=0, wanted=2)
    assert _use(2, 9) == BudgetUse(unused=0, wanted=None)
    assert _use(1, 1, more=5) == BudgetUse(unused=3, wanted=0)


@given(st.permutations(["a", "b", "c", "d"]))
def test_what_small_sites_leave_goes_to_others_in_any_order(order: list[str]) -> None:
    uses = {
        "a": BudgetUse(unused=7), "b": BudgetUse(wanted=2), "c": BudgetUse(wanted=None), "d": BudgetUse(wanted=None),
    }  # fmt: skip
    assert moved_budgets({name: uses[name] for name in order}) == {"b": 2, "c": 3, "d": 2}
    assert moved_budgets({"a": uses["a"]}) == {}


def _planned(links: dict[str, list[str]], budget: int, depth: int, per_host: int = 99) -> list[str]:
    def full(paths: Sequence[str]) -> list[str]:
        return [path if path.startswith("http") else f"http://e.org{path}" for path in paths]

    seeds = Seeds(site="e.org", pages=("http://e.org/",), sitemaps=(), budget=budget)
    plan = levels(seeds, Bounds(depth=depth, max_pages_per_host=per_host, scope=Scope()))
    found: list[str] = []
    known = {f"http://e.org{path}": full(to) for path, to in links.items()}
    try:
        level: Level = next(plan)
        while True:
            found += () if level.is_sitemaps else level.urls
            level = plan.send({url: known.get(url, []) for url in level.urls})
    except StopIteration:
        return [url.removeprefix("http://e.org") for url in found]


def test_the_plan_goes_level_by_level() -> None:
    assert _planned(LINKS, 99, 0) == ["/"]
    assert _planned(LINKS, 99, 1) == ["/", "/a", "/b"]
    assert _planned(LINKS, 99, 5) == ["/", "/a", "/b", "/c", "/d"]
    assert _planned(LINKS, 99, 5, per_host=2) == ["/", "/a"]


@given(st.dictionaries(st.sampled_from("/abcdef"), st.lists(st.sampled_from(["/a", "/b", "/c", "/d"]), max_size=4)))
def test_a_larger_budget_only_adds_pages(links: dict[str, list[str]]) -> None:
    plans = [_planned(links, budget, 9) for budget in range(1, 6)]
    for small, large in itertools.pairwise(plans):
        assert large[: len(small)] == small
        assert len(set(large)) == len(large)


@given(st.integers(1, 500), st.lists(st.one_of(st.none(), st.integers(1, 60)), min_size=1, max_size=12))
def test_budgets_are_split_whole(max_pages: int, wants: list[int | None]) -> None:
    budgets = split_budget(max_pages, wants)
    possible = sum(max_pages if want is None else want for want in wants)
    assert sum(budgets) == min(max_pages, possible)
    assert all(want is None or budget <= want for budget, want in zip(budgets, wants, strict=True))
    greedy = [budget for budget, want in zip(budgets, wants, strict=True) if want is None or budget < want]
    assert not greedy or max(greedy) - min(greedy) <= 1 + sum(want is not None for want in wants)


def test_seeds_of_one_site_stay_together() -> None:
    sites = by_site(
        ["http://a.e.org/1", "http://x.org/", "http://b.e.org/2", "http://a.e.org/1"], ["http://x.org/s.xml"]
    )
    assert sites == {
        "e.org": (["http://a.e.org/1", "http://b.e.org/2"], []),
        "x.org": (["http://x.org/"], ["http://x.org/s.xml"]),
    }
