"""Packs examples of different lengths into sequences of a fixed length."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bin:
    """A sequence to be: the indices of its examples, and their total size."""

    members: tuple[int, ...]
    num_tokens: int
    num_images: int


def pack(lengths: Sequence[int], images: Sequence[int], *, max_tokens: int, max_images: int) -> list[Bin]:
    """Pack examples into bins, first-fit decreasing: the longest first, each into the first bin with room.

    Args:
        lengths: (N,) tokens of each example, visual tokens included.
        images: (N,) images of each example.
        max_tokens, max_images: capacity of a bin.
    Returns:
        Bins in which every index appears exactly once; members are in the given order.
    Raises:
        ValueError: an example does not fit into an empty bin.
    """
    members: list[list[int]] = []
    room: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda k: (-lengths[k], k)):
        if lengths[index] > max_tokens or images[index] > max_images:
            raise ValueError(
                f"example {index} has {lengths[index]} tokens and {images[index]} images; "
                f"a sequence holds {max_tokens} and {max_images}"
            )
        number = next(
            (k for k, left in enumerate(room) if lengths[index] <= left[0] and images[index] <= left[1]), None
        )
        if number is None:
            number = len(members)
            members.append([])
            room.append([max_tokens, max_images])
        indices, left = members[number], room[number]
        indices.append(index)
        left[0] -= lengths[index]
        left[1] -= images[index]
    return [
        Bin(tuple(sorted(indices)), max_tokens - left[0], max_images - left[1])
        for indices, left in zip(members, room, strict=True)
    ]
