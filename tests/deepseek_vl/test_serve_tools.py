"""What tools ask a server for: completions, several answers, log probabilities, JSON, prefill, sampling, metrics."""

import contextlib
import http.client
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import numpy as np
import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deepseek_vl.config import preset
from deepseek_vl.conversation import join_turns, render
from deepseek_vl.engine import generate
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import SPECIAL_TOKENS, Prompt
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.serve.__main__ import build_parser
from deepseek_vl.serve.settings import Settings
from deepseek_vl.serve.structured import JsonGrammars
from deepseek_vl.serve.token_text import token_bytes, token_text
from tests.deepseek_vl import tiny
from tests.deepseek_vl.serving import CONFIG, KEY, data_url, encoded, one_thread, picture, serve

pytestmark = pytest.mark.slow

Json = dict[str, Any]
HELLO: Any = [{"role": "user", "content": "hello"}]
ORIGIN = "https://tools.example"
PROCESSOR = tiny.processor(CONFIG)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoints") / "tiny"


@pytest.fixture(scope="module")
def model(folder: Path) -> DeepseekVL:
    return tiny.write_checkpoint(folder, CONFIG)


@pytest.fixture(scope="module")
def access_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "access.jsonl"


@pytest.fixture(scope="module")
def address(folder: Path, model: DeepseekVL, access_log: Path) -> Iterator[str]:
    with serve(folder, "--access-log", str(access_log), "--cors-origin", ORIGIN, "--rows", "8") as (url, _):
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


def get(address: str, method: str, path: str, **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Authorization": f"Bearer {KEY}", **named})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def expected_text(model: DeepseekVL, prompt: Prompt, **sampling: Any) -> str:
    [stream] = generate(model, PROCESSOR, [prompt], SamplingSettings(**sampling))
    return stream.text


# ---- Completions ----


def test_a_completion_continues_its_text(client: openai.OpenAI, model: DeepseekVL) -> None:
    made = client.completions.create(model="tiny", prompt="what is", max_tokens=9, temperature=0)
    prompt = Prompt(PROCESSOR.tokens(["what is"]))
    assert made.choices[0].text == expected_text(model, prompt, max_tokens=9)
    assert made.object == "text_completion"
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (len(prompt), 9)


def test_texts_tokens_and_lists_of_them_are_prompts(client: openai.OpenAI) -> None:
    texts = ["what", "the chart"]
    tokens = [PROCESSOR.tokens([text]).tolist() for text in texts]

    def answers(prompt: Any, n: int = 1) -> list[str]:
        made = client.completions.create(model="tiny", prompt=prompt, max_tokens=6, temperature=1.2, seed=4, n=n)
        assert [choice.index for choice in made.choices] == list(range(len(made.choices)))
        return [choice.text for choice in made.choices]

    both = answers(texts)
    assert answers(tokens) == both
    assert answers(tokens[1]) == [both[1]]
    assert answers(texts, n=2)[::2] == both


def test_without_a_limit_a_completion_has_16_tokens(client: openai.OpenAI) -> None:
    made = client.completions.create(model="tiny", prompt="what", temperature=0)
    assert made.usage is not None
    assert made.usage.completion_tokens == 16


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ([], "empty list"),
        (3, "a text"),
        (["a", 3], "a text"),
        ([[1, -1]], "from 0 to 511"),
        ([512], "from 0 to 511"),
        ([10**30], "from 0 to 511"),
        ([CONFIG.image_token], "image token"),
        (["a"] * 17, "at most 16"),
    ],
)
def test_other_prompts_are_rejected(client: openai.OpenAI, prompt: Any, words: str) -> None:
    with pytest.raises(openai.BadRequestError, match=words) as refused:
        client.completions.create(model="tiny", prompt=prompt)
    assert refused.value.param == "prompt"


def test_a_streamed_completion_is_the_whole_one(client: openai.OpenAI) -> None:
    fields: Any = {"model": "tiny", "prompt": ["a", "b"], "n": 2, "max_tokens": 9, "temperature": 1.3, "seed": 2}
    whole = [choice.text for choice in client.completions.create(**fields).choices]
    texts = ["", "", "", ""]
    chunks = list(client.completions.create(**fields, stream=True, stream_options={"include_usage": True}))
    for chunk in chunks[:-1]:
        texts[chunk.choices[0].index] += chunk.choices[0].text
    assert texts == whole
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 36


