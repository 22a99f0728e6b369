"""The web page in a real browser, against a real server."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from sources.browser.chromium import find_chromium
from tests.deepseek_vl import tiny
from tests.deepseek_vl.serving import CONFIG, KEY, data_url, encoded, picture, serve

pytestmark = pytest.mark.slow

ANSWER_MS = 60_000  # a long answer may take more than the default 5 s on a busy machine


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    tiny.write_checkpoint(folder, CONFIG)
    with serve(folder, "--max-tokens", "3900", "--max-images", "4") as (url, _):
        yield url


@pytest.fixture(scope="module")
def browser(chromium: str | None) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page with the key. Script errors, blocked resources and requests to other servers fail the test."""
    context = browser.new_context()
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((address, "data:", f"blob:{address}")) else problems.append(request.url)
        ),
    )
    page.goto(address)
    page.get_by_label("This server asks for an API key").fill("wrong")
    page.get_by_role("button", name="Use key").click()
    expect(page.get_by_role("alert")).to_have_text("The server does not know this key.✕")
    page.get_by_label("This server asks for an API key").fill(KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_label("This server asks for an API key")).to_be_hidden()
    yield page
    context.close()
    assert problems == []


def choose(page: Page, *sizes: tuple[int, int]) -> None:
    """Choose a picture of each size."""
    files: list[FilePayload] = [
        {"name": f"picture-{k}.png", "mimeType": "image/png", "buffer": encoded(picture(k, *size))}
        for k, size in enumerate(sizes)
    ]
    page.locator("#files").set_input_files(files)


def set_up(page: Page, temperature: str, max_tokens: str) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Temperature").fill(temperature)
    page.get_by_label("Longest answer").fill(max_tokens)
    page.get_by_role("button", name="Settings").click()


def test_a_conversation_about_images(page: Page) -> None:
    set_up(page, "0", "20")
    choose(page, (60, 40), (30, 90))
    expect(page.get_by_role("button", name="Remove picture-1.png")).to_be_visible()
    page.get_by_role("button", name="Remove picture-1.png").click()
    page.get_by_label("Message", exact=True).fill("what is here?\n<b>not bold</b>")
    page.keyboard.press("Enter")
    expect(page.locator(".user img")).to_have_count(1)
    expect(page.locator(".user p")).to_have_text("what is here?\n<b>not bold</b>")
    expect(page.locator(".assistant .prose")).not_to_be_empty()
    expect(page.locator("#status")).to_have_text("Answer complete", timeout=ANSWER_MS)
    expect(page.locator(".note")).to_have_text("The longest answer allowed ends here.")
    with page.expect_request("**/v1/chat/completions") as second:
        page.get_by_label("Message", exact=True).fill("and now?")
        page.get_by_role("button", name="Send").click()
    sent = second.value.post_data_json
    assert sent is not None
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    assert sent["messages"][0]["content"][0]["image_url"]["url"] == data_url(encoded(picture(0, 60, 40)))
    expect(page.locator(".assistant")).to_have_count(2)
    expect(page.locator("#status")).to_have_text("Answer complete", timeout=ANSWER_MS)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_role("heading", name="Ask about an image")).to_be_visible()


def test_an_answer_is_shown_as_it_comes_and_can_be_stopped(page: Page) -> None:
    set_up(page, "0", "3900")
    page.get_by_label("Message", exact=True).fill("tell me everything")
    page.keyboard.press("Enter")
    expect(page.locator(".assistant.running .prose")).not_to_be_empty()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".note")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    set_up(page, "0", "3")
    with page.expect_request("**/v1/chat/completions") as second:
        page.get_by_label("Message", exact=True).fill("go on")
        page.keyboard.press("Enter")
    sent = second.value.post_data_json
    assert sent is not None
    assert len(sent["messages"][1]["content"]) > 5
    expect(page.locator(".assistant")).to_have_count(2)


