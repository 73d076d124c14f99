"""Snippets as small numbers for a page that draws them: lines of bytes for signals, PNG for images.

Takes what was found, returns plain data. Must not know models, nor what stands around the pictures.
"""

import base64
import struct
import zlib
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from vicinal.scores.detectors import Detector
from vicinal.scores.responses import Response

__all__ = ["is_map", "lines_of", "picture_of", "unit_of"]

MOST_CHANNELS = 12
"""Drawn one above the other; more, such as the bands of a sound, are a picture of rows."""

_COLUMNS = 80
_MOST_PIXELS = (128, 256)
"""Of the height and the width of a picture; of more every second, third, ... one."""


def unit_of(unit: Detector, response: Response) -> dict[str, Any]:
    """Return one unit for the page: its name, its snippets, and what it gives along the signal that is drawn.

    Args:    response: see `responses`.
    """
    pictures = _pictures([one.samples for one in unit.snippets])
    return {
        "name": unit.name,
        "best": f"{unit.snippets[0].value:.3g}",
        "snippets": [
            {
                "id": one.id,
                "labels": ", ".join(one.labels),
                "value": f"{one.value:.3g}",
                "where": one.where,
                **picture,
            }
            for one, picture in zip(unit.snippets, pictures, strict=True)
        ],
        **_response(unit, response),
    }


def is_map(shape: tuple[int, ...]) -> bool:
    """Whether a signal or image of this shape is drawn as a picture."""
    return len(shape) > 2 or shape[0] > MOST_CHANNELS


def lines_of(
    rows: Float[np.ndarray, "channels n"], low: np.ndarray, high: np.ndarray, *, n_columns: int = _COLUMNS
) -> list[str]:
    """Return each channel as base64 of bytes, 255 at `high`; of many samples the extremes of each column."""
    return [
        base64.b64encode(_bytes(_extremes(row, n_columns), a, b).tobytes()).decode()
        for row, a, b in zip(rows, low.tolist(), high.tolist(), strict=True)
    ]


def picture_of(samples: Float[np.ndarray, "channels *positions"], low: float, high: float) -> str:
    """Return an image as a data URI: grey, or three colours; a signal of many channels with the last one on top."""
    image = samples[None, ::-1] if samples.ndim == 2 else samples
    down, across = (max(1, -(-n // most)) for n, most in zip(image.shape[1:], _MOST_PIXELS, strict=True))
    image = image[:, ::down, ::across]
    image = image if len(image) in (1, 3) else image.mean(axis=0, keepdims=True)
    return "data:image/png;base64," + base64.b64encode(_png(_bytes(image, low, high))).decode()


def _pictures(snippets: list[np.ndarray]) -> list[dict[str, Any]]:
    """Draw the snippets of one unit to one scale, so that they can be compared."""
    if is_map(snippets[0].shape):
        low, high = min(float(one.min()) for one in snippets), max(float(one.max()) for one in snippets)
        return [{"image": picture_of(one, low, high)} for one in snippets]
    low_of = np.min([one.min(axis=1) for one in snippets], axis=0)
    high_of = np.max([one.max(axis=1) for one in snippets], axis=0)
    return [{"lines": lines_of(one, low_of, high_of)} for one in snippets]


def _response(unit: Detector, response: Response) -> dict[str, Any]:
    """Return where the unit is strongest on the signal that is drawn, and what it gives along it."""
    if unit.snippets[0].position is None or not response.size:
        return {}
    if unit.place is not None:
        return {"peak": list(unit.place), "gives": f"{float(response):.3g}"}
    peak = np.unravel_index(int(response.argmax()), response.shape)
    told = {"peak": [int(at) for at in peak], "gives": f"{float(response[peak]):.3g}"}
    low, high = float(response.min()), float(response.max())
    if response.ndim > 1:
        return {**told, "map": picture_of(response[None], low, high)}
    return {
        **told,
        "line": lines_of(response[None], np.array([low]), np.array([high]), n_columns=_COLUMNS * 4)[0],
    }


def _extremes(row: Float[np.ndarray, " n"], n_columns: int) -> Float[np.ndarray, " m"]:
    if len(row) <= 2 * n_columns:
        return row
    parts = np.array_split(row, n_columns)
    return np.array([extreme for part in parts for extreme in (part.min(), part.max())])


def _bytes(values: Float[np.ndarray, "*shape"], low: float, high: float) -> UInt8[np.ndarray, "*shape"]:
    spread = high - low
    # A flat line lies in the middle.
    shares = (values - low) / spread if spread > 0 else np.full(values.shape, 0.5)
    return np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)


def _png(image: UInt8[np.ndarray, "colours height width"]) -> bytes:
    """Return a PNG without loss; W3C PNG (third edition), grey or RGB with 8 bits, no filters."""
    colours, height, width = image.shape
    rows = b"".join(b"\0" + np.moveaxis(image, 0, -1)[y].tobytes() for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if colours == 1 else 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
