"""The browser: Chromium driven by Playwright, replaced as it grows, killed when it hangs."""

import asyncio
import contextlib
import json
import os
import resource
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

from playwright import async_api
from playwright.async_api import Dialog, Page, Playwright, async_playwright

from sources.browser.chromium import find_chromium, sandbox_refusal
from sources.browser.processes import kill_tree, memory_mb
from sources.browser.viewports import View

START_TIMEOUT_S = 60
CLOSE_TIMEOUT_S = 5
MEMORY_EVERY_PAGES = 10  # looking takes 5 ms

# Playwright's own switches are not added to these, so that an update of Playwright changes no pixel.
ARGUMENTS = (
    "--disable-gpu",  # the same pixels on every machine
    "--enable-unsafe-swiftshader",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--disable-lcd-text",
    "--hide-scrollbars",
    "--window-position=0,0",  # the whole browser opens its windows at 10, 10, and pages can ask where
    # No plugins: the headless shell has none but says so in the page, the whole browser has one for PDF files.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4,pluginsEnabled=false,"
    # Lazy pictures below the window are not fetched; those that are wanted are fetched by `settle.js`.
    "lazyLoadingImageMarginPxUnknown=0,lazyLoadingImageMarginPx3G=0,lazyLoadingImageMarginPx4G=0,"
    "lazyLoadingFrameMarginPxUnknown=0,lazyLoadingFrameMarginPx3G=0,lazyLoadingFrameMarginPx4G=0",
    "--mute-audio",
    "--no-pings",
    "--disable-quic",  # not every way out goes through a proxy by itself: UDP and WebRTC do not
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--dns-prefetch-disable",
    "--disable-preconnect",
    "--block-new-web-contents",  # the headless shell has no blocker of pop-ups; the whole browser has one
    # Turn off the services and updates that the whole browser has for its user.
    "--disable-auto-reload",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-infobars",
    "--disable-search-engine-choice-screen",
    "--disable-stack-profiler",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-service-autorun",
    "--password-store=basic",
    "--use-mock-keychain",
    # Pages in the background are drawn and run like those in the foreground.
    "--allow-pre-commit-input",
    "--disable-back-forward-cache",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-dev-shm-usage",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-prompt-on-repost",
    "--disable-renderer-backgrounding",
    "--unsafely-disable-devtools-self-xss-warnings",
    "--enable-features=CDPScreenshotNewSurface,SkipListAccountsWithoutGaiaCookies",
    # Without HttpsUpgrades, http would be tried as https first. Only the last list of features counts.
    "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsUpgrades,"
    "HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,ThirdPartyStoragePartitioning,"
    "AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints,NetworkTimeServiceQuerying,Translate,"
    "AutofillServerCommunication,InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater,"
    "PrivacySandboxSettings4,AimEnabled,PreconnectToSearch",
)
# The whole browser has special default fonts for some of these scripts, the headless shell for none.
SCRIPTS = (
    *("Arab", "Beng", "Cyrl", "Deva", "Grek", "Gujr", "Guru", "Hang", "Hans", "Hant", "Hebr", "Jpan"),
    *("Khmr", "Knda", "Laoo", "Mlym", "Mymr", "Orya", "Sinh", "Taml", "Telu", "Thai", "Tibt"),
)
FONTS = {"standard": "Times New Roman", "serif": "Times New Roman", "sansserif": "Arial", "fixed": "Monospace"}
# The same as `--font-render-hinting=none`, which only the headless shell knows. It concerns fonts looked up for
# characters which a page's own fonts lack. They are asked for without a name. The system's rules add a name, so this
# rule comes before them.
FONT_RULES = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <match target="pattern">
    <test qual="all" name="family" compare="eq"><string>only if there is no name</string></test>
    <edit name="hintstyle" mode="assign"><const>hintnone</const></edit>
  </match>
  <include>{}</include>
