"""Reads a page with scripts in isolated worlds: waits until it settles, and reads its visible parts and frames."""

import json
import re
from dataclasses import dataclass
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


async def settle(world: World, quiet_ms: float, limit_ms: float) -> bool:
    """Wait until a page settles; return True if it did. Raises DocumentGone, ScriptFailed, playwright's Error."""
    settings = {"quietMs": quiet_ms, "limitMs": limit_ms}
    return bool(await world.run(f"({script('settle')}\n)({json.dumps(settings)})"))


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


async def read_page(world: World, page: Page) -> Reading:
    """Read a page.

    Raises:
        DocumentGone, ScriptFailed, playwright's Error: from the page itself; frames that fail are left out.
    """
    found = await _read(world, None, is_main=True)
    worlds = [world]
    if found["frames"]:
        await _add_frames(_Frames(page), worlds, found, 0.0, 0.0, found)
    return Reading(found, worlds)


async def _read(world: World, clip: dict[str, float] | None, *, is_main: bool) -> dict[str, Any]:
    settings = {
        "clip": clip or {"x0": 0, "y0": 0, "x1": 1e6, "y1": 1e6},
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
    frames: "_Frames", worlds: list[World], found: dict[str, Any], x: float, y: float, into: dict[str, Any]
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


class _Frames:
    """Worlds in the frames of a page. Frames of other sites are in other processes, with separate sessions."""

    def __init__(self, page: Page):
        self._page = page
        self._sessions: dict[str, CDPSession] | None = None

    async def world(self, parent: World, element: str) -> World | None:
        """Return the world in the frame of an element, which is given by an expression in the parent's world."""
        frame = await parent.frame_of(element)
        if frame is None:
            return None
        try:
            return await World.of(parent.session, frame)
        except DocumentGone:
            session = (await self._others()).get(frame)
            return None if session is None else await World.of(session, frame)

    async def _others(self) -> dict[str, CDPSession]:
        """Return the sessions of the frames that have one, by frame id."""
        if self._sessions is None:
            self._sessions = {}
            for frame in self._page.frames[1 : 1 + MAX_FRAMES]:
                try:
                    session = await self._page.context.new_cdp_session(frame)
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
