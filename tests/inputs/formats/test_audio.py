"""Sound is written by the soundfile library, or by hand where a byte must be wrong."""

import hashlib
import io
import struct
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.reading import read

PCM = np.array([[0, 16384], [-32768, 32767], [1, -1]], dtype=np.int16)  # (time, channels)


def sound(kind, samples, *, subtype, rate=8000):
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def write(folder, raw, name="r.wav"):
    (folder / name).write_bytes(raw)
    return folder / name


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_samples_are_shares_of_full_scale(tmp_path, kind):
    signal = read(write(tmp_path, sound(kind, PCM, subtype="PCM_16"), f"r.{kind.lower()}"))
    assert signal.samples.tolist() == [[0, -1, 2**-15], [0.5, 1 - 2**-15, -(2**-15)]]
    assert (signal.axes, signal.channels, signal.units) == (("time",), ("0", "1"), ("1", "1"))
    assert (signal.rate_hz, signal.id, signal.subject) == (8000.0, "r", None)


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        *(
            ("WAV", name)
            for name in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
        ),
        ("WAVEX", "PCM_24"),
        *(("FLAC", name) for name in ("PCM_S8", "PCM_16", "PCM_24")),
    ],
)
def test_every_width_equals_what_the_library_decodes(tmp_path, kind, subtype):
    samples = np.random.default_rng(0).uniform(-0.9, 0.9, (1000, 3))
    path = write(
        tmp_path, sound(kind, samples, subtype=subtype), f"r.{kind.lower()[: 3 if kind != 'FLAC' else 4]}"
    )
    expected = soundfile.read(path, dtype="float32")[0].T
    np.testing.assert_array_equal(read(path).samples, expected)
    assert np.abs(expected - samples.T).max() < 0.05  # the widths are really those of these samples


def test_what_is_stated_must_agree_and_channels_are_chosen_by_number(tmp_path):
    path = write(tmp_path, sound("WAV", PCM, subtype="PCM_16"))
    assert read(path, channels=["1"], rate_hz=8000.0, units="1").samples.tolist() == [
        [0.5, 1 - 2**-15, -(2**-15)]
    ]
    with pytest.raises(FormatError, match="expected 16000 Hz as stated, the file says 8000 Hz"):
        read(path, rate_hz=16000.0)
    with pytest.raises(FormatError, match="expected 'mV' as stated, the file says '1'"):
        read(path, units="mV")


def test_missing_samples_stay_missing_and_infinity_is_refused(tmp_path):
    samples = np.array([0.5, np.nan, -1.5], dtype=np.float32)
    raw = sound("WAV", samples, subtype="FLOAT")
    np.testing.assert_array_equal(read(write(tmp_path, raw)).samples, samples[None])
    raw = raw.replace(struct.pack("<f", np.nan), struct.pack("<f", np.inf))
    with pytest.raises(FormatError, match=r"r\.wav: expected finite samples"):
        read(write(tmp_path, raw))


def flac_with(raw, *, total=None, md5=None):
    data = bytearray(raw)
    if total is not None:
        data[22:26] = struct.pack(">I", total)
    if md5 is not None:
        data[26:42] = md5
    return bytes(data)


NOISE = np.random.default_rng(0).integers(-3000, 3000, (9000, 2), dtype=np.int16)
FLAC = sound("FLAC", NOISE, subtype="PCM_16")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(flac_with(FLAC, total=8999), "expected samples with the MD5", id="150-count-too-small"),
        pytest.param(flac_with(FLAC, total=9001), "cut short|cannot read it", id="150-count-too-large"),
        pytest.param(
            flac_with(FLAC, total=9001, md5=bytes(16)), "cut short|cannot read it", id="150-without-md5"
        ),
        pytest.param(flac_with(FLAC, md5=b"5" * 16), "expected samples with the MD5 3535", id="wrong-md5"),
        pytest.param(FLAC[:20000], "cannot read it|cut short", id="cut"),
    ],
)
def test_a_flac_file_whose_samples_are_not_those_it_promises_is_refused(tmp_path, raw, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, raw, "r.flac"))
    assert "r.flac" in str(caught.value)


def test_a_suffix_that_is_not_the_contents_is_refused(tmp_path):
    with pytest.raises(FormatError, match="expected a file that begins with fLaC"):
        read(write(tmp_path, sound("WAV", PCM, subtype="PCM_16"), "r.flac"))


def test_memory_stays_within_three_times_the_samples(tmp_path):
    samples = np.random.default_rng(0).integers(-3000, 3000, (1 << 21, 2), dtype=np.int16)
    path = write(tmp_path, sound("FLAC", samples, subtype="PCM_16"), "r.flac")
    read(path)
    tracemalloc.start()
    signal = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.6 * signal.samples.nbytes + (8 << 20)


def test_without_the_library_the_message_names_the_extra(tmp_path, monkeypatch):
    path = write(tmp_path, sound("WAV", PCM, subtype="PCM_16"))
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ExtraError, match=r"pip install 'vicinal\[audio\]'"):
        read(path)


GOOD = {
    ".wav": sound("WAV", NOISE[:500], subtype="PCM_16"),
    ".flac": sound("FLAC", NOISE[:500], subtype="PCM_16"),
}


def misread(mutant, suffix):
    """Return a function that compares a signal with the counts and sums in the mutant's own bytes."""

    def wav(signal):
        fields = mutant[mutant.index(b"fmt ") + 8 :]
        rate, rate_bytes, align, bits = struct.unpack_from("<IIHH", fields, 4)
        data = mutant.index(b"data")
        length = struct.unpack_from("<I", mutant, data + 4)[0]
        if signal.rate_hz != rate or rate * align != rate_bytes:
            return "the rate"
        if abs(struct.unpack_from("<I", mutant, 4)[0] + 8 - len(mutant)) > 1 or data + 8 + length > len(
            mutant
        ):
            return "the length"
        if signal.samples.size * bits // 8 != length:
            return "the count"
        if bits == 16 and fields[0] in (1, 0xFE):
            expected = np.frombuffer(mutant, "<i2", length // 2, data + 8).reshape(-1, len(signal.channels)).T
            return None if (signal.samples * 32768 == expected).all() else "the samples"
        return None

    def flac(signal):
        at = 8
        packed = int.from_bytes(mutant[at + 10 : at + 18], "big")
        if (signal.rate_hz, signal.n_positions) != (packed >> 44, packed & (1 << 36) - 1):
            return "rate or count"
        stored = np.round(signal.samples.T * 32768).astype("<i2").tobytes()
        stated = mutant[at + 18 : at + 34]
        return None if stated in (bytes(16), hashlib.md5(stored).digest()) else "the MD5"

    return wav if suffix == ".wav" else flac


def check_mutants(folder, suffix, *, n, seed):
    n_read = 0
    for mutant in mutants(GOOD[suffix], n=n, seed=seed, header=60):
        path = write(folder, mutant, f"r{suffix}")
        n_read += (
            answers(lambda path=path: read(path), names=path.name, misread=misread(mutant, suffix))
            is not None
        )
    return n_read


@pytest.mark.parametrize("suffix", GOOD)
def test_mutants_are_refused_or_read_as_they_say(tmp_path, suffix):
    assert 0 < check_mutants(tmp_path, suffix, n=150, seed=1) < 100


@pytest.mark.prove
@pytest.mark.parametrize("suffix", GOOD)
def test_ten_thousand_mutants_are_refused_or_read_as_they_say(tmp_path, suffix):
    assert check_mutants(tmp_path, suffix, n=10_000, seed=2) > 0
