"""Titles with the place or thing that they are about, and lines that name a source."""

import random as random_module
from collections.abc import Sequence

from sources.charts.schema.texts import Text, localize
from sources.charts.schema.vocabulary import Vocabulary


def add_name(subject: str, name: str, language: str) -> str:
    """Return a title with the name of what it is about: `Rainfall: Aldermoor`."""
    return {"en": f"{subject}: {name}", "zh": f"{name}：{subject}"}[language]


def placed_title(
    title: Text, where: Sequence[str], vocabulary: Vocabulary, language: str, random: random_module.Random
) -> str:
    """Return a title with a name from one of the lists in `where`; alone if there are none."""
    subject = localize(title, language)
    if not where:
        return subject
    return add_name(subject, localize(random.choice(vocabulary.lists[random.choice(where)].items), language), language)


def source_line(vocabulary: Vocabulary, language: str, random: random_module.Random) -> str:
    """Return a line that names one of the vocabulary's invented publishers; empty if it has none."""
    if not vocabulary.publishers:
        return ""
    name = localize(random.choice(vocabulary.publishers), language)
    return {"en": f"Source: {name}", "zh": f"数据来源：{name}"}[language]
