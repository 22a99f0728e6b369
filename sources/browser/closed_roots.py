"""Closed shadow roots that are declared in a document's HTML, which no script can open."""

from collections.abc import Iterator
from typing import Any

from playwright.async_api import CDPSession, Error

from sources.browser.isolated_world import World

DECLARED = "shadowrootmode"
MAX_ROOTS = 200
_KEEP = "function() { (globalThis.closedRoots ??= new Map()).set(this.host, this); }"


async def open_closed_roots(world: World) -> None:
    """Give our scripts in a world the closed shadow roots of its document, as `closedRoots`, a map by host.

    The protocol shows the whole tree, but slowly, so that it is asked only where the HTML declares shadow roots.

    Raises:
        playwright's Error.
    """
    session = world.session
    if DECLARED not in await _source(session):
        return
    tree = await session.send("DOM.getDocument", {"depth": -1, "pierce": True})
    for number, root in enumerate(_closed_roots(tree["root"])):
        if number == MAX_ROOTS:
            return
        where = {"backendNodeId": root["backendNodeId"], "executionContextId": world.context}
        found = await session.send("DOM.resolveNode", where)
        call = {"objectId": found["object"]["objectId"], "functionDeclaration": _KEEP}
        await session.send("Runtime.callFunctionOn", call)


async def _source(session: CDPSession) -> str:
    """Return the HTML of the session's document as it came; empty for a document that a script wrote."""
    frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]
    await session.send("Page.enable")
    try:
        found = await session.send("Page.getResourceContent", {"frameId": frame["id"], "url": frame["url"]})
        return str(found["content"])
    except Error:
        return ""
    finally:
        await session.send("Page.disable")


def _closed_roots(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the closed roots below a node of the protocol, without those in frames."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        roots = node.get("shadowRoots", [])
        yield from (root for root in roots if root.get("shadowRootType") == "closed")
        waiting += [*node.get("children", []), *roots]
