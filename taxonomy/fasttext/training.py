"""Training of one fastText classifier, in a process of its own.

At one thread fastText 0.9.2 fills only the first tenth of its input matrix with random numbers and leaves the rest as
the allocator gives it: zeros in fresh pages, but the weights of an earlier model, or "Encountered NaN", in pages that
were used before. (At more threads it fills all of it, and training gives another model on every run.) A new process
whose allocator hands out zeros, in small and used blocks too, starts alike each time: the same examples give the same
model.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ZEROED = {
    "MALLOC_MMAP_THRESHOLD_": "65536",  # large blocks are fresh pages; a fixed value keeps glibc from raising it
    "MALLOC_PERTURB_": "255",  # glibc fills what it hands out with the complement of this byte
}
OVERFLOW = "the weights overflow"
MAX_HALVINGS = 6
LARGEST_ERROR = 2_000  # characters of what the process printed


def train_classifier(lines: Path, model: Path, settings: dict[str, Any]) -> None:
    """Train on a file of labelled lines and write the model; at half the rate where the weights overflow.

    (Few examples, as a small taxonomy has, do not bear the steps that many need.)

    Args:
        settings: of `fasttext.train_supervised`.

    Raises:
        RuntimeError: fastText failed; the message is its own.
    """
    for halvings in range(MAX_HALVINGS):
        error = _train(lines, model, {**settings, "lr": settings["lr"] / 2**halvings})
        if error is None:
            return
        if OVERFLOW not in error:
            break
    raise RuntimeError(f"fastText could not be trained: {error}")


def _train(lines: Path, model: Path, settings: dict[str, Any]) -> str | None:
    """What went wrong, or None."""
    request = json.dumps({"input": str(lines), "model": str(model), "settings": settings})
    done = subprocess.run(
        [sys.executable, "-m", "taxonomy.fasttext.training"],
        input=request,
        capture_output=True,
        text=True,
        env={**os.environ, **ZEROED, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    return done.stderr.strip()[-LARGEST_ERROR:] if done.returncode else None


def main() -> None:
    """Answer the request on standard input."""
    import fasttext

    request = json.loads(sys.stdin.read())
    settings = request["settings"]
    try:
        classifier = fasttext.train_supervised(request["input"], thread=1, verbose=0, **settings)
    except RuntimeError as error:
        if "NaN" not in str(error):
            raise
        print(OVERFLOW, file=sys.stderr)
        sys.exit(1)
    classifier.save_model(request["model"])


if __name__ == "__main__":
    main()
