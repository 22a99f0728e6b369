"""Other processes that use a storage, and what users read of their errors."""

import subprocess
import sys
from pathlib import Path
from typing import Any


def python(code: str, *args: str, **kwargs: Any) -> "subprocess.Popen[str]":
    """A Python process that runs `code` after `from pipelines.storage import *`."""
    preamble = (
        "import sys, os, signal, resource\n"
        "from apache_beam.io.filesystems import FileSystems\n"
        "from apache_beam.options.pipeline_options import PipelineOptions\n"
        "from pipelines.storage import *\n"
        "FileSystems.set_options(PipelineOptions([]))\n"
    )
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-c", preamble + code, *args],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs,
    )  # fmt: skip


def sentence(error: BaseException) -> str:
    """An error as users read it: one line."""
    text = str(error)
    assert "\n" not in text
    return text
