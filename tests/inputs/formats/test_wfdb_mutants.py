"""Mutants of a good record: header, signal files and annotations, one of them mutated at a time.

What is accepted is computed again here, value by value, from the mutant's own bytes.
"""

import struct

import numpy as np
import pytest
from tests.inputs.formats.mutants import answers, mutants
from tests.inputs.formats.wfdb_writer import packed, record, sound

from vicinal.inputs.formats.reading import read
from vicinal.inputs.formats.wfdb_annotations import SYMBOLS

N = 60
VALUES = np.random.default_rng(0).integers(-400, 400, (N, 2))


def word(code, value):
    return (code << 10 | value).to_bytes(2, "little")


MARKS = (
    b"".join(word(1 + k % 13, 1 + k % 4) for k in range(12))
    + word(28, 2) + word(63, 5) + b"(AFIB\0"
    + word(59, 0) + b"\0\0\3\0" + word(1, 0) + word(61, 1) + word(62, 1) + word(5, 4) + b"\0\0"
)  # fmt: skip


def good(folder, storage):
    """A record with checksums, first values and events; returns its files."""
    sums = [int(VALUES[:, k].sum()) % 65536 for k in range(2)]
    lines = [f"r.dat {storage} {200 + k}({k})/mV 12 0 {VALUES[0, k]} {sums[k]} 0 lead{k}" for k in range(2)]
    header = record(folder, lines, n=f"{N} 10:00:00 01/02/2020")
    (folder / "r.atr").write_bytes(MARKS)
    if storage == "516":
        sound(folder / "r.dat", VALUES, bits=16)
    else:
        (folder / "r.dat").write_bytes(packed(storage, VALUES.reshape(-1)))
    return header


