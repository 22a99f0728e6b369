"""Parses the bodies of requests. A field that would change the answer but is not supported is an error naming it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.serve.errors import ApiError
from deepseek_vl.serve.fields import MAX_TEXT_CHARS, Fields, json_type, parse_json
from deepseek_vl.serve.score_items import ScoreItem, parse_items
from deepseek_vl.serve.settings import Settings

LOWEST_TEMPERATURE = 1e-3  # lower ones are treated as 0: the most likely token always wins, and numbers overflow
MAX_STOPS = 4
MAX_STOP_CHARS = 256
MAX_TOP_LOGPROBS = 20
COMPLETION_TOKENS = 16  # OpenAI's default for completions
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
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "moderation": (),
    "prediction": (),
    "reasoning_effort": ("none",),
    "tool_choice": ("none",),
    "tools": ([],),
    "verbosity": (),
    "web_search_options": (),
}
UNSUPPORTED_COMPLETION: dict[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "logit_bias": ({},),
    "suffix": ("",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRequest:
    """The fields that chats and completions share.

    Args:
        sampling: settings of the first answer.
        names_max_tokens: the request itself limits the answer, so prompt and limit must fit the context together.
        n: answers to every prompt.
        include_usage: end a stream with a chunk of token counts.
        json_schema: the schema that the answer must follow; None for any text.
    """

    sampling: SamplingSettings
    names_max_tokens: bool
    n: int
    stream: bool
    include_usage: bool
    json_schema: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest(AnswerRequest):
    """A checked request for an answer in a conversation.

    Args:
        messages: as `conversation.render` expects them, after `conversation.join_turns`.
        images: URLs, in the order of the image parts.
    """

    messages: list[dict[str, Any]]
    images: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletionRequest(AnswerRequest):
    """A checked request to continue texts, or lists of tokens."""

    prompts: list[str | list[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRequest:
    """A checked scoring request: every question is asked about every image (a URL)."""

    images: list[str]
    questions: tuple[str, ...]
    choices: tuple[str, ...]


def parse_chat(body: bytes, settings: Settings) -> ChatRequest:
    """Parse the body of `/v1/chat/completions`. Raises ApiError."""
    fields = Fields(parse_json(body))
    _check_model(fields.text("model"), settings)
    messages, images = _messages(fields, settings)
    limits = [name for name in ("max_completion_tokens", "max_tokens") if name in fields.left]
    if len(limits) == 2:
        fields.refuse("max_tokens", "give either max_tokens or max_completion_tokens")
    wants_logprobs = fields.flag("logprobs")
    if "top_logprobs" in fields.left and not wants_logprobs:
        fields.refuse("top_logprobs", "only with logprobs: true")
    top = fields.integer("top_logprobs", 0, MAX_TOP_LOGPROBS, 0)
    common = _common(
        fields, settings, (limits or ["max_tokens"])[0], settings.max_tokens, top if wants_logprobs else None
    )
    json_schema = _json_schema(fields)
    fields.end(IGNORED, UNSUPPORTED)
    return ChatRequest(messages=messages, images=images, json_schema=json_schema, **common)


def parse_completion(body: bytes, settings: Settings) -> CompletionRequest:
    """Parse the body of `/v1/completions`. Raises ApiError."""
    fields = Fields(parse_json(body))
    _check_model(fields.text("model"), settings)
    prompts = _prompts(fields)
    top = fields.integer("logprobs", 0, MAX_TOP_LOGPROBS, 0) if "logprobs" in fields.left else None
    common = _common(fields, settings, "max_tokens", min(COMPLETION_TOKENS, settings.max_tokens), top)
    if len(prompts) * common["n"] > settings.max_answers:
        message = f"{len(prompts)} prompts, {common['n']} answers to each; expected at most {settings.max_answers}"
        fields.refuse("prompt", f"{message} answers in all")
    json_schema = _json_schema(fields)
    fields.end(IGNORED, UNSUPPORTED_COMPLETION)
    return CompletionRequest(prompts=prompts, json_schema=json_schema, **common)


def parse_score(body: bytes, settings: Settings) -> ScoreRequest | tuple[ScoreItem, ...]:
    """Parse the body of `/v1/score`: every question about every image, or items. Raises ApiError."""
    fields = Fields(parse_json(body))
    if "model" in fields.left:
        _check_model(fields.text("model"), settings)
    if "items" in fields.left:
        items = parse_items(fields, settings)
        fields.end()
        return items
    images = fields.required("images")
    if not isinstance(images, list) or not images or not all(isinstance(url, str) for url in images):
        fields.refuse("images", "expected a list of data URLs, at least one")
    _check_number(len(images), settings, "images")
    questions = fields.texts("questions", settings.max_questions)
    choices = fields.texts("choices", settings.max_choices)
    fields.end()
    return ScoreRequest(images=images, questions=tuple(questions), choices=tuple(choices))


def _common(
    fields: Fields, settings: Settings, limit: str, default_tokens: int, logprobs: int | None
) -> dict[str, Any]:
    """Read the fields that chats and completions share; `limit` is the field of the answer's length."""
    names_max_tokens = limit in fields.left
    requested = fields.left.get(limit)
    if isinstance(requested, int) and requested >= settings.context_tokens:
        message = f"the context has {settings.context_tokens} tokens, and the prompt must fit as well"
        fields.refuse(limit, message, "context_length_exceeded")
    temperature = fields.number("temperature", 0, 2, 1)
    sampling = SamplingSettings(
        max_tokens=fields.integer(limit, 1, settings.max_tokens, default_tokens),
        temperature=temperature if temperature >= LOWEST_TEMPERATURE else 0.0,
        top_p=fields.number("top_p", 1e-6, 1, 1),
        top_k=max(fields.integer("top_k", -1, 2**31, 0), 0),  # other servers take -1 for all
        min_p=fields.number("min_p", 0, 1, 0),
        repetition_penalty=fields.number("repetition_penalty", 0.01, 100, 1),
        frequency_penalty=fields.number("frequency_penalty", -2, 2, 0),
        presence_penalty=fields.number("presence_penalty", -2, 2, 0),
        logprobs=logprobs,
        seed=fields.integer("seed", -(2**63), 2**63 - 1, secrets.randbits(63)),
        stop=_stops(fields),
    )
    stream = fields.flag("stream")
    options = Fields(fields.left.pop("stream_options", {}), "stream_options")
    if options.left and not stream:
        fields.refuse("stream_options", "only with stream: true")
    include_usage = options.flag("include_usage")
    options.end(frozenset({"include_obfuscation"}))
    return {
        "sampling": sampling,
        "names_max_tokens": names_max_tokens,
        "n": fields.integer("n", 1, settings.max_answers, 1),
        "stream": stream,
        "include_usage": include_usage,
    }


