"""Version, date and citation of a data set, and names that tell nothing of this machine."""

import json
from typing import Any

import pytest

from pipelines.public_names import PublicNames, own_recipe, public_place, public_recipe, save_own_recipe
from pipelines.recipe import UsageError
from pipelines.recipe_file import build_recipe
from pipelines.release import release_of
from pipelines.storage import Storage


def manifest(**release: Any) -> dict[str, Any]:
    recipe = {"name": "Pages & more", **({"release": release} if release else {})}
    return {"vellum": "0.1.0", "recipe": recipe, "files": [{"sha256": "aa"}, {"sha256": "bb"}]}


def test_the_date_is_given_or_kept_or_of_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"distribution": [{"sha256": "aa"}, {"sha256": "bb"}, {"@id": "shards"}], "datePublished": "2020-02-03"}
    other = {**same, "distribution": [{"sha256": "aa"}]}
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert release_of(manifest(date="2024-05-06"), json.dumps(same).encode())["date"] == "2024-05-06"
    assert release_of(manifest(), json.dumps(same).encode())["date"] == "2020-02-03"
    for earlier in (None, b"no JSON", b"[]", json.dumps(other).encode()):
        assert release_of(manifest(), earlier)["date"] > "2025"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert release_of(manifest(), json.dumps(same).encode())["date"] == "1970-01-02"


def test_the_citation_names_creators_and_version() -> None:
    found = release_of(manifest(date="2024-05-06", version="2.1.0", creators=["Paper Lab"]), None)
    assert found["citation"].startswith("@misc{pages_more_2024,\n  title = {{Pages more}},\n  author = {Paper Lab},")
    assert "version = {2.1.0}" in found["citation"]
    assert release_of(manifest(citation="@book{x}"), None)["citation"] == "@book{x}"


@pytest.mark.parametrize("release", [{"version": "1"}, {"date": "2024-5-6"}, {"date": "yesterday"}, {"year": 2024}])
def test_wrong_releases_are_refused(release: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="release"):
        build_recipe({"sources": [{"type": "charts"}], "release": release})


@pytest.mark.parametrize(
    ("patterns", "uri", "name"),
    [
        (["/data/papers/**/*.pdf"], "/data/papers/a/b.pdf", "a/b.pdf"),
        (["/data/papers"], "/data/papers/a/b.pdf", "a/b.pdf"),
        (["/data/papers/"], "/data/papers/b.pdf", "b.pdf"),
        (["/data/papers/b.pdf"], "/data/papers/b.pdf", "b.pdf"),
        (["/data/papers/[1].pdf"], "/data/papers/[1].pdf", "[1].pdf"),
        (["papers/*.pdf"], "papers/b.pdf", "b.pdf"),
        (["/data/x.zip"], "/data/x.zip!/in/b.pdf", "x.zip!/in/b.pdf"),
        (["@/data/lists/all.txt"], "/data/lists/a/b.pdf", "a/b.pdf"),
        (["@/data/lists/all.txt"], "/home/me/a/b.pdf", "a/b.pdf"),
        (["/data", "/data/papers"], "/data/papers/b.pdf", "b.pdf"),
        (["gs://bucket/in/*.pdf"], "gs://bucket/in/b.pdf", "gs://bucket/in/b.pdf"),
        (["https://a.example/b.pdf"], "https://a.example/b.pdf", "https://a.example/b.pdf"),
        ([], "vellum:charts?seed=3", "vellum:charts?seed=3"),
    ],
)
def test_inputs_are_named_relative_to_their_patterns(patterns: list[str], uri: str, name: str) -> None:
    names = PublicNames(build_recipe({"sources": [{"type": "pdfs", "input": patterns, "http": True}]}))
    assert names.of(uri) == name
    assert "/data" not in names.of_message(f"cannot read {uri}: no such file", uri)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("/home/me/papers/**/*.pdf", "papers/**/*.pdf"),
        ("/home/me/papers/", "papers"),
        ("@/home/me/list.txt", "@list.txt"),
        ("~/papers", "papers"),
        ("papers/*.pdf", "papers/*.pdf"),
        ("s3://bucket/papers", "s3://bucket/papers"),
    ],
)
def test_places_keep_their_last_name(place: str, shown: str) -> None:
    assert public_place(place) == shown
    assert public_place(shown) == shown


def test_the_recipe_as_given_stays_in_the_staging_folder(tmp_path: Any) -> None:
    given = {"sources": [{"type": "pdfs", "input": ["/home/me/papers"], "license": "/keep"}], "filters": []}
    storage = Storage(str(tmp_path))
    told = {"recipe": public_recipe(given)}
    assert "/home/me" not in json.dumps(told)
    assert told["recipe"]["sources"][0]["license"] == "/keep"
    assert own_recipe(storage, told) == told["recipe"]
    save_own_recipe(storage, given)
    assert own_recipe(storage, told) == given
    assert own_recipe(storage, {"recipe": {"sources": []}}) == {"sources": []}  # of another version of the output
