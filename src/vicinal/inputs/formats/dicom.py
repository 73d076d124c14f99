"""Read a recording from a DICOM waveform, such as a 12-lead ECG.

The one module that imports `pydicom`, on first use. Only the waveform is read: nothing of whom it was taken from.
Source: DICOM PS3.3, section C.10.9 (waveform module). Must not know data sets.
"""

import contextlib
import logging
import math
import re
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.dicom_structure import check_structure
from vicinal.inputs.formats.rowfile import RowFile
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Signal

__all__ = ["open_dicom", "read_dicom"]

_MAX_BYTES = 1 << 30
_MAX_CHANNELS = 4096
_MAX_RATE_HZ = 1e6
_BLOCK = 1 << 16
"""Samples of each channel that are scaled at a time."""
_TYPES = {
    (8, "SB"): "i1",
    (8, "UB"): "u1",
    (16, "SS"): "i2",
    (16, "US"): "u2",
    (32, "SL"): "i4",
    (32, "UL"): "u4",
}
_UNITS = {"uV": "uV", "mV": "mV", "V": "V", "microvolt": "uV", "millivolt": "mV", "volt": "V"}
_LEAD = re.compile(r"(?:Lead )?([^\s,()]+)(?=$|,| \()")
"""One word, before a comma or a bracket: a meaning of several words is kept whole."""
_DAMAGED = (
    OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError, RecursionError,
    OverflowError, ArithmeticError, MemoryError, Warning, struct.error,
)  # fmt: skip
"""What pydicom raises for content it cannot make sense of, and the warnings it would go on after."""


def read_dicom(path: Path, stated: Stated) -> Signal:
    """Read the one multiplex group: channels by the meaning of their source ("Lead II" is "II"), in their own units.

    Raises:  FormatError: when it holds no waveform or several groups, counts and bytes do not agree, or sensitivity
             or unit are missing.
             ExtraError: without pydicom.
    """
    groups = _groups(path)
    if len(groups) > 1:
        rates = ", ".join(
            f"{index}: {one.get('SamplingFrequency', '?')} Hz" for index, one in enumerate(groups)
        )
        raise FormatError(f"{path}: expected one group of channels, got {len(groups)} ({rates}). Give row.")
    return _read(groups[0], path, stated)


def open_dicom(path: Path, stated: Stated) -> RowFile:
    """Open a file whose multiplex groups are its rows, such as a rhythm strip and averaged beats of other rates.

    Raises:  as `read_dicom`, but for the number of groups.
    """
    groups = _groups(path)
    return RowFile(len(groups), lambda row: _read(groups[row], path, stated))


def _read(group: Any, path: Path, stated: Stated) -> Signal:
    try:
        with _quiet():
            return _signal(group, path, stated)
    except FormatError:
        raise
    except _damaged() as error:
        raise FormatError(f"{path}: the waveform cannot be read: {_said(error)}.") from error


def _groups(path: Path) -> list[Any]:
    if path.stat().st_size > _MAX_BYTES:
        raise FormatError(f"{path}: expected at most {_MAX_BYTES} bytes, got {path.stat().st_size}.")
    check_structure(path)
    try:
        import pydicom
    except ImportError as error:
        raise ExtraError("DICOM files need pydicom. Install it with: pip install 'vicinal[dicom]'") from error
    try:
        with _quiet():
            data = pydicom.dcmread(path, specific_tags=["SOPClassUID", "WaveformSequence"])
            groups = list(data.get("WaveformSequence") or [])
            if not groups:
                kind = str(getattr(data.get("SOPClassUID"), "name", "something else"))
                raise FormatError(f"{path}: expected a waveform such as an ECG, got {kind[:60]}.")
            return groups
    except FormatError:
        raise
    except _damaged() as error:
        raise FormatError(f"{path}: pydicom cannot read it: {_said(error)}.") from error


