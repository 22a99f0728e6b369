"""Locks: one run an output, and what is left by a run that was killed is free."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from pipelines.storage import OutputInUse, Storage
from pipelines.storage.lease import remote_lease
from pipelines.storage.object_store import store_and_key
from tests.pipelines.storage.processes import python, sentence

pytestmark = pytest.mark.slow


def test_a_second_holder_is_refused_and_told_who_holds(storage: Storage):
    with storage.lock() as lease:
        lease.check()
        with pytest.raises(OutputInUse) as caught, storage.lock():
            pass
        assert f"{storage.root} is in use by process {os.getpid()} on" in sentence(caught.value)
    with storage.lock():
        pass


def test_other_outputs_are_free(storage: Storage, base: str):
    with storage.lock() as ours, Storage(f"{base}/v2").lock() as other:
        assert ours is not other


def test_the_lock_of_a_killed_run_is_free_at_once(storage: Storage):
    code = "with Storage(sys.argv[1]).lock(): print('held', flush=True); sys.stdin.read()"
    with python(code, storage.root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputInUse, match=f"process {holder.pid} "), storage.lock():
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with storage.lock():
        pass


def test_of_many_that_start_at_once_one_holds(storage: Storage):
    """A race through every step of taking the lock; each thread tries until all have tried."""
    start, done = threading.Barrier(8, timeout=30), threading.Barrier(8, timeout=30)
    outcomes = []

    def contend() -> None:
        start.wait()
        try:
            with storage.lock():
                outcomes.append("held")
                done.wait()
        except OutputInUse:
            outcomes.append("refused")
            done.wait()

    threads = [threading.Thread(target=contend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["held"] + ["refused"] * 7


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_stale_lease_is_taken_over_and_its_holder_notices(scheme: str, request: pytest.FixtureRequest):
    emulator = request.getfixturevalue({"gs": "gcs", "s3": "s3"}[scheme])
    store, key = store_and_key(f"{emulator.uri}/lease")
    with remote_lease(store, key, emulator.uri, renew_s=1, stale_s=1e9) as first:  # not while the other takes it
        first.check()
        with remote_lease(store, key, emulator.uri, stale_s=0):  # to this one, any lease is stale
            with pytest.raises(OutputInUse, match="was lost to another run"):
                _until_raises(first.check)
            assert store.head(key) is not None
    assert emulator.keys() == []


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_lease_is_renewed(scheme: str, request: pytest.FixtureRequest):
    emulator = request.getfixturevalue({"gs": "gcs", "s3": "s3"}[scheme])
    store, key = store_and_key(f"{emulator.uri}/lease")
    with remote_lease(store, key, "out", renew_s=0.01) as lease:
        tags = set()
        while len(tags) < 5:  # the test's own time limit ends this if nothing is renewed
            head = store.head(key)
            assert head is not None
            tags.add(head.tag)
        lease.check()
        assert len(tags) == 5


def _until_raises(check: Callable[[], None]) -> None:
    pause = threading.Event()
    while True:
        check()
        pause.wait(0.01)
