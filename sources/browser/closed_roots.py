"""Closed shadow roots that are declared in a document's HTML, which no script can open."""

from collections.abc import Iterator
from typing import Any

from sources.browser.isolated_world import World

DECLARED = "shadowrootmode"
MAX_ROOTS = 200
_KEEP = "function() { (globalThis.closedRoots ??= new Map()).set(this.host, this); }"


async def open_closed_roots(world: World, source: str) -> None:
    """Give our scripts in a world the closed shadow roots of its document, as `closedRoots`, a map by host.

    The protocol shows the whole tree, but slowly, so that it is asked only where the HTML declares shadow roots.

    Args:
        source: the HTML of the document as it came.
    Raises:
        playwright's Error.
    """
    if DECLARED not in source:
        return
    session = world.session
    tree = await session.send("DOM.getDocument", {"depth": -1, "pierce": True})
    for number, root in enumerate(_closed_roots(tree["root"])):
        if number == MAX_ROOTS:
            return
        where = {"backendNodeId": root["backendNodeId"], "executionContextId": world.context}
        found = await session.send("DOM.resolveNode", where)
        call = {"objectId": found["object"]["objectId"], "functionDeclaration": _KEEP}
        await session.send("Runtime.callFunctionOn", call)


def _closed_roots(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the closed roots below a node of the protocol, without those in frames."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        roots = node.get("shadowRoots", [])
        yield from (root for root in roots if root.get("shadowRootType") == "closed")
        waiting += [*node.get("children", []), *roots]