def test_pasted_and_dropped_images_are_taken(page: Page) -> None:
    transfer = page.evaluate_handle(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
            return transfer;
        }""",
        list(encoded(picture(3))),
    )
    page.evaluate("(clipboardData) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }))", transfer)
    expect(page.locator(".thumb")).to_have_count(1)
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator(".thumb")).to_have_count(2)
    assert all(page.locator(".thumb img").evaluate_all("(images) => images.map((image) => image.naturalWidth === 60)"))


def test_an_error_gives_the_message_back(page: Page) -> None:
    set_up(page, "3", "20")
    choose(page, (40, 40))
    page.get_by_label("Message", exact=True).fill("what?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("temperature: expected a number from 0 to 2")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".thumb")).to_have_count(1)
    expect(page.get_by_label("Message", exact=True)).to_have_value("what?")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    page.locator("#files").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"x"})
    expect(page.get_by_role("alert")).to_contain_text("notes.txt is not an image")


def test_pictures_are_scaled_down_upright_before_they_are_sent(page: Page) -> None:
    photo = picture(5, 300, 200)
    exif = photo.getexif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned by 90 degrees
    stream = io.BytesIO()
    photo.save(stream, "JPEG", exif=exif)
    page.locator("#files").set_input_files(
        [
            {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": stream.getvalue()},
            {"name": "chart.png", "mimeType": "image/png", "buffer": encoded(picture(6, 500, 3))},
            {"name": "broken.png", "mimeType": "image/png", "buffer": b"not a picture"},
        ]
    )
    expect(page.locator(".thumb")).to_have_count(3)
    urls = page.locator(".thumb img").evaluate_all("(images) => images.map((image) => image.src)")
    sent = [base64.b64decode(url.partition(",")[2]) for url in urls]
    small, thin = Image.open(io.BytesIO(sent[0])), Image.open(io.BytesIO(sent[1]))
    side = CONFIG.image_px
    assert (small.format, thin.format) == ("JPEG", "PNG")
    assert small.size == (round(side * 2 / 3), side)
    assert thin.size == (side, 1)
    assert sent[2] == b"not a picture"  # the server says what is wrong with it
    upright = ImageOps.exif_transpose(Image.open(stream)).resize(small.size, Image.Resampling.BOX)
    difference = np.abs(np.asarray(small, dtype=float) - np.asarray(upright, dtype=float)).mean()
    assert difference < 12
    page.get_by_label("Message", exact=True).fill("what?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("image 2: ")


def test_images_of_the_whole_conversation_are_counted(page: Page) -> None:
    set_up(page, "0", "3")
    choose(page, (60, 40), (30, 90), (20, 20))
    expect(page.locator("#count")).to_have_text("3 of 4 images")
    ask(page, "what?")
    expect(page.locator("#count")).to_have_text("3 of 4 images")
    choose(page, (50, 40), (60, 30))
    expect(page.get_by_role("alert")).to_contain_text("at most 4 images; picture-1.png was left out")
    expect(page.locator("#count")).to_have_text("4 of 4 images")
    page.get_by_role("button", name="Edit").click()
    expect(page.locator("#count")).to_have_text("3 of 4 images")
    page.get_by_role("button", name="Remove image 1").click()
    with page.expect_request("**/v1/chat/completions") as sent:
        ask(page, "again")
    assert len(images_of(sent.value.post_data_json)) == 2
    page.get_by_role("button", name="New chat").click()
    expect(page.locator("#count")).to_have_text("")


def images_of(request: Any) -> list[Any]:
    parts = [
        part for message in request["messages"] if isinstance(message["content"], list) for part in message["content"]
    ]
    return [part for part in parts if part["type"] == "image_url"]


def ask(page: Page, text: str) -> None:
    """Send a message and wait for the whole answer."""
    page.get_by_label("Message", exact=True).fill(text)
    with page.expect_response("**/v1/chat/completions"):
        page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Answer complete", timeout=ANSWER_MS)


def test_a_conversation_survives_a_reload_and_is_edited_and_retried(page: Page) -> None:
    set_up(page, "0", "8")
    choose(page, (60, 40))
    ask(page, "first")
    ask(page, "second")
    page.reload()
    expect(page.locator(".turn")).to_have_count(4)
    expect(page.locator(".user img")).to_have_count(1)
    expect(page.locator(".assistant .prose .plain")).to_have_count(0)  # rendered again
    expect(page.get_by_label("Longest answer")).to_have_value("8")
    with page.expect_request("**/v1/chat/completions") as retried:
        page.get_by_role("button", name="Retry").last.click()
    assert [message["role"] for message in retried.value.post_data_json["messages"]] == ["user", "assistant", "user"]
    expect(page.locator("#status")).to_have_text("Answer complete", timeout=ANSWER_MS)
    expect(page.locator(".turn")).to_have_count(4)
    page.get_by_role("button", name="Edit").first.click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("first")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Message", exact=True)).to_have_value("")
    page.get_by_role("button", name="Edit").first.click()
    with page.expect_request("**/v1/chat/completions") as edited:
        ask(page, "other")
    [message] = edited.value.post_data_json["messages"]
    assert message["content"][1]["text"] == "other"
    expect(page.locator(".turn")).to_have_count(2)
    page.get_by_role("button", name="New chat").click()
    page.reload()
    expect(page.locator("#model")).to_have_text("tiny")
    expect(page.locator(".turn")).to_have_count(0)


def test_a_reload_keeps_what_an_answer_said_so_far(page: Page) -> None:
    set_up(page, "0", "3900")
    page.get_by_label("Message", exact=True).fill("tell me everything")
    page.keyboard.press("Enter")
    expect(page.locator(".assistant.running .prose")).not_to_be_empty()
    page.wait_for_timeout(1500)  # an answer is kept every second
    page.reload()
    expect(page.locator(".assistant .note")).to_have_text("Cut when the page was left.")
    expect(page.locator(".assistant .prose")).not_to_be_empty()


ANSWER = r"""
## Sales by year

