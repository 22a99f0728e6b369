"""The whole pipeline where one machine is outgrown: object stores, external workers, Dataflow as far as it goes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import apache_beam as beam
import pymupdf
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2

from pipelines.graph import build
from pipelines.job import Job
from pipelines.recipe import RECIPES, build_recipe, load_recipe
from pipelines.storage import Storage
from tests.clusters import ROOT, PortableCluster, dry_run_options
from tests.emulators import Emulator


def _pdf(num_pages: int) -> bytes:
    with pymupdf.open() as document:
        for number in range(num_pages):
            text = f"Page {number} of {num_pages}. " + "The quick brown fox jumps over the lazy dog again. " * 30
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
    assert {"manifest.json", "README.md"} <= local.keys()
    assert {name.split("/")[0] for name in local} >= {"data", "ledger", "errors"}


def test_dataflow_translates_the_whole_job(gcs: Emulator, tmp_path: Path):
    recipe = build_recipe(load_recipe(RECIPES / "pdfs.yaml"))
    job = Job(
        recipe=json.dumps(recipe.to_json(secrets=True)),
        output=f"{gcs.uri}/out",
        listing=(".staging/inputs/test/00000.jsonl",),
        run="test",
    )
    options = PipelineOptions(dry_run_options(gcs.uri, tmp_path))
    FileSystems.set_options(options)
    pipeline = beam.Pipeline(options=options)
    build(pipeline, job)
    proto = pipeline.run().job.proto_pipeline
    names = {transform.unique_name.split("/")[0] for transform in proto.components.transforms.values()}
    assert {"Inspect", "Stage", "WriteShards", "Publish"} <= names
    for environment in proto.components.environments.values():
        assert environment.urn == common_urns.environments.DOCKER.urn
        assert not environment.dependencies  # the image has them
        docker = beam_runner_api_pb2.DockerPayload.FromString(environment.payload)
        assert docker.container_image.endswith("/vellum/worker:test")
    assert gcs.keys() == []
