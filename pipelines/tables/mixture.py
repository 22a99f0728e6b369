"""The mixture in a manifest: what every component was to have of the tokens, and what it has."""

from collections.abc import Mapping
from typing import Any

from pipelines.mixture.cuts import wanted_tokens
from pipelines.mixture.tokens import IMAGE_TOKENS
from pipelines.recipe import Recipe

# Prefixes of counters by component.
FOUND = "tokens.found."  # tokens of the samples that nothing else rejects
TOKENS = "tokens.kept."
SAMPLES = "mixture.kept."


def mixture_section(recipe: Recipe, counts: Mapping[str, int]) -> dict[str, Any]:
    """The section `mixture` of a manifest, from the counters of all units."""
    mixture = recipe.mixture
    assert mixture is not None
    found = {name: counts.get(FOUND + name, 0) for name in mixture.shares}
    return {
        "counted_with": mixture.digest,
        "image_tokens": IMAGE_TOKENS,
        "wanted_tokens": round(wanted_tokens(found, mixture.shares, mixture.tokens)),
        "tokens": sum(counts.get(TOKENS + name, 0) for name in mixture.shares),
        "components": {
            name: {
                "sources": recipe.components()[name],
                "share": share,
                "found": found[name],
                "tokens": counts.get(TOKENS + name, 0),
                "samples": counts.get(SAMPLES + name, 0),
            }
            for name, share in mixture.shares.items()
        },
    }
