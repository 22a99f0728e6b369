"""A real server process with a tiny checkpoint that allows long answers."""

import base64
import dataclasses
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image

from tests.deepseek_vl import tiny

ROOT = Path(__file__).resolve().parents[2]
CONFIG = dataclasses.replace(tiny.HYBRID, language=dataclasses.replace(tiny.LANGUAGE, max_positions=4096))
KEY = "a key of the tests"


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: for tiny products a second thread costs more than it saves."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@contextmanager
def serve(folder: Path, *options: str, key: str = KEY) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Start a server; yield its address, when it is ready, and its process."""
    command = [
        sys.executable,
        "-m",
        "deepseek_vl.serve",
        "--model",
        str(folder),
        "--port",
        "0",
        "--device",
        "cpu",
        *options,
    ]
    environment = {**os.environ, "VELLUM_API_KEY": key, "OMP_NUM_THREADS": "1"}  # see `one_thread`
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        listening, ready = process.stdout.readline(), process.stdout.readline()
        assert ready.startswith("ready: "), (listening, ready)
        yield listening.split()[2], process
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def picture(seed: int, width: int = 60, height: int = 40) -> Image.Image:
    """Return a picture that depends on the seed."""
    return Image.effect_mandelbrot((width, height), (-2 + seed / 9, -1.5, 1, 1.5), 40 + seed).convert("RGB")


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """Encode an image."""
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def data_url(data: bytes, kind: str = "png") -> str:
    """Return a file's bytes as a data URL."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