def _json_schema(fields: Fields) -> Mapping[str, Any] | None:
    if "response_format" not in fields.left:
        return None
    form = Fields(fields.left.pop("response_format"), "response_format")
    kind = form.text("type")
    if kind == "text":
        schema = None
    elif kind == "json_object":
        schema = {"type": "object"}
    elif kind == "json_schema":
        inner = Fields(form.required("json_schema"), "response_format.json_schema")
        inner.left.setdefault("schema", {})
        schema = inner.required("schema")
        if not isinstance(schema, dict):
            inner.refuse("schema", f"expected an object, got {json_type(schema)}")
        inner.end(frozenset({"name", "description", "strict"}))  # an answer always follows the schema
    else:
        form.refuse("type", f"expected text, json_object or json_schema, got {kind!r:.40}")
    form.end()
    return schema


def _check_model(name: str, settings: Settings) -> None:
    if name != settings.model:
        message = f"the model {name!r:.80} is not here; this server has {settings.model!r}"
        raise ApiError(404, message, param="model", code="model_not_found")


def _check_number(images: int, settings: Settings, param: str) -> None:
    if images > settings.max_images:
        raise ApiError(400, f"{param}: {images} images; expected at most {settings.max_images}", param=param)


def _prompts(fields: Fields) -> list[str | list[int]]:
    """Return the prompts of a completion: one text, texts, tokens, or lists of tokens."""
    prompt = fields.required("prompt")
    prompts = prompt if isinstance(prompt, list) and not _is_tokens(prompt) else [prompt]
    if not prompts:
        fields.refuse("prompt", "expected a text, a list of tokens, or a list of either; got an empty list")
    _check_chars(sum(len(one) for one in prompts if isinstance(one, str | list)), fields, "prompt")
    return [one if _is_tokens(one) else fields.checked_text("prompt", one) for one in prompts]


def _is_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(token) is int for token in value)


def _check_chars(num_chars: int, fields: Fields, name: str) -> None:
    if num_chars > MAX_TEXT_CHARS:
        message = f"the texts have {num_chars} characters; expected at most {MAX_TEXT_CHARS}"
        fields.refuse(name, message, "context_length_exceeded")


def _messages(fields: Fields, settings: Settings) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the messages as `render` expects them, and the URLs of their images in order."""
    listed = fields.required("messages")
    if not isinstance(listed, list) or not listed:
        fields.refuse("messages", "expected a list of messages, at least one")
    messages: list[dict[str, Any]] = []
    images: list[str] = []
    num_chars = 0
    for k, content in enumerate(listed):
        message = Fields(content, f"messages[{k}]")
        role = message.text("role")
        if role not in ("system", "developer", "user", "assistant"):
            message.refuse("role", f"expected system, developer, user or assistant, got {role!r:.40}")
        parts = message.required("content")
        if isinstance(parts, list):
            parts = [_part(Fields(part, f"messages[{k}].content[{n}]"), role, images) for n, part in enumerate(parts)]
        else:
            parts = [{"type": "text", "text": message.checked_text("content", parts)}]
        num_chars += sum(len(part.get("text", "")) for part in parts)
        message.end(
            frozenset({"name", "annotations", "refusal"}), {"tool_calls": ([],), "function_call": (), "audio": ()}
        )
        messages.append({"role": "system" if role == "developer" else role, "content": parts})
    _check_chars(num_chars, fields, "messages")
    if all(message["role"] != "user" for message in messages):
        fields.refuse("messages", "expected a message of the user")
    if messages[-1]["role"] == "system":
        fields.refuse("messages", "the last message must be the user's, or the beginning of the assistant's answer")
    _check_number(len(images), settings, "messages")
    return messages, images


def _part(part: Fields, role: str, images: list[str]) -> dict[str, Any]:
    kind = part.text("type")
    if kind == "text":
        parsed = {"type": "text", "text": part.text("text")}
    elif kind == "image_url":
        if role != "user":
            part.refuse("type", "only messages of the user hold images")
        content = part.required("image_url")
        image = Fields({"url": content} if isinstance(content, str) else content, f"{part.where}.image_url")
        url = image.required("url")
        if not isinstance(url, str):
            image.refuse("url", f"expected a text, got {json_type(url)}")
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
