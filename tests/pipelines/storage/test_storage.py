"""Storage: the same promises over a folder, Google Cloud Storage and S3."""

import io
import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.storage import Storage, fetch

pytestmark = pytest.mark.slow

# bytes that a careless text layer, MIME parser or glob would damage
AWKWARD = bytes(range(256)) * 300 + b"\r\n\r\n--boundary\r\n\n"


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
