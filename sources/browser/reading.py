"""Reading a page: settling it, and what is visible of it and of the frames inside, by scripts in isolated worlds."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import CDPSession, Error, Page

from sources.browser.isolated_world import DocumentGone, ScriptFailed, World

MAX_WORDS, MAX_ELEMENTS, MAX_LINKS, MAX_FRAMES = 20_000, 3000, 5000, 30


@cache
def script(name: str) -> str:
    """The source of a script that runs in pages."""
    return files("sources.browser").joinpath("scripts", f"{name}.js").read_text(encoding="utf-8").rstrip()


async def settle(world: World, quiet_ms: float, limit_ms: float) -> bool:
    """Wait until a page has stopped changing; whether it has. Raises DocumentGone, ScriptFailed, playwright's Error."""
    settings = {"quietMs": quiet_ms, "limitMs": limit_ms}
    return bool(await world.run(f"({script('settle')}\n)({json.dumps(settings)})"))


async def height_of(world: World) -> int:
    """The height of a document in CSS pixels."""
    root = "Object.getOwnPropertyDescriptor(Document.prototype, 'documentElement').get.call(document)"
    return int(await world.run(f"{root}.scrollHeight"))


@dataclass(frozen=True, slots=True)
class Reading:
    """What `capture.js` found in a page and in the frames that are visible inside it, and the worlds that it ran in."""

    found: dict[str, Any]
    worlds: list[World]

    async def has_moved(self) -> bool:
        """Whether a word that was read has changed, moved or been covered since, or something new is in view.

        Raises:
            DocumentGone, ScriptFailed, playwright's Error: of the page itself; a frame that is gone has moved.
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
        DocumentGone, ScriptFailed, playwright's Error: of the page itself; frames that fail are left out.
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
    # As one string: the protocol takes much longer to hand over nested values.
    text = await world.run(f"JSON.stringify(({script('capture')}\n)({json.dumps(settings)}))")
    found: dict[str, Any] = json.loads(text)
    return found


async def _add_frames(
    frames: "_Frames", worlds: list[World], found: dict[str, Any], x: float, y: float, into: dict[str, Any]
) -> None:
    """Append what the visible frames inside the document of the last world show, moved to where they stand."""
    world = worlds[-1]
    for k, place in enumerate(found["frames"][:MAX_FRAMES]):
        if place["clip"] is None:
            continue
        try:
            child = await frames.world(world, f"frameElements[{k}]")
            if child is None:
                continue
            inner = await _read(child, place["clip"], is_main=False)
        except (Error, DocumentGone, ScriptFailed):  # it went away: its words are not read, the picture is what it is
            continue
        worlds.append(child)
        left, top = x + place["x"], y + place["y"]
        if inner["words"]:
            inner["words"][0][5] = "\n\n"
        into["words"] += [_moved(word, 1, left, top) for word in inner["words"]]
        into["elements"] += [_moved(element, 2, left, top) for element in inner["elements"]]
        await _add_frames(frames, worlds, inner, left, top, into)


class _Frames:
    """Worlds in the frames of a page. Those of other sites are drawn by other processes and have their own sessions."""

    def __init__(self, page: Page):
        self._page = page
        self._sessions: dict[str, CDPSession] | None = None

    async def world(self, parent: World, element: str) -> World | None:
        """The world in the frame inside an element, which is given by an expression in the world around it."""
        frame = await parent.frame_of(element)
        if frame is None:
            return None
        try:
            return await World.of(parent.session, frame)
        except DocumentGone:
            session = (await self._others()).get(frame)
            return None if session is None else await World.of(session, frame)

    async def _others(self) -> dict[str, CDPSession]:
        """The sessions of the frames that have one, by the frame's id."""
        if self._sessions is None:
            self._sessions = {}
            for frame in self._page.frames[1 : 1 + MAX_FRAMES]:
                try:
                    session = await self._page.context.new_cdp_session(frame)
                    tree = await session.send("Page.getFrameTree")
                except Error:  # it is drawn by the process of the frame around it, or went away
                    continue
                self._sessions[tree["frameTree"]["frame"]["id"]] = session
        return self._sessions


def _moved(row: list[Any], first: int, left: float, top: float) -> list[Any]:
    """A row whose box, from column `first` on, is moved."""
    x0, y0, x1, y1 = row[first : first + 4]
    return [*row[:first], x0 + left, y0 + top, x1 + left, y1 + top, *row[first + 4 :]]
