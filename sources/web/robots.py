"""Permissions: robots.txt (RFC 9309), and pages that opt out of training or indexing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from protego import Protego

MAX_ROBOTS_BYTES = 512_000  # RFC 9309: at least 500 KiB have to be read
OPT_OUTS = ("noai", "noimageai", "noindex", "none")  # `none` means noindex and nofollow
_DIRECTIVES_WITH_VALUES = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")
_AGENT = re.compile(r"\s*([\w*.-]+)\s*:\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Robots:
    """The robots.txt of a host.

    Args:
        status: HTTP status; None without a response.
        rules: the parsed file; None if there is no file.
    """

    status: int | None
    rules: Protego | None = None
    text: str = field(default="", repr=False)

    @staticmethod
    def of_answer(status: int | None, body: bytes) -> "Robots":
        """Interpret a response: a server error or no response forbids everything; a missing file allows everything."""
        if status is not None and 200 <= status < 300:
            text = body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace")
            return Robots(status, Protego.parse(text), text)
        return Robots(status)

    @property
    def is_unreachable(self) -> bool:
        return self.status is None or self.status >= 500 or self.status == 429

    def refusal(self, url: str, agent: str) -> str | None:
        """Return the reason why a URL must not be fetched, or None if it may be fetched."""
        if self.is_unreachable:
            answer = "no answer" if self.status is None else f"HTTP {self.status}"
            return f"robots.txt cannot be read ({answer}), so nothing may be fetched"
        if self.rules is not None and not self.rules.can_fetch(url, agent):
            return "robots.txt disallows it"
        return None

    def delay_s(self, agent: str) -> float:
        """Return the delay between requests that the host demands, in seconds."""
        if self.rules is None:
            return 0.0
        delay = float(self.rules.crawl_delay(agent) or 0)
        rate = self.rules.request_rate(agent)
        return max(delay, rate.seconds / rate.requests if rate is not None and rate.requests else 0.0)

    def permission(self) -> str:
        """Return a description of what was checked, for the record."""
        return f"robots.txt {self.status or 'unanswered'}"


def opt_out(directives: Iterable[str], agent: str) -> str | None:
    """Return the directive by which a page opts out, or None.

    Args:
        directives: values of `X-Robots-Tag` headers and robots `<meta>` tags, which may each name an agent.
    """
    for value in directives:
        named = _AGENT.fullmatch(value)
        if named and named[1].lower() not in (
            "*",
            agent.lower(),
            "max-snippet",
            "max-image-preview",
            "unavailable_after",
        ):
            continue  # it is for another crawler
        words = {word.strip().lower() for word in (named[2] if named else value).split(",")}
        for word in OPT_OUTS:
            if word in words:
                return word
    return None
