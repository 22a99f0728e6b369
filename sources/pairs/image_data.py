"""The bytes of the images of a row: in the row itself, in files of a folder, or at addresses on the web."""

import base64
import binascii
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sources.base.source import InputError, ItemError
from sources.web.address_policy import AddressPolicy
from sources.web.download import download

MIN_BASE64_CHARS = 512  # a shorter text is the name of a file
MAX_NAME_CHARS = 1024


@dataclass(frozen=True)
class ImageFiles:
    """Image files below a folder. Names that lead out of it, also by a symbolic link, are errors.

    Args:
        max_bytes: a larger file is an error.
    """

    folder: Path
    max_bytes: int

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises ItemError."""
        path = self.place(name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not block
            with open(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise ItemError("not_a_file", f"the image {name!r:.200} is not a regular file")
                if found.st_size > self.max_bytes:
                    raise ItemError("image_too_large", f"the image file has {found.st_size:,} bytes")
                return file.read()
        except FileNotFoundError as error:
            raise ItemError("not_found", f"there is no image file {name!r:.200}") from error
        except PermissionError as error:
            raise ItemError("permission_denied", f"the image file {name!r:.200} may not be read") from error
        except OSError as error:
            raise ItemError("not_a_file", f"the image {name!r:.200} cannot be read: {error.strerror}") from error

    def place(self, name: str) -> str:
        """Return the path of a file. Raises ItemError if it is not inside the folder."""
        root = os.path.realpath(self.folder)
        if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise ItemError("wrong_image_name", f"{name!r:.100} is no name of an image file")
        path = os.path.realpath(os.path.join(root, name))
        if name.startswith(("/", "\\", "~")) or not path.startswith(root + os.sep):
            raise ItemError("outside_folder", f"the image {name!r:.200} is not inside the folder of images")
        return path


def names_in(value: Any) -> list[str]:
    """Return the names of files in a column of images, for those that are not in the row."""
    names = []
    for each in value if isinstance(value, list) else [value]:
        name = each.get("path") if isinstance(each, Mapping) and not each.get("bytes") else each
        if isinstance(name, str) and not _is_base64(name):
            names.append(name)
    return names


def image_data(value: Any, files: ImageFiles) -> list[bytes]:
    """Return the bytes of each image in a column.

    Args:
        value: one image or a list: bytes, base64, a data URI, the name of a file, or a mapping of `bytes` and `path`
            as the hub's Image feature has it. None and an empty list are no image.
    Raises:
        ItemError: an image cannot be read.
    """
    if value is None or value == "":
        return []
    return [_bytes_of(each, files) for each in (value if isinstance(value, list) else [value])]


def _bytes_of(value: Any, files: ImageFiles) -> bytes:
    if isinstance(value, Mapping):
        inner = value.get("bytes")
        value = inner if inner else value.get("path")
    if isinstance(value, bytes):
        if len(value) > files.max_bytes:
            raise ItemError("image_too_large", f"the image has {len(value):,} bytes")
        return value
    if not isinstance(value, str):
        raise ItemError("no_image", f"the column holds {_short(value)}, expected an image")
    if value.startswith(("http://", "https://")):
        raise ItemError("url", "the image is an address; name its column as image_url, with http=true, to fetch it")
    return _from_base64(value) if _is_base64(value) else files.read(value)


def _is_base64(text: str) -> bool:
    return text.startswith("data:") or (len(text) >= MIN_BASE64_CHARS and "." not in text)


def _from_base64(text: str) -> bytes:
    header, _, body = text.partition(",") if text.startswith("data:") else ("", "", text)
    try:
        if header and not header.endswith(";base64"):
            raise ItemError("invalid_base64", "the data URI of an image is not in base64")
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error as error:
        raise ItemError("invalid_base64", f"the image is not valid base64: {error}") from error


@dataclass(frozen=True)
class ImageAddresses:
    """Images on the web, fetched through the crawler's policy for addresses: public hosts only.

    Args:
        allow: hosts and address ranges that may be fetched although they are not public.
        scratch: a file to write to.
        max_bytes: a larger image is an error.
    """

    allow: Sequence[str]
    scratch: Path
    max_bytes: int

    def read(self, value: Any) -> list[bytes]:
        """Return the image at each address. Raises ItemError."""
        found = []
        for uri in value if isinstance(value, list) else [value]:
            if not isinstance(uri, str):
                raise ItemError("no_image", f"the column holds {_short(uri)}, expected an address")
            try:
                download(AddressPolicy(allow=tuple(self.allow)), uri, self.scratch, max_bytes=self.max_bytes)
            except InputError as error:
                raise ItemError(error.cause, error.message) from error
            found.append(self.scratch.read_bytes())
        return found


def _short(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}…"
