"""Randomness keyed by seed and item, so that any sample can be made alone and on any machine."""

import hashlib
import random


def generator(seed: int, item: int, purpose: str) -> random.Random:
    """Return the random generator for one purpose of one item; different purposes are independent of each other."""
    key = hashlib.sha256(f"{seed}/{item}/{purpose}".encode()).digest()
    return random.Random(int.from_bytes(key[:8], "big"))
