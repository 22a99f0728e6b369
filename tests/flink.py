"""A real Flink cluster for tests, of Java alone, with the configuration and the worker of `examples/flink`.

`FLINK_HOME` names a folder whose `lib/` has the jars of Flink 1.19, of Beam's runner for it and of its job server.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "flink"
START_TIMEOUT_S = 90
CACHE_MS, RESTART_DELAY = 4000, "5 s"  # as in the example, in a shorter time
# Shares of `taskmanager.memory.process.size`, as Flink's own start script computes them; the network has its default.
TASK_MANAGER_MB = {
    "framework.heap.size": 128, "framework.off-heap.size": 128, "jvm-metaspace.size": 256, "jvm-overhead.min": 192,
    "jvm-overhead.max": 192, "task.heap.size": 384, "task.off-heap.size": 0, "network.min": 128, "network.max": 128,
    "managed.size": 512,
}  # fmt: skip


@dataclass(kw_only=True)
class FlinkCluster:
    """A running cluster.

    Args:
        options: options that submit a pipeline to it.
        rest: address of Flink's monitoring.
        processes: of Java, by name; each leads its own group.
    """

    options: list[str]
    rest: str
    folder: Path
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def ask(self, path: str) -> Any:
        """Return an answer of Flink's monitoring."""
        with urllib.request.urlopen(f"{self.rest}{path}", timeout=10) as answer:
            return json.load(answer)

    def job(self) -> dict[str, Any]:
        """Return the description of the latest job."""
        latest = max(self.ask("/jobs/overview")["jobs"], key=lambda job: job["start-time"])
        found: dict[str, Any] = self.ask(f"/jobs/{latest['jid']}")
        return found

    def num_restarts(self) -> int:
        """Return how often the latest job was started again; Flink drops the metric with the job's end."""
        log = (self.folder / "job_manager.log").read_text()
        return log.count(f"({self.job()['jid']}) switched from state RUNNING to RESTARTING")

    def workers(self) -> list[int]:
        """Return process ids of all Python workers that were started, also of those that ended."""
        path = self.folder / "workers"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def kill(self, name: str) -> None:
        """Kill a Java process without any farewell."""
        self.processes[name].kill()
        self.processes[name].wait()


@contextmanager
def flink(folder: Path, lib: Path, num_task_managers: int) -> Iterator[FlinkCluster]:
    """Start a cluster with `--parallelism 2`, yield it, and end its processes with their children."""
    ports = _free_ports(5)
    rpc, rest, job_port, artifacts, expansion = ports
    configuration = yaml.safe_load((EXAMPLE / "config.yaml").read_text())
    configuration["jobmanager"].update({"bind-host": "127.0.0.1", "rpc": {"address": "localhost", "port": rpc}})
    configuration["rest"] = {"address": "localhost", "bind-address": "127.0.0.1", "port": rest}
    configuration["taskmanager"].update({"bind-host": "127.0.0.1", "host": "localhost"})
    configuration["restart-strategy"]["fixed-delay"]["delay"] = RESTART_DELAY
    configuration["io"] = {"tmp": {"dirs": str(folder / "tmp")}}
    (folder / "conf").mkdir()
    (folder / "tmp").mkdir()
    (folder / "conf" / "config.yaml").write_text(yaml.safe_dump(configuration))
    worker = folder / "worker"
    worker.write_text(
        f'#!/bin/sh\necho $$ >> "{folder}/workers"\n'
        f'exec "{sys.executable}" "{EXAMPLE}/worker" "$@" 2>> "{folder}/worker.log"\n'
    )
    worker.chmod(0o755)
    options = [
        "--runner=PortableRunner", f"--job_endpoint=localhost:{job_port}", "--parallelism=2",
        "--environment_type=PROCESS", f"--environment_config={json.dumps({'command': str(worker)})}",
        f"--environment_cache_millis={CACHE_MS}", "--no_save_main_session",
    ]  # fmt: skip
    cluster = FlinkCluster(options=options, rest=f"http://127.0.0.1:{rest}", folder=folder)

    def start(name: str, *arguments: str) -> None:
        with (folder / f"{name}.log").open("wb") as log:
            cluster.processes[name] = subprocess.Popen(
                ["java", "-cp", f"{lib}/*", "-XX:TieredStopAtLevel=1", *arguments], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip

    try:
        entry = "org.apache.flink.runtime"
        given = ["--configDir", str(folder / "conf")]
        start("job_manager", "-Xmx512m", f"{entry}.entrypoint.StandaloneSessionClusterEntrypoint", *given)
        memory = [part for name, mb in TASK_MANAGER_MB.items() for part in ("-D", f"taskmanager.memory.{name}={mb}m")]
        for number in range(num_task_managers):
            start(
                f"task_manager_{number}", "-Xmx512m", "-XX:MaxDirectMemorySize=384m",
                f"{entry}.taskexecutor.TaskManagerRunner", *given, "-D", "taskmanager.cpu.cores=1", *memory,
            )  # fmt: skip
        start(
            "job_server", "-Xmx512m", "org.apache.beam.runners.flink.FlinkJobServerDriver", "--job-host=localhost",
            f"--job-port={job_port}", f"--artifact-port={artifacts}", f"--expansion-port={expansion}",
            f"--flink-master=localhost:{rest}", f"--artifacts-dir={folder / 'artifacts'}",
        )  # fmt: skip
        _wait(cluster, num_task_managers, job_port)
        yield cluster
    finally:
        for process in cluster.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _wait(cluster: FlinkCluster, num_task_managers: int, job_port: int) -> None:
    """Wait until all task managers are registered and the job server answers."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        for name, process in cluster.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended:\n{(cluster.folder / f'{name}.log').read_text()[-3000:]}")
        with suppress(OSError):
            if cluster.ask("/overview")["taskmanagers"] == num_task_managers:
                socket.create_connection(("127.0.0.1", job_port), 1).close()
                return
        time.sleep(0.2)
    raise RuntimeError(f"no cluster after {START_TIMEOUT_S} s: see the logs in {cluster.folder}")
