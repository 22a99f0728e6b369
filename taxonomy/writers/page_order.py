"""Temporal order: shuffled pages are to be put into the order of their document."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sources.base.ground_truth import GroundTruth
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

MIN_CHARS = 200  # per page; less text gives no clue to the order
NUM_PAGES = 3


class PageOrder(Writer):
    """Shows the page and the next two as images 1, 2, 3; the answer lists the images in reading order."""

    name = "page_order"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "page_order": QuestionKind("multi_image/temporal/sequencing")
    }
    needs = ("text", "pages")
    written_share = 0.8

    def write(self, pages: Sequence[GroundTruth], k: int, rng: random.Random) -> Conversation | None:
        ordered = list(pages[k : k + NUM_PAGES])
        numbers = [page_number(page) for page in ordered]
        follow = numbers == list(range(numbers[0], numbers[0] + NUM_PAGES))
        if not follow or any(len(page.text) < MIN_CHARS for page in ordered):
            return None
        shown = rng.sample(range(NUM_PAGES), NUM_PAGES)
        answer = ", ".join(str(shown.index(j) + 1) for j in range(NUM_PAGES))
        return about_pages([ordered[j] for j in shown], "page_order", answer)


def page_number(page: GroundTruth) -> int:
    """Return the number in the locator `page=17`, or -1 if the sample is not a page."""
    name, _, number = page.sample.provenance.locator.partition("=")
    return int(number) if name == "page" and number.isdigit() else -1
