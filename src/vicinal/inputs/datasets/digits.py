"""Digits: 1,797 real images of handwritten digits, 8 x 8 pixels, that scikit-learn ships.

Source: Alpaydin and Kaynak 1998, the test part of doi:10.24432/C50P49. The smallest real images: a check that what
works along time works in two dimensions. Must not know contracts.
"""

import functools
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.errors import FormatError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.signal import Signal

__all__ = ["CLASSES", "catalogue", "read"]

CLASSES = tuple("0123456789")

_LEVELS = 16
"""A pixel counts the ink in a block of 4 x 4, 0 to 16."""


def catalogue(root: Path | None = None) -> Catalogue:  # noqa: ARG001 - one signature for all
    """List the images in scikit-learn's order.

    Args:    root: not used.
    """
    _, labels = _images()
    return Catalogue(
        name="digits",
        classes=CLASSES,
        recordings=tuple(
            Recording(
                id=f"digit{number:04d}",
                path=None,
                subject=None,
                group=f"digit{number:04d}",
                labels=(str(label),),
                options={"number": number},
            )
            for number, label in enumerate(labels.tolist())
        ),
        has_subjects=False,
        notes=("digits: who wrote which image is not known, so nothing is shown about new writers.",),
    )


def read(recording: Recording) -> Signal:
    """Return one image: axes height and width, one channel "grey", 0 (paper) to 1 (ink).

    Raises:  FormatError: when the recording is not one of this module's catalogue.
    """
    images, _ = _images()
    number = recording.options.get("number")
    if not isinstance(number, int) or not 0 <= number < len(images):
        raise FormatError(
            f"recording {recording.id!r}: expected a number from 0 to {len(images) - 1}, got {number!r}. "
            "Take recordings from digits.catalogue()."
        )
    return Signal(
        samples=images[number][None].copy(),
        axes=("height", "width"),
        channels=("grey",),
        units=("1",),
        rate_hz=None,
        id=recording.id,
        source=f"scikit-learn's digits, image {number}",
    )


@functools.cache
def _images() -> tuple[Float32[np.ndarray, "n height width"], Int64[np.ndarray, " n"]]:
    # Imported here: a second and 80 MB that no other data set, and no packing process, should pay for.
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.images / _LEVELS).astype(np.float32), found.target.astype(np.int64)
