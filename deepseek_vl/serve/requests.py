"""Parses JSON bodies. A field that would change the answer but is not supported is an error that names it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.settings import Settings

MAX_TEXT_CHARS = 1_000_000  # far more than the model can read, and tokenized in a second
LOWEST_TEMPERATURE = 1e-3  # lower ones are treated as 0: the most likely token always wins, and numbers overflow
MAX_STOPS = 4
MAX_STOP_CHARS = 256
# Fields of OpenAI's API that do not change an answer of this server.
IGNORED = frozenset(
    {
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
# Fields that are not supported, with the neutral values that are accepted.
UNSUPPORTED: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "frequency_penalty": (0, 0.0),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": (),
    "n": (1,),
    "prediction": (),
    "presence_penalty": (0, 0.0),
    "reasoning_effort": ("none",),
    "response_format": ({"type": "text"},),
    "tool_choice": ("none",),
    "tools": ([],),
    "top_logprobs": (),
    "verbosity": (),
    "web_search_options": (),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    """A checked request for an answer.

    Args:
        messages: as `conversation.render` expects them.
        images: URLs, in the order of the image parts.
        include_usage: end a stream with a chunk of token counts.
    """

    messages: list[dict[str, Any]]
    images: list[str]
    sampling: SamplingSettings
    stream: bool
    include_usage: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRequest:
    """A checked scoring request: every question is asked about every image (a URL)."""

    images: list[str]
    questions: tuple[str, ...]
    choices: tuple[str, ...]


class Fields:
    """The fields of a JSON object, removed as they are read; null means absent. All methods raise ApiError."""

    def __init__(self, content: Any, where: str = ""):
        self.where = where
        if not isinstance(content, dict):
            self.refuse("", f"expected an object, got {_json_type(content)}")
        self.left: dict[str, Any] = {name: value for name, value in content.items() if value is not None}

    def refuse(self, name: str, message: str) -> NoReturn:
        """Reject the request because of field `name`."""
        param = ".".join(filter(None, (self.where, name)))
        raise ApiError(400, f"{param or 'the body'}: {message}", param=param or None)

    def required(self, name: str) -> Any:
        """Return the value of a required field."""
        if name not in self.left:
            self.refuse(name, "this field is required")
        return self.left.pop(name)

    def text(self, name: str) -> str:
        """Return a required text."""
        return self.checked_text(name, self.required(name))

    def checked_text(self, name: str, value: Any, max_chars: int = MAX_TEXT_CHARS) -> str:
        """Check that a value is a text, encodable as UTF-8 and not too long, and return it."""
        if not isinstance(value, str):
            self.refuse(name, f"expected a text, got {_json_type(value)}")
        if len(value) > max_chars:
            self.refuse(name, f"the text has {len(value)} characters; expected at most {max_chars}")
        try:
            value.encode()
        except UnicodeEncodeError:
            self.refuse(name, "the text holds half a surrogate pair, which is no character")
        return value

    def texts(self, name: str, most: int) -> list[str]:
        """Return a required list of 1 to `most` texts."""
        values = self.required(name)
        if not isinstance(values, list) or not 1 <= len(values) <= most:
            got = len(values) if isinstance(values, list) else _json_type(values)
            self.refuse(name, f"expected a list of 1 to {most} texts, got {got}")
        return [self.checked_text(name, value) for value in values]

    def flag(self, name: str) -> bool:
        """Return a boolean; false if absent."""
        value = self.left.pop(name, False)
        if not isinstance(value, bool):
            self.refuse(name, f"expected true or false, got {_json_type(value)}")
        return value

    def number(self, name: str, lowest: float, highest: float, default: float) -> float:
        """Return a number within bounds."""
        value = self.left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(name, f"expected a number, got {_json_type(value)}")
        if not lowest <= value <= highest:
            self.refuse(name, f"expected a number from {lowest:g} to {highest:g}, got {value!s:.20}")
        return float(value)

    def integer(self, name: str, lowest: int, highest: int, default: int) -> int:
        """Return a whole number within bounds."""
        value = self.left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name, f"expected a whole number, got {_json_type(value)}")
        if not lowest <= value <= highest:
            self.refuse(name, f"expected a whole number from {lowest} to {highest}, got {value!s:.20}")
        return value

    def end(self, ignored: frozenset[str] = frozenset(), unsupported: Mapping[str, tuple[Any, ...]] = {}) -> None:
        """Reject the remaining fields, except ignored ones and unsupported ones with a neutral value."""
        for name, value in self.left.items():
            if name in unsupported:
                # Compare types too, because 1 == True in Python but not in JSON.
                if not any(type(value) is type(neutral) and value == neutral for neutral in unsupported[name]):
                    only = " or ".join(json.dumps(neutral) for neutral in unsupported[name])
                    self.refuse(
                        name, "not supported by this server; leave it out" + (f" or give {only}" if only else "")
                    )
            elif name not in ignored:
                self.refuse(name, "unknown field")


def parse_json(body: bytes) -> Any:
    """Parse strict JSON, without NaN and Infinity. Raises ApiError."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"the body is not valid JSON: {error}", code="invalid_json") from error


