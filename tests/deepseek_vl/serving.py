"""A real server process around a tiny checkpoint with room for long answers."""

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
    """Tiny products cost less than waking a second thread, above all on a machine that is shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@contextmanager
def serve(folder: Path, *options: str, key: str = KEY) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address of a server that is ready, and its process; ended at the end."""
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
    """A picture that differs from seed to seed."""
    return Image.effect_mandelbrot((width, height), (-2 + seed / 9, -1.5, 1, 1.5), 40 + seed).convert("RGB")


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """An image as a file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def data_url(data: bytes, kind: str = "png") -> str:
    """A file's bytes as a data URL."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
