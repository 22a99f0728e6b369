"""EPUB 2 and 3: the documents of a book in reading order, read from the archive without unpacking it."""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree

from sources.base.source import InputError, unreadable_file
from sources.books.markup import MarkupError, attribute, local_name, parse_xml

MAX_MEMBERS = 200_000
MAX_DOCUMENT_BYTES = 32 << 20  # a chapter; the largest of 47 published books has 2 MB
MAX_FIGURE_BYTES = 128 << 20
FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # fonts may be scrambled
DRM_FILES = {"META-INF/rights.xml": "Adobe", "META-INF/sinf.xml": "Apple", "META-INF/license.lcpl": "Readium LCP"}
DOCUMENT_TYPES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document")
_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)|(publicdomain/zero)/1\.0)", re.I)
# zipfile raises these for damaged and unusual members.
_UNREADABLE = (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zlib.error, zipfile.BadZipFile)


class MissingMember(Exception):
    """A file that the book names and the archive does not have, or that cannot be read. The message says why."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the spine.

    Args:
        name: path in the archive.
        media_type: as the manifest says; SVG and images may be pages too.
    """

    name: str
    media_type: str


class Archive:
    """The files of a ZIP archive by path. Names that lead out of it are never found, and sizes are bounded."""

    def __init__(self, path: Path):
        """Raises InputError."""
        try:
            self._zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise InputError("damaged", f"the file is not an EPUB archive: {error}") from error
        except (OSError, NotImplementedError, ValueError) as error:
            if isinstance(error, OSError):
                raise unreadable_file(error) from error
            raise InputError("damaged", f"the archive cannot be opened: {error}") from error
        if len(self._zip.filelist) > MAX_MEMBERS:
            self._zip.close()
            raise InputError(
                "too_large", f"the archive has {len(self._zip.filelist):,} files, more than {MAX_MEMBERS:,}"
            )
        self._members = {_normal(info.filename): info for info in self._zip.filelist if not info.is_dir()}
        self._by_case = {name.casefold(): name for name in reversed(self._members)}

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def find(self, name: str) -> str | None:
        """Return the name that the archive has for a path; None if it has none. Letter case may differ."""
        normal = _normal(name)
        return normal if normal in self._members else self._by_case.get(normal.casefold())

    def identity(self, name: str) -> tuple[int, int]:
        """Return what copies of a file have in common: checksum and size."""
        info = self._members[name]
        return info.CRC, info.file_size

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a member. Raises MissingMember if there is none, it is damaged, or it is larger."""
        found = self.find(name)
        if found is None:
            raise MissingMember(f"{name} is not in the archive")
        info = self._members[found]
        if info.flag_bits & 1:
            raise MissingMember(f"{name} is encrypted")
        try:
            with self._zip.open(info) as file:
                data = file.read(max_bytes + 1)  # what the directory says of the size may be wrong
        except (
            OSError,
            EOFError,
            RuntimeError,
            NotImplementedError,
            ValueError,
            zlib.error,
            zipfile.BadZipFile,
        ) as error:
            raise MissingMember(f"{name} is damaged: {error}") from error
        if len(data) > max_bytes:
            raise MissingMember(f"{name} has more than {max_bytes >> 20} MB")
        return data


@dataclass(frozen=True, slots=True)
class Package:
    """The reading order of a book, and its licence.

    Args:
        documents: the spine in reading order, documents aside from the linear order last.
        navigation: names of documents that are only a table of contents.
        num_missing: files of the spine that the archive does not have.
        license: SPDX id or hub licence tag, if the rights name one by its address.
    """

    documents: Sequence[Document]
    navigation: frozenset[str]
    num_missing: int
    license: str | None


def read_package(archive: Archive) -> Package:
    """Read the package file and the spine. Raises InputError, with `drm` as the cause for a protected book."""
    name = _package_name(archive)
    root = _xml(archive, name)
    base = posixpath.dirname(name)
    _refuse_protected(archive)
    items: dict[str, tuple[str, str, str]] = {}
    for item in root.iter("{*}item"):
        href = _local_path(base, attribute(item, "href"))
        if href is not None:
            items[attribute(item, "id")] = (href, attribute(item, "media-type"), attribute(item, "properties"))
    documents: list[Document] = []
    aside: list[Document] = []
    num_missing = 0
    for reference in root.iter("{*}itemref"):
        entry = items.get(attribute(reference, "idref"))
        found = archive.find(entry[0]) if entry else None
        if entry is None or found is None:
            num_missing += 1
            continue
        (aside if attribute(reference, "linear") == "no" else documents).append(Document(found, entry[1]))
    if not documents and not aside:
        # Without a spine the manifest is in the order of its maker.
        named = ((archive.find(href), media_type) for href, media_type, _ in items.values())
        documents = [Document(found, kind) for found, kind in named if found and kind in DOCUMENT_TYPES]
    if not documents and not aside:
        raise InputError("no_text", "the EPUB's spine names no document that is in the archive")
    navigation = [archive.find(href) for href, _, properties in items.values() if "nav" in properties.split()]
    return Package((*documents, *aside), frozenset(filter(None, navigation)), num_missing, _license(root))


def resolve(base: str, href: str) -> tuple[str | None, str]:
    """Return the archive's path and the fragment that a link in the document `base` leads to; None for other sites."""
    parts = _split(href)
    if parts is None:
        return None, ""
    path, fragment = parts
    return (_local_path(posixpath.dirname(base), path) if path else base), fragment


