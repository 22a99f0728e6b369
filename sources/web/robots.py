"""Permissions: robots.txt (RFC 9309), and the ways in which hosts and pages reserve the use for training."""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protego import Protego

MAX_ROBOTS_BYTES = 512_000  # RFC 9309: at least 500 KiB have to be read
MAX_RESERVATIONS = 1000
OPT_OUTS = ("noai", "noimageai", "noml", "noindex", "noimageindex", "none")  # `none` means noindex and nofollow
# Directives of `X-Robots-Tag` that have a value after a colon, so that they are not names of crawlers.
_WITH_VALUES = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")
_NAMED = re.compile(r"\s*([\w*.-]+)\s*:\s*(.*)", re.DOTALL)
# The signals by which training is refused, in robots.txt and in headers (contentsignals.org; IETF draft aipref-vocab).
_NO_TRAINING = {
    "content-signal": {"ai-train": "no"},
    "content-usage": dict.fromkeys(("train-ai", "train-genai", "bots"), "n"),
}


@dataclass(frozen=True, slots=True)
class Robots:
    """What a host says to crawlers.

    Args:
        status: HTTP status of robots.txt; None without a response.
        rules: the parsed robots.txt; None if there is no file.
        reservations: rules of `/.well-known/tdmrep.json`: (pattern of paths, whether mining is reserved).
    """

    status: int | None
    rules: Protego | None = None
    text: str = field(default="", repr=False)
    reservations: Sequence[tuple[str, bool]] = ()

    @staticmethod
    def of_answer(status: int | None, body: bytes, tdmrep: bytes = b"") -> "Robots":
        """Interpret a response: a server error or no response forbids everything; a missing file allows everything.

        Args:
            tdmrep: the host's `/.well-known/tdmrep.json`; empty if there is none.
        """
        reservations = _reservations(tdmrep)
        if status is not None and 200 <= status < 300:
            text = body[:MAX_ROBOTS_BYTES].decode("utf-8-sig", "replace")
            return Robots(status, Protego.parse(text), text, reservations)
        return Robots(status, reservations=reservations)

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

    def opt_out(self, url: str, agent: str) -> str | None:
        """Return what reserves a URL from training in robots.txt or tdmrep.json, or None."""
        path = urlsplit(url).path or "/"
        for pattern, is_reserved in self.reservations:  # the first that matches counts
            if fnmatch.fnmatchcase(path, pattern):
                if is_reserved:
                    return "tdmrep.json reserves text and data mining"
                break
        signals = _signals(self.text, agent)
        matching = [(prefix, signal) for prefix, signal in signals if path.startswith(prefix)]
        most = max((len(prefix) for prefix, _ in matching), default=0)
        for prefix, (name, value) in matching:
            refused = refused_use(name, value) if len(prefix) == most else None
            if refused is not None:
                return f"robots.txt says {refused}"
        return None

    @property
    def sitemaps(self) -> list[str]:
        """URLs of the sitemaps that robots.txt names."""
        return [] if self.rules is None else list(self.rules.sitemaps)

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
        directives: values of `X-Robots-Tag` headers and robots `<meta>` tags. A name before a colon says for which
            crawler the words after it are, up to the next name.
    """
    for value in directives:
        is_for_us = True
        for part in value.split(","):
            named = _NAMED.fullmatch(part)
            if named and named[1].lower() in _WITH_VALUES:
                continue
            if named:
                is_for_us = named[1].lower() in ("*", agent.lower())
            word = (named[2] if named else part).strip().lower()
            if is_for_us and word in OPT_OUTS:
                return word
    return None


def refused_use(name: str, value: str) -> str | None:
    """Return what a `Content-Signal` or `Content-Usage` refuses that training needs, or None.

    Args:
        name: of the header or line, in lower case.
    """
    for word in re.split(r"[,\s]+", value.lower()):
        key, _, answer = word.partition("=")
        if answer and _NO_TRAINING.get(name, {}).get(key) == answer:
            return f"{name}: {word}"
    return None


def is_reserved(value: str) -> bool:
    """Return True if the value of a `tdm-reservation` header or `<meta>` reserves text and data mining."""
    return value.strip() == "1"


def _signals(text: str, agent: str) -> list[tuple[str, tuple[str, str]]]:
    """Return the signals for a crawler: those of its own group, else those for all, as (path prefix, (name, value))."""
    groups: dict[str, list[tuple[str, tuple[str, str]]]] = {}
    for agents, name, value in _grouped_lines(text):
        if name in _NO_TRAINING:
            prefix, rest = "", value
            if value.startswith("/"):
                prefix, _, rest = value.partition(" ")
            for each in agents or ("*",):
                groups.setdefault(each, []).append((prefix, (name, rest)))
        else:
            for each in agents:
                groups.setdefault(each, [])
    return groups.get(agent.lower(), groups.get("*", []))


def _grouped_lines(text: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield the lines of a robots.txt with the crawlers of their group: (agents, name in lower case, value)."""
    agents: tuple[str, ...] = ()
    is_new = True  # the next User-agent line begins a new group
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "user-agent":
            agents = (value.lower(),) if is_new else (*agents, value.lower())
            is_new = False
            continue
        is_new = True
        yield agents, name, value


def _reservations(data: bytes) -> list[tuple[str, bool]]:
    """Return the rules of a tdmrep.json (W3C TDM Reservation Protocol); none if it is not one."""
    try:
        rules = json.loads(data.decode("utf-8-sig")) if data else []
    except (ValueError, RecursionError):
        return []
    return [
        (_pattern(rule["location"]), is_reserved(str(rule.get("tdm-reservation", ""))))
        for rule in (rules[:MAX_RESERVATIONS] if isinstance(rules, list) else [])
        if isinstance(rule, dict) and isinstance(rule.get("location"), str)
    ]


def _pattern(location: str) -> str:
    """Return a location with `*`, and `$` for the end, as a pattern for `fnmatch`."""
    escaped = location.replace("[", "[[]").replace("?", "[?]")
    return escaped[:-1] if escaped.endswith("$") else escaped + "*"
