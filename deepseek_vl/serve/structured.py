"""Answers that follow a JSON schema: the tokens that may come next, from llguidance."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from deepseek_vl.processor import Processor

if TYPE_CHECKING:
    from llguidance import LLMatcher
    from llguidance._lib import JsonCompileOptions

MAX_SCHEMA_CHARS = 100_000
# Without a bound, a model that is unsure can write line breaks until its answer is full.
OPTIONS: "JsonCompileOptions" = {"whitespace_pattern": r"[\x20\x0A\x0D\x09]{1,20}"}
MISSING = (
    "response_format needs llguidance, which is not installed on the server; it comes with Vellum's extra `structured`"
)


class JsonMask:
    """The tokens that continue a JSON text according to a schema; a `TokenMask`.

    Args:
        failure: why the answer could not be continued and was ended; empty if it could.
    """

    def __init__(self, matcher: "LLMatcher", num_tokens: int, eos: int):
        self._matcher, self._num_tokens, self._eos = matcher, num_tokens, eos
        self.failure = ""

    def allowed(self) -> Tensor:
        """Return (V,) bool, True for the tokens that may come next; the end token alone if the text is complete."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        allowed_V = np.unpackbits(bits, bitorder="little")[: self._num_tokens].astype(np.bool_)
        if self._matcher.is_error() or not allowed_V.any():
            self.failure = _first_line(self._matcher.get_error()) or "no token fits"
            allowed_V = np.arange(self._num_tokens) == self._eos
        return torch.from_numpy(allowed_V)

    def push(self, token: int) -> None:
        """Take note of the token that came next."""
        self._matcher.consume_token(token)


class JsonGrammars:
    """Compiles schemas for a model's tokens. Raises ImportError if llguidance is not installed."""

    def __init__(self, processor: Processor):
        from llguidance import LLTokenizer

        self._num_tokens, self._eos = processor.config.language.vocabulary, processor.config.eos
        self._tokenizer = LLTokenizer(processor.tokenizer.to_str(), n_vocab=self._num_tokens, eos_token=self._eos)

    def masks(self, schema: Mapping[str, Any], number: int) -> list[JsonMask]:
        """Return a mask for each of `number` answers. Raises ValueError if the schema is wrong or not supported."""
        from llguidance import LLMatcher

        text = json.dumps(schema)
        if len(text) > MAX_SCHEMA_CHARS:
            raise ValueError(f"the schema has {len(text)} characters; expected at most {MAX_SCHEMA_CHARS}")
        matcher = LLMatcher(self._tokenizer, LLMatcher.grammar_from_json_schema(text, overrides=OPTIONS), log_level=0)
        if matcher.is_error():
            raise ValueError(f"the schema is not supported: {_first_line(matcher.get_error())}")
        return [JsonMask(matcher.deep_copy(), self._num_tokens, self._eos) for _ in range(number)]


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:300]