def value_of(storage, data, k):
    """Value number `k` of a signal file."""
    if storage == "16":
        return struct.unpack_from("<h", data, 2 * k)[0]
    low, middle, high = (*data[k // 2 * 3 : k // 2 * 3 + 3], 0)[:3]
    value = high | middle >> 4 << 8 if k % 2 else low | (middle & 15) << 8
    return value - 4096 if value >= 2048 else value


def decoded(header):
    try:
        text = header.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = header.decode("latin-1")
    return text


def misread_signal(header, data, signal):
    """Compute a record again from the text of its header and the bytes of its one signal file, format 16 or 212."""
    text = decoded(header).replace("\r\n", "\n").replace("\r", "\n")
    lines = [line.split() for line in text.split("\n") if line.strip() and not line.strip().startswith("#")]
    if len(lines) - 1 != int(lines[0][1]) or len(signal.channels) != len(lines) - 1:
        return "the number of signals"
    rate = float(lines[0][2].partition("/")[0])
    width, spread, storages = 0, [], set()
    for fields in lines[1:]:
        rest, _, offset = fields[1].partition("+")
        rest, _, skew = rest.partition(":")
        storage, _, per_frame = rest.partition("x")
        spread.append((int(per_frame or 1), int(skew or 0), int(offset or 0), width))
        width += int(per_frame or 1)
        storages.add(storage)
    if len(storages) != 1 or len({offset for _, _, offset, _ in spread}) != 1:
        return "formats or offsets that differ"
    storage, offset = storages.pop(), spread[0][2]
    if storage not in ("16", "212"):
        return None  # other bytes mean other values; sizes and checksums are held by the table of bad inputs
    body = data[offset:]
    n_values = len(body) // 2 if storage == "16" else len(body) * 2 // 3
    stated = int(lines[0][3]) if len(lines[0]) > 3 else 0
    n = stated or n_values // width
    if not n * width <= n_values < n * width + 4 or signal.samples.shape[1] != n * spread[0][0]:
        return f"the length: {n} of {n_values} values"
    if not np.isclose(signal.rate_hz, rate * spread[0][0]):
        return "the rate"
    least = -32768 if storage == "16" else -2048
    for row, (fields, (per_frame, skew, _, column)) in enumerate(zip(lines[1:], spread, strict=True)):
        raw = [value_of(storage, body, f * width + column + s) for f in range(n) for s in range(per_frame)]
        gain, _, units = fields[2].partition("/")
        gain, _, baseline = gain.partition("(")
        zero = int(baseline.rstrip(")")) if baseline else int(fields[4]) if len(fields) > 4 else 0
        if len(fields) > 6 and int(fields[6]) % 65536:
            if sum(raw) % 65536 != int(fields[6]) % 65536:
                return "a checksum"
            if raw[0] != int(fields[5]):
                return "a first value"
        expected = [np.nan if v == least else (v - zero) / float(gain) for v in raw[skew * per_frame :]]
        expected += [np.nan] * (skew * per_frame)
        if not np.array_equal(signal.samples[row], np.array(expected, np.float32), equal_nan=True):
            return f"the samples of signal {row}"
        if signal.units[row] != (units or "mV"):
            return "a unit"
    return None


def misread_events(data, signal):
    """Decode the annotations again, word by word."""
    at, time, found, n = 0, 0, [], signal.samples.shape[1]
    while True:
        if at + 2 > len(data):
            return "no end mark"
        code, value = data[at + 1] >> 2, data[at] | (data[at + 1] & 3) << 8
        at += 2
        if code == 0 and value == 0:
            break
        if code == 59:
            high, low = struct.unpack_from("<HH", data, at)
            time += high << 16 | low if high < 1 << 15 else (high << 16 | low) - (1 << 32)
            at += 4
        elif code == 63:
            at += value + value % 2
        elif code <= 49:
            time += value
            if code:
                found.append((time, SYMBOLS.get(code)))
    times = [time for time, _ in found]
    if any(data[at:]) or times != sorted(times) or times[-1:] >= [n] or times[:1] < [0] * len(times[:1]):
        return "events that cannot be"
    if list(zip(signal.events.positions.tolist(), signal.events.symbols, strict=True)) != found:
        return "the events"
    return None


def misread_flac(header, signal):
    """The values that came out must have the checksums and first values in the header, as they were written."""
    digital = np.rint(signal.samples.astype(np.float64) * [[200], [201]] + [[0], [1]])
    if digital.shape != (2, N):
        return "the length"
    sums = [int(line.split()[6]) for line in header.decode().splitlines()[1:]]
    same = np.nan_to_num(digital, nan=-32768).sum(axis=1) % 65536 == np.array(sums) % 65536
    return None if same.all() and (digital[:, 0] == VALUES[0]).all() else "a checksum"


CASES = [
    ("16", "r.hea"),
    ("212", "r.hea"),
    ("16", "r.dat"),
    ("212", "r.dat"),
    ("516", "r.dat"),
    ("16", "r.atr"),
]
CASE = pytest.mark.parametrize(("storage", "name"), CASES, ids=[f"{name[2:]}-{s}" for s, name in CASES])


def try_mutants(folder, storage, name, *, n, seed):
    header = good(folder, storage)
    files = {suffix: header.with_suffix(suffix).read_bytes() for suffix in (".hea", ".dat", ".atr")}

    def misread(signal):
        if storage == "516":
            problem = misread_flac(files[".hea"], signal)
        else:
            problem = misread_signal(files[".hea"], files[".dat"], signal)
        # The events of a record with another number of samples a frame count other positions.
        return problem or (misread_events(files[".atr"], signal) if name != "r.hea" else None)

    assert answers(lambda: read(header), names="r.", misread=misread) is not None
    path, original = folder / name, files[f".{name[2:]}"]
    accepted = 0
    for mutant in mutants(original, n=n, seed=seed, header=42 if storage == "516" else None):
        path.write_bytes(mutant)
        files[f".{name[2:]}"] = mutant
        accepted += answers(lambda: read(header), names="r.", misread=misread) is not None
    return accepted / n


@CASE
def test_mutants_are_read_rightly_or_refused(tmp_path, storage, name):
    assert try_mutants(tmp_path, storage, name, n=200, seed=1) < 0.9


@pytest.mark.prove
@CASE
def test_ten_thousand_mutants_are_read_rightly_or_refused(tmp_path, storage, name):
    assert try_mutants(tmp_path, storage, name, n=10_000, seed=2) < 0.9
