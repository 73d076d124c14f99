"""Waveforms are written by pydicom, or by hand where a byte must be wrong."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
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


def test_equals_what_pydicom_computes(tmp_path):
    raw = np.random.default_rng(0).integers(-2000, 2000, (500, 2), dtype=np.int16)
    path = write(tmp_path, file([group(raw=raw)]))
    np.testing.assert_allclose(read(path).samples, pydicom.dcmread(path).waveform_array(0).T, rtol=1e-6)


def test_125_several_groups_are_rows(tmp_path):
    path = write(tmp_path, file([group(), group(rate=1000, raw=RAW[:2])]))
    with pytest.raises(FormatError, match=r"expected one group of channels, got 2 \(0: 500.* 1: 1000"):
        read(path)
    assert read(path, row=1).rate_hz == 1000.0
    with pytest.raises(FormatError, match="expected a row from 0 to 1, got 2"):
        read(path, row=2)


def nested(depth: int) -> bytes:
    start, item = b"\x00\x54\x00\x01SQ\0\0\xff\xff\xff\xff", b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return file([group()]) + (start + item) * depth


BAD = {
    "115-no preamble": (file([group()])[132:], "cannot read it"),
    "116-undefined length never closed": (nested(1), "cannot read it|cannot be read"),
    "117-nested 10,000 deep": (nested(10_000), "cannot read it|cannot be read"),
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
    "122-deflated": (file([group()], syntax=DeflatedExplicitVRLittleEndian), "not deflated"),
    "123-DICOMDIR": (file([], kind="1.2.840.10008.1.3.10"), "expected a waveform such as an ECG"),
    "126-CT image": (file([], kind=CT), "expected a waveform such as an ECG, got CT Image Storage"),
    "rate 0": (file([group(rate=0)]), "SamplingFrequency: expected more than 0"),
    "empty": (b"", "cannot read it"),
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


def survive(folder, n):
    good = file([group()])
    for mutant in mutants(good, n=n, seed=11):
        path = write(folder, mutant)
        answers(
            lambda path=path: read(path),
            names="r.dcm",
            misread=lambda signal: None if signal.n_positions else "empty",
        )


def test_mutants(tmp_path):
    survive(tmp_path, 150)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 10_000)
