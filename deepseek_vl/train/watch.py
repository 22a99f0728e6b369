"""Progress of a training: a line on the terminal, a log of figures, pictures of predictions, and TensorBoard."""

import html
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sources.terminal import raw

METRICS = "metrics.jsonl"
PREDICTIONS = "predictions"
REFRESH_S = 0.25  # of the live line


class Watch:
    """Writes figures to `metrics.jsonl`, to TensorBoard where it is installed, and to the terminal.

    Args:
        step: the step that the training begins with; later lines of an interrupted training are removed.
    """

    def __init__(self, folder: Path, num_steps: int, step: int):
        self._folder, self._path, self._num_steps = folder, folder / METRICS, num_steps
        self._since, self._first = time.monotonic(), step
        self._is_live, self._shown = sys.stderr.isatty(), 0.0
        lines = self._path.read_text("utf-8").splitlines() if self._path.is_file() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
        self._path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._board: Any = None
        else:
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def tick(self, step: int) -> None:
        """Renew the live line, where there is a terminal."""
        if self._is_live and time.monotonic() - self._shown >= REFRESH_S:
            self._shown = time.monotonic()
            seconds = (self._shown - self._since) / max(step - self._first, 1)
            line = f"step {step:,}/{self._num_steps:,} · {seconds:.2f} s/step · {self._left(step)} left"
            print(f"\r\033[K{line}", end="", file=raw(sys.stderr), flush=True)

    def note(self, step: int, figures: Mapping[str, float]) -> None:
        """Record figures, whose names are paths such as `loss/pdfs`."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **figures}) + "\n")
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, step)
        self._show(step, figures)

    def picture(self, step: int, picture: Image.Image) -> None:
        """Record a picture of predictions, and renew the page that shows all of them."""
        folder = self._folder / PREDICTIONS
        folder.mkdir(exist_ok=True)
        picture.save(folder / f"step-{step:06d}.png")
        names = sorted((path.name for path in folder.glob("step-*.png")), reverse=True)
        shown = "\n".join(f'<h2>{html.escape(name[5:-4])}</h2><img src="{html.escape(name)}">' for name in names)
        page = f'<!doctype html><meta charset="utf-8"><title>Predictions</title>\n{shown}\n'
        (folder / "index.html").write_text(page, encoding="utf-8")
        if self._board is not None:
            self._board.add_image(PREDICTIONS, np.asarray(picture), step, dataformats="HWC")

    def close(self) -> None:
        """Write everything to disk."""
        if self._is_live:
            print("\r\033[K", end="", file=raw(sys.stderr), flush=True)
        if self._board is not None:
            self._board.close()

    def _show(self, step: int, figures: Mapping[str, float]) -> None:
        skipped = figures["steps_skipped"]
        line = (
            f"step {step:,}/{self._num_steps:,} · loss {figures['loss']:.4f} · norm {figures['gradient_norm']:.2f}"
            f" · {figures['tokens_per_s']:,.0f} tokens/s · padding {figures['padding']:.1%}"
            f" · waiting {figures['data_wait']:.1%}"
            + (f" · MFU {figures['mfu']:.1%}" if "mfu" in figures else "")
            + (f" · {skipped:.0f} steps skipped" if skipped else "")
            + f" · {self._left(step)} left"
        )
        print(("\r\033[K" if self._is_live else "") + line, file=raw(sys.stderr), flush=True)

    def _left(self, step: int) -> str:
        seconds = (time.monotonic() - self._since) / max(step - self._first, 1) * (self._num_steps - step)
        minutes = round(seconds / 60)
        if seconds < 90:
            return f"{seconds:.0f} s"
        return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
