"""Clusters for tests: a job service with a pool of external workers, and Dataflow without Google.

Both run any pipeline that is given their options.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 60
NOTHING_STAGED = [
    # Beam 2.77 pickles the whole main module by default; workers need nothing from ours.
    "--no_save_main_session",
    # … and sends the list of installed packages along, which is wrong for a worker's image.
    "--experiments=disable_logging_submission_environment",
]


@dataclass(frozen=True, kw_only=True)
class PortableCluster:
    """A running job service and worker pool.

    Args:
        options: Beam options that submit a pipeline to it.
        log: output of its processes, workers included.
    """

    options: list[str]
    log: Path


@pytest.fixture(scope="session")
def portable_cluster(
    tmp_path_factory: pytest.TempPathFactory, gcs_session: object, s3_session: object
) -> Iterator[PortableCluster]:
    """The cluster for tests; its workers see the emulators, which set the environment first."""
    with portable(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@contextmanager
def portable(folder: Path, extra: Mapping[str, str] | None = None) -> Iterator[PortableCluster]:
    """Start the processes, yield the cluster, and end the processes and their children.

    Beam's pool (2.77) gives workers no pipeline options, only its environment, this process's and `extra`, which must
    contain emulators, keys and endpoints of stores.
    """
    # Asked now: `datasets` (4.x) replaces `os.environ` by a copy when it maps with several processes.
    environment = {**os.environ, **(extra or {})}
    variables = {
        **environment,
        # The pool starts workers with the first `python` on PATH, in any working directory.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH", "")])),
        "PYTHONUNBUFFERED": "1",
    }
    log = folder / "log"
    pool_port, port_file = _free_port(), folder / "port"
    beam = "apache_beam.runners"
    with log.open("ab") as out:

        def start(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=variables, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,  # so that they can be ended together with their children
            )  # fmt: skip

        processes = [
            start(f"{beam}.worker.worker_pool_main", f"--service_port={pool_port}"),
            start(
                f"{beam}.portability.local_job_service_main",
                f"--port_file={port_file}",
                f"--staging_dir={folder / 'staging'}",
            ),
        ]
    try:
        _wait(processes, log, pool_port, port_file)
        yield PortableCluster(
            options=[
                "--runner=PortableRunner",
                f"--job_endpoint=localhost:{port_file.read_text()}",
                f"--artifact_endpoint=localhost:{port_file.read_text()}",
                "--environment_type=EXTERNAL",
                f"--environment_config=localhost:{pool_port}",
                *NOTHING_STAGED,
            ],
            log=log,
        )
    finally:
        for process in reversed(processes):
            _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(processes: list["subprocess.Popen[bytes]"], log: Path, pool_port: int, port_file: Path) -> None:
    """Wait until both services answer."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not (port_file.exists() and _listens(pool_port)):
        if time.monotonic() > deadline_s or any(process.poll() is not None for process in processes):
            raise RuntimeError(f"the cluster did not start:\n{log.read_text()[-5000:]}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its children; an interrupt lets the pool stop its workers, a SIGTERM does not."""
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def dry_run_options(bucket: str, tmp: Path) -> list[str]:
    """Return options that translate a pipeline for Dataflow offline, and stop before anything is staged.

    Args:
        bucket: `gs://…` of the emulator.
        tmp: unused by a dry run, so that it can be swapped with `template_options`.
    """
    return [*_dataflow_options(bucket), "--dry_run=True"]


def template_options(bucket: str, tmp: Path) -> list[str]:
    """Return options that also stage everything in the emulator, but submit nothing.

    The job is then the object `templates/job` of the bucket, as JSON, and the pipeline a `pipeline.pb` in it.
    Call `Pipeline.run`, not `with Pipeline`: there is no job to wait for, and waiting for it is an error.
    """
    return [*_dataflow_options(bucket), f"--template_location={bucket}/templates/job"]


def _dataflow_options(bucket: str) -> list[str]:
    return [
        "--runner=DataflowRunner",
        "--project=vellum-test",
        "--region=europe-west4",
        "--job_name=vellum-test",
        f"--temp_location={bucket}/temp",
        f"--staging_location={bucket}/staging",
        # The image has the project and its dependencies: nothing is built, fetched or staged for the workers.
        "--sdk_container_image=europe-west4-docker.pkg.dev/vellum-test/vellum/worker:test",
        "--sdk_location=container",
        "--machine_type=n2-standard-8",
        "--disk_size_gb=50",
        "--num_workers=2",
        "--max_num_workers=20",
        "--number_of_worker_harness_threads=1",
        "--service_account_email=vellum-worker@vellum-test.iam.gserviceaccount.com",
        *NOTHING_STAGED,
    ]
