"""The samples in a WAV or FLAC file, block by block, held to a header that has been checked.

The one module that imports `soundfile`, on first use. What FLAC says about its samples, their MD5 sum, is
compared with what came out. Must not know recordings, units or full scale.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
from jaxtyping import Int32, Num

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.audio_header import AudioHeader

__all__ = ["sound_blocks"]


def sound_blocks(
    path: Path, header: AudioHeader, *, size: int, kind: Literal["int32", "float32"]
) -> Iterator[Num[np.ndarray, "samples channels"]]:
    """Yield the samples of a file from the first, `size` at a time for each channel.

    Args:    kind: "int32": whole numbers, moved to the top of 32 bits whatever they were stored in;
             "float32": shares of full scale, whose MD5 sum cannot be taken.
    Raises:  FormatError: when the file ends early, cannot be decoded, or contradicts the header.
             ExtraError: without soundfile.
    """
    soundfile = _soundfile()
    digest, n = hashlib.md5(usedforsecurity=False), 0
    checked = header.md5 if kind == "int32" else None
    try:
        # The stream is ours: the library guesses the format of some names by their suffix.
        with path.open("rb") as stream, soundfile.SoundFile(stream) as file:
            found = (file.samplerate, file.channels, file.frames)
            if found != (header.rate_hz, header.n_channels, header.n_samples):
                raise FormatError(
                    f"{path}: expected {header.rate_hz} Hz, {header.n_channels} channels and {header.n_samples} "
                    f"samples as the header says, the soundfile library finds {found}."
                )
            while len(block := file.read(size, dtype=kind, always_2d=True)):
                n += len(block)
                if checked:
                    digest.update(_as_stored(block, header.bits))
                yield block
    except soundfile.SoundFileError as error:
        raise FormatError(f"{path}: the soundfile library cannot read it: {error}") from error
    if n != header.n_samples:
        raise FormatError(f"{path}: expected {header.n_samples} samples, got {n}; it is cut short.")
    if checked and digest.digest() != checked:
        raise FormatError(
            f"{path}: expected samples with the MD5 {checked.hex()}, got {digest.hexdigest()}. "
            "The file is damaged; fetch it again."
        )


def _as_stored(block: Int32[np.ndarray, "samples channels"], bits: int) -> bytes:
    """Return left-justified 32-bit samples as the little-endian bytes of their own width."""
    return block.astype("<i4").view(np.uint8).reshape(-1, 4)[:, 4 - bits // 8 :].tobytes()


def _soundfile() -> ModuleType:
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: the package without its C library
        raise ExtraError(
            "reading audio needs soundfile, which is not installed. Install it with: pip install 'vicinal[audio]'"
        ) from error
    return soundfile  # type: ignore[no-any-return]