# ---- Several answers, and their log probabilities ----


def test_n_answers_are_those_of_consecutive_seeds(client: openai.OpenAI) -> None:
    fields: Any = {"model": "tiny", "messages": HELLO, "max_tokens": 12, "temperature": 1.4}
    several = [c.message.content for c in client.chat.completions.create(**fields, n=3, seed=5).choices]
    alone = [client.chat.completions.create(**fields, seed=5 + k).choices[0].message.content for k in range(3)]
    assert several == alone
    assert len(set(several)) == 3
    streamed = ["", "", ""]
    reasons: list[Any] = [None] * 3
    for chunk in client.chat.completions.create(**fields, n=3, seed=5, stream=True):
        choice = chunk.choices[0]
        streamed[choice.index] += choice.delta.content or ""
        reasons[choice.index] = choice.finish_reason or reasons[choice.index]
    assert streamed == several
    assert None not in reasons


def test_log_probabilities_are_the_models(client: openai.OpenAI, model: DeepseekVL) -> None:
    made = client.chat.completions.create(
        model="tiny", messages=HELLO, max_tokens=5, temperature=0, logprobs=True, top_logprobs=4
    )
    [stream] = generate(model, PROCESSOR, [PROCESSOR.prompt(HELLO)], SamplingSettings(max_tokens=5, logprobs=4))
    logprobs = made.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert len(logprobs.content) == len(stream.tokens) == 5
    for entry, token, own in zip(logprobs.content, stream.tokens, stream.logprobs, strict=True):
        raw = token_bytes(PROCESSOR.tokenizer, token)
        assert (entry.token, entry.bytes) == (token_text(raw), list(raw))
        assert math.isclose(entry.logprob, own.chosen, abs_tol=1e-4)
        np.testing.assert_allclose([top.logprob for top in entry.top_logprobs], [p for _, p in own.top], atol=1e-4)
        assert entry.logprob == entry.top_logprobs[0].logprob  # greedy


def test_the_tokens_with_log_probabilities_are_those_of_the_text(client: openai.OpenAI) -> None:
    """Whole and streamed, with a stop text, which is no part of the answer."""
    fields: Any = {"model": "tiny", "max_tokens": 60, "temperature": 1.5, "logprobs": True}
    stopped = 0
    for seed in range(8):
        options: Any = {**fields, "messages": HELLO, "seed": seed, "stop": ["e", "s", "图"]}
        choice = client.chat.completions.create(**options).choices[0]
        assert choice.logprobs is not None
        content = choice.logprobs.content or []
        shown = [entry for entry in content if entry.token not in SPECIAL_TOKENS.values()]
        text = b"".join(bytes(entry.bytes or []) for entry in shown).decode(errors="replace").lstrip()
        assert text.startswith(choice.message.content or "")
        stopped += choice.finish_reason == "stop" and text != choice.message.content
        streamed = [
            entry
            for chunk in client.chat.completions.create(**options, stream=True)
            for entry in (chunk.choices[0].logprobs.content or [] if chunk.choices[0].logprobs else [])
        ]
        assert [entry.token for entry in streamed] == [entry.token for entry in content]
    assert stopped < 8


def test_a_completion_gives_offsets(client: openai.OpenAI) -> None:
    made = client.completions.create(model="tiny", prompt="what", max_tokens=30, temperature=1.0, seed=3, logprobs=2)
    choice = made.choices[0]
    logprobs = choice.logprobs
    assert logprobs is not None
    assert logprobs.tokens is not None
    assert logprobs.text_offset is not None
    assert logprobs.top_logprobs is not None
    assert len(logprobs.tokens) == len(logprobs.text_offset) == len(logprobs.token_logprobs or []) == 30
    readable = [k for k, token in enumerate(logprobs.tokens) if token and not token.startswith("bytes:")]
    assert len(readable) > 5
    for k in readable:
        if logprobs.tokens[k] not in SPECIAL_TOKENS.values():
            # Bytes that make no character are shown together with the token after them.
            assert (
                0
                <= choice.text.find(logprobs.tokens[k].strip("\ufffd"), logprobs.text_offset[k])
                - logprobs.text_offset[k]
                <= 8
            )
    assert all(1 <= len(top) <= 2 for top in logprobs.top_logprobs)


