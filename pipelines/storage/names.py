"""Names of inputs: members of archives, web addresses, and file names whose bytes are not UTF-8."""

import re

MEMBER = "!/"  # between an archive and the name of a file in it, as in the URLs of Java archives
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
_MEMBER = re.compile(f"({'|'.join(map(re.escape, ARCHIVES))}){MEMBER}", re.IGNORECASE)
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")


def is_web(uri: str) -> bool:
    """Return True if `uri` is the address of something on the web."""
    return uri.lower().startswith(("http://", "https://"))


def has_password(uri: str) -> bool:
    """Return True if `uri` is a web address with the name or password of a user in it."""
    return is_web(uri) and "@" in re.split(r"[/?#\\]", uri.partition("://")[2], maxsplit=1)[0]


def is_archive(uri: str) -> bool:
    """Return True if a name has the suffix of an archive."""
    return uri.lower().endswith(ARCHIVES)


def member_of(uri: str) -> tuple[str, str] | None:
    """The archive and the name inside it, None for an input that is in no archive."""
    found = _MEMBER.search(uri)
    return None if found is None else (uri[: found.end(1)], uri[found.end() :])


def printable(name: str) -> str:
    r"""A file name as text: bytes that are not UTF-8 become `\x..`, and what looks like such an escape is escaped."""
    escaped = _ESCAPED.sub(r"\\x5cx\1", name)
    return escaped.encode(errors="surrogateescape").decode(errors="backslashreplace")


def file_name(printed: str) -> str:
    """The file name that `printable` gave, with surrogates for bytes that are not UTF-8."""
    parts = _ESCAPED.split(printed)
    data = b"".join(bytes.fromhex(part) if k % 2 else part.encode() for k, part in enumerate(parts))
    return data.decode(errors="surrogateescape")
