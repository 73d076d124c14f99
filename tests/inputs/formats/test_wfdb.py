"""Records are written by hand, so that every byte of a bad one is known."""

import os

import numpy as np
import pytest
from tests.inputs.formats.wfdb_writer import mat_header

from vicinal.errors import FormatError, PathError
from vicinal.inputs.formats.reading import read

DIGITAL = np.array([[0, 10], [100, -20], [-32768, 30], [50, 40]], dtype="<i2")  # (time, channels)
SUMS = [(150 - 32768) % 65536, 60]

HEADER = f"""# a comment
r 2 250 4 10:00:00 01/02/2020
r.dat 16 100/mV 16 0 0 {SUMS[0]} 0 MLII
r.dat 16 1000(10)/uV 12 0 10 {SUMS[1]} 0 lead V5
# 69 M
"""


def write(folder, header=HEADER, *, data=None, annotations=None):
    (folder / "r.hea").write_text(header)
    (folder / "r.dat").write_bytes(DIGITAL.tobytes() if data is None else data)
    if annotations is not None:
        (folder / "r.atr").write_bytes(annotations)
    return folder / "r.hea"


def changed(old, new):
    assert old in HEADER
    return HEADER.replace(old, new)


def test_a_record_is_read_in_physical_units(tmp_path):
    signal = read(write(tmp_path))
    np.testing.assert_allclose(signal.samples, [[0, 1, np.nan, 0.5], [0, -0.03, 0.02, 0.03]], rtol=1e-6)
    assert signal.channels == ("MLII", "lead V5")
    assert signal.units == ("mV", "uV")
    assert (signal.rate_hz, signal.id, signal.events) == (250.0, "r", None)


@pytest.mark.parametrize("name", ["r", "r.hea", "r.dat"])
def test_header_signal_file_and_record_name_all_lead_to_the_record(tmp_path, name):
    write(tmp_path)
    assert read(tmp_path / name).channels == ("MLII", "lead V5")


def test_the_mat_flavour_skips_its_header_bytes_and_has_no_checksums(tmp_path):
    (tmp_path / "A.hea").write_text("A 1 300 3 05:05:15 1/05/2000 \nA.mat 16+24 1000/mV 16 0 -127 0 0 ECG \n")
    (tmp_path / "A.mat").write_bytes(mat_header(1, 3) + np.array([-127, 5, 6], dtype="<i2").tobytes())
    signal = read(tmp_path / "A.mat")
    assert signal.samples.tolist() == [[pytest.approx(-0.127), pytest.approx(0.005), pytest.approx(0.006)]]


def test_packed_values_are_unpacked(tmp_path):
    # Format 212, samples 1 and -1: low byte of the first, both high nibbles, low byte of the second.
    pairs = bytes([0x01, 0xF0, 0xFF]) * 2
    (tmp_path / "r.hea").write_text(
        "r 2 360 2\nr.dat 212 200 11 0 1 2 0 a\nr.dat 212 200 11 0 -1 65534 0 b\n"
    )
    (tmp_path / "r.dat").write_bytes(pairs)
    assert read(tmp_path / "r.hea").samples.tolist() == [
        [pytest.approx(0.005)] * 2,
        [pytest.approx(-0.005)] * 2,
    ]


def test_a_length_that_is_not_stated_is_that_of_the_file(tmp_path):
    assert read(write(tmp_path, changed("250 4 10:00:00 01/02/2020", "250"))).samples.shape == (2, 4)


def test_channels_are_chosen_by_name(tmp_path):
    signal = read(write(tmp_path), channels=["lead V5"])
    assert signal.channels == ("lead V5",)
    assert signal.samples.shape == (1, 4)
    with pytest.raises(FormatError, match="exactly one channel named V9, the file has MLII, lead V5"):
        read(tmp_path / "r.hea", channels=["V9"])


def test_events_beside_the_record_are_read_and_must_lie_within_it(tmp_path):
    header = write(tmp_path, annotations=b"\x01\x04\x02\x14\0\0")  # N (1) after 1 sample, V (5) after 2, end
    signal = read(header)
    assert signal.events is not None
    assert signal.events.positions.tolist() == [1, 3]
    assert signal.events.symbols == ("N", "V")
    write(tmp_path, annotations=b"\x04\x04\0\0")
    with pytest.raises(FormatError, match="within 4 samples, got one at 4"):
        read(header)


def test_another_annotator_is_chosen_by_the_suffix_of_its_file(tmp_path):
    header = write(tmp_path, annotations=b"\x01\x04\0\0")
    (tmp_path / "r.qrs").write_bytes(b"\x02\x14\0\0")
    assert read(header).events.symbols == ("N",)
    assert read(header, annotator="qrs").events.symbols == ("V",)
    with pytest.raises(PathError, match=r"'r\.ari' is not in"):
        read(header, annotator="ari")
    with pytest.raises(FormatError, match=r"expected an annotator, .* got '../x'"):
        read(header, annotator="../x")
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(FormatError, match="expected a WFDB record beside events of annotator 'qrs'"):
        read(tmp_path / "x.npy", rate_hz=1.0, units="1", annotator="qrs")