</fontconfig>
"""
# Settings of the whole browser that no switch sets; the headless shell has nothing that they could change.
PREFERENCES: dict[str, Any] = {
    "alternate_error_pages": {"enabled": False},  # on errors it would ask a host of Google's whether there is a network
    "net": {"network_prediction_options": 2},  # requests on connections opened ahead of need may be sent twice
    "plugins": {"always_open_pdf_externally": True},  # no viewer of PDF files inside pages
    "webkit": {"webprefs": {"fonts": {family: dict.fromkeys(SCRIPTS, font) for family, font in FONTS.items()}}},
}


class BrowserDiedError(Exception):
    """The browser crashed, was killed or does not answer; the work that it was doing may be tried once more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrowserSettings:
    """Settings of the browser.

    Args:
        program: path or name of a Chromium; None looks for one.
        user_agent: None keeps Chromium's own.
        locale, timezone: values that pages are told.
        pages_per_context: pages of one site that are visited in the same window, with only the HTTP cache kept in
            between; 1 is a fresh context per page.
        pages_per_browser: pages after which the browser is replaced.
        memory_mb: resident memory, in megabytes, above which it is replaced too.
    """

    program: str | None = None
    user_agent: str | None = None
    locale: str = "en-US"
    timezone: str = "UTC"
    pages_per_context: int = 40
    pages_per_browser: int = 250
    memory_mb: int = 2500


@dataclass
class _Running:
    """One browser process; it is closed once it is retired and its last page is closed."""

    browser: async_api.Browser
    pid: int
    profile: tempfile.TemporaryDirectory[str]
    num_begun: int = 0
    num_open: int = 0
    is_retired: bool = False


