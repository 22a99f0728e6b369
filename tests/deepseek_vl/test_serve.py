"""The server from its clients' view: OpenAI's client, and malformed requests."""

import http.client
import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import openai
import pytest

from deepseek_vl.checkpoint import digest
from deepseek_vl.engine import generate
from deepseek_vl.model import DeepseekVL
from deepseek_vl.processor import Processor
from deepseek_vl.sampling import SamplingSettings
from deepseek_vl.scoring import Item, Likelihood, Question, Scorer
from tests.deepseek_vl import tiny
from tests.deepseek_vl.serving import CONFIG, KEY, data_url, encoded, one_thread, picture, serve

pytestmark = pytest.mark.slow

MAX_REQUESTS = 8
MAX_BODY = 1_000_000
Json = dict[str, Any]


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
def processor() -> Processor:
    return tiny.processor(CONFIG)


@pytest.fixture(scope="module")
def address(folder: Path, model: DeepseekVL) -> Iterator[str]:
    limits = [
        "--rows",
        "4",
        "--max-queue",
        "4",
        "--max-body-mb",
        "1",
        "--max-image-pixels",
        "100000",
        "--max-images",
        "3",
    ]
    with serve(folder, *limits, "--max-tokens", "3900") as (url, _):
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0, timeout=60) as client:
        yield client


def raw(
    address: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **options: Any
) -> tuple[int, Any, http.client.HTTPMessage]:
    """Send a raw request; return the status, the JSON and the headers of the response."""
    sent = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **(headers or {})}
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request(method, path, json.dumps(body) if isinstance(body, dict) else body, sent, **options)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content), answer.headers
    finally:
        connection.close()


def ask(address: str, **fields: Any) -> tuple[int, Json]:
    """Send a small valid chat request with some fields changed (`...` removes one)."""
    valid = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 3, "temperature": 0}
    body = {name: value for name, value in {**valid, **fields}.items() if value is not ...}
    status, answer, _ = raw(address, "POST", "/v1/chat/completions", body)
    return status, answer


HELLO: list[Json] = [{"role": "user", "content": "hello"}]


def image_part(data: bytes, kind: str = "png") -> Json:
    return {"type": "image_url", "image_url": {"url": data_url(data, kind)}}


def with_image(url: str) -> list[Json]:
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "what?"}]
    return [{"role": "user", "content": parts}]


class Case:
    """A conversation sent by OpenAI's client, and the model's answer computed in this process."""

    def __init__(self, first: int, num_images: int, num_words: int, **sampling: Any):
        self.files = [encoded(picture(first + k)) for k in range(num_images)]
        self.text = " ".join(["what is in the chart <image_placeholder>?"] * num_words)
        self.sampling = {"max_tokens": 24, "temperature": 0.0, **sampling}

    def messages(self) -> Any:
        parts = [*(image_part(file) for file in self.files), {"type": "text", "text": self.text}]
        system = {"role": "system", "content": "Be brief."}
        turn = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
        return [system, *turn, {"role": "user", "content": parts}]

    def expected(self, model: DeepseekVL, processor: Processor) -> tuple[str, int, int, str | None]:
        """Return the text, the numbers of prompt and answer tokens, and the finish reason."""
        images = [{"type": "image"} for _ in self.files]
        last = {"role": "user", "content": [*images, {"type": "text", "text": self.text}]}
        prompt = processor.prompt([*self.messages()[:-1], last], self.files)
        stop = self.sampling.get("stop", [])
        sampling = SamplingSettings(**{**self.sampling, "stop": (stop,) if isinstance(stop, str) else tuple(stop)})
        [answer] = generate(model, processor, [prompt], sampling)
        return answer.text.lstrip(), len(prompt), len(answer.tokens), answer.finish_reason

    def whole(self, client: openai.OpenAI) -> tuple[str | None, int, int, str]:
        completion = client.chat.completions.create(model="tiny", messages=self.messages(), **self.sampling)
        assert completion.object == "chat.completion"
        [choice] = completion.choices
        usage = completion.usage
        assert usage is not None
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
        return choice.message.content, usage.prompt_tokens, usage.completion_tokens, choice.finish_reason

    def streamed(self, client: openai.OpenAI) -> tuple[str, int, int, str | None]:
        chunks = list(
            client.chat.completions.create(
                model="tiny",
                messages=self.messages(),
                stream=True,
                stream_options={"include_usage": True},
                **self.sampling,
            )
        )
        *parts, last = chunks
        assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
        assert len({chunk.id for chunk in chunks}) == 1
        assert parts[0].choices[0].delta.role == "assistant"
        assert all(chunk.usage is None for chunk in parts)
        assert last.choices == []
        assert last.usage is not None
        reasons = [chunk.choices[0].finish_reason for chunk in parts]
        assert set(reasons[:-1]) == {None}
        text = "".join(chunk.choices[0].delta.content or "" for chunk in parts)
        return text, last.usage.prompt_tokens, last.usage.completion_tokens, reasons[-1]


