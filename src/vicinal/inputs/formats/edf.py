"""Read a recording from an EDF, EDF+, BDF or BDF+ file, decoded with NumPy after its header has been checked.

Channels bear the file's labels; annotations become events. Who was recorded, and when, is not read. Must not know data
sets.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from vicinal.errors import FormatError
from vicinal.inputs.formats.arrays import MAX_BYTES
from vicinal.inputs.formats.edf_annotations import annotations_in, record_onset
from vicinal.inputs.formats.edf_header import ANNOTATIONS, EdfHeader, EdfSignal, read_header
from vicinal.inputs.formats.stated import Stated
from vicinal.signal import Events, Signal

__all__ = ["read_edf"]

_BLOCK_BYTES = 1 << 20
_Bytes = UInt8[np.ndarray, "records bytes"]


def read_edf(path: Path, stated: Stated) -> Signal:
    """Read one recording; channels of one rate, which `channels` chooses where the file has several rates.

    Raises:  FormatError: when header and size of the file do not agree, rates differ, records leave gaps, an
             annotation is outside the recording, or a unit is neither in the file nor stated.
    """
    header = read_header(path)
    n_records = _n_records(header, path)
    chosen = _chosen(header, path, stated)
    rate_hz = header.signals[chosen[0]].n_samples / header.record_s
    with path.open("rb") as stream:
        samples = _decoded(stream, header, n_records, chosen, path)
        events = _events(stream, header, n_records, (rate_hz, samples.shape[1]), path)
    signals = [header.signals[k] for k in chosen]
    return Signal(
        samples=samples,
        channels=tuple(signal.label for signal in signals),
        units=tuple(stated.unit_or(one.unit or None, where=f"{path}, {one.label}") for one in signals),
        rate_hz=stated.rate_or(rate_hz, where=str(path)),
        id=path.stem,
        events=events,
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
    stream: BinaryIO, header: EdfHeader, n_records: int, chosen: list[int], path: Path
) -> Float32[np.ndarray, "channels time"]:
    """Return the samples of the chosen signals in physical units."""
    n_samples = n_records * header.signals[chosen[0]].n_samples
    if len(chosen) * n_samples * 4 > MAX_BYTES:
        raise FormatError(f"{path}: expected at most {MAX_BYTES} bytes of samples. Give fewer channels.")
    samples = np.empty((len(chosen), n_samples), dtype=np.float32)
    many = header.record_bytes <= _BLOCK_BYTES
    for row, at, data in (_blocks if many else _parts)(stream, header, n_records, chosen):
        values = _physical(_digital(data, header.width), header.signals[chosen[row]])
        samples[row, at : at + values.size] = values.ravel()
    return samples


def _blocks(
    stream: BinaryIO, header: EdfHeader, n_records: int, chosen: list[int]
) -> Iterator[tuple[int, int, _Bytes]]:
    """Yield row, first sample and bytes of each chosen signal, from as many records at a time as a block holds."""
    starts, per_block = _starts(header), _BLOCK_BYTES // header.record_bytes
    stream.seek(header.n_bytes)
    for first in range(0, n_records, per_block):
        data = stream.read(min(per_block, n_records - first) * header.record_bytes)
        block = np.frombuffer(data, dtype=np.uint8).reshape(-1, header.record_bytes)
        for row, k in enumerate(chosen):
            yield row, first * header.signals[k].n_samples, block[:, starts[k] : starts[k + 1]]


def _parts(
    stream: BinaryIO, header: EdfHeader, n_records: int, chosen: list[int]
) -> Iterator[tuple[int, int, _Bytes]]:
    """Yield the same from records that are larger than a block, such as one that holds the whole recording."""
    starts, per_part = _starts(header), _BLOCK_BYTES // header.width
    for record, (row, k) in itertools.product(range(n_records), enumerate(chosen)):
        n_each = header.signals[k].n_samples
        stream.seek(header.n_bytes + record * header.record_bytes + starts[k])
        for at in range(0, n_each, per_part):
            data = stream.read(min(per_part, n_each - at) * header.width)
            yield row, record * n_each + at, np.frombuffer(data, dtype=np.uint8)[None]


def _starts(header: EdfHeader) -> list[int]:
    """Return where in a record each signal begins, in bytes, and where the last one ends."""
    return list(itertools.accumulate((header.width * one.n_samples for one in header.signals), initial=0))


def _digital(block: _Bytes, width: int) -> Float64[np.ndarray, "records samples"]:
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
    stream: BinaryIO, header: EdfHeader, n_records: int, timing: tuple[float, int], path: Path
) -> Events | None:
    """Return the annotations of all records, whose first annotation signal says when each begins."""
    rate_hz, n_samples = timing
    notes = [k for k, one in enumerate(header.signals) if one.label in ANNOTATIONS]
    if not notes:
        if not header.gapless:
            raise FormatError(f"{path}: the records may have gaps, and no annotations say where.")
        return None
    starts, began = _starts(header), 0.0
    found: list[tuple[float, str]] = []
    for record in range(n_records):
        where = f"{path}, record {record}"
        for k in notes:
            stream.seek(header.n_bytes + record * header.record_bytes + starts[k])
            data = stream.read(starts[k + 1] - starts[k])
            if k == notes[0]:
                onset = record_onset(data, where=where)
                began = onset if record == 0 else began
                _check_onset(onset, began + record * header.record_s, rate_hz, where)
            found += [(at - began, text) for at, text in annotations_in(data, where=where)]
    found.sort(key=lambda pair: pair[0])
    positions = np.rint(np.array([at for at, _ in found]) * rate_hz).astype(np.int64)
    outside = np.flatnonzero((positions < 0) | (positions > n_samples))
    if len(outside):
        raise FormatError(
            f"{path}: expected annotations within 0 to {n_samples / rate_hz:g} s of the first sample, "
            f"got one at {found[outside[0]][0]:g} s."
        )
    # "The end" is a moment after the last sample; it is told of that sample.
    return Events(np.minimum(positions, n_samples - 1), tuple(text for _, text in found))


def _check_onset(onset: float, expected: float, rate_hz: float, where: str) -> None:
    if abs(onset - expected) * rate_hz > 0.5:
        raise FormatError(
            f"{where}: expected records that follow each other, it begins at {onset:.9g} s instead of "
            f"{expected:.9g} s. Cut the recording at its gaps."
        )
