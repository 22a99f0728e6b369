"""SVG drawings that need nothing else: the renderer would open any path of this machine that a drawing names."""

import base64
import re
from collections.abc import Callable

from lxml import etree

from sources.books.markup import MarkupError, local_name, parse_xml

MAX_BYTES = 8 << 20
MAX_EMBEDDED_BYTES = 64 << 20  # of all pictures inside a drawing
_SVG = re.compile(rb"<svg[\s>]|<[\w.-]+:svg[\s>]")
_WITH_LINKS = ("image", "feimage", "use", "script", "foreignobject")
_TYPES = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"RIFF", "webp"))


def is_svg(data: bytes) -> bool:
    """Return True for an SVG drawing."""
    return bool(_SVG.search(data[:4096]))


def self_contained(data: bytes, read: Callable[[str], bytes | None]) -> bytes:
    """Return a drawing with the pictures of its book inside it, and without any other link.

    Args:
        read: returns the content of a link into the book, None for any other.
    Raises:
        MarkupError: it cannot be read, or is too large.
    """
    if len(data) > MAX_BYTES:
        raise MarkupError(f"the drawing has more than {MAX_BYTES >> 20} MB")
    root = parse_xml(data)
    left = MAX_EMBEDDED_BYTES
    for element in list(root.iter()):
        if local_name(element) not in _WITH_LINKS:
            continue
        for name in [name for name in element.attrib if str(name).rpartition("}")[2] == "href"]:
            link = str(element.attrib[name]).strip()
            if link.lower().startswith(("data:", "#")):
                continue
            content = read(link) if local_name(element) == "image" else None
            kind = next((kind for start, kind in _TYPES if content and content.startswith(start)), None)
            if content is None or kind is None or len(content) > left:
                del element.attrib[name]
                continue
            left -= len(content)
            element.attrib[name] = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return etree.tostring(root, encoding="utf-8", with_tail=False)
