"""Settings and seeds of the source: mistakes are reported in one sentence, before anything is fetched."""

from pathlib import Path
from typing import Any

import pytest

from sources.web.seeds import read_seeds
from sources.web.source import Web


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"views": ("wide",)}, "views must be some of"),
        ({"browser": "/no/such"}, "browser must name"),
        ({"same": "planet"}, "site or host"),
        ({"depth": -1}, "depth must not be negative"),
        ({"tasks": {"code": 1}, "code": False}, "nothing but code"),
        ({"allow": ("10.0.0.0/99",)}, "allow expects hosts or address ranges"),
        ({"contact": "two words"}, "contact must be"),
        ({"page_s": float("nan")}, "page_s must be a positive number"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Web(**settings).check()


def test_seeds_come_from_urls_files_and_sitemaps(tmp_path: Path) -> None:
    seeds, sitemap = tmp_path / "seeds.txt", tmp_path / "map.xml"
    seeds.write_text("# pages\nhttp://Example.org/a#part\n\nhttps://example.org/map.xml\n")
    sitemap.write_text("<urlset><url><loc>http://example.org/listed</loc></url></urlset>")
    named = read_seeds([str(seeds), str(sitemap), "https://example.org/b"])
    assert named.pages == ["http://example.org/a", "http://example.org/listed", "https://example.org/b"]
    assert named.sitemaps == ["https://example.org/map.xml"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "expected URLs or a file of them"),
        (b"not a url\n", "line 1: expected an http or https URL of at most 2000 characters$"),
        (b"# nothing\n", "names no URL"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_seeds_that_are_none(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "seeds.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        read_seeds([str(path)])


def test_a_limit_of_hosts_below_the_limit_of_pages_is_said() -> None:
    (said,) = [line for line in Web(max_pages=2000).warnings() if "max_pages" in line]
    assert said.endswith("at most 1,000 are visited; --set max_pages_per_host=2000 allows more")
    assert not [line for line in Web(max_pages=2000, max_pages_per_host=2000).warnings() if "max_pages" in line]
