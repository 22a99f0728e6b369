"""Invented people: first and last names of Faker's lists, each as often as it is in its country."""

from functools import lru_cache
from random import Random
from typing import Any


@lru_cache(maxsize=2)
def _names(locale: str) -> Any:
    from faker import Factory  # an optional dependency

    return Factory.create(locale, ["faker.providers.person"], None)


def english_name(drawn: int) -> str:
    """Return an English name: one or two first names, a last name."""
    random = Random(drawn)
    names = _names("en_US")
    names.random = random
    first, last = names.first_name(), names.last_name()
    return f"{first} {random.choice('ABCDEFGHJKLMNPRSTW')}. {last}" if drawn % 5 == 0 else f"{first} {last}"


def chinese_name(drawn: int) -> str:
    """Return a Chinese name."""
    names = _names("zh_CN")
    names.random = Random(drawn)
    return str(names.name())
