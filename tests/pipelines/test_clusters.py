"""One pipeline on every runner: local processes, external workers, and Dataflow as far as it goes offline."""

import json
import os
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from pipelines.storage import Storage, match
from sources.sample import sample_id
from tests.clusters import PortableCluster, dry_run_options, portable, template_options
from tests.emulators import Emulator
from tests.pipelines import word_count

ACCELERATOR = common_urns.resource_hints.ACCELERATOR.urn
LOCAL = ["--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]
EXPECTED = {
    "rows": [["cat", 2, sample_id("cat", "word=1")], ["sat", 1, sample_id("sat", "word=1")]],
    "failed": ["gone.txt"],
}


@pytest.fixture(params=["local", "gcs", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, list[str]]:
    """A place for files and the options by which workers find it."""
    if request.param == "local":
        return str(tmp_path), []
    emulator = request.getfixturevalue(request.param)
    return emulator.uri, emulator.options


def _count(uri: str, options: list[str]) -> bytes:
    inputs = Storage(f"{uri}/in")
    inputs.write_bytes("a.txt", b"the cat sat")
    inputs.write_bytes("b/c.txt", b"the cat")
    uris = [*match(f"{uri}/in/**/*.txt"), inputs.path("gone.txt")]
    word_count.run(uris, f"{uri}/out", options).wait_until_finish()
    return Storage(f"{uri}/out").read_bytes("counts.json")


def _relative(counts: bytes, uri: str) -> Any:
    return json.loads(counts.decode().replace(f"{uri}/in/", ""))


def test_local_processes(store: tuple[str, list[str]]):
    uri, options = store
    assert _relative(_count(uri, [*LOCAL, *options]), uri) == EXPECTED


def test_job_service_with_external_workers(store: tuple[str, list[str]], portable_cluster: PortableCluster):
    uri, options = store
    counts = _count(uri, [*portable_cluster.options, *options])
    assert _relative(counts, uri) == EXPECTED
    assert counts == _count(uri, [*LOCAL, *options])
    assert "Starting worker with command" in portable_cluster.log.read_text()


def test_a_cluster_leaves_no_process_behind(tmp_path: Path):
    mark = f"VELLUM_TEST_CLUSTER={tmp_path}"
    with portable(tmp_path, {**os.environ, "VELLUM_TEST_CLUSTER": str(tmp_path)}) as cluster:
        _count(str(tmp_path), cluster.options)
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


def test_dataflow_translates_the_job_offline(gcs: Emulator, tmp_path: Path):
    result = word_count.run([f"{gcs.uri}/in/a.txt"], f"{gcs.uri}/out", dry_run_options(gcs.uri, tmp_path))
    result.wait_until_finish()
    proto = result.job.proto_pipeline  # type: ignore[attr-defined]
    _check_translation(proto)
    assert gcs.keys() == []  # nothing was staged, nothing ran


def _check_translation(proto: beam_runner_api_pb2.Pipeline) -> None:
    urns = {transform.spec.urn for transform in proto.components.transforms.values()}
    assert common_urns.primitives.GROUP_BY_KEY.urn in urns
    names = {transform.unique_name for transform in proto.components.transforms.values()}
    assert {"Read", "Count", "Publish"} <= {name.split("/")[0] for name in names}
    for environment in proto.components.environments.values():
        assert environment.urn == common_urns.environments.DOCKER.urn
        docker = beam_runner_api_pb2.DockerPayload.FromString(environment.payload)
        assert docker.container_image.endswith("/vellum/worker:test")
        assert not environment.dependencies  # the image has them


def test_dataflow_template_is_staged_in_the_bucket(gcs: Emulator, tmp_path: Path):
    word_count.run([f"{gcs.uri}/in/a.txt"], f"{gcs.uri}/out", template_options(gcs.uri, tmp_path))
    staged, template = gcs.keys()  # nothing else: no pickled main module, no source archive, no output
    assert staged.endswith("/pipeline.pb")
    assert template == "templates/job"
    _check_translation(beam_runner_api_pb2.Pipeline.FromString(gcs.get(staged)))
    job = json.loads(gcs.get("templates/job"))
    assert job["type"] == "JOB_TYPE_BATCH"
    assert job["environment"]["serviceAccountEmail"].startswith("vellum-worker@")
    (pool,) = job["environment"]["workerPools"]
    assert (pool["machineType"], pool["diskSizeGb"], pool["numWorkers"]) == ("n2-standard-8", 50, 2)
    assert pool["autoscalingSettings"]["maxNumWorkers"] == 20
    assert pool["numThreadsPerWorker"] == 1
    (image,) = pool["sdkHarnessContainerImages"]
    assert image["containerImage"].endswith("/vellum/worker:test")
    assert image["useSingleCorePerContainer"]  # a process a core


def test_a_gpu_is_asked_for_only_where_a_step_hints_at_it(gcs: Emulator, tmp_path: Path):
    pipeline = beam.Pipeline(options=PipelineOptions(dry_run_options(gcs.uri, tmp_path)))
    hint = "type:nvidia-l4;count:1;install-nvidia-driver"
    rows = pipeline | "Rows" >> beam.Create([1]) | "Shuffle" >> beam.Reshuffle()
    _ = rows | "Score" >> beam.Map(str).with_resource_hints(accelerator=hint, min_ram="24GB")
    components = pipeline.run().job.proto_pipeline.components
    hinted = {
        transform.unique_name
        for transform in components.transforms.values()
        if components.environments[transform.environment_id].resource_hints.get(ACCELERATOR) == hint.encode()
    }
    assert hinted == {"Score"}
