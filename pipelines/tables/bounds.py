"""Bounds: the thresholds of a recipe with their values, and which samples lie next to them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.filter import Described
from pipelines.registry import FILTERS


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """A threshold with its value."""

    filter: str
    score: str
    side: str
    value: float
    setting: str
    reasons: tuple[str, ...]


def bounds_of(recipe: Mapping[str, Any]) -> list[Bound]:
    """Every threshold of a recipe (as JSON) with its value; filters that this version does not know have none."""
    return [
        Bound(filter=entry["type"], value=value, **dataclasses.asdict(threshold))
        for entry, described in described_filters(recipe)
        for threshold, value in described.thresholds
    ]


def described_filters(recipe: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Described]]:
    """The settings of each filter of a recipe (as JSON) that this version knows, with what is told about it."""
    entries = [entry for entry in recipe["filters"] if entry["type"] in FILTERS]
    return [(entry, FILTERS[entry["type"]].described(_settings(entry))) for entry in entries]


def _settings(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "type"}


def only_here(reasons: pa.Array | pa.ChunkedArray, bound: Bound) -> np.ndarray:
    """(N,) bool: whether a sample is rejected on account of this bound and of nothing else.

    Args:
        reasons: (N,) lists of the codes that each sample was rejected with, empty for one that was not.
    """
    if isinstance(reasons, pa.ChunkedArray):
        reasons = reasons.combine_chunks()
    lengths = pc.list_value_length(reasons).fill_null(0).to_numpy(zero_copy_only=False)
    single: np.ndarray = np.zeros(len(reasons), bool)
    one = np.flatnonzero(lengths == 1)
    if len(one):
        codes = pc.list_flatten(reasons.take(pa.array(one)))
        single[one] = pc.is_in(codes, pa.array(list(bound.reasons), pa.string())).to_numpy(zero_copy_only=False)
    return single


def nearest(values: np.ndarray, ids: pa.ChunkedArray, wanted: np.ndarray, bound: Bound, number: int) -> list[int]:
    """Places of the wanted samples whose values are nearest to the bound, the nearest first.

    Args:
        values: (N,) scores, not-a-number where there is none.
        ids: (N,) the smallest decides between equally near ones.
        wanted: (N,) bool.
        number: how many at most.
    """
    places = np.flatnonzero(wanted & np.isfinite(values))
    distance = np.abs(values[places].astype(np.float64) - bound.value)
    if len(places) > number:
        is_near = distance <= np.partition(distance, number - 1)[number - 1]
        places, distance = places[is_near], distance[is_near]
    names = ids.take(pa.array(places, pa.int64())).to_pylist()
    order = sorted(range(len(places)), key=lambda k: (distance[k], names[k]))
    return [int(places[k]) for k in order[:number]]
