"""The whole pipeline where one machine is outgrown: object stores, external workers, Dataflow as far as it goes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pymupdf
import pytest
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from pipelines.storage import Storage
from tests.clusters import ROOT, PortableCluster, dry_run_options, portable, template_options
from tests.emulators import Emulator

pytestmark = pytest.mark.slow


def _pdf(num_pages: int) -> bytes:
    with pymupdf.open() as document:
        for number in range(num_pages):
            text = f"Page {number}. " + "The quick brown fox jumps over the lazy dog again. " * 30
            document.new_page().insert_textbox((50, 50, 550, 750), text)
        return bytes(document.tobytes(no_new_id=True))


def _run(uri: str, output: str, options: list[str]) -> dict[str, str]:
    """Run the command; sha256 of every file of the output by name."""
    command = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--set", "items_per_unit=2"]
    command += ["--input", f"{uri}/in/**/*.pdf", "--output", output, "--workers", "2", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    storage = Storage(output)
    names = [name for name in storage.list() if not name.startswith(".staging/")]
    return {name: hashlib.sha256(storage.read_bytes(name)).hexdigest() for name in names}


@pytest.mark.parametrize("store", ["local", "gcs", "s3"])
def test_external_workers_write_the_same_bytes(
    store: str, request: pytest.FixtureRequest, tmp_path: Path, portable_cluster: PortableCluster
):
    uri, options = str(tmp_path), []
    if store != "local":
        emulator = request.getfixturevalue(store)
        uri, options = emulator.uri, emulator.options
    inputs = Storage(f"{uri}/in")
    inputs.write_bytes("three.pdf", _pdf(3))
    inputs.write_bytes("deep/five.pdf", _pdf(5))
    inputs.write_bytes("broken.pdf", b"%PDF-1.7 no more")

    local = _run(uri, f"{uri}/local", options)
    cluster = _run(uri, f"{uri}/cluster", [*portable_cluster.options, *options])

    assert cluster == local
    # The three pages of one file are in the other as well: the cluster compares them as one machine does.
    manifest = json.loads(Storage(f"{uri}/cluster").read_bytes("manifest.json"))
    assert manifest["samples"]["duplicates"].keys() == {"near_duplicate"}
    assert {"manifest.json", "README.md"} <= local.keys()
    assert {name.split("/")[0] for name in local} >= {"data", "ledger", "errors"}


def test_a_cluster_leaves_no_process_behind(tmp_path: Path):
    mark = f"VELLUM_TEST_CLUSTER={tmp_path}"
    Storage(f"{tmp_path}/in").write_bytes("three.pdf", _pdf(3))
    with portable(tmp_path, {"VELLUM_TEST_CLUSTER": str(tmp_path)}) as cluster:
        _run(str(tmp_path), f"{tmp_path}/out", cluster.options)
        assert len(_processes(mark)) >= 2
    assert _processes(mark) == []


def _processes(mark: str) -> list[str]:
    """Command lines of the processes with `mark` in their environment; zombies have none."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it ended just now
            continue
    return found


def _submit(gcs: Emulator, options: list[str]) -> set[str]:
    """Submit the job as a user would; names of the objects it left in the bucket, staging folder excepted."""
    Storage(f"{gcs.uri}/in").write_bytes("three.pdf", _pdf(3))
    command = [sys.executable, "-m", "pipelines.run", "--source", "pdfs", "--input", f"{gcs.uri}/in/*.pdf"]
    command += ["--output", f"{gcs.uri}/out", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "translated" in done.stdout
    keys = gcs.keys()
    return {key for key in keys if not key.startswith(("in/", "out/.staging/"))}


def test_dataflow_dry_run_translates_the_job_and_stages_nothing(gcs: Emulator, tmp_path: Path):
    assert _submit(gcs, dry_run_options(gcs.uri, tmp_path)) == set()


def test_dataflow_template_is_the_whole_job_in_the_bucket(gcs: Emulator, tmp_path: Path):
    template, staged = sorted(_submit(gcs, template_options(gcs.uri, tmp_path)), reverse=True)
    assert template == "templates/job"
    assert staged.endswith("/pipeline.pb")  # nothing else: no pickled main module, no source archive, no output
    proto = beam_runner_api_pb2.Pipeline.FromString(gcs.get(staged))
    names = {transform.unique_name.split("/")[0] for transform in proto.components.transforms.values()}
    assert {"Inspect", "Stage", "WriteShards", "Publish"} <= names
    for environment in proto.components.environments.values():
        assert environment.urn == common_urns.environments.DOCKER.urn
        assert not environment.dependencies  # the image has them
        docker = beam_runner_api_pb2.DockerPayload.FromString(environment.payload)
        assert docker.container_image.endswith("/vellum/worker:test")
    (pool,) = json.loads(gcs.get(template))["environment"]["workerPools"]
    assert (pool["machineType"], pool["diskSizeGb"], pool["numWorkers"]) == ("n2-standard-8", 50, 2)
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 20
    assert pool["numThreadsPerWorker"] == 1
    (image,) = pool["sdkHarnessContainerImages"]
    assert image["useSingleCorePerContainer"]  # a process a core
