"""Files of pictures: opened whatever their format, page by page, each page as grey or RGB pixels."""

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
import PIL.ImageOps

from sources.base.source import InputError, ItemError, unreadable_file
from sources.images.decoding import ERRORS, as_shown
from sources.pictures.tiff import read_directories

FORMATS = ("JPEG", "MPO", "PNG", "TIFF", "WEBP", "GIF", "BMP", "DIB", "AVIF", "HEIF")
HEIF_DECODER = "pillow_heif"
# Brands of ISO base media files (ISO/IEC 23008-12, B.4).
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")
TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, slots=True)
class PictureFile:
    """An open file.

    Args:
        pages: numbers of the frames that are pages.
        fault: why the pages after these cannot be found; empty if there are none.
        flags: facts that hold for the whole file: `animated`.
    """

    _image: PIL.Image.Image
    pages: list[int]
    max_pixels: int
    fault: str = ""
    flags: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of items: pages, and one for those that cannot be found."""
        return len(self.pages) + bool(self.fault)

    def page(self, item: int) -> PIL.Image.Image:
        """Return a page as a picture of mode L or RGB, upright as its EXIF data say, on white.

        Raises:
            ItemError: it is too large, damaged or missing.
        """
        if item == len(self.pages):
            raise ItemError("damaged_directory", f"the file's other pages cannot be found: {self.fault}")
        image = self._image
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of damaged metadata, and of sizes, which are checked below
                image.seek(self.pages[item])
                check_size(image, self.max_pixels)
                image.load()
                return as_shown(image)
        except PIL.Image.DecompressionBombError as error:
            raise ItemError("image_too_large", "the picture is too large to be decoded") from error
        except ERRORS as error:
            raise ItemError("damaged_image", f"the picture cannot be decoded: {_reason(error)}") from error


@contextmanager
def open_picture(path: Path, max_pixels: int) -> Iterator[PictureFile]:
    """Open a file for as long as its pages are read.

    Args:
        max_pixels: a larger picture is an error, before it is decoded.
    Raises:
        InputError: the file is no picture, or of a format that cannot be decoded here.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
            file.seek(0)
            found = read_directories(file) if head[:4] in TIFF_HEADS else None
    except OSError as error:
        raise unreadable_file(error) from error
    _check_head(head)
    if found is not None and not found.pages:
        raise InputError(
            "damaged", f"the TIFF has no page that can be found: {found.fault or 'its directory is empty'}"
        )
    with _opened(path) as image:
        if found is not None:
            yield PictureFile(image, found.pages, max_pixels, found.fault)
        else:  # of an animation, the first frame
            is_animated = image.format != "MPO" and getattr(image, "is_animated", False)
            yield PictureFile(image, [0], max_pixels, flags=("animated",) if is_animated else ())


def _check_head(head: bytes) -> None:
    if not head:
        raise InputError("empty_file", "the file is empty (0 bytes)")
    is_media = head[4:8] == b"ftyp"
    if is_media and head[8:12] in HEIF_BRANDS and head[8:12] not in AVIF_BRANDS:
        if importlib.util.find_spec(HEIF_DECODER) is None:
            raise InputError("no_decoder", "HEIC pictures need a decoder: run `pip install pillow-heif`")
        importlib.import_module(HEIF_DECODER).register_heif_opener()
    elif is_media and head[8:12] in AVIF_BRANDS and not _has_avif():
        raise InputError("no_decoder", "AVIF pictures need a Pillow with AVIF: run `pip install 'pillow>=11.3'`")


def _has_avif() -> bool:
    from PIL import features

    return "avif" in features.modules and bool(features.check("avif"))


@contextmanager
def _opened(path: Path) -> Iterator[PIL.Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = PIL.Image.open(path, formats=[name for name in FORMATS if name in _known()])
    except PIL.UnidentifiedImageError as error:
        raise InputError("not_an_image", "the file is not a picture of a known format") from error
    except PIL.Image.DecompressionBombError as error:
        raise InputError("image_too_large", "the picture is too large to be decoded") from error
    except ERRORS as error:
        raise InputError("damaged", f"the picture cannot be opened: {_reason(error)}") from error
    with image:
        yield image


def _known() -> frozenset[str]:
    PIL.Image.init()
    return frozenset(PIL.Image.OPEN)


def check_size(image: PIL.Image.Image, max_pixels: int) -> None:
    """Raise ItemError if a picture has more pixels."""
    if image.width * image.height > max_pixels:
        size = f"{image.width:,} × {image.height:,} pixels"
        raise ItemError("image_too_large", f"the picture has {size}, more than {max_pixels:,}")


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
