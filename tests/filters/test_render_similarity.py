"""The filter of web code: samples without code pass, each bound has a separate reason."""

import pytest

from filters.render_similarity import RenderSimilarity
from sources.base.sample import Provenance, Sample


def sample(**measures: float) -> Sample:
    return Sample(
        id="0", source="web", text="x", measures=measures, provenance=Provenance(locator="page=1", digest="0")
    )


@pytest.mark.parametrize(
    ("measures", "reason"),
    [
        ({}, None),
        ({"render_similarity": 0.9, "code_tokens": 100}, None),
        ({"render_similarity": 0.8, "code_tokens": 100}, None),  # the bounds themselves are kept
        ({"render_similarity": 0.79, "code_tokens": 9999}, "render_similarity"),
        ({"render_similarity": 0.9, "code_tokens": 501}, "long_code"),
        ({"code_tokens": 500}, None),
        ({"code_tokens": 501}, "long_code"),
    ],
)
def test_reasons(measures: dict[str, float], reason: str | None) -> None:
    demand = RenderSimilarity(min_similarity=0.8, max_code_tokens=500)
    (scores,) = demand.scores([sample(**measures)])
    assert set(scores.values) == set(RenderSimilarity.score_names)
    assert demand.rejects(scores) == reason


@pytest.mark.parametrize("settings", [{"min_similarity": 1.1}, {"min_similarity": -0.1}, {"max_code_tokens": 0}])
def test_bad_bounds_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        RenderSimilarity(**settings)
