"""Local copies of remote files: made once, given up in order, and never half filled."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.storage.local_cache import LocalCache

pytestmark = pytest.mark.slow


def test_a_folder_is_filled_once_by_all_threads() -> None:
    cache, calls = LocalCache("vellum-test-"), []

    def fill(folder: Path) -> None:
        calls.append(folder)
        (folder / "file").write_text("content")

    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: cache.folder("key", fill), range(32)))
    assert len(calls) == 1
    assert set(folders) == {calls[0]}
    assert (folders[0] / "file").read_text() == "content"


def test_the_folder_not_asked_for_longest_goes_first() -> None:
    cache = LocalCache("vellum-test-", capacity=2)
    folders = {key: cache.folder(key, lambda folder: None) for key in "ab"}
    cache.folder("a", pytest.fail)
    cache.folder("c", lambda folder: None)
    assert folders["a"].exists()
    assert not folders["b"].exists()


def test_a_download_that_fails_leaves_nothing_behind() -> None:
    cache, seen = LocalCache("vellum-test-"), []

    def fail(folder: Path) -> None:
        seen.append(folder)
        (folder / "half").write_text("")
        raise OSError("the network is gone")

    with pytest.raises(OSError, match="network"):
        cache.folder("key", fail)
    assert not seen[0].exists()
    assert list(cache.folder("key", lambda folder: None).iterdir()) == []


def test_what_is_held_stays_and_the_oldest_of_the_rest_makes_room() -> None:
    cache = LocalCache("vellum-test-", max_bytes=25)

    def fill(folder: Path) -> None:
        (folder / "file").write_bytes(bytes(10))

    with cache.held("a", fill) as held:
        folders = [cache.folder(key, fill) for key in "bcd"]
        assert held.exists()
        assert [folder.exists() for folder in folders] == [False, False, True]
        cache.clear()
        assert held.exists()
        assert not folders[2].exists()
    assert cache.find("a") == held
    assert cache.find("b") is None
    cache.drop("a")
    assert not held.exists()
