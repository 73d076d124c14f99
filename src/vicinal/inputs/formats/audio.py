"""Read a recording from a WAV or FLAC file, as shares of full scale.

The header is checked before the samples are decoded. Must not know data sets.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from vicinal.errors import FormatError
from vicinal.inputs.formats.audio_header import AudioHeader, read_flac_header, read_wav_header
from vicinal.inputs.formats.sound import sound_blocks
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["read_audio"]

_HEADERS = {".wav": read_wav_header, ".flac": read_flac_header}
_BLOCK = 1 << 18
"""Samples decoded at a time, over all channels."""


def read_audio(path: Path, stated: Stated) -> Signal:
    """Read one recording; channels are numbered from 0 in the file's order, and full scale is 1.

    Raises:  FormatError: when header, length, checksum and samples do not agree, or a sample is infinite.
             ExtraError: without soundfile.
    """
    header = _HEADERS[path.suffix.lower()](path)
    samples = _samples(path, header)
    if np.isinf(samples).any():
        raise FormatError(f"{path}: expected finite samples, got infinity.")
    return Signal(
        samples=samples,
        channels=tuple(str(channel) for channel in range(header.n_channels)),
        units=(stated.unit_or("1", where=str(path)),) * header.n_channels,
        rate_hz=stated.rate_or(float(header.rate_hz), where=str(path)),
        id=path.stem,
        source=str(path),
    )


def _samples(path: Path, header: AudioHeader) -> Float32[np.ndarray, "channels time"]:
    """Decode block by block: the decoded samples are in memory once. Whole numbers are what FLAC's MD5 is of."""
    samples, at = np.empty((header.n_channels, header.n_samples), dtype=np.float32), 0
    size = max(_BLOCK // header.n_channels, 1)
    for block in sound_blocks(path, header, size=size, kind="int32" if header.md5 else "float32"):
        shares = block * np.float32(2.0**-31) if header.md5 else block
        samples[:, at : at + len(block)] = shares.T
        at += len(block)
    return samples
