"""Read a picture from a PNG or JPEG file, as shares of full brightness.

The file is walked through before Pillow sees it; this is the one module that imports it, on first use. Must not
know data sets.
"""

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.image_header import check_jpeg, check_png
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["read_image"]

_MAX_BYTES = 1 << 30
_CHECKS = {"PNG": check_png, "JPEG": check_jpeg}
_CHANNELS = {1: ("grey",), 3: ("red", "green", "blue")}
_DAMAGED = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, struct.error,
    zlib.error, Warning,
)  # fmt: skip
"""What Pillow raises for content it cannot make sense of, and the warnings it would go on after."""


def read_image(path: Path, stated: Stated) -> Signal:
    """Read one picture (channels, height, width), upright: a rotation that its EXIF data states is carried out.

    Grey of 1 to 16 bits is one channel, `grey`; colour and palettes are `red`, `green`, `blue`. An alpha
    channel is left out where every pixel is opaque.

    Raises:  FormatError: when the file is damaged, or its pixels have no one reading: transparency, CMYK,
             several pictures, 16-bit colour, or a rate, which pictures do not have.
             ExtraError: without Pillow.
    """
    if stated.rate_hz is not None:
        raise FormatError(
            f"{path}: expected no rate for a picture, got {stated.rate_hz:g} Hz. Leave rate_hz out."
        )
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise FormatError(f"{path}: expected at most {_MAX_BYTES} bytes, got {size}.")
    data = path.read_bytes()
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    _CHECKS[kind](data, where=str(path))
    samples = _samples(_decoded(data, kind, path), path)
    return Signal(
        samples=samples,
        channels=_CHANNELS[len(samples)],
        units=(stated.unit_or("1", where=str(path)),) * len(samples),
        rate_hz=None,
        axes=("height", "width"),
        id=path.stem,
        source=str(path),
    )


def _decoded(data: bytes, kind: str, path: Path) -> Any:
    """Return the picture, decoded, upright, and without a palette."""
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ExtraError(
            "reading pictures needs Pillow, which is not installed. Install it with: pip install 'vicinal[images]'"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            image = Image.open(io.BytesIO(data), formats=[kind])
            orientation = image.getexif().get(0x0112, 1)
            if orientation not in range(1, 9):
                raise FormatError(f"{path}: EXIF orientation: expected 1 to 8, got {orientation!r}.")
            ImageOps.exif_transpose(image, in_place=True)
            return image.convert("RGB") if image.mode == "P" else image
    except FormatError:
        raise
    except _DAMAGED as error:
        raise FormatError(f"{path}: Pillow cannot read it: {error}.") from error


def _samples(image: Any, path: Path) -> Float32[np.ndarray, "channels height width"]:
    pixels = np.asarray(image)
    if pixels.dtype == np.bool_:
        full = 1.0
    elif pixels.dtype in (np.uint8, np.uint16):
        full = float(np.iinfo(pixels.dtype).max)
    else:
        raise FormatError(f"{path}: expected pixels of 1 to 16 bits, got {pixels.dtype}.")
    if image.mode in ("LA", "RGBA"):
        if pixels[..., -1].min() < full:
            raise FormatError(f"{path}: expected opaque pixels, got transparent ones. Give it a background.")
        pixels = pixels[..., :-1]
    elif image.mode not in ("1", "L", "RGB", "I;16"):
        raise FormatError(f"{path}: expected grey or colour pixels, got {image.mode}.")
    samples = np.atleast_3d(pixels).transpose(2, 0, 1).astype(np.float32, order="C")
    samples /= np.float32(full)
    return samples
