"""Trains one fastText classifier, in a separate process.

With one thread, fastText 0.9.2 initializes only the first tenth of its input matrix and leaves the rest as the
allocator returns it: zeros in fresh pages, but the weights of an earlier model, or "Encountered NaN", in reused pages.
(With more threads it initializes all of it, but training gives another model on every run.) In a new process whose
allocator returns zeroed memory, for small and reused blocks too, the same examples give the same model.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ZEROED = {
    "MALLOC_MMAP_THRESHOLD_": "65536",  # larger blocks get fresh pages; a fixed value keeps glibc from increasing it
    "MALLOC_PERTURB_": "255",  # glibc fills allocated memory with the complement of this byte
}
OVERFLOW = "the weights overflow"
MAX_HALVINGS = 6
LARGEST_ERROR = 2_000  # characters of what the process printed


def train_classifier(lines: Path, model: Path, settings: dict[str, Any]) -> None:
    """Train on a file of labelled lines and write the model; halve the learning rate while the weights overflow.

    The few examples of a small taxonomy need smaller steps than many examples do.

    Args:
        lines: a file with one labelled prompt per line.
        model: the file to write.
        settings: arguments of `fasttext.train_supervised`.

    Raises:
        RuntimeError: fastText failed; the message includes its error.
    """
    for halvings in range(MAX_HALVINGS):
        error = _train(lines, model, {**settings, "lr": settings["lr"] / 2**halvings})
        if error is None:
            return
        if OVERFLOW not in error:
            break
    raise RuntimeError(f"fastText could not be trained: {error}")


def _train(lines: Path, model: Path, settings: dict[str, Any]) -> str | None:
    """Train once and return the error, or None."""
    request = json.dumps({"input": str(lines), "model": str(model), "settings": settings})
    done = subprocess.run(
        [sys.executable, "-m", "sources.text.fasttext_training"],
        input=request,
        capture_output=True,
        text=True,
        env={**os.environ, **ZEROED, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    return done.stderr.strip()[-LARGEST_ERROR:] if done.returncode else None


def main() -> None:
    """Train as the JSON request on standard input says."""
    import fasttext

    request = json.loads(sys.stdin.read())
    settings = request["settings"]
    try:
        model = fasttext.train_supervised(request["input"], thread=1, verbose=0, **settings)
    except RuntimeError as error:
        if "NaN" not in str(error):
            raise
        print(OVERFLOW, file=sys.stderr)
        sys.exit(1)
    model.save_model(request["model"])


if __name__ == "__main__":
    main()