CASES = [
    Case(1, 0, 1),
    Case(2, 1, 3),
    Case(3, 3, 1),
    Case(4, 1, 9, temperature=0.9, seed=7),
    Case(5, 0, 2, temperature=1.4, top_p=0.8, seed=-3),
    Case(6, 2, 2, max_tokens=5),
    Case(7, 1, 1, temperature=2.0, seed=11, max_tokens=200, stop=["e", "\n"]),
    Case(8, 0, 40, temperature=2.0, seed=12, max_tokens=100, stop="a"),
]


@pytest.mark.parametrize("case", CASES)
def test_answers_are_those_of_the_model(
    case: Case, client: openai.OpenAI, model: DeepseekVL, processor: Processor
) -> None:
    expected = case.expected(model, processor)
    assert case.whole(client) == expected
    assert case.streamed(client) == expected


def test_requests_at_once_are_answered_as_alone(client: openai.OpenAI, model: DeepseekVL, processor: Processor) -> None:
    with ThreadPoolExecutor(MAX_REQUESTS) as pool:
        answers = list(pool.map(lambda case: case.streamed(client), CASES))
    assert answers == [case.expected(model, processor) for case in CASES]


def test_cases_end_for_every_reason(model: DeepseekVL, processor: Processor) -> None:
    assert {case.expected(model, processor)[3] for case in CASES} == {"stop", "length"}


def test_white_space_at_the_start_is_left_out(address: str, model: DeepseekVL, processor: Processor) -> None:
    messages = [{"role": "user", "content": "hi"}]
    sampling: Json = {"max_tokens": 4, "temperature": 1.5, "seed": 19}
    [answer] = generate(model, processor, [processor.prompt(messages)], SamplingSettings(**sampling))
    assert answer.text.startswith(" ")
    assert ask(address, messages=messages, **sampling)[1]["choices"][0]["message"]["content"] == answer.text[1:]


def test_a_stream_is_written_as_events(address: str) -> None:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    body = {"model": "tiny", "messages": [{"role": "user", "content": "hi"}], "stream": True, "max_tokens": 2}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json; charset=utf-8"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, done, end = answer.read().decode().split("\n\n")
    connection.close()
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert all("usage" not in chunk for chunk in chunks)
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}]


def test_without_a_seed_answers_differ(client: openai.OpenAI) -> None:
    case = Case(9, 0, 1, temperature=1.5)
    assert len({case.whole(client)[0] for _ in range(4)}) > 1


def test_fields_that_ask_for_nothing_are_accepted(address: str) -> None:
    neutral = {"n": 1, "logprobs": False, "tools": [], "presence_penalty": 0.0, "response_format": {"type": "text"}}
    ignored = {
        "user": "someone",
        "metadata": {"a": "b"},
        "store": True,
        "seed": None,
        "stop": None,
        "stream_options": None,
    }
    reply: Json = {"role": "assistant", "content": "x", "refusal": None, "tool_calls": None, "annotations": []}
    messages = [{"role": "developer", "content": "s"}, {"role": "user", "content": "a", "name": "b"}, reply]
    status, answer = ask(address, **neutral, **ignored, messages=[*messages, {"role": "user", "content": "c"}])
    assert status == 200, answer
    assert ask(address, max_tokens=..., max_completion_tokens=4)[1]["usage"]["completion_tokens"] == 4


