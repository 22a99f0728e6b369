"""Pages that name the same canonical URL are one page, where their site and their words agree."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from filters.page_obstacles import MaxPageObstacles
from sources.web.copies import copies_of
from sources.web.response_head import canonical_of
from sources.web.segments import IndexEntry

ROOT = "http://e.org"
SAME = ["every", "one", "of", "these", "words", "is", "on", "all", "the", "pages"]


def entry(path: str, canonical: str = "", *, view: str = "square", final: str = "", cause: str = "") -> IndexEntry:
    return IndexEntry(
        url=ROOT + path, view=view, fetched_at="", cause=cause, final_url=ROOT + (final or path), links=(),
        digest=path, file=Path("segment"), row=0, canonical=canonical,
    )  # fmt: skip


def copies(entries: Sequence[IndexEntry], words: Mapping[str, Sequence[str]] = {}) -> dict[tuple[str, str], str]:
    return copies_of(entries, lambda group: {k: words.get(e.digest, SAME) for k, e in enumerate(group)})


def test_the_page_at_the_canonical_url_is_kept_or_else_the_first() -> None:
    print_view, sorted_view, page = entry("/print", f"{ROOT}/p"), entry("/p?sort=1", f"{ROOT}/p"), entry("/p")
    expected = {(f"{ROOT}/print", "square"): f"{ROOT}/p", (f"{ROOT}/p?sort=1", "square"): f"{ROOT}/p"}
    assert copies([print_view, sorted_view, page]) == expected
    assert copies([page, sorted_view, print_view]) == expected
    assert copies([print_view, sorted_view]) == {(f"{ROOT}/p?sort=1", "square"): f"{ROOT}/print"}
    assert copies([print_view, sorted_view, entry("/p", cause="timeout")]) == {
        (f"{ROOT}/p?sort=1", "square"): f"{ROOT}/print"
    }


def test_redirects_to_one_page_are_copies_and_views_are_not() -> None:
    assert copies([entry("/old", final="/new"), entry("/new")]) == {(f"{ROOT}/old", "square"): f"{ROOT}/new"}
    assert copies([entry("/a"), entry("/a", view="phone"), entry("/b")]) == {}


@pytest.mark.parametrize("canonical", ["http://other.example/p", "http://org/"])
def test_another_site_is_not_believed(canonical: str) -> None:
    assert copies([entry("/a", canonical), entry("/b", canonical)]) == {}


def test_a_subdomain_of_the_site_is_believed() -> None:
    assert len(copies([entry("/a", "http://www.e.org/p"), entry("/b", "http://www.e.org/p?utm_source=x")])) == 1


def test_other_words_are_another_page() -> None:
    """A second page of a list often names the first, and every page of a careless site its home page."""
    rng = random.Random(0)
    menu = [f"menu{k}" for k in range(10)]
    words = {f"/{k}": menu + [str(rng.random()) for _ in range(40)] for k in range(3)}
    pages = [entry(path, f"{ROOT}/") for path in words]
    assert copies(pages, words) == {}
    assert len(copies(pages, words | {"/2": words["/0"][:-5]})) == 1
    assert copies(pages, words | {"/2": []}) == {}


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('<http://e.org/p>; rel="canonical"', f"{ROOT}/p"),
        ("</style.css>; rel=preload, </p>; title=x; rel=canonical", f"{ROOT}/p"),
        ('<a>; rel="next"\n<b>; rel="x canonical"', f"{ROOT}/docs/b"),
        ("</p>; rel=noncanonical", ""),
        ("<javascript:1>; rel=canonical", ""),
        ("broken <; rel=canonical", ""),
    ],
)
def test_link_headers_name_canonical_urls(link: str, expected: str) -> None:
    assert canonical_of(link, f"{ROOT}/docs/") == expected


def test_copies_have_a_reason() -> None:
    assert "same_page" in MaxPageObstacles.reasons