def _damaged() -> tuple[type[Exception], ...]:
    """Return what pydicom raises for content it cannot make sense of."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (InvalidDicomError, BytesLengthException, *_DAMAGED)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Make the library's warnings errors, and keep what it would log, which may quote a patient's data."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        logger.setLevel(level)


def _signal(group: Any, path: Path, stated: Stated) -> Signal:
    n_channels, n_samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    rate_hz = float(group.SamplingFrequency)
    bits, kind = int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation)
    definitions = list(group.ChannelDefinitionSequence)
    data = bytes(group.WaveformData)
    problems = []
    if not 0 < n_channels <= _MAX_CHANNELS or len(definitions) != n_channels:
        problems.append(
            f"expected as many channel definitions as channels, got {len(definitions)} for {n_channels}"
        )
    if not 0 < rate_hz <= _MAX_RATE_HZ:
        problems.append(f"SamplingFrequency: expected more than 0 Hz, got {rate_hz:g}")
    if (bits, kind) not in _TYPES:
        problems.append(f"expected samples of 8, 16 or 32 bits, got {bits} bits of kind {kind[:8]!r}")
    expected = n_channels * n_samples * bits // 8
    if n_samples < 1 or len(data) not in (expected, expected + expected % 2):
        problems.append(f"expected {n_channels} x {n_samples} samples in {expected} bytes, got {len(data)}")
    if problems:
        raise FormatError(f"{path}: " + "; ".join(problems) + ".")
    raw = np.frombuffer(data[:expected], dtype="<" + _TYPES[bits, kind]).reshape(n_samples, n_channels)
    names = [_name(one, k) for k, one in enumerate(definitions)]
    found = [_scale(one, f"{path}, channel {name}") for one, name in zip(definitions, names, strict=True)]
    samples = np.empty((n_channels, n_samples), dtype=np.float32)
    for at in range(0, n_samples, _BLOCK):
        part = raw[at : at + _BLOCK].T
        for row, (sensitivity, baseline, _) in enumerate(found):
            samples[row, at : at + _BLOCK] = part[row] * sensitivity + baseline
        samples[:, at : at + _BLOCK][_is_padding(part, group)] = np.nan
    return Signal(
        samples=samples,
        channels=tuple(names),
        units=tuple(
            stated.unit_or(unit, where=f"{path}, {name}")
            for (*_, unit), name in zip(found, names, strict=True)
        ),
        rate_hz=stated.rate_or(rate_hz, where=str(path)),
        id=path.stem,
        source=str(path),
    )


def _is_padding(part: Shaped[np.ndarray, "channels time"], group: Any) -> Bool[np.ndarray, "channels time"]:
    """Return where the samples are what the file says is padding."""
    value = group.get("WaveformPaddingValue")
    if value is None:
        return np.zeros(part.shape, dtype=np.bool_)
    if isinstance(value, bytes):
        value = np.frombuffer(value[: part.itemsize], dtype=part.dtype)
    return np.asarray(part == value)


def _name(definition: Any, k: int) -> str:
    """Return the channel's name: of the standard's meanings ("Lead I", "aVR, augmented voltage, right"), the lead's."""
    sources = definition.get("ChannelSourceSequence") or []
    meaning = str(sources[0].get("CodeMeaning", "")).strip() if len(sources) else ""
    lead = _LEAD.match(meaning)
    return (lead[1] if lead else meaning) or str(definition.get("ChannelLabel") or "").strip() or str(k)


def _scale(definition: Any, where: str) -> tuple[float, float, str]:
    """Return (physical units per digital step, baseline, unit): physical = digital * sensitivity + baseline."""
    sensitivity = float(definition.get("ChannelSensitivity") or 0.0)
    correction = float(definition.get("ChannelSensitivityCorrectionFactor") or 1.0)
    baseline = float(definition.get("ChannelBaseline") or 0.0)
    units = definition.get("ChannelSensitivityUnitsSequence") or []
    code = str(units[0].get("CodeValue", "")) if len(units) else ""
    if not all(map(math.isfinite, (sensitivity, correction, baseline))) or sensitivity * correction == 0:
        raise FormatError(
            f"{where}: ChannelSensitivity: expected a number that is not 0, got {sensitivity:g}."
        )
    if not code:
        raise FormatError(f"{where}: expected the unit of ChannelSensitivity; it is never guessed.")
    return sensitivity * correction, baseline, _UNITS.get(code, code)


def _said(error: BaseException) -> str:
    # What a library says may quote the file's content; a short beginning is enough to find the field.
    return f"{type(error).__name__}: {str(error)[:100]}".replace("\n", " ")
