"""Array types; shapes and exact element types are in the docstrings."""

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.integer | np.floating]  # pictures (uint8) and smooth fields (float32), as OpenCV types them
Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool]
