"""Storage: the same promises over a folder, Google Cloud Storage and S3."""

import io
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.lease import remote_lease
from pipelines.storage import OutputInUse, Storage, StorageError, fetch, match

# bytes that a careless text layer, MIME parser or glob would damage
AWKWARD = bytes(range(256)) * 300 + b"\r\n\r\n--boundary\r\n\n"


@pytest.fixture(params=["local", "gs", "s3"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for files: a folder, or an empty bucket of an emulator."""
    if request.param == "local":
        return str(tmp_path / "store")
    emulator = request.getfixturevalue({"gs": "gcs", "s3": "s3"}[request.param])
    return emulator.uri


@pytest.fixture
def storage(base: str) -> Storage:
    return Storage(f"{base}/v1")


def test_bytes_come_back_as_written(storage: Storage):
    files = {"a.bin": AWKWARD, "empty": b"", "deep/er/text.gz": b"not compressed", "x[1]*.b": b"1"}
    for name, data in files.items():
        storage.write_bytes(name, data)
        assert storage.read_bytes(name) == data
        assert storage.size(name) == len(data)
        with storage.open(name) as reader:
            assert reader.read() == data


def test_paths_are_below_the_root(storage: Storage, base: str):
    assert storage.root == f"{base}/v1"
    assert storage.path("data/a.parquet") == f"{base}/v1/data/a.parquet"
    assert storage.is_local == (not base.startswith(("gs://", "s3://")))
    for outside in ("../a", "/a", "", "a//b", "./a"):
        with pytest.raises(AssertionError):
            storage.path(outside)


def test_readers_seek(storage: Storage):
    storage.write_bytes("a", AWKWARD)
    with storage.open("a") as reader:
        assert reader.seekable()
        reader.seek(-10, io.SEEK_END)
        assert reader.read() == AWKWARD[-10:]
        reader.seek(1000)
        assert (reader.read(7), reader.tell()) == (AWKWARD[1000:1007], 1007)
        reader.seek(len(AWKWARD) + 5)
        assert reader.read() == b""


def test_parquet_is_written_and_read_in_place(storage: Storage):
    ids, noise = [f"{k:05}" for k in range(5000)], [os.urandom(500) for _ in range(5000)]
    table = pa.table({"id": ids, "bytes": noise})
    with storage.create("data/a.parquet") as sink:
        pq.write_table(table, sink, row_group_size=1000)
    with storage.open("data/a.parquet") as file:
        parquet = pq.ParquetFile(file)
        assert parquet.metadata.num_row_groups == 5
        assert parquet.read_row_group(3).equals(table.slice(3000, 1000))
        assert parquet.read(columns=["id"]).equals(table.select(["id"]))


def test_a_file_appears_only_when_its_block_ends(storage: Storage):
    with storage.create("a") as writer:
        writer.write(b"1" * 3_000_000)
        writer.flush()
        assert not storage.exists("a")
        assert storage.list() == []
    assert storage.size("a") == 3_000_000


def test_an_error_leaves_the_old_file(storage: Storage):
    storage.write_bytes("a", b"old")

    def fail() -> None:
        with storage.create("a") as writer:
            writer.write(b"new" * 1_000_000)
            raise FileNotFoundError("an input")

    with pytest.raises(FileNotFoundError, match="an input"):
        fail()
    assert storage.read_bytes("a") == b"old"
    assert storage.list() == ["a"]
    if storage.is_local:
        assert os.listdir(storage.root) == ["a"]


def test_missing_files_are_told_apart_from_faults(storage: Storage):
    assert not storage.exists("nothing")
    storage.delete("nothing")
    for read in (storage.read_bytes, storage.size, storage.open):
        with pytest.raises(FileNotFoundError, match="nothing"):
            read("nothing")
    with pytest.raises(FileNotFoundError, match="nothing"):
        storage.move("nothing", "something")


def test_publishing_moves_a_finished_file(storage: Storage, tmp_path: Path):
    done = tmp_path / "done"
    done.write_bytes(AWKWARD)
    storage.publish_file(done, "parts/1")
    assert storage.read_bytes("parts/1") == AWKWARD
    assert not done.exists()


def test_publishing_from_another_file_system(tmp_path: Path):
    if os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("/dev/shm is on the file system of the temporary folder")
    done = Path("/dev/shm") / f"vellum-{os.getpid()}"
    done.write_bytes(AWKWARD)
    Storage(str(tmp_path)).publish_file(done, "a/b")
    assert (tmp_path / "a/b").read_bytes() == AWKWARD
    assert not done.exists()
    assert os.listdir(tmp_path / "a") == ["b"]


def test_lists_are_sorted_and_recursive(storage: Storage):
    names = ["parts/b", "parts/a/2", "parts/a/10", "parts-of", "data/x", "top", "parts/a-b"]
    for name in names:
        storage.write_bytes(name, b"1")
    assert storage.list() == sorted(names)
    assert storage.list("parts/") == ["parts/a-b", "parts/a/10", "parts/a/2", "parts/b"]
    assert storage.list("parts/a") == ["parts/a-b", "parts/a/10", "parts/a/2"]
    assert storage.list("parts") == ["parts-of", "parts/a-b", "parts/a/10", "parts/a/2", "parts/b"]
    assert storage.list("none/") == []


def test_deleting_takes_names_literally(storage: Storage):
    for name in ("a[1]", "a1", "a*"):
        storage.write_bytes(name, b"1")
    storage.delete("a[1]")
    storage.delete("a*")
    assert storage.list() == ["a1"]


def test_moving_replaces(storage: Storage):
    storage.write_bytes("a", b"new")
    storage.write_bytes("sub/b", b"old")
    storage.move("a", "sub/b")
    assert storage.list() == ["sub/b"]
    assert storage.read_bytes("sub/b") == b"new"


def test_a_storage_may_be_pickled_after_use(storage: Storage):
    storage.write_bytes("a", b"1")
    again = pickle.loads(pickle.dumps(storage))
    assert again.read_bytes("a") == b"1"
    assert again.root == storage.root


def test_fetching(storage: Storage, tmp_path: Path):
    storage.write_bytes("a", AWKWARD)
    into = tmp_path / "fetched"
    found = fetch(storage.path("a"), into)
    assert found.read_bytes() == AWKWARD
    assert (found == into) == (not storage.is_local)
    with pytest.raises(FileNotFoundError, match="nothing"):
        fetch(storage.path("nothing"), tmp_path / "none")
    assert not (tmp_path / "none").exists()


# Matching: bash is the reference

TREE = [
    "a.pdf", "b.PDF", "c.txt", "[draft].pdf", "d/a.pdf", "d/e/b.pdf", "d/e/f/c.pdf", "d-e/a.pdf",
    ".hidden/a.pdf", "d/.h.pdf", "d/e/é 1.pdf",
]  # fmt: skip
PATTERNS = [
    "*.pdf", "*", "?.pdf", "d/*.pdf", "*/*.pdf", "**/*.pdf", "**/e/*.pdf", "**/e/**/*.pdf", "d/**/c.pdf",
    "d/**", "[ab].*", "[[]*", "d/.*.pdf", ".hidden/*", "**/**/*.pdf", "d/e/é*", "d*/a.pdf", "nothing/*",
    "*.djvu",
]  # fmt: skip


@pytest.fixture
def tree(base: str) -> str:
    storage = Storage(f"{base}/in")
    for name in TREE:
        storage.write_bytes(name, b"1")
    return storage.root


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """What bash makes of a pattern in TREE, files only."""
    root = tmp_path_factory.mktemp("bash")
    for name in TREE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()

    def expand(pattern: str) -> list[str]:
        script = f'shopt -s globstar nullglob; for f in {pattern}; do [ ! -f $f ] || echo "$f"; done'
        out = subprocess.run(["bash", "-c", script], cwd=root, stdout=subprocess.PIPE, check=True)
        return sorted(set(out.stdout.decode().splitlines()))

    return expand


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_mean_what_they_mean_to_bash(tree: str, bash: Callable[[str], list[str]], pattern: str):
    found = list(match(f"{tree}/{pattern}"))
    assert sorted(found) == [f"{tree}/{name}" for name in bash(pattern)]
    assert len(found) == len(set(found))


def test_a_name_that_exists_is_not_a_pattern(tree: str):
    assert list(match(f"{tree}/[draft].pdf")) == [f"{tree}/[draft].pdf"]


def test_a_folder_means_every_file_below_it(tree: str):
    below_d = [f"{tree}/d/{name}" for name in ("a.pdf", "e/b.pdf", "e/f/c.pdf", "e/é 1.pdf")]
    assert list(match(f"{tree}/d/")) == below_d
    assert list(match(f"{tree}/d")) == below_d
    assert list(match(f"{tree}/nothing")) == []
    assert list(match(f"{tree}/nothing/")) == []


def test_a_whole_bucket_or_root(tree: str):
    root = tree.removesuffix("/in")
    visible = sorted(f"{tree}/{name}" for name in TREE if "/." not in f"/{name}")
    assert sorted(match(root)) == sorted(match(root + "/")) == visible


def test_relative_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.pdf").touch()
    monkeypatch.chdir(tmp_path)
    assert list(match("**/*.pdf")) == list(match("d/*.pdf")) == list(match("d")) == ["d/a.pdf"]


def test_links_to_folders_are_followed_only_when_named(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.pdf").touch()
    (tmp_path / "real/loop").symlink_to(tmp_path)
    assert list(match(f"{tmp_path}/**/*.pdf")) == [f"{tmp_path}/real/a.pdf"]
    assert list(match(f"{tmp_path}/real/*/real/*.pdf")) == [f"{tmp_path}/real/loop/real/a.pdf"]
    (tmp_path / "gone.pdf").symlink_to("nowhere")  # an input that cannot be read is still an input
    assert list(match(f"{tmp_path}/*.pdf")) == [f"{tmp_path}/gone.pdf"]


# Faults


def _python(code: str, *args: str, **kwargs: Any) -> "subprocess.Popen[str]":
    preamble = (
        "import sys, os, signal, resource\n"
        "from apache_beam.io.filesystems import FileSystems\n"
        "from apache_beam.options.pipeline_options import PipelineOptions\n"
        "from pipelines.storage import *\n"
        "FileSystems.set_options(PipelineOptions([]))\n"
    )
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", preamble + code, *args],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs,
    )  # fmt: skip


def test_kill_while_writing_leaves_no_file(storage: Storage):
    code = (
        "with Storage(sys.argv[1]).create('a') as writer:\n"
        "    writer.write(b'1' * 6_000_000); writer.flush(); print('half', flush=True); sys.stdin.read()\n"
    )
    with _python(code, storage.root) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        writer.kill()
    assert not storage.exists("a")
    assert storage.list() == []
    storage.write_bytes("a", b"2")  # what is left behind is not in the way
    assert storage.list() == ["a"]


def test_a_file_size_limit_is_one_clear_error(storage: Storage):
    code = (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "storage = Storage(sys.argv[1])\n"
        "try: storage.write_bytes('a', b'1' * 5_000_000)\n"
        "except OSError as error: print(type(error).__name__, error, flush=True)\n"
    )
    out, err = _python(code, storage.root).communicate()
    assert err.count("Traceback") == 0
    assert out.startswith(f"StorageError cannot write {storage.path('a')}")
    assert "file too large" in out
    assert storage.list() == []
    if storage.is_local:
        assert os.listdir(storage.root) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("through", ["write", "pyarrow", "publish"])
def test_a_full_disk_is_one_clear_error(small_disk: Path, tmp_path: Path, through: str):
    storage = Storage(str(small_disk))
    (tmp_path / "big").write_bytes(b"1" * 5_000_000)

    def fill() -> None:
        if through == "publish":
            storage.publish_file(tmp_path / "big", "a")
        elif through == "write":
            storage.write_bytes("a", b"1" * 5_000_000)
        else:
            with storage.create("a") as sink:
                pq.write_table(pa.table({"a": [os.urandom(5_000_000)]}), sink)

    with pytest.raises(StorageError, match=f"^cannot write {small_disk}/a: no space left on device$"):
        fill()
    assert os.listdir(small_disk) == []


def test_a_folder_that_may_not_be_written_is_one_clear_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*file/a: (not a directory|file exists)"):
        Storage(str(tmp_path / "file")).write_bytes("a", b"")
    with pytest.raises(StorageError, match=r"cannot write /proc/vellum/a: "):
        Storage("/proc/vellum").write_bytes("a", b"")


# What goes wrong with buckets, credentials and schemes


def _sentence(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_missing_bucket_is_one_sentence(scheme: str, request: pytest.FixtureRequest):
    request.getfixturevalue({"gs": "gcs", "s3": "s3"}[scheme])
    missing = Storage(f"{scheme}://no-such-bucket/out")
    uses = (lambda: missing.write_bytes("a", b""), missing.list, missing.lock().__enter__)
    for use in uses:
        with pytest.raises(StorageError) as caught:
            use()
        expected = f"there is no bucket {scheme}://no-such-bucket; make it with"
        assert _sentence(caught.value).startswith(expected)
    with pytest.raises(StorageError, match="there is no bucket"):
        list(match(f"{scheme}://no-such-bucket/*.pdf"))


def test_missing_aws_credentials_are_one_sentence(s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    FileSystems.set_options(PipelineOptions([s3.options[0]]))
    with pytest.raises(StorageError) as caught:
        Storage("s3://vellum/out").write_bytes("a", b"")
    assert _sentence(caught.value).startswith("no valid AWS credentials for s3://vellum")


@pytest.mark.parametrize("scheme", ["ftp", "hdfs", "https"])
def test_an_unknown_scheme_is_refused(scheme: str):
    with pytest.raises(StorageError, match=rf"expected a folder, gs://… or s3://…, got '{scheme}://x/y'"):
        Storage(f"{scheme}://x/y")


@pytest.mark.parametrize(
    ("scheme", "package", "extra"), [("gs", "google.cloud.storage", "gcp"), ("s3", "boto3", "aws")]
)
def test_a_missing_extra_is_named(scheme: str, package: str, extra: str):
    code = (
        f"import importlib.abc\n"
        f"class Hide(importlib.abc.MetaPathFinder):\n"
        f"    def find_spec(self, name, path, target=None):\n"
        f"        if name.startswith('{package}'): raise ImportError(name)\n"
        f"for name in list(sys.modules):\n"
        f"    if name.startswith('{package}') or 'gcsio' in name or '.aws.' in name: del sys.modules[name]\n"
        f"sys.meta_path.insert(0, Hide())\n"
        f"try: Storage('{scheme}://x/y')\n"
        f"except StorageError as error: print(error)\n"
    )
    out, err = _python(code).communicate()
    assert out == f"{scheme}:// paths need an extra: pip install 'vellum-vl[{extra}]'\n", err


# Locks


def test_a_second_holder_is_refused_and_told_who_holds(storage: Storage):
    with storage.lock() as lease:
        lease.check()
        with pytest.raises(OutputInUse) as caught, storage.lock():
            pass
        assert f"{storage.root} is in use by process {os.getpid()} on" in _sentence(caught.value)
    with storage.lock():
        pass


def test_other_outputs_are_free(storage: Storage, base: str):
    with storage.lock() as ours, Storage(f"{base}/v2").lock() as other:
        assert ours is not other


def test_the_lock_of_a_killed_run_is_free_at_once(storage: Storage):
    code = "with Storage(sys.argv[1]).lock(): print('held', flush=True); sys.stdin.read()"
    with _python(code, storage.root) as holder:
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
    storage = Storage(f"{emulator.uri}/v1")
    store = storage._files.store  # type: ignore[attr-defined]
    with remote_lease(store, "lease", storage.root, renew_s=1, stale_s=1e9) as first:  # not while the other takes it
        first.check()
        with remote_lease(store, "lease", storage.root, stale_s=0):  # to this one, any lease is stale
            with pytest.raises(OutputInUse, match="was lost to another run"):
                _until_raises(first.check)
            assert store.head("lease") is not None
    assert emulator.keys() == []


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_lease_is_renewed(scheme: str, request: pytest.FixtureRequest):
    emulator = request.getfixturevalue({"gs": "gcs", "s3": "s3"}[scheme])
    store = Storage(f"{emulator.uri}/v1")._files.store  # type: ignore[attr-defined]
    with remote_lease(store, "lease", "out", renew_s=0.01) as lease:
        tags = set()
        while len(tags) < 5:  # the test's own time limit ends this if nothing is renewed
            tags.add(store.head("lease").tag)
        lease.check()
        assert len(tags) == 5


def _until_raises(check: Callable[[], None]) -> None:
    pause = threading.Event()
    while True:
        check()
        pause.wait(0.01)


def test_file_size_limits_can_be_set_here():
    """The limit above must be enforceable, else its test proves nothing."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
