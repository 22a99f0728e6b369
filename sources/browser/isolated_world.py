"""Isolated worlds: our scripts share the document with the page's scripts, but no JavaScript objects."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Error

NAME = "vellum"
_GONE = (  # parts of Chromium's messages
    "Cannot find context",
    "context was destroyed",
    "navigated or closed",
    "Promise was collected",
    "No frame for given id",
)


class DocumentGone(Exception):
    """The document in which a script ran was replaced, or its frame was removed."""


class ScriptFailed(Exception):
    """A script of ours threw an exception or returned nothing."""


@dataclass(frozen=True, slots=True)
class World:
    """An isolated world in the document of a frame.

    Args:
        session: CDP session of the process that renders the frame.
        context: Chromium's id of the execution context.
    """

    session: CDPSession
    context: int

    @staticmethod
    async def of(session: CDPSession, frame: str | None = None) -> "World":
        """Create a world in a frame, by default in the session's top frame. Raises DocumentGone."""
        frame = frame or (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        made = await _send(session, "Page.createIsolatedWorld", {"frameId": frame, "worldName": NAME})
        return World(session, made["executionContextId"])

    async def run(self, expression: str, limit_ms: float | None = None) -> Any:
        """Return the JSON value of an expression, or of the promise that it returns.

        Args:
            limit_ms: time limit; with a limit, the expression must not return a promise.

        Raises:
            DocumentGone, ScriptFailed, playwright's Error.
        """
        options = {"returnByValue": True, "awaitPromise": limit_ms is None}
        answer = await self._evaluate(expression, options, limit_ms)
        return answer["result"].get("value")

    async def frame_of(self, expression: str) -> str | None:
        """Return the id of the frame in the element that an expression returns; None if there is none.

        Raises:
            DocumentGone, ScriptFailed, playwright's Error.
        """
        answer = await self._evaluate(expression, {}, None)
        if "objectId" not in answer["result"]:
            return None
        described = await _send(self.session, "DOM.describeNode", {"objectId": answer["result"]["objectId"]})
        frame: str | None = described["node"].get("frameId")
        return frame

    async def _evaluate(self, expression: str, options: dict[str, Any], limit_ms: float | None) -> dict[str, Any]:
        limit = {} if limit_ms is None else {"timeout": limit_ms}
        arguments = {"expression": expression, "contextId": self.context, **options, **limit}
        answer = await _send(self.session, "Runtime.evaluate", arguments)
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            raise ScriptFailed(str(thrown.get("exception", {}).get("description") or thrown.get("text")))
        return answer


async def _send(session: CDPSession, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = await session.send(method, arguments)
    except Error as error:
        if any(part in str(error) for part in _GONE):
            raise DocumentGone(str(error).partition("\n")[0]) from error
        raise
    return answer