def _split(href: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(href.strip())
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else (parts.path, unquote(parts.fragment))


def _local_path(base: str, href: str) -> str | None:
    parts = _split(href)
    if parts is None or not parts[0]:
        return None
    path = posixpath.normpath(posixpath.join(base, unquote(parts[0])))
    return None if path.startswith(("../", "/")) or path == ".." else path


def _normal(name: str) -> str:
    return posixpath.normpath(name.replace("\\", "/"))


def _package_name(archive: Archive) -> str:
    try:
        root = parse_xml(archive.read("META-INF/container.xml", MAX_DOCUMENT_BYTES))
        for entry in root.iter("{*}rootfile"):
            if found := archive.find(attribute(entry, "full-path")):
                return found
    except (MissingMember, MarkupError):
        pass
    for name in archive._members:
        if name.lower().endswith(".opf"):
            return name
    raise InputError("damaged", "the archive has no EPUB package file (META-INF/container.xml names none)")


def _xml(archive: Archive, name: str) -> etree._Element:
    try:
        return parse_xml(archive.read(name, MAX_DOCUMENT_BYTES))
    except (MissingMember, MarkupError) as error:
        raise InputError("damaged", f"the EPUB's package file cannot be read: {error}") from error


def _refuse_protected(archive: Archive) -> None:
    """Raise InputError if anything but fonts is encrypted."""
    if archive.find("META-INF/encryption.xml") is None:
        return
    try:
        root = parse_xml(archive.read("META-INF/encryption.xml", MAX_DOCUMENT_BYTES))
    except (MissingMember, MarkupError):
        return
    protected = [uri for algorithm, uri in _encrypted(root) if algorithm not in FONT_ALGORITHMS]
    if protected:
        maker = next((maker for file, maker in DRM_FILES.items() if archive.find(file)), None)
        by = f" by {maker}" if maker else ""
        raise InputError("drm", f"{len(protected)} files of the book are encrypted{by}, such as {protected[0][:100]}")


def _encrypted(root: etree._Element) -> Iterator[tuple[str, str]]:
    for entry in root.iter("{*}EncryptedData"):
        algorithm = next((attribute(method, "Algorithm") for method in entry.iter("{*}EncryptionMethod")), "")
        for reference in entry.iter("{*}CipherReference"):
            yield algorithm, attribute(reference, "URI")


def _license(root: etree._Element) -> str | None:
    for element in root.iter("{*}rights", "{*}link", "{*}meta"):
        if local_name(element) != "rights" and not re.search(
            r"license|rights", attribute(element, "rel") + attribute(element, "property") + attribute(element, "name")
        ):
            continue
        found = _CREATIVE_COMMONS.search(" ".join((element.text or "", *map(str, element.attrib.values()))))
        if found:
            return "cc0-1.0" if found[3] else f"cc-{found[1].lower()}-{found[2]}"
    return None
