"""A page of a picture file as a sample."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sources.base.marks import with_images
from sources.base.sample import Provenance, Sample
from sources.images.encoding import encode, grey_of
from sources.paddle_ocr.page import OcrSettings, fitted, measures_of_ocr, read_page
from sources.pictures.picture_file import PictureFile


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureReader:
    """Reads pages with the settings of `sources/pictures/source.py`.

    Args:
        source: name of the source in its samples.
        locator: returns the place of an item in its file.
        ocr: how the text of a page is read.
    """

    source: str
    locator: Callable[[int], str]
    side_px: int
    grey: str
    format: str
    quality: int
    ocr: OcrSettings

    def sample(self, pages: PictureFile, item: int, digest: str) -> Sample:
        """Return the sample of a page. Raises ItemError."""
        picture = pages.page(item)
        small = fitted(picture, self.side_px)
        grey = np.asarray(small) if small.mode == "L" else grey_of(np.asarray(small))
        if grey is not None and self.grey == "png":
            image = encode(grey, "png")
        else:
            image = encode(small, self.format, self.quality)
        grey = np.asarray(small.convert("L"))
        found = read_page(picture, self.ocr, small.size)
        return Sample.of_picture(
            grey,
            source=self.source,
            provenance=Provenance(locator=self.locator(item), digest=digest),
            images=[image],
            text=with_images(found.text),
            words=found.words,
            flags=[*found.flags, *pages.flags],
            measures=measures_of_ocr(found, grey),
        )
