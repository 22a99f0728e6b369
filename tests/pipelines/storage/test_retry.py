"""One retry policy for all calls to a store, against a real emulator behind a proxy that fails by plan."""

import io
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.storage import Storage, StorageError, retry
from pipelines.storage.object_store import ABSENT, ObjectStore, store_and_key
from tests.emulators import Emulator
from tests.store_proxy import BROKEN, CUT, StoreProxy, store_proxy

pytestmark = pytest.mark.slow

DATA = bytes(range(256)) * 400


@pytest.fixture(params=["gcs", "s3"])
def proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Emulator, StoreProxy]]:
    """An emulator, and a proxy through which the tested code reaches it."""
    monkeypatch.setattr(retry, "FIRST_PAUSE_S", 0.01)
    emulator: Emulator = request.getfixturevalue(request.param)
    name = {"gcs": "STORAGE_EMULATOR_HOST", "s3": "AWS_ENDPOINT_URL_S3"}[request.param]
    with store_proxy(emulator.environment[name]) as found:
        monkeypatch.setenv(name, found.url)
        if request.param == "s3":
            options = [f"--s3_endpoint_url={found.url}", *emulator.options[1:]]
            FileSystems.set_options(PipelineOptions(options))
        yield emulator, found


def every_call(store: ObjectStore) -> None:
    """Make each call once, and check what it does."""
    with tempfile.TemporaryFile() as file:
        file.write(DATA)
        file.seek(0)
        store.upload("a/1", file)
    assert store.write_if("a/2", b"two", ABSENT) is not None
    head = store.head("a/1")
    assert head is not None
    assert head.size == len(DATA)
    assert store.read_range("a/1", 100, 5000) == DATA[100:5100]
    into = io.BytesIO()
    store.download("a/1", into)
    assert into.getvalue() == DATA
    store.copy("a/1", "a/3")
    assert list(store.list("a/")) == ["a/1", "a/2", "a/3"]
    store.delete("a/3")
    assert store.head("a/3") is None


@pytest.mark.parametrize("fault", [503, 500, 429, BROKEN, CUT])
def test_every_call_is_tried_again(proxy: tuple[Emulator, StoreProxy], fault: int) -> None:
    emulator, faults = proxy
    store, _ = store_and_key(f"{emulator.uri}/x")
    failed: set[str] = set()

    def first_time(method: str, path: str) -> int | None:
        """Every request fails once, but a repeated one succeeds."""
        key = f"{method} {path.partition('&uploadId')[0]}"
        if key in failed or (fault == CUT and method != "GET"):
            return None
        failed.add(key)
        return fault

    faults.plan = first_time
    every_call(store)
    assert len(faults.faults) >= (2 if fault == CUT else 6)


def test_a_listing_goes_on_after_the_last_key(proxy: tuple[Emulator, StoreProxy]) -> None:
    emulator, faults = proxy
    for number in range(5):
        emulator.put(f"many/{number}", b"x")
    store, _ = store_and_key(f"{emulator.uri}/x")
    numbers = itertools.count()
    faults.plan = lambda method, path: 503 if next(numbers) % 2 == 0 else None
    assert list(store.list("many/")) == [f"many/{number}" for number in range(5)]
    assert [size for _, size in store.entries("many/", "many/2")] == [1, 1]


def test_a_store_that_stays_away_is_an_error_after_the_deadline(proxy: tuple[Emulator, StoreProxy]) -> None:
    emulator, faults = proxy
    store, _ = store_and_key(f"{emulator.uri}/x")
    assert isinstance(store, retry.RetryingStore)
    faults.plan = lambda method, path: 503
    with pytest.raises(StorageError, match=r"does not answer as expected: .* \(tried \d+ times in 0\.5 s\)"):
        retry.RetryingStore(store._store, deadline_s=0.5).head("a")
    assert len(faults.faults) > 2


def test_what_will_not_pass_is_not_tried_again(proxy: tuple[Emulator, StoreProxy], tmp_path: Path) -> None:
    emulator, faults = proxy
    faults.plan = lambda method, path: 403
    with pytest.raises(StorageError):
        Storage(f"{emulator.uri}/out").read_bytes("a")
    asked = [(method, path) for method, path, _ in faults.faults]
    assert len(asked) == len(set(asked))  # the client of GCS asks for the bucket, too
