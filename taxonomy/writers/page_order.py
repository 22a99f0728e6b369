"""Temporal order: shuffled pages are to be put into the order of their document."""

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations
from typing import ClassVar

from taxonomy.writers.choices import Choices
from taxonomy.writers.page import Page
from taxonomy.writers.writer import Conversation, QuestionKind, Writer, about_pages

MIN_CHARS = 400  # per page; less text gives no clue to the order
NUM_PAGES = 3
ORDERS = {", ".join(map(str, order)): order for order in permutations(range(1, NUM_PAGES + 1))}


class PageOrder(Writer):
    """Shows the page and the next two as images 1, 2, 3; the answer lists the images in reading order."""

    name = "page_order"
    question_templates: ClassVar[Mapping[str, QuestionKind]] = {
        "page_order": QuestionKind("multi_image/temporal/sequencing")
    }
    needs = ("text", "pages")
    written_share = 0.3

    def write(self, pages: Sequence[Page], k: int, rng: random.Random, choices: Choices) -> Conversation | None:
        ordered = list(pages[k : k + NUM_PAGES])
        numbers = [page_number(page) for page in ordered]
        follow = numbers == list(range(numbers[0], numbers[0] + NUM_PAGES))
        is_one = len({page.sample.provenance.digest for page in ordered}) == 1
        if not follow or not is_one or any(len(page.text) < MIN_CHARS for page in ordered):
            return None
        if not all(_goes_on(a, b) for a, b in pairwise(ordered)):
            return None
        answer = choices.pick("page_order", tuple(ORDERS), rng)
        shown: list[Page] = [ordered[0]] * NUM_PAGES
        for page, place in zip(ordered, ORDERS[answer], strict=True):
            shown[place - 1] = page
        return about_pages(shown, "page_order", answer)


def _goes_on(before: Page, after: Page) -> bool:
    """Return True if the order of two pages can be seen: a sentence runs over, or both print their number."""
    runs_over = before.text[-1:].isalpha() and after.text[:1].islower()
    return runs_over or (_printed_number(before) is not None and _printed_number(after) == _printed_number(before, 1))


def _printed_number(page: Page, plus: int = 0) -> int | None:
    """Return the page number that is printed as the first or last word of the page's first or last line."""
    if not page.lines:
        return None
    ends = [word for line in (page.lines[-1], page.lines[0]) for word in (line.split()[-1], line.split()[0])]
    number = next((word for word in ends if word.isdecimal() and len(word) <= 4), None)
    return None if number is None else int(number) + plus


def page_number(page: Page) -> int:
    """Return the number in the locator `page=17`, or -1 if the sample is not a page."""
    name, _, number = page.sample.provenance.locator.partition("=")
    return int(number) if name == "page" and number.isdecimal() else -1
