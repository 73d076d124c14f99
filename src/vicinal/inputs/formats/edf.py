"""Read a recording from an EDF, EDF+, BDF or BDF+ file, decoded with NumPy after its header has been checked.

Channels bear the file's labels; annotations become events. Who was recorded, and when, is not read. Must not know data
sets.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import MAX_BYTES
from vicinal.inputs.formats.edf_annotations import annotations_in, record_onset
from vicinal.inputs.formats.edf_header import ANNOTATIONS, EdfHeader, EdfSignal, read_header
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Events, Signal

__all__ = ["read_edf"]

_BLOCK_BYTES = 1 << 22
_TOLERANCE_S = 1e-3


def read_edf(path: Path, stated: Stated) -> Signal:
    """Read one recording; channels of one rate, which `channels` chooses where the file has several rates.

    Raises:  FormatError: when header and size of the file do not agree, rates differ, records leave gaps, an
             annotation is outside the recording, or a unit is neither in the file nor stated.
    """
    header = read_header(path)
    n_records = _n_records(header, path)
    chosen = _chosen(header, path, stated)
    rate_hz = header.signals[chosen[0]].n_samples / header.record_s
    samples, annotated = _decoded(header, n_records, chosen, path)
    signals = [header.signals[k] for k in chosen]
    return Signal(
        samples=samples,
        channels=tuple(signal.label for signal in signals),
        units=tuple(stated.unit_or(one.unit or None, where=f"{path}, {one.label}") for one in signals),
        rate_hz=stated.rate_or(rate_hz, where=str(path)),
        id=path.stem,
        events=_events(header, annotated, rate_hz, samples.shape[1], path),
        source=str(path),
    )


def _n_records(header: EdfHeader, path: Path) -> int:
    available = path.stat().st_size - header.n_bytes
    found, rest = divmod(available, header.record_bytes)
    if rest or found < 1 or header.n_records not in (None, found):
        declared = "an unknown number of" if header.n_records is None else header.n_records
        raise FormatError(
            f"{path}: expected {declared} records of {header.record_bytes} bytes after the header, got {available} "
            "bytes. The header or the file is damaged."
        )
    return found


def _chosen(header: EdfHeader, path: Path, stated: Stated) -> list[int]:
    """Return the numbers of the signals to read: all but annotations, or those whose labels are stated."""
    found = [k for k, one in enumerate(header.signals) if one.label not in ANNOTATIONS]
    if stated.channels is not None:
        found = [k for k in found if header.signals[k].label in stated.channels] or found
    rates = {header.signals[k].n_samples / header.record_s for k in found}
    if len(rates) > 1:
        shown = ", ".join(
            f"{header.signals[k].label} {header.signals[k].n_samples / header.record_s:g} Hz" for k in found
        )
        raise FormatError(
            f"{path}: expected channels of one rate, got {shown[:400]}. Give channels of one rate."
        )
    if not found:
        raise FormatError(f"{path}: expected signals, the file holds annotations only.")
    return found


def _decoded(
    header: EdfHeader, n_records: int, chosen: list[int], path: Path
) -> tuple[Float32[np.ndarray, "channels time"], list[list[bytes]]]:
    """Return the samples in physical units, and the bytes of each record's annotation signals."""
    n_each = header.signals[chosen[0]].n_samples
    if len(chosen) * n_each * n_records * 4 > MAX_BYTES:
        raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes of samples. Give fewer channels.")
    samples = np.empty((len(chosen), n_records * n_each), dtype=np.float32)
    starts = np.cumsum([0, *(header.width * one.n_samples for one in header.signals)])
    notes = [k for k, one in enumerate(header.signals) if one.label in ANNOTATIONS]
    annotated: list[list[bytes]] = []
    per_block = max(1, _BLOCK_BYTES // header.record_bytes)
    with path.open("rb") as stream:
        stream.seek(header.n_bytes)
        for first in range(0, n_records, per_block):
            n = min(per_block, n_records - first)
            block = np.frombuffer(stream.read(n * header.record_bytes), dtype=np.uint8).reshape(n, -1)
            for row, k in enumerate(chosen):
                values = _digital(block[:, starts[k] : starts[k + 1]], header.width)
                samples[row, first * n_each : (first + n) * n_each] = _physical(
                    values, header.signals[k]
                ).ravel()
            annotated += [[line[starts[k] : starts[k + 1]].tobytes() for k in notes] for line in block]
    return samples, annotated


def _digital(block: UInt8[np.ndarray, "records bytes"], width: int) -> Float64[np.ndarray, "records samples"]:
    if width == 2:
        return np.ascontiguousarray(block).view("<i2").astype(np.float64)
    parts = block.reshape(len(block), -1, 3).astype(np.int32)
    values = parts[..., 0] | (parts[..., 1] << 8) | (parts[..., 2] << 16)
    return np.where(values >= 1 << 23, values - (1 << 24), values).astype(np.float64)


def _physical(
    values: Float64[np.ndarray, "records samples"], one: EdfSignal
) -> Float64[np.ndarray, "records samples"]:
    gain = (one.high - one.low) / (one.digital_high - one.digital_low)
    return np.asarray(one.low + (values - one.digital_low) * gain)


def _events(
    header: EdfHeader, annotated: list[list[bytes]], rate_hz: float, n_samples: int, path: Path
) -> Events | None:
    if not annotated or not annotated[0]:
        if not header.gapless:
            raise FormatError(f"{path}: the records may have gaps, and no annotations say where.")
        return None
    onsets = [record_onset(one[0], where=f"{path}, record {k}") for k, one in enumerate(annotated)]
    expected = onsets[0] + header.record_s * np.arange(len(onsets))
    gaps = np.flatnonzero(np.abs(np.array(onsets) - expected) > _TOLERANCE_S)
    if len(gaps):
        raise FormatError(
            f"{path}: expected records that follow each other, record {gaps[0]} begins at {onsets[gaps[0]]:g} s "
            f"instead of {expected[gaps[0]]:g} s. Cut the recording at its gaps."
        )
    found = [
        (onset - onsets[0], text)
        for k, one in enumerate(annotated)
        for data in one
        for onset, text in annotations_in(data, where=f"{path}, record {k}")
    ]
    found.sort(key=lambda pair: pair[0])
    positions = np.rint(np.array([onset for onset, _ in found]) * rate_hz).astype(np.int64)
    if len(positions) and not (positions[0] >= 0 and positions[-1] < n_samples + rate_hz):
        raise FormatError(f"{path}: expected annotations within the recording, got one outside.")
    return Events(np.minimum(positions, n_samples - 1), tuple(text for _, text in found))