# ---- JSON ----

SCHEMAS: list[Json] = [
    {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}}, "required": ["a"]}
    | {"additionalProperties": False},
    {"enum": ["bar", "line", "图表", None, 3]},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
    {"$defs": {"x": {"type": "string", "maxLength": 5}}, "type": "array", "prefixItems": [{"$ref": "#/$defs/x"}]}
    | {"items": False, "minItems": 1},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_answers_follow_a_schema(client: openai.OpenAI, schema: Json) -> None:
    form: Any = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": True}}
    made = client.chat.completions.create(
        model="tiny", messages=HELLO, response_format=form, n=4, temperature=1.3, max_tokens=200
    )
    for choice in made.choices:
        assert choice.finish_reason == "stop"
        jsonschema.validate(json.loads(choice.message.content or ""), schema)


def test_any_object_and_pydantic_models(client: openai.OpenAI) -> None:
    made = client.chat.completions.create(
        model="tiny", messages=HELLO, response_format={"type": "json_object"}, max_tokens=1500, temperature=0.6, seed=1
    )
    assert (made.choices[0].message.content or "").startswith("{")
    if made.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(made.choices[0].message.content or ""), dict)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"type": "xml"}, "json_schema"),
        ({"type": "json_schema"}, "required"),
        ({"type": "json_schema", "json_schema": {"name": "s", "schema": 3}}, "an object"),
        ({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "nonsense"}}}, "Invalid type"),
        (
            {"type": "json_schema", "json_schema": {"name": "s", "schema": {"$ref": "http://127.0.0.1/"}}},
            "not supported",
        ),
        ({"type": "json_schema", "json_schema": {"name": "s", "schema": {"pattern": "[", "type": "string"}}}, "regex"),
        ({"type": "json_schema", "json_schema": {"name": "s", "schema": {"enum": ["x" * 100_001]}}}, "at most 100000"),
    ],
)
def test_a_wrong_schema_is_rejected(client: openai.OpenAI, form: Any, words: str) -> None:
    with pytest.raises(openai.BadRequestError, match=words) as refused:
        client.chat.completions.create(model="tiny", messages=HELLO, response_format=form)
    assert (refused.value.param or "").startswith("response_format")


def test_a_schema_that_is_too_complex_costs_only_its_own_answer(client: openai.OpenAI) -> None:
    nested: Json = {"type": "string"}
    for _ in range(120):
        nested = {"type": "array", "items": nested}
    hostile = [nested, {"type": "string", "pattern": "(a|b|ab){1,400}(x?){900}" * 3}]
    form: list[Any] = [{"type": "json_schema", "json_schema": {"name": "s", "schema": schema}} for schema in hostile]
    with client.chat.completions.create(
        model="tiny", messages=HELLO, stream=True, max_tokens=1000, temperature=0
    ) as other:
        next(iter(other))
        for one in form:
            with contextlib.suppress(openai.BadRequestError):  # or it can be followed after all
                client.chat.completions.create(model="tiny", messages=HELLO, response_format=one, max_tokens=20)
        assert [chunk.choices[0].finish_reason for chunk in other][-1] in ("length", "stop")


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(ImportError):
        JsonGrammars(PROCESSOR)


def test_masks_never_leave_an_answer_without_a_token() -> None:
    [mask] = JsonGrammars(PROCESSOR).masks({"const": "a"}, 1)
    assert mask.allowed().any()
    mask.push(511)  # no token of the tokenizer, and outside of the mask
    allowed = mask.allowed()
    assert mask.failure
    assert allowed.nonzero().flatten().tolist() == [CONFIG.eos]


# ---- Conversations ----


