"""Isolated worlds: scripts of ours run beside a page's, and share its document but no object that those can change."""

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
    """The document in which a script ran was replaced by another one, or its frame was taken away."""


class ScriptFailed(Exception):
    """A script of ours threw, or gave nothing."""


@dataclass(frozen=True, slots=True)
class World:
    """A world of our own in the document that a frame shows.

    Args:
        session: of the process that the frame is drawn by.
        context: Chromium's number of it.
    """

    session: CDPSession
    context: int

    @staticmethod
    async def of(session: CDPSession, frame: str | None = None) -> "World":
        """The world in a frame; without its id, in the topmost frame of the session. Raises DocumentGone."""
        frame = frame or (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        made = await _send(session, "Page.createIsolatedWorld", {"frameId": frame, "worldName": NAME})
        return World(session, made["executionContextId"])

    async def run(self, expression: str, limit_ms: float | None = None) -> Any:
        """The value of an expression, or of the promise that it gives, as JSON has it.

        Args:
            limit_ms: after which it is terminated; with a limit, it must not give a promise.

        Raises:
            DocumentGone, ScriptFailed, playwright's Error.
        """
        options = {"returnByValue": True, "awaitPromise": limit_ms is None}
        answer = await self._evaluate(expression, options, limit_ms)
        return answer["result"].get("value")

    async def frame_of(self, expression: str) -> str | None:
        """The id of the frame inside the element that an expression gives; None if there is none.

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
