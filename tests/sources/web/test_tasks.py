"""Tasks of a page: drawn by weight, without repetition, fewer of them being the first of more."""

import random
from collections import Counter

from sources.web.tasks import TEXT, draw_tasks

WEIGHTS = {"text": 1.0, "code": 2.0, "title": 1.0, "element": 0.0}
POSSIBLE = ["text", "code", "element", "title"]


def test_more_tasks_hold_those_of_fewer() -> None:
    for seed in range(50):
        drawn = [set(draw_tasks(POSSIBLE, WEIGHTS, number, random.Random(seed))) for number in (1, 2, 3, 6)]
        assert drawn[0] < drawn[1] < drawn[2] == drawn[3] == {"text", "code", "title"}


def test_one_task_has_its_share() -> None:
    rng = random.Random(0)
    found = Counter(draw_tasks(POSSIBLE, WEIGHTS, 1, rng)[0] for _ in range(4000))
    assert abs(found["code"] - 2000) < 150
    assert set(found) == {"text", "code", "title"}


def test_tasks_are_in_order_and_text_is_always_possible() -> None:
    assert draw_tasks(POSSIBLE, WEIGHTS, 3, random.Random(3)) == ["text", "code", "title"]
    assert draw_tasks(["text", "element"], {"element": 0.0, "code": 1.0}, 2, random.Random(0)) == [TEXT]
