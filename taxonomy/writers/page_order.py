"""Temporal order: consecutive pages, shuffled, back in the order of their document."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.writer import Conversation, Pool, Writer, of_pages

MIN_CHARS = 200  # of each page: less gives nothing to order by
NUM_PAGES = 3


class PageOrder(Writer):
    """The page and the next ones, as images 1, 2, 3; the answer lists the images in reading order."""

    name = "page_order"
    question_templates: ClassVar[Mapping[str, Pool]] = {"page_order": Pool("multi_image/temporal/sequencing")}
    needs = ("text", "pages")
    written = 0.8

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        ordered = list(pages[k : k + NUM_PAGES])
        numbers = [page_number(page) for page in ordered]
        follow = numbers == list(range(numbers[0], numbers[0] + NUM_PAGES))
        if not follow or any(len(page.text) < MIN_CHARS for page in ordered):
            return None
        shown = rng.sample(range(NUM_PAGES), NUM_PAGES)
        answer = ", ".join(str(shown.index(j) + 1) for j in range(NUM_PAGES))
        return of_pages([ordered[j] for j in shown], "page_order", answer)


def page_number(page: GroundTruth) -> int:
    """The number in the locator `page=17`; -1 if the sample is no page."""
    name, _, number = page.sample.provenance.locator.partition("=")
    return int(number) if name == "page" and number.isdigit() else -1
