"""Files are written by edfio, an independent library, or by hand where a byte must be wrong."""

import edfio
import numpy as np
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats.edf_header import parse_header
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
    with pytest.raises(FormatError, match=r"record 3 begins at 9 s instead of 3 s"):
        read(path)


def survive(tmp_path, n):
    for name, kind in (("r.edf", "Edf"), ("r.bdf", "Bdf")):
        notes = [edfio.EdfAnnotation(1.0, None, "N")] if kind == "Edf" else None
        good = edf(tmp_path / name, seconds=2, rates=(40, 40), kind=kind, annotations=notes).read_bytes()
        for mutant in mutants(good, n=n // 2, seed=7, header=1100):
            (tmp_path / name).write_bytes(mutant)

            def misread(signal, mutant=mutant, name=name):
                header = parse_header(mutant[: int(mutant[184:192])], where=name)
                n_records = (len(mutant) - header.n_bytes) // header.record_bytes
                expected = n_records * next(
                    one.n_samples for one in header.signals if one.label in signal.channels
                )
                return None if signal.n_positions == expected else "the count"

            answers(lambda name=name: read(tmp_path / name, units=None), names=name, misread=misread)


def test_mutants(tmp_path):
    survive(tmp_path, 150)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 20_000)
