"""Waveforms are written by pydicom, or by hand where a byte must be wrong."""

import functools
import io
import sys
import tracemalloc

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import ExtraError, FormatError
from vicinal.inputs.formats.reading import read

TWELVE_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
RAW = np.array([[0, 100], [200, -300], [-32768, 5]], dtype=np.int16)  # (time, channels)


def code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCPECG", meaning
    return item


def channel(name: str, unit: str = "uV", sensitivity: object = 5, **more: object) -> Dataset:
    item = Dataset()
    item.ChannelSourceSequence = Sequence([code("5.6.3-9-1", name)])
    if sensitivity is not None:
        item.ChannelSensitivity = sensitivity
    if unit:
        item.ChannelSensitivityUnitsSequence = Sequence([code(unit, unit)])
    for key, value in more.items():
        setattr(item, key, value)
    return item


def group(*, rate=500, channels=None, raw=RAW, **changes: object) -> Dataset:
    item = Dataset()
    item.NumberOfWaveformChannels, item.NumberOfWaveformSamples = raw.shape[1], raw.shape[0]
    item.SamplingFrequency = rate
    item.ChannelDefinitionSequence = Sequence(
        channels or [channel("Lead I (Einthoven)"), channel("Lead V1", "mV", 0.005)]
    )
    item.WaveformBitsAllocated, item.WaveformSampleInterpretation = 16, "SS"
    item.WaveformData = raw.astype("<i2").tobytes()
    for key, value in changes.items():
        setattr(item, key, value)
    return item


def file(groups, *, kind=TWELVE_LEAD, syntax=ExplicitVRLittleEndian, **more: object) -> bytes:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.PatientName = kind, "1.2.3", "Doe^Jane"
    if groups:
        data.WaveformSequence = Sequence(groups)
    for key, value in more.items():
        setattr(data, key, value)
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = kind, "1.2.3"
    data.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def write(folder, raw):
    (folder / "r.dcm").write_bytes(raw)
    return folder / "r.dcm"


def test_leads_by_name_in_their_own_units(tmp_path):
    signal = read(write(tmp_path, file([group()])))
    np.testing.assert_allclose(signal.samples, [[0, 1000, -163840], [0.5, -1.5, 0.025]], rtol=1e-6)
    assert (signal.channels, signal.units, signal.rate_hz) == (("I", "V1"), ("uV", "mV"), 500.0)
    assert (signal.id, signal.subject) == ("r", None)
    assert "Jane" not in repr(signal)


def test_baseline_correction_and_padding(tmp_path):
    channels = [
        channel("Lead I", ChannelBaseline=10, ChannelSensitivityCorrectionFactor=2),
        channel("Lead II"),
    ]
    padded = group(channels=channels, WaveformPaddingValue=b"\x00\x80")
    signal = read(write(tmp_path, file([padded])))
    np.testing.assert_allclose(signal.samples, [[10, 2010, np.nan], [500, -1500, 25]])


@pytest.mark.parametrize(
    ("meaning", "name"),
    [  # context group 3001 of DICOM PS3.16, and what devices write
        ("Lead II", "II"),
        ("aVR, augmented voltage, right", "aVR"),
        ("aVF, augmented voltage, foot", "aVF"),
        ("Lead VL, nonaugmented voltage, vector of LA", "VL"),
        ("Lead I (Einthoven)", "I"),
        ("V1", "V1"),
        ("Derived Lead V5", "Derived Lead V5"),
        ("Chest lead (symmetric placement)", "Chest lead (symmetric placement)"),
    ],
)
def test_leads_are_named_by_the_meaning_of_their_source(tmp_path, meaning, name):
    path = write(tmp_path, file([group(channels=[channel(meaning), channel("Lead X")])]))
    assert read(path).channels == (name, "X")


def test_a_channel_without_source_is_named_by_its_label_or_number(tmp_path):
    plain = [channel("Lead I", ChannelLabel="resp"), channel("Lead I")]
    for one in plain:
        del one.ChannelSourceSequence
    assert read(write(tmp_path, file([group(channels=plain)]))).channels == ("resp", "1")


def test_a_unit_that_is_not_known_is_kept_as_it_is(tmp_path):
    path = write(tmp_path, file([group(channels=[channel("I", "MV"), channel("II", "mm[Hg]")])]))
    assert read(path).units == ("MV", "mm[Hg]")  # megavolt; the contract will say what it thinks of it


def test_implicit_types_are_read_alike(tmp_path):
    expected = read(write(tmp_path, file([group()]))).samples
    path = write(tmp_path, file([group()], syntax=ImplicitVRLittleEndian))
    np.testing.assert_array_equal(read(path).samples, expected)


def test_memory_stays_within_three_times_the_samples(tmp_path):
    raw = np.random.default_rng(0).integers(-2000, 2000, (1 << 21, 1), dtype=np.int16)
    path = write(tmp_path, file([group(raw=raw, channels=[channel("Lead I")])]))
    read(path)
    tracemalloc.start()
    signal = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(signal.samples, raw.T * np.float32(5))
    assert peak < 2.6 * signal.samples.nbytes + (8 << 20)


def test_without_the_library_the_message_names_the_extra(tmp_path, monkeypatch):
    path = write(tmp_path, file([group()]))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ExtraError, match=r"pip install 'vicinal\[dicom\]'"):
        read(path)


