"""The sandbox: on for a normal user, and off, with a reason, if the system forbids its mechanisms."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

NOBODY = 65534  # a user without any rights
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
WITHOUT_NAMESPACES = [  # in a separate namespace, users can lower their limit
    *("unshare", "--user", "--map-current-user", "--keep-caps"),
    *("sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"),
]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that belongs to the user who runs the browser."""
    path = Path(tempfile.mkdtemp())  # pytest's folders are closed to other users
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    yield path
    shutil.rmtree(path)


def _report(home: Path, chromium: str | None, *before: str) -> dict[str, Any]:
    """Run `sandbox_report.py` as a user who is not root, optionally with a command before it; return its report."""
    user = AS_NOBODY if os.geteuid() == 0 else []
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}

    def run(*line: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*user, *line], env=environment, cwd=home, capture_output=True, text=True, timeout=120)

    if run(*(before or ("unshare", "--user", "--map-root-user")), "true").returncode:
        pytest.skip("the system forbids new user namespaces")
    pythons = (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    python = next((each for each in pythons if run(*before, each, "-c", "import playwright").returncode == 0), None)
    if python is None:
        pytest.skip("a user who is not root can run neither this interpreter nor the system's")
    done = run(*before, python, "-m", "tests.sources.web.sandbox_report", str(home), chromium or "")
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def test_a_normal_user_crawls_with_the_sandbox_on(home: Path, chromium: str | None) -> None:
    report = _report(home, chromium)
    assert (report["text"].strip(), report["refusal"]) == ("In a box", None)
    assert report["renderers"]
    assert all(each == {"filters_calls": True, "has_namespace": True} for each in report["renderers"])


def test_without_namespaces_the_sandbox_is_off_and_the_reason_is_given(home: Path, chromium: str | None) -> None:
    report = _report(home, chromium, *WITHOUT_NAMESPACES)
    assert report["text"].strip() == "In a box"
    assert "forbids this user new namespaces" in report["refusal"]
    assert not any(each["has_namespace"] for each in report["renderers"])
