"""Reading what is visible of a loaded page, by a script in a world of its own that the page's scripts cannot touch."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from playwright import async_api

from sources.browser.isolated_world import DocumentGone, ScriptFailed, World
from sources.web.code.node import BadTree, Node, node_of

Box = tuple[float, float, float, float]
GRACE_S = 3  # beyond the script's own limit, before the renderer counts as hung


class CodeRefused(Exception):
    """A page that gives no code.

    Args:
        cause: stable snake_case code: `too_many_nodes`, `too_much_text`, `too_deep`, `timeout`, `nothing_visible`, …
    """

    def __init__(self, cause: str, message: str = ""):
        super().__init__(message or cause.replace("_", " "))
        self.cause = cause


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotLimits:
    """What one page may cost.

    Args:
        nodes: visible elements.
        visited: elements looked at, after which those outside the viewport are left alone.
        characters: of visible text.
        depth: of nesting.
        milliseconds: of the script's run.
    """

    nodes: int = 3000
    visited: int = 20_000
    characters: int = 60_000
    depth: int = 200
    milliseconds: int = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What is visible of a page.

    Args:
        tree: its root element.
        title: of the document.
        words: N texts in document order (a Chinese, Japanese or Korean character each, else what white space parts).
        boxes: their x0, y0, x1, y1 in CSS pixels.
        colours: their CSS colours.
        pictures: x0, y0, x1, y1 of images, drawings, videos and frames.
        generated: texts that style sheets put in, whose places are not known.
        other_fonts: families in use that came from files of the page, or are not installed.
    """

    tree: Node
    title: str
    words: Sequence[str]
    boxes: Sequence[Box]
    colours: Sequence[str]
    pictures: Sequence[Box]
    generated: Sequence[str]
    other_fonts: frozenset[str]


async def read_defaults(world: World) -> Mapping[str, Any]:
    """How elements look that nobody has styled: to be read once from a blank page of the same browser."""
    return await _run(world, "defaults", {}, SnapshotLimits())


async def read_words(world: World, limits: SnapshotLimits) -> tuple[list[str], list[Box]]:
    """The words that a document shows, and their boxes, as a snapshot has them. Raises CodeRefused."""
    content = await _run(world, "words", {}, limits)
    words = content["words"]
    return [str(text) for text, *_ in words], [_box(box) for _, *box, _ in words]


async def take_snapshot(world: World, defaults: Mapping[str, Any], limits: SnapshotLimits) -> Snapshot:
    """Read a page as it stands. Raises CodeRefused."""
    content = await _run(world, "snapshot", defaults, limits)
    try:
        words = [(str(text), _box(box), str(colour)) for text, *box, colour in content["words"]]
        return Snapshot(
            tree=node_of(content["tree"]),
            title=str(content["title"]),
            words=[text for text, _, _ in words],
            boxes=[box for _, box, _ in words],
            colours=[colour for _, _, colour in words],
            pictures=[_box(box) for box in content["images"]],
            generated=[str(text) for text in content["generated"]],
            other_fonts=frozenset(map(str, content["fonts"])),
        )
    except (BadTree, KeyError, TypeError, ValueError) as error:
        raise CodeRefused("bad_tree", f"the page gave a tree that cannot be used: {error}") from error


def _box(values: Sequence[Any]) -> Box:
    x0, y0, x1, y1 = map(float, values)
    return x0, y0, x1, y1


async def _run(world: World, task: str, defaults: Mapping[str, Any], limits: SnapshotLimits) -> Any:
    settings = {name: getattr(limits, name) for name in ("nodes", "visited", "characters", "depth", "milliseconds")}
    arguments = ",".join(json.dumps(value) for value in (task, defaults, settings))
    try:
        async with asyncio.timeout(limits.milliseconds / 1000 + GRACE_S):
            answer = await world.run(f"{_script()}({arguments})", limits.milliseconds)
    except TimeoutError as error:
        raise CodeRefused("timeout", "the page does not answer") from error
    except async_api.Error as error:
        if "terminated" in str(error):  # by the limit of `Runtime.evaluate`
            raise CodeRefused("timeout", "the page is too large to be read in time") from error
        raise CodeRefused("page_lost", str(error).partition("\n")[0]) from error
    except DocumentGone as error:
        raise CodeRefused("page_lost", str(error)) from error
    except ScriptFailed as error:
        raise CodeRefused("script_failed", str(error)[:300]) from error
    try:
        content = json.loads(answer)
    except (TypeError, ValueError) as error:
        raise CodeRefused("script_failed", "the script was ended") from error
    if "refused" in content:
        raise CodeRefused(str(content["refused"]))
    return content


@cache
def _script() -> str:
    return Path(__file__).with_name("snapshot.js").read_text(encoding="utf-8").rstrip()
