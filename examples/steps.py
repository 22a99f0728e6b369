"""Steps that run once: what is finished is not done again, and every step says how long it took."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


class StepError(RuntimeError):
    """A step that failed. The message names the command and what to do."""


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        name: names its marker, so that it is not done again.
        title: what it does, for the line of progress.
        run: does it; it may be interrupted at any moment and called again.
        needs_pipeline: it needs Beam and the sources, and is done where the data is prepared.
    """

    name: str
    title: str
    run: Callable[[], None]
    needs_pipeline: bool = False


def run_steps(steps: Sequence[Step], folder: Path, key: str) -> None:
    """Run the steps that are not finished.

    Args:
        folder: gets a file per finished step, with its seconds.
        key: identifies the settings; a folder of other settings is refused.
    Raises:
        StepError: a step failed, or the folder holds a loop with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "settings.txt"
    if settings.exists() and settings.read_text("utf-8") != key:
        raise StepError(
            f"{folder.parent} holds a loop with other settings; name another folder with --output, or delete it"
        )
    settings.write_text(key, "utf-8")
    for number, step in enumerate(steps, 1):
        marker = folder / f"{step.name}.json"
        line = f"[{number}/{len(steps)}] {step.title}"
        if marker.exists():
            print(f"{line}: done before", flush=True)
            continue
        print(line, flush=True)
        wall, processor = time.perf_counter(), processor_time()
        step.run()
        times = {"wall_s": round(time.perf_counter() - wall, 1), "processor_s": round(processor_time() - processor, 1)}
        _write(marker, json.dumps({"title": step.title, **times}))
        print(f"[{number}/{len(steps)}] took {times['wall_s']:.0f} s ({times['processor_s']:.0f} s of processor time)")


def times(folder: Path) -> dict[str, dict[str, float | str]]:
    """Return title and seconds of each finished step by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}


def processor_time() -> float:
    """Return the processor time of this process and its finished children, in seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def call(main: Callable[[Sequence[str]], int], name: str, arguments: Sequence[str]) -> None:
    """Call the command of one of our packages in this process, and print it as it would be typed.

    Raises:
        StepError: it ended with an error, which it has printed.
    """
    shown = " ".join(f"'{a}'" if any(sign in a for sign in " {}[]") else a for a in arguments)
    print(f"    python -m {name} {shown}", flush=True)
    code = main(list(arguments))
    if code:
        raise StepError(f"{name} ended with code {code}; mend what it names above and start again to go on from here")


def run_pipeline(arguments: Sequence[str], log: Path) -> None:
    """Run the pipeline in a process of its own; its output goes to a file.

    Raises:
        StepError: it failed; the last lines of its output are in the message.
    """
    print(f"    python -m pipelines.run {' '.join(arguments)}", flush=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        command = [sys.executable, "-m", "pipelines.run", *arguments]
        code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-5:])
        raise StepError(f"the pipeline ended with code {code} ({log}):\n{last}")


def _write(path: Path, content: str) -> None:
    aside = path.with_suffix(".partial")
    aside.write_text(content + "\n", "utf-8")
    aside.replace(path)