def parse_chat(body: bytes, settings: Settings) -> ChatRequest:
    """Parse the body of `/v1/chat/completions`. Raises ApiError."""
    fields = Fields(parse_json(body))
    _check_model(fields.text("model"), settings)
    messages, images = _messages(fields, settings)
    limits = [name for name in ("max_completion_tokens", "max_tokens") if name in fields.left]
    if len(limits) == 2:
        fields.refuse("max_tokens", "give either max_tokens or max_completion_tokens")
    temperature = fields.number("temperature", 0, 2, 1)
    sampling = SamplingSettings(
        max_tokens=fields.integer((limits or ["max_tokens"])[0], 1, settings.max_tokens, settings.max_tokens),
        temperature=temperature if temperature >= LOWEST_TEMPERATURE else 0.0,
        top_p=fields.number("top_p", 1e-6, 1, 1),
        seed=fields.integer("seed", -(2**63), 2**63 - 1, secrets.randbits(63)),
        stop=_stops(fields),
    )
    stream = fields.flag("stream")
    options = Fields(fields.left.pop("stream_options", {}), "stream_options")
    if options.left and not stream:
        fields.refuse("stream_options", "only with stream: true")
    include_usage = options.flag("include_usage")
    options.end(frozenset({"include_obfuscation"}))
    fields.end(IGNORED, UNSUPPORTED)
    return ChatRequest(messages=messages, images=images, sampling=sampling, stream=stream, include_usage=include_usage)


def parse_score(body: bytes, settings: Settings) -> ScoreRequest:
    """Parse the body of `/v1/score`. Raises ApiError."""
    fields = Fields(parse_json(body))
    if "model" in fields.left:
        _check_model(fields.text("model"), settings)
    images = fields.required("images")
    if not isinstance(images, list) or not images or not all(isinstance(url, str) for url in images):
        fields.refuse("images", "expected a list of data URLs, at least one")
    _check_number(len(images), settings, "images")
    questions = fields.texts("questions", settings.max_questions)
    choices = fields.texts("choices", settings.max_choices)
    fields.end()
    return ScoreRequest(images=images, questions=tuple(questions), choices=tuple(choices))


def _check_model(name: str, settings: Settings) -> None:
    if name != settings.model:
        message = f"the model {name!r} is not here; this server has {settings.model!r}"
        raise ApiError(404, message, param="model", code="model_not_found")


def _check_number(images: int, settings: Settings, param: str) -> None:
    if images > settings.max_images:
        raise ApiError(400, f"{param}: {images} images; expected at most {settings.max_images}", param=param)


def _messages(fields: Fields, settings: Settings) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the messages as `render` expects them, and the URLs of their images in order."""
    listed = fields.required("messages")
    if not isinstance(listed, list) or not listed:
        fields.refuse("messages", "expected a list of messages, at least one")
    messages: list[dict[str, Any]] = []
    images: list[str] = []
    for k, content in enumerate(listed):
        message = Fields(content, f"messages[{k}]")
        role = message.text("role")
        if role not in ("system", "developer", "user", "assistant"):
            message.refuse("role", f"expected system, developer, user or assistant, got {role!r:.40}")
        parts = message.required("content")
        if isinstance(parts, list):
            parts = [_part(Fields(part, f"messages[{k}].content[{n}]"), role, images) for n, part in enumerate(parts)]
        else:
            parts = message.checked_text("content", parts)
        message.end(frozenset({"name", "annotations"}), {"tool_calls": ([],)})
        messages.append({"role": "system" if role == "developer" else role, "content": parts})
    if messages[-1]["role"] != "user":
        fields.refuse("messages", "the last message must be the user's")
    _check_number(len(images), settings, "messages")
    return messages, images


def _part(part: Fields, role: str, images: list[str]) -> dict[str, Any]:
    kind = part.text("type")
    if kind == "text":
        parsed = {"type": "text", "text": part.text("text")}
    elif kind == "image_url":
        if role != "user":
            part.refuse("type", "only messages of the user hold images")
        image = Fields(part.required("image_url"), f"{part.where}.image_url")
        url = image.required("url")
        if not isinstance(url, str):
            image.refuse("url", f"expected a text, got {_json_type(url)}")
        image.end(frozenset({"detail"}))  # every image is resized to the model's input
        images.append(url)
        parsed = {"type": "image"}
    else:
        part.refuse("type", f"expected text or image_url, got {kind!r:.40}")
    part.end()
    return parsed


def _stops(fields: Fields) -> tuple[str, ...]:
    stops = fields.left.pop("stop", [])
    stops = [stops] if isinstance(stops, str) else stops
    if not isinstance(stops, list) or len(stops) > MAX_STOPS:
        fields.refuse("stop", f"expected a text or a list of at most {MAX_STOPS}")
    texts = tuple(fields.checked_text("stop", stop, MAX_STOP_CHARS) for stop in stops)
    if not all(texts):
        fields.refuse("stop", "a stop text must not be empty")
    return texts


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _json_type(value: Any) -> str:
    """Return the JSON name of a value's type."""
    names = {
        bool: "a truth value",
        str: "a text",
        list: "a list",
        dict: "an object",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), "null")
