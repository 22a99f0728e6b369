"""Schedules: learning rates and the share of text."""

import pytest

from deepseek_vl.train.schedule import LearningRateSchedule, TextShare


def test_learning_rates_rise_and_then_follow_the_curve() -> None:
    cosine = LearningRateSchedule(kind="cosine", warmup_steps=10, floor=0.1)
    assert [cosine.factor(k, 110) for k in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])
    assert cosine.factor(60, 110) == pytest.approx(0.55)
    assert cosine.factor(110, 110) == pytest.approx(0.1)
    step = LearningRateSchedule(kind="step", milestones=(0.5, 0.9), decay=0.1)
    assert [step.factor(k, 100) for k in (0, 49, 50, 89, 90)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])
    assert LearningRateSchedule(kind="constant").factor(99, 100) == 1


@pytest.mark.parametrize("curve", ["linear", "cosine", "stairs"])
def test_the_share_of_text_falls_from_start_to_end(curve: str) -> None:
    share = TextShare(start=1.0, end=0.7, steps=1000, curve=curve)
    values = [share.at(k) for k in range(1200)]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert set(values[1000:]) == {0.7}
    assert len(set(values)) == 5 if curve == "stairs" else len(set(values)) > 900


@pytest.mark.parametrize("curve", ["linear", "cosine", "stairs"])
def test_steps_of_text_are_as_many_as_the_share_says_over_a_thousand_steps(curve: str) -> None:
    share = TextShare(start=1.0, end=0.7, steps=400, curve=curve)
    is_text = [share.is_text(k) for k in range(1000)]
    assert sum(is_text) == pytest.approx(sum(share.at(k) for k in range(1000)), abs=1)
    assert sum(is_text[400:]) == pytest.approx(420, abs=1)
    # Evenly: among any 10 steps after the fall, 7 are text.
    assert all(sum(is_text[k : k + 10]) == 7 for k in range(400, 990))


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (LearningRateSchedule, {"kind": "cosin"}, "must be cosine, step or constant"),
        (LearningRateSchedule, {"warmup_steps": -1}, "must not be negative"),
        (LearningRateSchedule, {"milestones": (0.9, 0.5)}, "must rise"),
        (TextShare, {"end": 1.5}, "between 0 and 1"),
        (TextShare, {"curve": "log"}, "linear, cosine or stairs"),
    ],
)
def test_a_wrong_schedule_is_an_error(kind: type, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**settings)
