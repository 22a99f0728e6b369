"""Text: its digest, a sketch that estimates how much two texts share, and runs of words that only copies share."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from rensa import RMinHash

SHINGLE_TOKENS = 3
SKETCH_BYTES = 128  # lowest byte of as many MinHashes: similarity to within 0.04 (one standard deviation at 0.8)
SKETCH_SEED = 20240308
RUN_WORDS = 5  # a quote with a word in eight changed still has runs of seven
RUN_CHARACTERS = 10  # of scripts without spaces: Chinese words have two characters on average
TEXT = np.dtype([("text", "u1", 16), ("num_tokens", "<u4"), ("sketch", "u1", SKETCH_BYTES)])

_UNSPACED = "\u2e80-\u2fdf\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")


def tokens_of(text: str) -> list[str]:
    """Words in lower case, and single characters of scripts that put no space between words."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def text_fingerprint(text: str) -> np.ndarray:
    """(1,) `TEXT`: digest of the tokens, their number, and the sketch; all zero for a text without tokens."""
    record = np.zeros(1, TEXT)
    tokens = tokens_of(text)
    if tokens:
        digest = hashlib.blake2b(" ".join(tokens).encode(), digest_size=16).digest()
        record["text"][0] = np.frombuffer(digest, np.uint8)
        record["num_tokens"] = len(tokens)
        minhash = RMinHash(num_perm=SKETCH_BYTES, seed=SKETCH_SEED)
        minhash.update(_shingles(tokens, SHINGLE_TOKENS))
        record["sketch"][0] = np.array(minhash.digest(), np.uint64).astype(np.uint8)
    return record


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) float32 estimated Jaccard similarity of texts, from their sketches.

    Args:
        a, b: (N, SKETCH_BYTES) uint8.
    """
    equal = (a == b).mean(axis=1, dtype=np.float32)
    by_chance = np.float32(1 / 256)  # different MinHashes agree in their lowest byte this often
    estimates: np.ndarray = np.maximum(0, (equal - by_chance) / (1 - by_chance))
    return estimates


class Runs(NamedTuple):
    """All runs of a text in one kind of script, in order; the k-th starts at token k.

    Args:
        hashes: (R,) uint64.
        length: tokens of a run.
        tokens: of the text in this kind of script.
    """

    hashes: np.ndarray
    length: int
    tokens: Sequence[str]

    def words(self, place: int) -> str:
        """The tokens of the run at `place`."""
        return " ".join(self.tokens[place : place + self.length])


def runs_of(text: str) -> list[Runs]:
    """The runs of 5 words, and of 10 characters of scripts without spaces, where there is enough of either.

    Each script's runs pass over the other's tokens, so that neither punctuation nor a foreign word hides a copy.
    """
    words: list[str] = []
    characters: list[str] = []
    for token in tokens_of(text):
        (characters if _UNSPACED_CHARACTER.match(token) else words).append(token)
    found = []
    for tokens, length in ((words, RUN_WORDS), (characters, RUN_CHARACTERS)):
        if len(tokens) >= length:
            digests = [hashlib.blake2b(run.encode(), digest_size=8).digest() for run in _shingles(tokens, length)]
            found.append(Runs(np.frombuffer(b"".join(digests), "<u8"), length, tokens))
    return found


def _shingles(tokens: Sequence[str], length: int) -> list[str]:
    """Every `length` neighbouring tokens; all of them together if there are fewer."""
    return [" ".join(tokens[k : k + length]) for k in range(max(1, len(tokens) - length + 1))]
