"""The web page in a real browser, against a real server."""

from collections.abc import Iterator

import pytest
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
    with serve(folder, "--max-tokens", "3900", "--max-image-pixels", "100000") as (url, _):
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
        "request", lambda request: None if request.url.startswith((address, "data:")) else problems.append(request.url)
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
    expect(page.locator(".assistant p")).not_to_be_empty()
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
    expect(page.locator(".assistant.running p")).not_to_be_empty()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".note")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    said = page.locator(".assistant p").inner_text()
    set_up(page, "0", "3")
    with page.expect_request("**/v1/chat/completions") as second:
        page.get_by_label("Message", exact=True).fill("go on")
        page.keyboard.press("Enter")
    sent = second.value.post_data_json
    assert sent is not None
    assert sent["messages"][1]["content"].strip() == said.strip()
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
    choose(page, (400, 400))
    page.get_by_label("Message", exact=True).fill("what?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("400x400 pixels")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".thumb")).to_have_count(1)
    expect(page.get_by_label("Message", exact=True)).to_have_value("what?")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    page.locator("#files").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"x"})
    expect(page.get_by_role("alert")).to_contain_text("notes.txt is not an image")


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
