"""XML and HTML of strangers as trees: no entity is expanded, nothing is fetched, broken markup is mended."""

import html
import re
from functools import lru_cache

from lxml import etree

_BOM = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DECLARED = re.compile(rb"(?:encoding|charset)\s*=\s*[\"']?\s*([A-Za-z0-9._-]+)", re.IGNORECASE)
_PROLOG = re.compile(r"^\s*<\?xml.*?\?>", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
HEAD_BYTES = 2048  # an encoding is declared here


class MarkupError(Exception):
    """Markup of which nothing can be read."""


def parse(data: bytes) -> tuple[etree._Element, bool]:
    """Return the root of an XML or HTML file, and whether it had to be mended.

    Entities of a DTD are not known afterwards: their references disappear. Raises MarkupError.
    """
    text = _CONTROL.sub("", decode(data))
    text = _ENTITY.sub(_character, _DOCTYPE.sub("", _PROLOG.sub("", text), count=1))
    encoded = text.encode("utf-8", "replace")
    try:
        strict = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
        return etree.fromstring(encoded, strict), False
    except etree.XMLSyntaxError:
        pass
    try:
        root = etree.fromstring(encoded, etree.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.XMLSyntaxError, etree.ParserError, ValueError) as error:
        raise MarkupError(f"neither XML nor HTML: {error}") from error
    if root is None:
        raise MarkupError("the file has no element")
    return root, True


def parse_xml(data: bytes) -> etree._Element:
    """Return the root of an XML file that may be broken; what cannot be read is left out. Raises MarkupError."""
    text = _DOCTYPE.sub("", _PROLOG.sub("", _CONTROL.sub("", decode(data))), count=1)
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise MarkupError(f"no XML: {error}") from error
    if root is None:
        raise MarkupError("no XML: the file has no element")
    return root


def decode(data: bytes) -> str:
    """Return the text of a file by its byte order mark, the encoding that it declares, UTF-8 or Windows-1252."""
    for mark, encoding in _BOM:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    found = _DECLARED.search(data[:HEAD_BYTES])
    for encoding in ((found[1].decode("ascii"),) if found else ()) + ("utf-8",):
        try:
            return data.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    return data.decode("cp1252", "replace")


def local_name(element: etree._Element) -> str:
    """Return the tag without its namespace, in lower case; empty for comments, entities and instructions."""
    tag: object = element.tag  # a function for comments and the like
    return _local(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=2048)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def text_of(element: etree._Element) -> str:
    """Return all text inside an element."""
    return "".join(map(str, element.itertext()))


def attribute(element: etree._Element, name: str) -> str:
    """Return an attribute whatever its namespace (`epub:type`, `xlink:href`); empty without one."""
    found = element.get(name)
    if found is not None:
        return found
    prefix, _, short = name.rpartition(":")
    if not prefix or not element.attrib:
        return ""
    named = ((str(key), str(value)) for key, value in element.attrib.items())
    return next((value for key, value in named if "}" in key and key.rpartition("}")[2] == short), "")


def _character(match: re.Match[str]) -> str:
    if match[1] in _XML_ENTITIES:
        return match[0]
    found = html.unescape(match[0])
    return "" if found == match[0] else found