class Browser:
    """`async with Browser(settings) as browser: async with browser.page(view) as page: …`.

    Several pages may be open at a time. Each has a separate context: no cookies, caches or storage pass between them.
    """

    def __init__(self, settings: BrowserSettings):
        self.settings = settings
        self._program = find_chromium(settings.program)
        self._playwright: Playwright | None = None
        self._running: _Running | None = None
        self._starting = asyncio.Lock()
        self.num_started = 0

    async def __aenter__(self) -> Self:
        with _generous_memory():  # the limit of this process would be the driver's and the browser's too
            self._playwright = await async_playwright().start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            await self._close(self._running)
        assert self._playwright is not None
        await self._playwright.stop()

    @contextlib.asynccontextmanager
    async def page(
        self,
        view: View,
        *,
        proxy: str | None = None,
        offline: bool = False,
        javascript: bool = True,
        any_certificate: bool = False,
    ) -> AsyncIterator[Page]:
        """Open a page in a fresh context, and close it at the end of the block.

        Args:
            proxy: `host:port` through which everything goes, loopback too; None: no network can be reached.
            offline: the page is told so.
            javascript: whether the page's own scripts run.
            any_certificate: hosts may show any certificate; only for a proxy that answers for all of them itself.

        Raises:
            BrowserDied: it cannot be opened.
        """
        running = await self._current()
        running.num_begun += 1
        running.num_open += 1
        context: async_api.BrowserContext | None = None
        try:
            async with answering(running.browser):
                context = await running.browser.new_context(
                    viewport={"width": view.width, "height": view.height},
                    screen={"width": view.width, "height": view.height},
                    device_scale_factor=view.scale,
                    has_touch=view.has_touch,
                    color_scheme="dark" if view.is_dark else "light",
                    reduced_motion="reduce",
                    locale=self.settings.locale,
                    timezone_id=self.settings.timezone,
                    user_agent=self.settings.user_agent,
                    accept_downloads=False,
                    service_workers="block",
                    proxy=_proxy(proxy),
                    permissions=[],
                    offline=offline,
                    java_script_enabled=javascript,
                    ignore_https_errors=any_certificate,
                )
                page = await context.new_page()
            page.on("dialog", _dismiss)
            page.on("popup", _close_window)
            yield page
        except BrowserDiedError:
            self.kill(running)
            raise
        finally:
            running.num_open -= 1
            await self._leave(running, context)

    async def _leave(self, running: _Running, context: async_api.BrowserContext | None) -> None:
        """Close a page's context, and its browser if that was its last."""
        if context is not None and running.browser.is_connected():
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await context.close()
            except (async_api.Error, TimeoutError):  # it cannot even close the page
                self.kill(running)
        self._judge(running)
        if running.is_retired and running.num_open == 0:
            await self._close(running)

    def _judge(self, running: _Running) -> None:
        """Retire a browser that has done or grown enough."""
        is_large = running.num_begun % MEMORY_EVERY_PAGES == 0 and memory_mb(running.pid) > self.settings.memory_mb
        if is_large or running.num_begun >= self.settings.pages_per_browser:
            running.is_retired = True

    def visits_again(self, page: Page) -> bool:
        """Count one more visit in an open page; return False if its browser is gone or must be replaced."""
        running = self._running
        if running is None or page.context.browser is not running.browser or not running.browser.is_connected():
            return False
        self._judge(running)
        if running.is_retired:
            return False
        running.num_begun += 1
        return True

    async def _current(self) -> _Running:
        async with self._starting:
            running = self._running
            if running is None or running.is_retired or not running.browser.is_connected():
                self._running = running = await self._start()
            return running

    async def _start(self) -> _Running:
        assert self._playwright is not None, "use `async with`"
        profile = tempfile.TemporaryDirectory(prefix="vellum-browser-", ignore_cleanup_errors=True)
        try:
            browser = await self._playwright.chromium.launch(
                executable_path=self._program,
                ignore_default_args=True,
                args=self._arguments(Path(profile.name)),
                env={**os.environ, "FONTCONFIG_FILE": str(_fonts(Path(profile.name)))},
                timeout=START_TIMEOUT_S * 1000,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
            session = await browser.new_browser_cdp_session()
            found = await session.send("SystemInfo.getProcessInfo")
            await session.detach()
        except async_api.Error as error:
            profile.cleanup()
            raise BrowserDiedError(f"Chromium does not start: {_first_line(error)}") from error
        self.num_started += 1
        (pid,) = (process["id"] for process in found["processInfo"] if process["type"] == "browser")
        return _Running(browser, pid, profile)

    def _arguments(self, profile: Path) -> list[str]:
        """Fill a new profile and return the arguments of a browser that uses it."""
        (profile / "Default").mkdir()
        (profile / "Default" / "Preferences").write_text(json.dumps(PREFERENCES), encoding="utf-8")
        proxy = _proxy(None)
        own = [f"--proxy-server={proxy['server']}", f"--proxy-bypass-list={proxy['bypass']}"]
        own += [f"--user-data-dir={profile}", "--remote-debugging-pipe", "--headless", "--no-startup-window"]
        if sandbox_refusal(self._program) is not None:
            own.append("--no-sandbox")
        return [*ARGUMENTS, *own]

    async def _close(self, running: _Running) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await running.browser.close()
        except (async_api.Error, TimeoutError):
            self.kill(running)
        running.profile.cleanup()

    def kill(self, running: _Running | None = None) -> None:
        """End the browser's processes at once; the next page starts another. Pages that are open fail."""
        running = running or self._running
        if running is not None:
            running.is_retired = True
            kill_tree(running.pid)
            running.profile.cleanup()

    def memory_mb(self) -> float:
        """Return the resident memory of the running browser, in megabytes."""
        return memory_mb(self._running.pid) if self._running is not None else 0.0


@contextlib.asynccontextmanager
async def answering(browser: async_api.Browser) -> AsyncIterator[None]:
    """Bound a block of calls to a browser; Playwright never answers some pending calls when the browser exits.

    Raises:
        BrowserDied: it goes, is gone, or does not answer.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(START_TIMEOUT_S if browser.is_connected() else 0) as limit:

            def end(_: async_api.Browser) -> None:
                if not limit.expired():
                    limit.reschedule(loop.time())

            browser.on("disconnected", end)
            try:
                yield
            finally:
                browser.remove_listener("disconnected", end)
    except TimeoutError as error:
        raise BrowserDiedError("it does not answer" if browser.is_connected() else "it is gone") from error
    except async_api.Error as error:
        raise BrowserDiedError(f"no page can be opened: {_first_line(error)}") from error


def _proxy(address: str | None) -> async_api.ProxySettings:
    """Without the rule, Chromium would go to loopback addresses directly; nothing listens on port 9 (discard)."""
    return {"server": f"http://{address or '127.0.0.1:9'}", "bypass": "<-loopback>"}


def _fonts(profile: Path) -> Path:
    """Write a file with FONT_RULES before the rules of the system."""
    path = profile / "fonts.conf"
    path.write_text(FONT_RULES.format(escape(os.environ.get("FONTCONFIG_FILE", "fonts.conf"))), encoding="utf-8")
    return path


@contextlib.contextmanager
def _generous_memory() -> Iterator[None]:
    """Start processes without this one's memory limit; a browser reserves far more than it uses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


async def _dismiss(dialog: Dialog) -> None:
    with contextlib.suppress(async_api.Error):  # the page may be gone
        await dialog.dismiss()


async def _close_window(page: Page) -> None:
    with contextlib.suppress(async_api.Error):
        await page.close()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0]
