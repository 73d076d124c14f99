"""Files are written by edfio, an independent library, or by hand where a byte must be wrong."""

import functools
import tracemalloc

import edfio
import numpy as np
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats.reading import read

RNG = np.random.default_rng(0)


def edf(path, *, rates=(250, 250), annotations=None, kind="Edf", seconds=4, units=("uV", "mV")):
    signals = [
        getattr(edfio, f"{kind}Signal")(
            RNG.normal(size=seconds * rate).clip(-3, 3), rate, label=f"ch{k}", physical_dimension=unit,
            physical_range=(-5, 5),
        )
        for k, (rate, unit) in enumerate(zip(rates, units, strict=True))
    ]  # fmt: skip
    getattr(edfio, kind)(signals, annotations=annotations).write(path)
    return path


@pytest.mark.parametrize(("kind", "suffix", "step"), [("Edf", "edf", 10 / 65535), ("Bdf", "bdf", 10 / 2**24)])
def test_samples_are_those_that_were_written(tmp_path, kind, suffix, step):
    path = edf(tmp_path / f"r.{suffix}", kind=kind)
    signal = read(path)
    written = getattr(edfio, f"read_{kind.lower()}")(path)
    for row, one in zip(signal.samples, written.signals, strict=True):
        np.testing.assert_allclose(row, one.data, atol=step / 10)
    assert (signal.channels, signal.units, signal.rate_hz) == (("ch0", "ch1"), ("uV", "mV"), 250.0)
    assert (signal.id, signal.subject, signal.events) == ("r", None, None)


def test_annotations_become_events(tmp_path):
    notes = [
        edfio.EdfAnnotation(2.5, None, "V"),
        edfio.EdfAnnotation(0.1, 1.0, "N"),
        edfio.EdfAnnotation(2.5, None, "é"),
    ]
    signal = read(edf(tmp_path / "r.edf", annotations=notes))
    assert signal.channels == ("ch0", "ch1")
    assert signal.events.positions.tolist() == [25, 625, 625]
    assert sorted(signal.events.symbols) == ["N", "V", "é"]


def test_79_channels_of_several_rates_must_be_chosen(tmp_path):
    path = edf(tmp_path / "r.edf", rates=(250, 50))
    with pytest.raises(FormatError, match="expected channels of one rate, got ch0 250 Hz, ch1 50 Hz"):
        read(path)
    assert read(path, channels=["ch1"]).rate_hz == 50.0


def test_78_the_content_decides_between_edf_and_bdf(tmp_path):
    path = edf(tmp_path / "r.bdf", kind="Bdf")
    expected = read(path)
    path.rename(tmp_path / "r.edf")
    np.testing.assert_array_equal(read(tmp_path / "r.edf").samples, expected.samples)
    data = bytearray((tmp_path / "r.edf").read_bytes())
    data[:8] = b"0       "
    (tmp_path / "r.edf").write_bytes(data)
    with pytest.raises(FormatError, match=r"digital minimum|after the header, got"):
        read(tmp_path / "r.edf")


def test_68_an_unknown_number_of_records_is_counted(tmp_path):
    path = edf(tmp_path / "r.edf")
    expected = read(path).samples
    data = bytearray(path.read_bytes())
    data[236:244] = b"-1      "
    path.write_bytes(data)
    np.testing.assert_array_equal(read(path).samples, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda data: data + b"x", "got 4001", id="80-extra trailing bytes"),
        pytest.param(lambda data: data[:-1], "got 3999", id="cut short"),
        pytest.param(
            lambda data: data[:236] + b"99999999" + data[244:],
            "expected 99999999 records",
            id="68-too many records",
        ),
        pytest.param(
            lambda data: data[:192] + b"EDF+D" + data[197:], "no annotations say where", id="74-gaps unknown"
        ),
    ],
)
def test_a_bad_file_is_refused(tmp_path, change, message):
    path = edf(tmp_path / "r.edf")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(FormatError, match=message) as caught:
        read(path)
    assert "r.edf" in str(caught.value)


def test_74_a_gap_between_records_is_found(tmp_path):
    path = edf(tmp_path / "r.edf", annotations=[edfio.EdfAnnotation(1.0, None, "N")])
    data = path.read_bytes()
    assert b"+3\x14\x14" in data
    path.write_bytes(data.replace(b"+3\x14\x14", b"+9\x14\x14"))
    with pytest.raises(
        FormatError, match=r"record 3: expected records that follow each other, it begins at 9 s .* 3 s"
    ):
        read(path)


