"""Find a Chromium, and find out if its sandbox can be on."""

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# The headless shell first: it is the same engine without a browser's windows, and opens pages several times as fast.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PROBE_TIMEOUT_S = 20
VERSION_TIMEOUT_S = 60
VERSION = re.compile(r"[A-Z].*?\d[\d.]*")  # some go on with where they were built


class BrowserMissing(ValueError):
    """There is no Chromium that can be run; the message says how to get one."""


def find_chromium(setting: str | None = None) -> str | None:
    """Return the program to run: the one in the setting, else one on PATH; None means Playwright's own.

    Raises:
        BrowserMissing: there is none, or the setting names no program.
    """
    if setting is not None:
        found = shutil.which(setting)
        if found is None:
            raise BrowserMissing(f"browser must name a program that can be run, got {setting!r}")
        return found
    for name in NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    if not _has_playwrights_own():
        raise BrowserMissing(
            "no Chromium was found; get one (`apt-get install chromium-headless-shell`, or "
            "`python -m playwright install chromium-headless-shell`), or name one with --set browser=PATH"
        )
    return None


def _has_playwrights_own() -> bool:
    place = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folder = Path(place) if place and place != "0" else Path.home() / ".cache" / "ms-playwright"
    return any(folder.glob("chromium*/INSTALLATION_COMPLETE"))


@functools.cache
def version_of(program: str | None) -> str:
    """Return name and version of a Chromium without its build; empty for Playwright's own."""
    if program is None:
        return ""
    output = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True
    )
    found = VERSION.search(output.stdout)
    return found.group() if found else output.stdout.strip()


@functools.cache
def sandbox_refusal(program: str | None = None) -> str | None:
    """Return the reason why Chromium's sandbox cannot be on here, or None if it can.

    Args:
        program: as `find_chromium` gives it.
    """
    if os.geteuid() == 0:
        return "Chromium refuses its sandbox to root; run as another user to have it on"
    if sys.platform != "linux" or _runs("unshare", "--user", "--map-root-user", "true"):
        return None
    # Some systems allow user namespaces to named programs only, or have a helper for this one: it knows best.
    if program is not None and _runs(program, "--headless", "--dump-dom", "about:blank"):
        return None
    return (
        "the system forbids this user new namespaces, which it is made of; docs/sources/web.md says how to allow them"
    )


def _runs(*line: str) -> bool:
    """Return True if a program starts and exits with code 0."""
    try:
        return subprocess.run(line, capture_output=True, timeout=PROBE_TIMEOUT_S).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
