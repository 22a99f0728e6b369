"""Finding a Chromium, and whether its sandbox can be on."""

import os
import shutil
from pathlib import Path

# The headless shell first: it is the same engine without a browser's windows, starts faster and takes less memory.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NAMESPACE_LIMITS = {  # files of Linux that hold 0 where user namespaces, which the sandbox is made of, are forbidden
    "/proc/sys/kernel/unprivileged_userns_clone": "0",
    "/proc/sys/user/max_user_namespaces": "0",
}


class BrowserMissing(ValueError):
    """There is no Chromium that can be run; the message says how to get one."""


def find_chromium(setting: str | None = None) -> str | None:
    """The program to run: the one in the setting, else one on PATH; None means Playwright's own.

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
            "no Chromium was found; get one (`apt-get install chromium`, or `python -m playwright install chromium`), "
            "or name one with --set browser=PATH"
        )
    return None


def _has_playwrights_own() -> bool:
    place = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folder = Path(place) if place and place != "0" else Path.home() / ".cache" / "ms-playwright"
    return any(folder.glob("chromium*/INSTALLATION_COMPLETE"))


def sandbox_refusal() -> str | None:
    """Why Chromium's sandbox cannot be on here, None if it can."""
    if os.geteuid() == 0:
        return "Chromium refuses its sandbox to root; run as another user to have it on"
    for path, forbidden in NAMESPACE_LIMITS.items():
        try:
            value = Path(path).read_text().strip()
        except OSError:
            continue
        if value == forbidden:
            return f"{path} is {value}: without user namespaces Chromium has no sandbox"
    return None
