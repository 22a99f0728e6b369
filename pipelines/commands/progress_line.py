"""Watching a run: a live line on a terminal, one line every 30 s elsewhere."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pipelines.stages.progress import FETCH_FAILED, ProgressReader
from sources.terminal import raw

POLL_S = 0.25
QUIET_LINE_EVERY_S = 30


def watch(coordinator: "subprocess.Popen[bytes]", progress: Path | None, noun: str = "page") -> None:
    """Show the progress of a coordinator until it ends.

    Args:
        progress: the folder of the workers' counters; None on a cluster, whose own monitoring shows them.
        noun: what the items are called.
    """
    console = Console(file=raw(sys.stderr))
    started = time.monotonic()
    rate, scoring_rate, fetching_rate = _Rate(), _Rate(), _Rate()
    reader = ProgressReader(progress) if progress is not None else None

    def line() -> str:
        counts = reader.read() if reader is not None else Counter()
        per_s, scored_per_s = rate.of(counts["items_done"]), scoring_rate.of(counts["scores_made"])
        fetched_per_s = fetching_rate.of(counts["items_fetched"])
        return status(counts, per_s, time.monotonic() - started, noun, scored_per_s, fetched_per_s)

    if console.is_terminal:
        with Live(Text(""), console=console, refresh_per_second=4, transient=True) as live:
            while _is_running(coordinator):
                live.update(Text(line()))
        return
    spoken = started
    while _is_running(coordinator):
        now = line()
        if time.monotonic() - spoken >= QUIET_LINE_EVERY_S:
            spoken = time.monotonic()
            print(now, file=sys.stderr, flush=True)


def status(
    counts: "Counter[str]",
    per_s: float,
    elapsed_s: float,
    noun: str = "page",
    scored_per_s: float = 0.0,
    fetched_per_s: float = 0.0,
) -> str:
    """One line: inputs done, rate, kept, rejected, failed, time left."""
    inspected = counts["inputs_read"] + counts["inputs_failed"]
    done, found = counts["items_done"], counts["items_found"]
    clock = _clock(elapsed_s)
    if counts["items_fetched"] and not done:
        shares = f"{inspected:,} of {counts['inputs_found']:,} inputs done"
        num_hosts = counts["hosts_fetched"]
        hosts = f" of {num_hosts:,} host{'s' * (num_hosts != 1)}" if num_hosts else ""
        fetched = f"fetched {counts['items_fetched']:,} {noun}s{hosts} · {fetched_per_s:,.1f} {noun}s/s"
        return f"[{clock}] {fetched} · {_failures(counts)}{shares}"
    if not inspected:
        return f"[{clock}] starting: {counts['inputs_found']:,} inputs"
    if not counts["items_done"]:
        return f"[{clock}] opening inputs: {inspected:,} of {counts['inputs_found']:,}, {found:,} {noun}s found"
    judged = ""  # samples are judged when all filters have scored them
    if counts["samples_kept"] or counts["samples_rejected"]:
        judged = f"kept {counts['samples_kept']:,} · rejected {counts['samples_rejected']:,} · "
    state = (
        f"[{clock}] inputs {inspected:,} · {noun}s {done:,} of {found:,} · {per_s:,.0f} {noun}s/s · {judged}"
        f"duplicates {counts['samples_duplicate']:,} · failed {counts['inputs_failed'] + counts['items_failed']:,}"
    )
    if done < found:
        return f"{state} · {_clock((found - done) / per_s) if per_s else '?'} left"
    scored, to_score = counts["samples_scored"], counts["samples_to_score"]
    if scored < to_score:
        left = _clock((to_score - scored) / scored_per_s) if scored_per_s else "?"
        return f"{state} · scored {scored:,} of {to_score:,} · {scored_per_s:,.1f}/s · {left} left"
    return f"{state} · writing shards: {counts['shards_written']:,} done"


def _failures(counts: "Counter[str]") -> str:
    """The items that could not be fetched, and the commonest causes."""
    causes = Counter(
        {name.removeprefix(FETCH_FAILED): n for name, n in counts.items() if name.startswith(FETCH_FAILED)}
    )
    if not causes:
        return ""
    named = [f"{cause} {number:,}" for cause, number in sorted(causes.items(), key=lambda each: (-each[1], each[0]))]
    return f"failed {causes.total():,} ({', '.join([*named[:3], *(['…'] if named[3:] else [])])}) · "


class _Rate:
    """Items a second since the first was seen."""

    def __init__(self) -> None:
        self._start: tuple[float, int] | None = None

    def of(self, done: int) -> float:
        now = time.monotonic()
        if self._start is None:
            self._start = (now, done) if done else None
            return 0.0
        since, base = self._start
        return (done - base) / (now - since) if now > since else 0.0


def _is_running(coordinator: "subprocess.Popen[bytes]") -> bool:
    try:
        coordinator.wait(POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _clock(seconds: float) -> str:
    minutes, s = divmod(int(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"
