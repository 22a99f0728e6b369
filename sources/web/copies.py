"""Copies: pages of a site that are one page under several addresses, of which one is kept.

A page says so by its canonical URL (RFC 6596), or by a redirect. A canonical URL is a hint that is often wrong: it is
believed only on the site of the page itself, and where the pages show mostly the same words.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from sources.web.segments import IndexEntry
from sources.web.urls import comparison_key, site_of

MIN_SHARED = 0.5  # of the words of the page with fewer words, that both show


def copies_of(
    entries: Sequence[IndexEntry], words_of: Callable[[Sequence[IndexEntry]], Mapping[int, Sequence[str]]]
) -> dict[tuple[str, str], str]:
    """Return the copies, as (URL, view), with the URL of the page that is kept instead.

    The page at the canonical URL is kept, or else the first one.

    Args:
        entries: captures of a site in the order of its plan.
        words_of: returns the words of some entries, by their number; asked only where addresses agree.
    """
    groups: dict[tuple[str, str], list[IndexEntry]] = defaultdict(list)
    for entry in entries:
        if not entry.cause and entry.file is not None:
            groups[_address(entry), entry.view].append(entry)
    found: dict[tuple[str, str], str] = {}
    for (address, view), group in groups.items():
        if len(group) == 1:
            continue
        group.sort(key=lambda entry: comparison_key(entry.url) != address)  # stable: in the order of the plan
        words = {number: Counter(texts) for number, texts in words_of(group).items()}
        kept: list[int] = []
        for number, entry in enumerate(group):
            same = next((k for k in kept if _shared(words[k], words[number]) >= MIN_SHARED), None)
            if same is None:
                kept.append(number)
            else:
                found[entry.url, view] = group[same].url
    return found


def _address(entry: IndexEntry) -> str:
    """Return the address at which a page says it is, for comparison."""
    own = entry.final_url or entry.url
    is_believed = entry.canonical and site_of(entry.canonical) == site_of(own)
    return comparison_key(entry.canonical if is_believed else own)


def _shared(first: Counter[str], second: Counter[str]) -> float:
    """Return the share of the words of the page with fewer words that the other page shows, too."""
    fewer = min(first.total(), second.total())
    return (first & second).total() / fewer if fewer else float(first == second)