def test_a_last_message_of_the_assistant_is_continued(client: openai.OpenAI, model: DeepseekVL) -> None:
    def answered(beginning: str) -> str | None:
        messages = [*HELLO, {"role": "assistant", "content": beginning}]
        made = client.chat.completions.create(model="tiny", messages=messages, max_tokens=8, temperature=0)
        return made.choices[0].message.content

    def own(beginning: str) -> str:
        messages = [*HELLO, {"role": "assistant", "content": beginning}]
        return expected_text(model, Prompt(PROCESSOR.tokens(render(messages, continue_last=True))), max_tokens=8)

    pieces = render([*HELLO, {"role": "assistant", "content": "The chart \n"}], "", continue_last=True)
    assert pieces == ["User: hello\n\nAssistant: The chart"]
    assert render([*HELLO, {"role": "assistant", "content": ""}], "", continue_last=True) == render(HELLO, "")
    assert answered("The chart") == own("The chart")
    assert answered("The chart \n") == own("The chart").lstrip()
    assert answered("") == own("").lstrip()


def test_messages_in_a_row_are_joined(client: openai.OpenAI) -> None:
    image = {"type": "image_url", "image_url": {"url": data_url(encoded(picture(1)))}}
    apart: Any = [
        {"role": "system", "content": "s"},
        {"role": "system", "content": "t"},
        {"role": "user", "content": "one"},
        {"role": "user", "content": [image, {"type": "text", "text": "two"}]},
    ]
    whole: Any = [
        {"role": "system", "content": "s\nt"},
        {"role": "user", "content": [{"type": "text", "text": "one\n"}, image, {"type": "text", "text": "two"}]},
    ]
    texts = [
        client.chat.completions.create(model="tiny", messages=m, max_tokens=9, temperature=0).choices[0].message.content
        for m in (apart, whole)
    ]
    assert texts[0] == texts[1]
    assert join_turns(HELLO * 2) == [
        {"role": "user", "content": [{"type": "text", "text": text} for text in ("hello", "\n", "hello")]}
    ]


def test_an_image_url_may_be_a_string(client: openai.OpenAI) -> None:
    url = data_url(encoded(picture(2)))
    texts = []
    for value in (url, {"url": url, "detail": "low"}):
        messages: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": value}]}]
        made = client.chat.completions.create(model="tiny", messages=messages, max_tokens=9, temperature=0)
        texts.append(made.choices[0].message.content)
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "extra",
    [
        {"top_k": 3},
        {"min_p": 0.4},
        {"repetition_penalty": 1.7},
        {"frequency_penalty": 1.5},
        {"presence_penalty": -2.0},
    ],
)
def test_sampling_fields_reach_the_model(client: openai.OpenAI, model: DeepseekVL, extra: Json) -> None:
    sampling = {"max_tokens": 40, "temperature": 1.0, "seed": 8}
    made = client.chat.completions.create(model="tiny", messages=HELLO, extra_body={**sampling, **extra})
    prompt = PROCESSOR.prompt(HELLO)
    assert made.choices[0].message.content == expected_text(model, prompt, **sampling, **extra).lstrip()
    assert made.choices[0].message.content != expected_text(model, prompt, **sampling).lstrip()
    everything = client.chat.completions.create(model="tiny", messages=HELLO, extra_body={**sampling, "top_k": -1})
    assert everything.choices[0].message.content == expected_text(model, prompt, **sampling).lstrip()


# ---- Lengths ----


@pytest.mark.parametrize("num_words", [3_000, 5_000, 90_000, 600_000])
def test_every_prompt_that_is_too_long_has_the_same_code(client: openai.OpenAI, num_words: int) -> None:
    text = "x " * num_words
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": text}])
    assert refused.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x " * 100_000}] * 8)
    assert refused.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model="tiny", prompt=text)
    assert refused.value.code == "context_length_exceeded"