def test_events_behind_a_link_that_leads_out_are_not_read(tmp_path):
    (tmp_path / "in").mkdir()
    header = write(tmp_path / "in")
    (tmp_path / "r.atr").write_bytes(b"\x01\x04\0\0")
    (tmp_path / "in" / "r.atr").symlink_to(tmp_path / "r.atr")
    with pytest.raises(PathError, match="leads outside"):
        read(header)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param(changed("250 4", "250 1000000000000"), "4000000000000 bytes", id="21-length-1e12"),
        pytest.param(changed("250 4", "250 5"), "20 bytes after byte 0, got 16", id="22-longer"),
        pytest.param(changed("250 4", "250 2"), "8 bytes after byte 0, got 16", id="23-shorter"),
        pytest.param(changed("r.dat 16 ", "r.dat 16+99999 "), "after byte 99999, got -99983", id="32-offset"),
        pytest.param(
            changed(f"0 {SUMS[1]} 0", "0 7 0").replace("10 7 0", "10 7 0"), "checksum", id="33-checksum"
        ),
        pytest.param(changed("12 0 10 ", "12 0 11 "), "first value 11, got 10", id="34-initial"),
        pytest.param(changed("dat 16 1000", "dat 32 1000"), "different formats", id="48-two-formats"),
    ],
)
def test_a_header_that_does_not_fit_its_files_is_refused(tmp_path, header, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, header))
    assert "r.hea" in str(caught.value)


def test_27_a_negative_gain_turns_the_signal_over(tmp_path):
    assert read(write(tmp_path, changed(" 100/mV", " -100/mV"))).samples[0, 1] == -1


def test_29_format_212_on_too_few_bytes_is_refused(tmp_path):
    header = "r 1 250 3\nr.dat 212 200/mV\n"
    with pytest.raises(FormatError, match="5 bytes after byte 0, got 2"):
        read(write(tmp_path, header, data=b"\0\0"))


def test_49_55_duplicate_names_and_missing_samples_are_left_to_the_contract(tmp_path):
    header = "r 2 250 2\nr.dat 16 1/mV 16 0 0 0 0 ECG\nr.dat 16 1/mV 16 0 0 0 0 ECG\n"
    signal = read(write(tmp_path, header, data=np.full(4, -32768, dtype="<i2").tobytes()))
    assert signal.channels == ("ECG", "ECG")
    assert np.isnan(signal.samples).all()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../secret.dat", id="41-parent"),
        pytest.param("/etc/passwd", id="42-absolute"),
        pytest.param("~/r.dat", id="43-home"),
        pytest.param("http://127.0.0.1:1/r.dat", id="44-url"),
        pytest.param("s3://bucket/r.dat", id="44-cloud"),
        pytest.param("link.dat", id="45-link"),
        pytest.param("pipe.dat", id="46-fifo"),
        pytest.param("/dev/zero", id="47-device"),
        pytest.param("absent.dat", id="absent"),
        pytest.param("sub", id="folder"),
    ],
)
def test_a_file_name_that_leaves_the_folder_or_is_special_is_not_opened(tmp_path, name):
    folder = tmp_path / "inner"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.dat").write_bytes(DIGITAL.tobytes())
    (folder / "link.dat").symlink_to(tmp_path / "secret.dat")
    os.mkfifo(folder / "pipe.dat")
    header = write(folder, HEADER.replace("r.dat", name))
    with pytest.raises(PathError, match=r"file name|is not"):
        read(header)


def test_a_wider_root_allows_a_name_that_leads_to_the_folder_beside(tmp_path):
    (tmp_path / "heads").mkdir()
    (tmp_path / "r.dat").write_bytes(DIGITAL.tobytes())
    header = write(tmp_path / "heads", HEADER.replace("r.dat", "../r.dat"))
    assert read(header, root=tmp_path).samples.shape == (2, 4)


def test_a_file_outside_the_root_is_not_opened(tmp_path):
    (tmp_path / "inner").mkdir()
    header = write(tmp_path)
    with pytest.raises(PathError, match="is outside"):
        read(header, root=tmp_path / "inner")
    (tmp_path / "inner" / "r.hea").symlink_to(header)
    with pytest.raises(PathError, match="is outside"):
        read(tmp_path / "inner" / "r.hea", root=tmp_path / "inner")


def test_what_is_stated_must_agree_with_the_header(tmp_path):
    header = write(tmp_path)
    assert read(header, rate_hz=250.0).rate_hz == 250
    with pytest.raises(FormatError, match="expected 300 Hz as stated, the file says 250 Hz"):
        read(header, rate_hz=300.0)
    with pytest.raises(FormatError, match="expected 'V' as stated, the file says 'mV'"):
        read(header, units="V")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mitdb", "cinc2017"])
def test_real_records_equal_what_the_library_reads(real, name):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wfdb

        folder = real(name)
        for header in sorted(folder.glob("*.hea"))[:: 8 if name == "mitdb" else 400]:
            expected = wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T.astype(np.float32)
            signal = read(header)
            np.testing.assert_array_equal(signal.samples, expected)
            if signal.events is not None:
                events = wfdb.rdann(str(header.with_suffix("")), "atr")
                np.testing.assert_array_equal(signal.events.positions, events.sample)
                assert signal.events.symbols == tuple(events.symbol)


@pytest.mark.slow
def test_all_events_of_mitdb_are_read(real):
    counts = [len(read(path).events.symbols) for path in real("mitdb").glob("*.hea")]
    assert (len(counts), sum(counts)) == (48, 112_647)
