"""Packing: every example in one sequence, no sequence over its capacity, little padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepseek_vl.train.packing import pack

EXAMPLES = st.lists(st.tuples(st.integers(1, 100), st.integers(0, 3)), max_size=60)


@given(EXAMPLES)
def test_every_example_is_in_exactly_one_sequence_that_it_fits_into(examples: list[tuple[int, int]]) -> None:
    lengths, images = [length for length, _ in examples], [count for _, count in examples]
    bins = pack(lengths, images, max_tokens=100, max_images=3)
    assert sorted(member for each in bins for member in each.members) == list(range(len(examples)))
    for each in bins:
        assert each.num_tokens == sum(lengths[k] for k in each.members) <= 100
        assert each.num_images == sum(images[k] for k in each.members) <= 3


@given(EXAMPLES)
def test_at_most_one_sequence_is_less_than_half_full_without_a_limit_of_images(examples: list[tuple[int, int]]) -> None:
    bins = pack([length for length, _ in examples], [0] * len(examples), max_tokens=100, max_images=3)
    assert sum(each.num_tokens <= 50 for each in bins) <= 1


def test_samples_of_mixed_lengths_leave_little_room() -> None:
    lengths = np.random.default_rng(0).integers(50, 1500, 200).tolist()
    bins = pack(lengths, [1] * 200, max_tokens=4096, max_images=99)
    assert sum(lengths) / (len(bins) * 4096) > 0.97


def test_an_example_that_fits_nowhere_is_an_error() -> None:
    with pytest.raises(ValueError, match="example 1 has 101 tokens"):
        pack([5, 101], [0, 0], max_tokens=100, max_images=1)