def test_prompt_and_limit_fit_the_context_together(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "x " * 1000}]
    length = len(PROCESSOR.prompt(messages))
    room = 4096 - length

    def ask(max_tokens: int) -> Any:
        return client.chat.completions.create(
            model="tiny", messages=messages, max_tokens=max_tokens, stop=["e", "a", "t", "s"]
        )

    assert 1000 < room < 2048
    assert ask(room).choices
    for max_tokens in (room + 1, 4096, 10**9):
        with pytest.raises(openai.BadRequestError) as refused:
            ask(max_tokens)
        assert refused.value.code == "context_length_exceeded"
    images = [{"type": "image_url", "image_url": data_url(encoded(picture(k)))} for k in range(8)]
    many: Any = [{"role": "user", "content": images}]
    assert client.chat.completions.create(model="tiny", messages=many, max_tokens=3).choices


def test_eight_images_fit_the_defaults() -> None:
    """With the model's own size of an image, a long question and the longest answer."""
    args = build_parser().parse_args(["--model", "x"])
    assert args.max_images * preset("7b").tokens_per_image + args.max_tokens + 1000 <= args.slots
    assert args.slots <= preset("7b").language.max_positions


# ---- Observing ----


def test_metrics_count_requests_and_tokens(address: str, client: openai.OpenAI) -> None:
    def values() -> dict[str, float]:
        status, text, headers = get(address, "GET", "/metrics")
        assert (status, headers.get_content_type()) == (200, "text/plain")
        return {
            f"{sample.name}{sorted(sample.labels.values())}": sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    before = values()
    client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=7, temperature=0)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="other", messages=HELLO)
    get(address, "GET", "/no/such/path")
    after = values()
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["vellum_answer_tokens_total[]"] == 7
    assert grown["vellum_prompt_tokens_total[]"] == len(PROCESSOR.prompt(HELLO))
    assert grown["vellum_requests_total['/v1/chat/completions', '200', 'POST']"] == 1
    assert grown["vellum_requests_total['/v1/chat/completions', '404', 'POST']"] == 1
    assert grown["vellum_requests_total['404', 'GET', 'other']"] == 1
    assert grown["vellum_first_token_seconds_count[]"] == 1
    assert after["vellum_ready[]"] == 1
    assert after["vellum_connections[]"] >= 1
    assert get(address, "GET", "/metrics", Authorization="Bearer no")[0] == 401


def test_requests_have_ids_and_are_logged(address: str, access_log: Path) -> None:
    _, _, headers = get(address, "GET", "/health", X_Request_Id="trace-17")
    assert headers["x-request-id"] == "trace-17"
    made = {get(address, "GET", "/nothing")[2]["x-request-id"] for _ in range(2)}
    assert len(made) == 2
    assert get(address, "GET", "/health", X_Request_Id="a b\tc")[2]["x-request-id"].startswith("req_")
    assert get(address, "GET", "/health", X_Request_Id="x" * 200)[2]["x-request-id"].startswith("req_")
    entries = [json.loads(line) for line in access_log.read_text().splitlines()]
    [entry] = [entry for entry in entries if entry["id"] == "trace-17"]
    assert (entry["method"], entry["path"], entry["status"], entry["client"]) == ("GET", "/health", 200, "127.0.0.1")
    assert made < {entry["id"] for entry in entries if entry["status"] == 404}


def test_only_pages_of_an_allowed_origin_may_ask(address: str) -> None:
    ask = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization, x-stainless-os"}
    status, _, headers = get(address, "OPTIONS", "/v1/chat/completions", Origin=ORIGIN, **ask)
    assert (status, headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert "x-stainless-os" in headers["access-control-allow-headers"]
    status, _, headers = get(address, "OPTIONS", "/v1/chat/completions", Origin="https://other.example", **ask)
    assert status == 400
    assert "access-control-allow-origin" not in headers
    assert get(address, "GET", "/nothing", Origin=ORIGIN)[2]["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in get(address, "GET", "/v1/models")[2]


def test_origins_are_checked_at_the_start() -> None:
    for wrong in ("example.org", "https://example.org/path", "null", ""):
        with pytest.raises(ValueError, match="origin"):
            Settings(model="m", cors_origins=(wrong,))
    assert Settings(model="m", cors_origins=("*", "http://localhost:3000"))
