"""Read a recording from a WAV or FLAC file, as shares of full scale.

The header is checked before `soundfile` sees the file; this is the one module that imports it, on first use.
Must not know data sets.
"""

import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float32

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.audio_header import AudioHeader, read_flac_header, read_wav_header
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
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            found = (file.samplerate, file.channels, file.frames)
            if found != (header.rate_hz, header.n_channels, header.n_samples):
                raise FormatError(
                    f"{path}: expected {header.rate_hz} Hz, {header.n_channels} channels and {header.n_samples} "
                    f"samples as the header says, the soundfile library finds {found}."
                )
            return _whole(file, header, path)
    except soundfile.SoundFileError as error:
        raise FormatError(f"{path}: the soundfile library cannot read it: {error}") from error


def _whole(file: Any, header: AudioHeader, path: Path) -> Float32[np.ndarray, "channels time"]:
    """Decode block by block: the decoded samples are in memory once. Whole numbers are what FLAC's MD5 is of."""
    samples = np.empty((header.n_channels, header.n_samples), dtype=np.float32)
    digest, at = hashlib.md5(usedforsecurity=False), 0
    kind = "float32" if header.md5 is None else "int32"
    while True:
        block = file.read(max(_BLOCK // header.n_channels, 1), dtype=kind, always_2d=True)
        if len(block) == 0:
            break
        if header.md5 is not None:
            digest.update(_as_stored(block, header.bits))
            block = block * np.float32(2.0**-31)
        samples[:, at : at + len(block)] = block.T
        at += len(block)
    if at != header.n_samples:
        raise FormatError(f"{path}: expected {header.n_samples} samples, got {at}; it is cut short.")
    if header.md5 is not None and digest.digest() != header.md5:
        raise FormatError(
            f"{path}: expected samples with the MD5 {header.md5.hex()}, got {digest.hexdigest()}. "
            "The file is damaged; fetch it again."
        )
    return samples


def _as_stored(block: np.ndarray, bits: int) -> bytes:
    """Return left-justified 32-bit samples as the little-endian bytes of their own width."""
    n_bytes = bits // 8
    return block.astype("<i4").view(np.uint8).reshape(-1, 4)[:, 4 - n_bytes :].tobytes()


def _soundfile() -> ModuleType:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package without its C library
        raise ExtraError(
            "reading audio needs soundfile, which is not installed. Install it with: pip install 'vicinal[audio]'"
        ) from error
    return soundfile  # type: ignore[no-any-return]
