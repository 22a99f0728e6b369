"""Kills, full disks, and what goes wrong with buckets, credentials and schemes."""

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.storage import Storage, StorageError, match
from sources.optional_dependencies import how_to_install
from tests.pipelines.storage.processes import python, sentence

pytestmark = pytest.mark.slow


def test_kill_while_writing_leaves_no_file(storage: Storage):
    code = (
        "with Storage(sys.argv[1]).create('a') as writer:\n"
        "    writer.write(b'1' * 6_000_000); writer.flush(); print('half', flush=True); sys.stdin.read()\n"
    )
    with python(code, storage.root) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        writer.kill()
    assert not storage.exists("a")
    assert storage.list() == []
    storage.write_bytes("a", b"2")  # what is left behind is not in the way
    assert storage.list() == ["a"]


def test_a_file_size_limit_is_one_clear_error(storage: Storage):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    code = (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "storage = Storage(sys.argv[1])\n"
        "try: storage.write_bytes('a', b'1' * 5_000_000)\n"
        "except OSError as error: print(type(error).__name__, error, flush=True)\n"
    )
    out, err = python(code, storage.root).communicate()
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


@pytest.mark.parametrize("scheme", ["gs", "s3"])
def test_a_missing_bucket_is_onesentence(scheme: str, request: pytest.FixtureRequest):
    request.getfixturevalue({"gs": "gcs", "s3": "s3"}[scheme])
    missing = Storage(f"{scheme}://no-such-bucket/out")
    uses = (lambda: missing.write_bytes("a", b""), missing.list, missing.lock().__enter__)
    for use in uses:
        with pytest.raises(StorageError) as caught:
            use()
        expected = f"there is no bucket {scheme}://no-such-bucket; make it with"
        assert sentence(caught.value).startswith(expected)
    with pytest.raises(StorageError, match="there is no bucket"):
        list(match(f"{scheme}://no-such-bucket/*.pdf"))


def test_missing_aws_credentials_are_onesentence(s3: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    FileSystems.set_options(PipelineOptions([s3.options[0]]))
    with pytest.raises(StorageError) as caught:
        Storage("s3://vellum/out").write_bytes("a", b"")
    assert sentence(caught.value).startswith("no valid AWS credentials for s3://vellum")


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
    out, err = python(code).communicate()
    assert out == f"{scheme}:// paths need an extra: {how_to_install(extra)}\n", err