def test_equals_what_pydicom_computes(tmp_path):
    raw = np.random.default_rng(0).integers(-2000, 2000, (500, 2), dtype=np.int16)
    path = write(tmp_path, file([group(raw=raw)]))
    np.testing.assert_allclose(read(path).samples, pydicom.dcmread(path).waveform_array(0).T, rtol=1e-6)


def test_a_real_recording_of_a_device_is_read_as_pydicom_does():
    path = get_testdata_file("waveform_ecg.dcm", download=False)  # comes with pydicom
    for row, n_samples in enumerate((10_000, 1200)):
        signal = read(path, row=row)
        assert signal.channels == ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
        assert (set(signal.units), signal.rate_hz, signal.n_positions) == ({"uV"}, 1000.0, n_samples)
        np.testing.assert_array_equal(signal.samples, pydicom.dcmread(path).waveform_array(row).T)


def test_125_several_groups_are_rows(tmp_path):
    path = write(tmp_path, file([group(), group(rate=1000, raw=RAW[:2])]))
    with pytest.raises(FormatError, match=r"expected one group of channels, got 2 \(0: 500.* 1: 1000"):
        read(path)
    assert read(path, row=1).rate_hz == 1000.0
    with pytest.raises(FormatError, match="expected a row from 0 to 1, got 2"):
        read(path, row=2)


def nested(depth: int) -> bytes:
    start, item = b"\x00\x54\x10\x01SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return file([group()]) + (start + item) * depth


BAD = {
    "115-no preamble": (file([group()])[132:], "128 bytes, then DICM"),
    "116-undefined length never closed": (nested(1), "expected an element"),
    "117-nested 10,000 deep": (nested(10_000), "nested 16 deep"),
    "118-channels 0": (file([group(NumberOfWaveformChannels=0)]), "expected as many channel definitions"),
    "119-more samples than data": (
        file([group(NumberOfWaveformSamples=4)]),
        "expected 2 x 4 samples in 16 bytes, got 12",
    ),
    "120-12 bits": (file([group(WaveformBitsAllocated=12)]), "got 12 bits of kind 'SS'"),
    "121-no sensitivity": (
        file([group(channels=[channel("I", sensitivity=None), channel("II")])]),
        "channel I: ChannelSensitivity: expected",
    ),
    "121-sensitivity 0": (file([group(channels=[channel("I", sensitivity=0), channel("II")])]), "got 0"),
    "121-no unit": (file([group(channels=[channel("I", unit=""), channel("II")])]), "it is never guessed"),
    "122-deflated": (
        file([group()], syntax=DeflatedExplicitVRLittleEndian),
        "expected plain little-endian data",
    ),
    "big-endian": (
        file([group()]).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0"),
        "got transfer syntax 1.2.840.10008.1.2.2",
    ),
    "123-DICOMDIR": (file([], kind="1.2.840.10008.1.3.10"), "expected a waveform such as an ECG"),
    "126-CT image": (file([], kind=CT), "expected a waveform such as an ECG, got CT Image Storage"),
    "rate 0": (file([group(rate=0)]), "SamplingFrequency: expected more than 0"),
    "empty": (b"", "expected a DICOM file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(tmp_path, name):
    raw, message = BAD[name]
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, raw))
    assert "r.dcm" in str(caught.value)
    assert "Jane" not in str(caught.value)


def test_124_private_tags_are_not_looked_at(tmp_path):
    data = pydicom.dcmread(io.BytesIO(file([group()])))
    data.private_block(0x0011, "Somebody", create=True).add_new(1, "PN", "Doe^Jane")
    data.save_as(tmp_path / "r.dcm")
    assert "Jane" not in repr(read(tmp_path / "r.dcm"))


def stated(mutant, tag, kind):
    """Return the value of an element of explicit type that the bytes hold exactly once, or None."""
    head = bytes.fromhex(tag) + kind.encode()
    if mutant.count(head) != 1:
        return None
    at = mutant.index(head) + 6
    start, width = (at + 2, 4) if kind == "OW" else (at, 2)
    length = int.from_bytes(mutant[start : start + width], "little")
    return mutant[start + width : start + width + length]


def misread(signal, mutant):
    """Compare a signal with the counts, the rate and the samples that the mutant's own bytes state."""
    n_channels, n_samples = stated(mutant, "3a000500", "US"), stated(mutant, "3a001000", "UL")
    if n_channels and len(n_channels) == 2 and int.from_bytes(n_channels, "little") != len(signal.channels):
        return "the channels"
    if n_samples and len(n_samples) == 4 and int.from_bytes(n_samples, "little") != signal.n_positions:
        return "the count"
    rate = stated(mutant, "3a001a00", "DS")
    if rate and float(rate) != signal.rate_hz:
        return "the rate"
    data = stated(mutant, "00541010", "OW")
    if data is not None and len(data) != signal.samples.size * 2:
        return "the bytes"
    return None


def survive(folder, n):
    good = file([group()])
    n_read = 0
    for mutant in mutants(good, n=n, seed=11):
        path = write(folder, mutant)
        check = functools.partial(misread, mutant=mutant)
        n_read += answers(lambda path=path: read(path), names="r.dcm", misread=check) is not None
    return n_read


def test_mutants_are_refused_or_read_as_they_say(tmp_path):
    assert 0 < survive(tmp_path, 150) < 150


@pytest.mark.prove
def test_ten_thousand_mutants_are_refused_or_read_as_they_say(tmp_path):
    assert survive(tmp_path, 10_000) > 0
