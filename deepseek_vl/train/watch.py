"""Progress of a training: a line on the terminal, a log of figures, and TensorBoard."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

METRICS = "metrics.jsonl"


class Watch:
    """Writes figures to `metrics.jsonl`, to TensorBoard where it is installed, and to the terminal.

    Args:
        step: the step that the training begins with; later lines of an interrupted training are removed.
    """

    def __init__(self, folder: Path, num_steps: int, step: int):
        self._path, self._num_steps = folder / METRICS, num_steps
        self._since, self._first = time.monotonic(), step
        lines = self._path.read_text("utf-8").splitlines() if self._path.is_file() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
        self._path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._board: Any = None
        else:
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def note(self, step: int, figures: Mapping[str, float]) -> None:
        """Record figures, whose names are paths such as `loss/pdfs`."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **figures}) + "\n")
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, step)
        self._show(step, figures)

    def close(self) -> None:
        """Write everything to disk."""
        if self._board is not None:
            self._board.close()

    def _show(self, step: int, figures: Mapping[str, float]) -> None:
        done = step - self._first
        left_s = (time.monotonic() - self._since) / max(done, 1) * (self._num_steps - step)
        line = (
            f"step {step:,}/{self._num_steps:,} · loss {figures['loss']:.4f} · norm {figures['gradient_norm']:.2f}"
            f" · {figures['tokens_per_s']:,.0f} tokens/s · padding {figures['padding']:.1%}"
            f" · waiting {figures['data_wait']:.1%} · {_duration(left_s)} left"
        )
        print(line, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
