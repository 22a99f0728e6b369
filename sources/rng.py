"""Randomness keyed by seed and sample number, so that any sample can be made alone, anywhere."""

import hashlib
import random


def generator(seed: int, number: int, purpose: str) -> random.Random:
    """A generator of its own for one purpose of one sample: a change in one leaves the others as they were."""
    key = hashlib.sha256(f"{seed}/{number}/{purpose}".encode()).digest()
    return random.Random(int.from_bytes(key[:8], "big"))
