"""Reads a page with scripts in isolated worlds: waits until it settles, and reads its visible parts and frames."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import CDPSession, Error, Page

from sources.browser.isolated_world import DocumentGone, ScriptError, World

_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_WORDS, MAX_ELEMENTS, MAX_LINKS, MAX_FRAMES = 20_000, 3000, 5000, 30


@cache
def script(name: str) -> str:
    """Return the source of a script that runs in pages."""
    return files("sources.browser").joinpath("scripts", f"{name}.js").read_text(encoding="utf-8").rstrip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """When a page counts as settled.

    Args:
        quiet_ms: milliseconds without a change.
        limit_ms: maximum time in all.
        wait_ms: time before anything else.
        wait_for: CSS selector of an element to wait for.
        height: height in CSS pixels from the top, above which lazy pictures are fetched.
        loading_text: regular expression of texts that say that content is still to come, where a page says little else.
    """

    quiet_ms: float
    limit_ms: float
    height: float
    wait_ms: float = 0
    wait_for: str = ""
    loading_text: str = ""


async def settle(world: World, waiting: Waiting) -> tuple[bool, list[str]]:
    """Wait until a page settles; return True if it did, and what it was waited for in vain.

    Raises:
        DocumentGone, ScriptFailed, playwright's Error.
    """
    settings = {
        "quietMs": waiting.quiet_ms,
        "limitMs": waiting.limit_ms,
        "waitMs": waiting.wait_ms,
        "waitFor": waiting.wait_for,
        "height": waiting.height,
        "loadingText": waiting.loading_text,
    }
    result = await world.run(f"({script('settle')}\n)({json.dumps(settings)})")
    return bool(result["isAtRest"]), [str(name) for name in result["missed"]]


async def height_of(world: World) -> int:
    """Return the height of a document in CSS pixels."""
    root = "Object.getOwnPropertyDescriptor(Document.prototype, 'documentElement').get.call(document)"
    return int(await world.run(f"{root}.scrollHeight"))


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of `capture.js` for a page and its visible frames, and the worlds in which it ran."""

    found: dict[str, Any]
    worlds: list[World]

    async def has_moved(self) -> bool:
        """Return True if a word has changed, moved or been covered since it was read, or new content is visible.

        Raises:
            DocumentGone, ScriptFailed, playwright's Error: from the page itself; a frame that is gone counts as moved.
        """
        whole, *frames = self.worlds
        if await whole.run("hasMoved()"):
            return True
        for frame in frames:
            try:
                if await frame.run("hasMoved()"):
                    return True
            except (Error, DocumentGone):
                return True
        return False


async def freeze(world: World, frames: "Frames") -> None:
    """Stop the scripts and animations of a page and its frames, so that it is read as it is photographed.

    Raises:
        DocumentGone, ScriptFailed, playwright's Error: from the page itself; a frame that cannot be stopped goes on.
    """
    await _hold(world.session)
    for session in (await frames.sessions()).values():
        try:
            await _hold(session)
        except Error:
            continue
    await world.run(f"({script('still')}\n)()")


async def _hold(session: CDPSession) -> None:
    await asyncio.gather(
        session.send("Emulation.setScriptExecutionDisabled", {"value": True}),
        session.send("Animation.setPlaybackRate", {"playbackRate": 0}),
    )


async def release(session: CDPSession) -> None:
    """Let the scripts and animations of the page that is shown next run."""
    await asyncio.gather(
        session.send("Emulation.setScriptExecutionDisabled", {"value": False}),
        session.send("Animation.setPlaybackRate", {"playbackRate": 1}),
    )


async def read_page(world: World, frames: "Frames", height: int | None = None) -> Reading:
    """Read a page that is at its top.

    Args:
        height: height in CSS pixels of what is read; None is the height of the window.

    Raises:
        DocumentGone, ScriptFailed, playwright's Error: from the page itself; frames that fail are left out.
    """
    found = await _read(world, None, is_main=True, height=height)
    worlds = [world]
    if found["frames"]:
        await _add_frames(frames, worlds, found, 0.0, 0.0, found)
    return Reading(found, worlds)


async def _read(
    world: World, clip: dict[str, float] | None, *, is_main: bool, height: int | None = None
) -> dict[str, Any]:
    settings = {
        "clip": clip or {"x0": 0, "y0": 0, "x1": 1e6, "y1": 1e6},
        "height": height,
        "maxWords": MAX_WORDS,
        "maxElements": MAX_ELEMENTS,
        "maxLinks": MAX_LINKS,
        "isMain": is_main,
    }
    # As one string, because the protocol is much slower with nested values.
    text = await world.run(f"JSON.stringify(({script('capture')}\n)({json.dumps(settings)}))")
    found: dict[str, Any] = well_formed(json.loads(text))
    return found


async def _add_frames(
    frames: "Frames", worlds: list[World], found: dict[str, Any], x: float, y: float, into: dict[str, Any]
) -> None:
    """Append the content of the visible frames in the document of the last world, moved to their positions."""
    world = worlds[-1]
    for k, place in enumerate(found["frames"][:MAX_FRAMES]):
        if place["clip"] is None:
            continue
        try:
            child = await frames.world(world, f"frameElements[{k}]")
            if child is None:
                continue
            inner = await _read(child, place["clip"], is_main=False)
        except (Error, DocumentGone, ScriptError):  # the frame is gone: its words are not read
            continue
        worlds.append(child)
        left, top = x + place["x"], y + place["y"]
        if inner["words"]:
            inner["words"][0][5] = "\n\n"
        into["words"] += [_moved(word, 1, left, top) for word in inner["words"]]
        into["elements"] += [_moved(element, 2, left, top) for element in inner["elements"]]
        await _add_frames(frames, worlds, inner, left, top, into)


@dataclass(slots=True)
class Frames:
    """Worlds in the frames of a page. Frames of other sites are in other processes, with separate sessions."""

    page: Page
    _sessions: dict[str, CDPSession] | None = field(default=None, init=False)

    async def world(self, parent: World, element: str) -> World | None:
        """Return the world in the frame of an element, which is given by an expression in the parent's world."""
        frame = await parent.frame_of(element)
        if frame is None:
            return None
        try:
            return await World.of(parent.session, frame)
        except DocumentGone:
            session = (await self.sessions()).get(frame)
            return None if session is None else await World.of(session, frame)

    async def sessions(self) -> dict[str, CDPSession]:
        """Return the sessions of the frames that have one, by frame id."""
        if self._sessions is None:
            self._sessions = {}
            for frame in self.page.frames[1 : 1 + MAX_FRAMES]:
                try:
                    session = await self.page.context.new_cdp_session(frame)
                    tree = await session.send("Page.getFrameTree")
                except Error:  # it is in the process of its parent, or gone
                    continue
                self._sessions[tree["frameTree"]["frame"]["id"]] = session
        return self._sessions


def _moved(row: list[Any], first: int, left: float, top: float) -> list[Any]:
    """Return a row with its box, from column `first` on, moved."""
    x0, y0, x1, y1 = row[first : first + 4]
    return [*row[:first], x0 + left, y0 + top, x1 + left, y1 + top, *row[first + 4 :]]


def well_formed(value: Any) -> Any:
    """Return a JSON value with U+FFFD instead of lone surrogates, which a page can hold and a file cannot."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [well_formed(each) for each in value]
    if isinstance(value, dict):
        return {well_formed(key): well_formed(each) for key, each in value.items()}
    return value