def test_a_temperature_next_to_zero_is_zero(address: str) -> None:
    cold, zero = ask(address, temperature=1e-40, max_tokens=20)[1], ask(address, max_tokens=20)[1]
    assert cold["choices"] == zero["choices"]


@pytest.mark.parametrize(
    ("fields", "status", "param", "words"),
    [
        ({"model": ...}, 400, "model", "required"),
        ({"model": "gpt"}, 404, "model", "'gpt'"),
        ({"model": 3}, 400, "model", "a text"),
        ({"messages": ...}, 400, "messages", "required"),
        ({"messages": []}, 400, "messages", "at least one"),
        ({"messages": "hi"}, 400, "messages", "list"),
        ({"messages": ["hi"]}, 400, "messages[0]", "object"),
        ({"messages": [{"role": "user"}]}, 400, "messages[0].content", "required"),
        ({"messages": [{"role": "tool", "content": ""}]}, 400, "messages[0].role", "'tool'"),
        ({"messages": [{"role": "assistant", "content": ""}]}, 400, "messages", "message of the user"),
        ({"messages": [{"role": "system", "content": "s"}]}, 400, "messages", "message of the user"),
        ({"messages": [*HELLO, {"role": "system", "content": "s"}]}, 400, "messages", "last message"),
        ({"messages": [{"role": "assistant", "content": "a"}, *HELLO]}, 400, "messages", "in turn"),
        ({"messages": [*HELLO, {"role": "system", "content": "s"}, *HELLO]}, 400, "messages", "in turn"),
        ({"messages": [{"role": "user", "content": 1}]}, 400, "messages[0].content", "a text"),
        ({"messages": [{"role": "user", "content": "", "tool_calls": [1]}]}, 400, "messages[0].tool_calls", "support"),
        (
            {"messages": [{"role": "user", "content": [{"type": "audio"}]}]},
            400,
            "messages[0].content[0].type",
            "'audio'",
        ),
        ({"messages": [{"role": "user", "content": "x " * 5000}]}, 400, "messages", "tokens"),
        ({"messages": [{"role": "user", "content": "x" * 1_000_001}], "model": ...}, 413, None, "1000000 bytes"),
        ({"temperature": 2.1}, 400, "temperature", "from 0 to 2"),
        ({"temperature": True}, 400, "temperature", "a truth value"),
        ({"temperature": 10**400}, 400, "temperature", "from 0 to 2"),
        ({"top_p": 0}, 400, "top_p", "to 1"),
        ({"max_tokens": 0}, 400, "max_tokens", "from 1 to 3900"),
        ({"max_tokens": 3901}, 400, "max_tokens", "from 1 to 3900"),
        ({"max_completion_tokens": 2}, 400, "max_tokens", "either"),
        ({"max_tokens": 1.5}, 400, "max_tokens", "whole"),
        ({"seed": 2**63}, 400, "seed", "whole number from"),
        ({"stop": ["a"] * 5}, 400, "stop", "at most 4"),
        ({"stop": ""}, 400, "stop", "empty"),
        ({"stop": [1]}, 400, "stop", "a text"),
        ({"stream": "yes"}, 400, "stream", "true or false"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options", "stream: true"),
        ({"stream": True, "stream_options": {"more": 1}}, 400, "stream_options.more", "unknown"),
        ({"n": 0}, 400, "n", "from 1 to 8"),
        ({"n": 9}, 400, "n", "from 1 to 8"),
        ({"logprobs": 3}, 400, "logprobs", "true or false"),
        ({"top_logprobs": 3}, 400, "top_logprobs", "logprobs: true"),
        ({"logprobs": True, "top_logprobs": 21}, 400, "top_logprobs", "from 0 to 20"),
        ({"tools": [{}]}, 400, "tools", "not supported"),
        ({"logit_bias": {"5": 1}}, 400, "logit_bias", "not supported"),
        ({"frequency_penalty": 2.5}, 400, "frequency_penalty", "from -2 to 2"),
        ({"presence_penalty": "1"}, 400, "presence_penalty", "a number"),
        ({"repetition_penalty": 0}, 400, "repetition_penalty", "from 0.01"),
        ({"top_k": -2}, 400, "top_k", "from -1"),
        ({"min_p": 1.1}, 400, "min_p", "from 0 to 1"),
        ({"top_j": 3}, 400, "top_j", "unknown"),
    ],
)
def test_a_wrong_request_is_rejected_by_name(
    address: str, fields: Json, status: int, param: str | None, words: str
) -> None:
    got, answer = ask(address, **fields)
    assert got == status, answer
    error = answer["error"]
    assert error["param"] == param
    assert words in error["message"]
    assert "\n" not in error["message"]
    assert error["type"] == "invalid_request_error"


PNG = encoded(picture(1))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.org/a.png", "does not fetch"),
        ("HTTP://127.0.0.1/a.png", "does not fetch"),
        ("file:///etc/passwd", "data:image"),
        ("data:text/html;base64,aGk=", "data:image"),
        ("data:image/png,abc", "data:image"),
        (data_url(PNG) + "*", "base64"),
        (data_url(PNG)[:-3], "base64"),
        ("data:image/png;base64,", "known format"),
        (data_url(b"not an image"), "known format"),
        (data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg+xml"), "known format"),
        (data_url(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "eps"), "known format"),
        (data_url(PNG[: len(PNG) // 2]), "image 0: the image cannot be decoded"),
        (data_url(encoded(picture(1, 200, 200), "JPEG")[:-900], "jpeg"), "image 0: the image cannot be decoded"),
        (data_url(encoded(picture(1, 400, 400))), "400x400 pixels"),
    ],
)
def test_a_bad_image_is_rejected(address: str, url: str, words: str) -> None:
    status, answer = ask(address, messages=with_image(url))
    assert (status, answer["error"]["param"]) == (400, "messages"), answer
    assert words in answer["error"]["message"]


def test_images_are_counted_and_where_they_may_be(address: str) -> None:
    four = [{"role": "user", "content": [image_part(PNG)] * 4}]
    assert "at most 3" in ask(address, messages=four)[1]["error"]["message"]
    for role in ("system", "assistant"):
        answer = ask(address, messages=[{"role": role, "content": [image_part(PNG)]}])[1]
        assert "only messages of the user" in answer["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"model": NaN}', b"[" * 100_000, b"\xff\xfe", b'{"seed": ' + b"9" * 5000 + b"}"],
)
def test_bad_json_is_rejected(address: str, body: bytes) -> None:
    status, answer, _ = raw(address, "POST", "/v1/chat/completions", body)
    assert status == 400
    assert answer["error"]["message"]


def test_half_a_surrogate_is_rejected(address: str) -> None:
    body = rb'{"model": "tiny", "messages": [{"role": "user", "content": "\ud800"}]}'
    status, answer, _ = raw(address, "POST", "/v1/chat/completions", body)
    assert (status, answer["error"]["param"]) == (400, "messages[0].content")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_rejected_while_it_comes(address: str, chunked: bool) -> None:
    parts = [b"x" * 100_000] * 30
    body = iter(parts) if chunked else b"".join(parts)
    status, answer, _ = raw(address, "POST", "/v1/chat/completions", body, encode_chunked=chunked)
    assert (status, answer["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "words"),
    [
        ("GET", "/nothing", {}, 404, "nothing at this address"),
        ("GET", "/v1/chat/completions", {}, 405, "method"),
        ("DELETE", "/v1/models", {}, 405, "method"),
        ("GET", "/v1/models/other", {}, 404, "'other'"),
        ("POST", "/v1/chat/completions", {"Content-Type": "text/plain"}, 415, "application/json"),
        ("POST", "/v1/chat/completions", {"Content-Encoding": "gzip"}, 415, "Content-Encoding"),
        ("POST", "/v1/chat/completions", {"Authorization": "Bearer wrong"}, 401, "API key"),
        ("POST", "/v1/chat/completions", {"Authorization": f"Basic {KEY}"}, 401, "API key"),
        ("POST", "/v1/score", {"Authorization": ""}, 401, "API key"),
        ("GET", "/v1/models", {"Authorization": "Bearer \xe9"}, 401, "API key"),
        ("GET", "/", {"Host": "rebound.example:80"}, 403, "rebound.example"),
        ("GET", "/health", {"Host": ""}, 403, "host"),
    ],
)
def test_a_request_at_the_wrong_door(
    address: str, method: str, path: str, headers: Json, status: int, words: str
) -> None:
    body = b"{}" if method == "POST" else None
    got, answer, received = raw(address, method, path, body, headers)
    assert got == status
    assert words in answer["error"]["message"]
    assert (status == 405) == ("allow" in received)
    assert "access-control-allow-origin" not in received
    assert received["x-request-id"]


def test_a_refused_client_that_still_sends_reads_the_refusal(address: str) -> None:
    status, _, _ = raw(address, "POST", "/v1/chat/completions", b"x" * 900_000, {"Authorization": "Bearer no"})
    assert status == 401


def test_openai_client_raises_its_own_errors(address: str, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="other"):
        client.chat.completions.create(model="other", messages=[{"role": "user", "content": "x"}])
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(model="tiny", temperature=3, messages=[{"role": "user", "content": "x"}])
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").models.list()
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").object == "model"


def test_more_requests_than_fit_are_reported_to_wait_and_leaving_makes_room(
    address: str, client: openai.OpenAI
) -> None:
    def open_stream(_: int) -> openai.Stream[Any]:
        messages: Any = [{"role": "user", "content": "x"}]
        return client.chat.completions.create(
            model="tiny", messages=messages, stream=True, max_tokens=3900, temperature=0
        )

    with ThreadPoolExecutor(MAX_REQUESTS) as pool:
        streams = list(pool.map(open_stream, range(MAX_REQUESTS)))
    with pytest.raises(openai.RateLimitError) as refused:
        ask_once(client)
    assert refused.value.response.headers["retry-after"]
    for stream in streams:
        stream.close()
    while raw(address, "GET", "/health")[1]["requests"]:
        pass
    assert ask_once(client)


def ask_once(client: openai.OpenAI) -> Any:
    return client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x"}], max_tokens=1)


def test_scores_are_those_of_the_scorer(address: str, model: DeepseekVL, processor: Processor) -> None:
    images = [picture(k, 50 + 9 * k) for k in range(3)]
    questions = ["Is there a chart?", "How good is it, <image_placeholder>?"]
    choices = ["Yes", "No", "Yes, it is"]
    expected = Scorer(model, processor).score(images, questions, choices)
    body = {"images": [data_url(encoded(image)) for image in images], "questions": questions, "choices": choices}

    def score(chosen: list[int]) -> Any:
        status, answer, _ = raw(address, "POST", "/v1/score", {**body, "images": [body["images"][k] for k in chosen]})
        assert status == 200, answer
        return answer

    orders = [[0, 1, 2], [2], [1, 0], [0], [1], [2, 1]]
    with ThreadPoolExecutor(len(orders)) as pool:
        answers = list(pool.map(score, orders))
    for order, answer in zip(orders, answers, strict=True):
        np.testing.assert_allclose(answer["log_probabilities"], expected[order], atol=1e-4)
        np.testing.assert_allclose(np.sum(answer["probabilities"], axis=-1), 1, atol=1e-6)
        assert answer["choices"] == choices


def test_items_have_their_images_questions_and_errors(
    address: str, folder: Path, model: DeepseekVL, processor: Processor
) -> None:
    pictures = [picture(k) for k in range(2)]
    two, none = Question("How many?", ("1", "2", "3")), Question("Is it?", ("Yes", "No"))
    given = Likelihood(None, "a caption")
    items = [Item(tuple(pictures), (two, none)), Item((), (none,)), Item((pictures[0],), (none, given))]
    expected = [found for found in Scorer(model, processor).score_items(items) if isinstance(found, list)]
    urls = [data_url(encoded(image)) for image in pictures]
    asked = [{"text": question.text, "choices": list(question.choices)} for question in (two, none)]
    body = {
        "items": [
            {"images": urls, "questions": asked},
            {"images": [data_url(b"x")], "questions": asked[1:]},
            {"questions": [{"text": "x " * 5000, "choices": ["Yes", "No"]}]},
            {"questions": asked[1:]},
            {"images": urls[:1], "questions": [asked[1], {"answer": "a caption"}]},
        ]
    }
    status, answer, _ = raw(address, "POST", "/v1/score", body)
    assert status == 200, answer
    first, image, text, last, captioned = answer["results"]
    for found, of_item in zip((first, last, captioned), expected, strict=True):
        for logs, scores in zip(found["log_probabilities"], of_item, strict=True):
            np.testing.assert_allclose(logs, scores, atol=1e-4)
    assert (image["error"]["code"], text["error"]["code"]) == ("invalid_image", "context_length_exceeded")
    (served,) = raw(address, "GET", "/v1/models")[1]["data"]
    assert answer["digest"] == served["digest"] == digest(folder)
    assert served["dtype"] == "float32"
    for wrong, words in (
        ({"items": []}, "1 to 64 items"),
        ({"items": [{"images": urls}]}, "items[0].questions: this field is required"),
        ({"items": [{"images": urls * 2, "questions": asked}]}, "at most 3"),
        ({"items": [{"questions": [{"text": "a"}]}]}, "items[0].questions[0].choices"),
        ({"items": [{"questions": [{"answer": 7}]}]}, "items[0].questions[0].answer: expected a text"),
        (
            {"items": [{"questions": [{"answer": "b", "choices": ["a"]}]}]},
            "items[0].questions[0].choices: unknown field",
        ),
        ({**body, "images": urls}, "images: unknown field"),
    ):
        status, answer, _ = raw(address, "POST", "/v1/score", wrong)
        assert status == 400, answer
        assert words in answer["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"images": []}, "at least one"),
        ({"images": [data_url(b"x")]}, "image 0"),
        ({"images": [data_url(PNG), "https://example.org/a.png"]}, "image 1: this server does not fetch"),
        ({"images": [data_url(PNG)] * 4}, "at most 3"),
        ({"questions": []}, "1 to 64"),
        ({"questions": "a"}, "a text"),
        ({"questions": ["x " * 5000]}, "tokens"),
        ({"choices": ["Yes"]}, "two different"),
        ({"choices": ["Yes", "Yes"]}, "two different"),
        ({"choices": ["Yes", " "]}, "empty choice"),
        ({"choices": [str(k) for k in range(257)]}, "1 to 256"),
        ({"temperature": 1}, "unknown"),
    ],
)
def test_a_wrong_scoring_request_is_rejected(address: str, fields: Json, words: str) -> None:
    valid = {"images": [data_url(PNG)], "questions": ["what?"], "choices": ["Yes", "No"]}
    status, answer, _ = raw(address, "POST", "/v1/score", {**valid, **fields})
    assert status == 400, answer
    assert words in answer["error"]["message"]


def test_a_server_told_to_stop_finishes_its_answers_within_a_limit(folder: Path, model: DeepseekVL) -> None:
    options = ["--rows", "5", "--shutdown-s", "2", "--max-tokens", "3900"]
    with serve(folder, *options) as (address, process), openai.OpenAI(base_url=f"{address}/v1", api_key=KEY) as client:

        def start(max_tokens: int) -> openai.Stream[Any]:
            messages: Any = [{"role": "user", "content": "x"}]
            stream = client.chat.completions.create(
                model="tiny", messages=messages, stream=True, max_tokens=max_tokens, temperature=0
            )
            next(stream)
            return stream

        long, short = [start(3900) for _ in range(4)], start(20)
        process.send_signal(signal.SIGTERM)
        assert [chunk.choices[0].finish_reason for chunk in short][-1] == "length"
        for stream in long:
            with pytest.raises(openai.APIError, match="stopping"):
                list(stream)
        assert process.wait(20) == 0
