"""A program that crawls a page of a local site, and prints as JSON how its renderer processes were confined.

Its arguments are a folder to write into and a browser, which may be empty.
"""

import json
import os
import sys
from pathlib import Path

from sources.browser.browser import BrowserSettings
from sources.browser.chromium import find_chromium, sandbox_refusal
from sources.browser.processes import descendants
from tests.sources.web.crawling import crawl, settings_for, text_of
from tests.sources.web.hostile_site import Handler, html, serving


def renderers() -> list[dict[str, bool]]:
    """Return for every renderer process if it filters system calls and has a separate user namespace."""
    found = []
    for process in (Path(f"/proc/{pid}") for pid in descendants(os.getpid())):
        if b"--type=renderer" in (process / "cmdline").read_bytes():
            status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
            own = os.readlink(process / "ns/user") != os.readlink("/proc/self/ns/user")
            found.append({"filters_calls": status["Seccomp"] == "2", "has_namespace": own})
    return found


def main() -> None:
    seen: list[dict[str, bool]] = []

    def page(handler: Handler) -> None:
        seen.extend(renderers())
        handler.answer(html("<h1>In a box</h1>"))

    folder, program = Path(sys.argv[1]), find_chromium(sys.argv[2] or None)
    with serving({"/": page}) as site:
        (capture,) = crawl(settings_for(site, browser=BrowserSettings(program=program)), folder, ["/"])
    print(json.dumps({"text": text_of(capture), "refusal": sandbox_refusal(program), "renderers": seen}))


if __name__ == "__main__":
    main()