The chart shows **two** series, see [the report](https://example.org/report) and ![a picture](https://example.org/a.png).

| year | sales |
|------|------:|
| 2024 | 1,200 |
| 2025 | 3,400 |

Growth is $g = \frac{3400}{1200}$, and in general

$$\sum_{i=1}^n \alpha_i \sqrt{x_i} \le \int_0^1 f(t)\,dt$$

```python
def growth(first: float, last: float) -> float:
    return last / first - 1  # "relative"
```

<script>document.title = "hacked"</script><img src=x onerror="document.title = 'hacked'">
""".replace("\\\\", "\\")


def keep(page: Page, text: str) -> None:
    """Put a conversation with an answer where the page keeps it, and open it."""
    turns = [{"role": "user", "text": "Explain the chart.", "images": [data_url(encoded(picture(4, 80, 50)))]}]
    turns.append({"role": "assistant", "text": text, "images": [], "model": "tiny"})  # type: ignore[dict-item]
    page.evaluate(
        """async (turns) => {
            const { save } = await import("./assets/store.js");
            await save({ turns, settings: { temperature: "0", maxTokens: "9", system: "" } });
        }""",
        turns,
    )
    page.reload()
    expect(page.locator(".assistant .prose .plain")).to_have_count(0)
    expect(page.locator(".assistant .prose")).not_to_be_empty()


@pytest.mark.parametrize("width", [360, 1100])
def test_answers_are_rendered(page: Page, width: int, tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    keep(page, ANSWER)
    answer = page.locator(".assistant .prose")
    expect(answer.locator("h2")).to_have_text("Sales by year")
    expect(answer.locator("td.right").first).to_have_text("1,200")
    assert answer.locator("td.right").first.evaluate("(cell) => getComputedStyle(cell).textAlign") == "right"
    expect(answer.locator("math")).to_have_count(2)
    fraction = answer.locator("math mfrac").bounding_box()
    assert fraction is not None
    assert fraction["height"] > 15  # drawn as a fraction
    expect(answer.locator(".k").first).to_have_text("def")
    assert answer.locator("img, script").count() == 0
    assert "<script>" in answer.inner_text()
    assert page.title() == "Vellum chat"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".block-code").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("def growth(")
    page.locator(".assistant .actions").get_by_role("button", name="Copy").click()
    expect(page.locator(".assistant .actions").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == ANSWER
    page.screenshot(path=tmp_path / f"answer-{width}.png")


def test_a_phone_shows_everything_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    choose(page, (300, 30), (60, 40), (30, 90))
    page.get_by_label("Message", exact=True).fill("w" * 300)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Answer complete", timeout=ANSWER_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
    expect(page.get_by_role("button", name="New chat")).to_be_in_viewport()


def test_the_page_allows_nothing_but_itself(page: Page, address: str) -> None:
    response = page.request.get(address)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