@pytest.mark.parametrize(
    ("onset", "refused"),
    [pytest.param(b"+3.001", False, id="below half a sample"), pytest.param(b"+3.003", True, id="above")],
)
def test_74_a_gap_begins_at_half_a_sample(tmp_path, onset, refused):
    path = edf(tmp_path / "r.edf", annotations=[edfio.EdfAnnotation(1.0, None, "N")])
    data = path.read_bytes()
    at = data.index(b"+3\x14\x14\0\0\0\0\0")
    path.write_bytes(data[:at] + onset + b"\x14\x14" + data[at + len(onset) + 2 :])
    if refused:
        with pytest.raises(FormatError, match=r"it begins at 3\.003 s instead of 3 s"):
            read(path)
    else:
        assert read(path).events.symbols == ("N",)


def test_an_annotation_at_the_end_is_of_the_last_sample_and_one_beyond_is_refused(tmp_path):
    path = edf(tmp_path / "r.edf", annotations=[edfio.EdfAnnotation(4.0, None, "end")])
    assert read(path).events.positions.tolist() == [999]
    for onset in (4.01, -0.01):
        edf(path, annotations=[edfio.EdfAnnotation(onset, None, "V")])
        with pytest.raises(
            FormatError, match=f"annotations within 0 to 4 s of the first sample, got one at {onset} s"
        ):
            read(path)


@pytest.mark.parametrize("kind", ["Edf", "Bdf"])
def test_one_record_of_any_size_is_read_in_bounded_memory(tmp_path, kind):
    path = tmp_path / f"r.{kind.lower()}"
    samples = RNG.integers(-100, 100, (2, 1 << 20)).astype(float)
    signals = [
        getattr(edfio, f"{kind}Signal")(
            row,
            1024,
            label=f"ch{k}",
            physical_dimension="uV",
            physical_range=(-100, 100),
            digital_range=(-100, 100),
        )
        for k, row in enumerate(samples)
    ]
    getattr(edfio, kind)(signals, data_record_duration=1024).write(path)
    tracemalloc.start()
    signal = read(path, channels=["ch1"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(signal.samples, samples[1:])
    assert peak < 2 * signal.samples.nbytes + (16 << 20)
    np.testing.assert_array_equal(read(path).samples, samples)


def decoded(data):
    """Decode the first signal with nothing but the standard's layout; None where another layout is meant."""
    width, n = 3 if data[:1] == b"\xff" else 2, int(data[252:256])

    def field(before, size, k=0):
        at = 256 + n * before + k * size
        return data[at : at + size]

    per_record = [int(field(216, 8, k)) for k in range(n)]
    low, high, d_low, d_high = (float(field(before, 8)) for before in (104, 112, 120, 128))
    body, record = data[256 * (n + 1) :], width * sum(per_record)
    if len(body) % record or data[236:244].strip() not in (b"-1", str(len(body) // record).encode()):
        return None
    values = [
        int.from_bytes(body[at + width * i : at + width * (i + 1)], "little", signed=True)
        for at in range(0, len(body), record)
        for i in range(per_record[0])
    ]
    rate = per_record[0] / float(data[244:252])
    return rate, low + (np.array(values) - d_low) * (high - low) / (d_high - d_low)


def misread(signal, mutant):
    expected = decoded(mutant)
    if expected is None:
        return "the count"
    rate, values = expected
    if not np.isclose(rate, signal.rate_hz, rtol=1e-9):
        return "the rate"
    return (
        None
        if np.allclose(signal.samples[0], values, rtol=1e-6, atol=1e-6 * np.abs(values).max())
        else "the samples"
    )


def survive(tmp_path, n):
    n_read = 0
    for name, kind in (("r.edf", "Edf"), ("r.bdf", "Bdf")):
        notes = [edfio.EdfAnnotation(1.0, None, "N")]
        good = edf(tmp_path / name, seconds=2, rates=(40, 40), kind=kind, annotations=notes).read_bytes()
        for mutant in mutants(good, n=n, seed=7, header=1100):
            (tmp_path / name).write_bytes(mutant)
            check = functools.partial(misread, mutant=mutant)
            n_read += answers(lambda name=name: read(tmp_path / name), names=name, misread=check) is not None
    return n_read


def test_mutants_are_refused_or_read_as_they_say(tmp_path):
    assert 0 < survive(tmp_path, 100) < 150


@pytest.mark.prove
def test_ten_thousand_mutants_each_are_refused_or_read_as_they_say(tmp_path):
    assert survive(tmp_path, 10_000) > 0
