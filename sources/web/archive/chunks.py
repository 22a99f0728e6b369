"""The chunked transfer coding of HTTP (RFC 9112), taken off a stored body."""

import re

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[^\r\n]*)?\r?\n")


def dechunked(body: bytes) -> bytes:
    """Return the content of a body in chunks; a body that is in none, as many archives store it, as it is.

    What a broken coding gives before it breaks is returned: a browser would show as much.
    """
    parts: list[bytes] = []
    at = 0
    while size := _SIZE.match(body, at):
        length = int(size[1], 16)
        if length == 0:
            break
        parts.append(body[size.end() : size.end() + length])
        at = size.end() + length
        at += 2 if body[at : at + 2] == b"\r\n" else 1
    return b"".join(parts) if parts or _SIZE.match(body) else body
