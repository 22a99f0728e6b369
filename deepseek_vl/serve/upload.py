"""The body of a request while it arrives."""

import asyncio

from starlette.types import Message, Receive

from deepseek_vl.serve.errors import ApiError

# A client that is refused while it still sends sees a broken connection, not the refusal, unless what it sends is read.
DISCARD_TIMES = 4  # the largest body
DISCARD_S = 5.0


class Upload:
    """Passes the parts of a body on, within limits, and knows whether all of it has come."""

    def __init__(self, receive: Receive, max_bytes: int, timeout_s: float):
        self._receive = receive
        self.max_bytes, self.timeout_s = max_bytes, timeout_s
        self.complete = False

    async def receive(self) -> Message:
        """The next message of the connection, as ASGI has it."""
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.complete = True
        return message

    async def read(self) -> bytes:
        """The whole body. Raises ApiError where it is too large or too slow; ConnectionError where the client left."""
        body = bytearray()
        try:
            async with asyncio.timeout(self.timeout_s):
                while not self.complete:
                    message = await self.receive()
                    if message["type"] == "http.disconnect":
                        raise ConnectionError("the client left before its request was whole")
                    body += message.get("body", b"")
                    if len(body) > self.max_bytes:
                        raise self.too_large()
        except TimeoutError as error:
            raise ApiError(408, f"the body did not arrive within {self.timeout_s:g} seconds") from error
        return bytes(body)

    def too_large(self) -> ApiError:
        """The refusal of a large body."""
        return ApiError(413, f"the body is larger than {self.max_bytes} bytes", code="body_too_large")

    async def disconnected(self) -> None:
        """Wait until the client leaves."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def discard(self) -> None:
        """Read what is left and forget it, for a while."""
        left = DISCARD_TIMES * self.max_bytes
        try:
            async with asyncio.timeout(DISCARD_S):
                while not self.complete and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return
