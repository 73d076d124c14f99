import contextlib

import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.wfdb_header import Header, SegmentLine, SignalLine, parse_header, read_header
from vicinal.inputs.formats.wfdb_storage import FLAC_BITS, FORMATS

HEADER = """# a comment
r 2 250 4 10:00:00 01/02/2020
r.dat 16+24 100/mV 16 7 -5 65500 0 MLII
r.dat 16 1000(10)/uV 12 0 10 -36 0 lead V5
# 69 M
"""


def parsed(header):
    return parse_header(header if isinstance(header, bytes) else header.encode(), where="r.hea", stem="r")


def changed(old, new):
    assert old in HEADER
    return HEADER.replace(old, new)


def test_what_a_header_says():
    # No baseline: that of the ADC.
    first = SignalLine("r.dat", "16", 100.0, 7, "mV", "MLII", offset=24, initial=-5, checksum=65500)
    # -36 modulo 65536
    second = SignalLine("r.dat", "16", 1000.0, 10, "uV", "lead V5", initial=10, checksum=65500)
    assert parsed(HEADER) == Header("r", 250.0, 4, 2, (first, second))


def test_what_a_header_leaves_out():
    line = SignalLine("r.dat", "212", 200.0, 0, "mV", "0")
    assert parsed("r 1 360\nr.dat 212 200\n") == Header("r", 360.0, None, 1, (line,))


def test_frames_skew_and_offset_follow_the_format():
    line = parsed("r 1 360\nr.dat 212x4:2+512 200\n").signals[0]
    assert (line.storage, line.per_frame, line.skew, line.offset) == ("212", 4, 2, 512)


@pytest.mark.parametrize("rate", ["250/500", "250/500(-10.5)", "250.0/-1", "2.5e2", "250/0(0)"])
def test_a_counter_is_another_clock_and_changes_nothing(rate):
    assert parsed(changed("2 250", f"2 {rate}")) == parsed(HEADER)


def test_a_record_of_segments_lists_them():
    header = parsed("r/3 2 250 9\nr_layout 0\n~ 4\nr-1 5\n")
    segments = (SegmentLine("r_layout", 0), SegmentLine("~", 4), SegmentLine("r-1", 5))
    assert header == Header("r", 250.0, 9, 2, segments=segments)
    assert parsed("r/1 2 250\nr1 5\n").n_frames == 5


def test_a_number_behind_a_folder_is_a_name_when_the_file_has_it():
    line = "1 250 4\nx.dat 16 1\n"
    assert parse_header(f"mitdb/100 {line}".encode(), where="", stem="100").segments == ()
    assert parse_header(b"100/1 1 250 4\nx 4\n", where="", stem="100").segments == (SegmentLine("x", 4),)
    assert parse_header(b"100/100 1 250 100\n" + b"x 1\n" * 100, where="", stem="100").n_frames == 100


def test_a_layout_has_signals_without_files():
    data = b"r 1 250 0\n~ 0 200/uV 16 0 0 0 0 I\n"
    assert parse_header(data, where="", stem="r", layout=True).signals[0].units == "uV"
    with pytest.raises(FormatError, match=r"storage format among .* got 0"):
        parse_header(data, where="", stem="r")
    with pytest.raises(FormatError, match=r"a layout, whose files are all ~, got r\.dat"):
        parse_header(data.replace(b"~", b"r.dat"), where="", stem="r", layout=True)


@pytest.mark.parametrize(("stated", "n_frames"), [("250 4", 4), ("250 0", None), ("250", None)])
def test_a_length_of_0_is_one_that_is_not_stated(stated, n_frames):
    assert parsed(changed("250 4 10:00:00 01/02/2020", stated)).n_frames == n_frames


@pytest.mark.parametrize("storage", [*FORMATS, *FLAC_BITS])
def test_every_format_is_known_by_its_number(storage):
    assert parsed(changed("16+24", storage)).signals[0].storage == storage


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"\xef\xbb\xbf" + HEADER.encode(), id="3-bom"),
        pytest.param(HEADER.replace("\n", "\r\n"), id="4-crlf"),
        pytest.param(HEADER.replace("69 M", "é").encode("latin-1"), id="6-latin-1"),
        pytest.param(changed("250 4", "250/0 4"), id="18-counter-0"),
        pytest.param(changed("/mV 16 7", "/mV 0 7"), id="35-resolution-0"),
        pytest.param(changed("01/02/2020", "32/13/2020"), id="37-date"),
        pytest.param(changed("10:00:00 01/02/2020", "05-May-2020 10:00:00"), id="38-date-first"),
        pytest.param(changed("r 2 250", "some/where/r 2 250"), id="40-directory"),
    ],
)
def test_a_header_with_an_oddity_that_changes_nothing_is_read(header):
    assert parsed(header) == parsed(HEADER)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param("", "empty header", id="1-empty"),
        pytest.param("# a\n# b\n", "empty header", id="2-comments"),
        pytest.param("\x00" + HEADER, "NUL", id="5-nul"),
        pytest.param("r.dat 16+24 100/mV\n", "differs from the file's name", id="8-no-record-line"),
        pytest.param(changed("r 2 250", "r 0 250"), "number of signals: .* got 0", id="9-nsig-0"),
        pytest.param(changed("r 2 250", "r -1 250"), "number of signals: .* got -1", id="10-nsig-negative"),
        pytest.param(changed("r 2 250", "r 100000 250"), "number of signals: .*100000", id="11-nsig-many"),
        pytest.param(changed("r 2 250", "r 3 250"), "expected 3 signal lines, got 2", id="12-fewer"),
        pytest.param(changed("r 2 250", "r 1 250"), "expected 1 signal lines, got 2", id="13-more"),
        pytest.param(changed("2 250", "2 0"), "rate: .* got 0", id="14-fs-0"),
        pytest.param(changed("2 250", "2 -360"), "rate: .* got -360", id="15-fs-negative"),
        pytest.param(changed("2 250", "2 nan"), "rate: .* got nan", id="16-fs-nan"),
        pytest.param(changed("2 250", "2 1e308"), "rate: .* got 1e308", id="17-fs-huge"),
        pytest.param(changed("2 250", "2 250/"), "rate: .* got 250/", id="18-counter"),
        pytest.param(changed("250 4", "250 -5"), "samples a signal: .* got -5", id="19-length-negative"),
        pytest.param(changed("100/mV", "0/mV"), "signal 0: expected a gain", id="24-gain-0"),
        pytest.param(changed("100/mV", "nan/mV"), "signal 0: expected a gain", id="25-gain-nan"),
        pytest.param(changed("100/mV", "1e-300/mV"), "signal 0: expected a gain", id="26-gain-tiny"),
        pytest.param(changed("dat 16+24 100/", "dat 99 100/"), "storage format among", id="28-format-99"),
        pytest.param(
            changed("dat 16+24 100/", "dat 16x1000000000 100/"), "1 to 65536 samples a frame", id="30-frame"
        ),
        pytest.param(changed("1000(10)", "1000(1099511627776)"), "baseline: expected", id="36-baseline"),
        pytest.param(changed("r 2 250", "x 2 250"), "'x' differs from the file's name 'r'", id="39-name"),
        pytest.param("r/1000000000 2 250 4\n", "number of segments: .*1000000000", id="52-many-segments"),
        pytest.param("r/0 2 250 4\n", "number of segments: .* got 0", id="no-segments"),
        pytest.param("r/-1 2 250 4\n", "number of segments: .* got -1", id="negative-segments"),
    ],
)
def test_a_header_that_cannot_be_meant_is_refused(header, message):
    with pytest.raises(FormatError, match=f"r.hea: .*{message}"):
        parsed(header)


def test_every_problem_is_named_at_once():
    header = changed("16+24 100/mV", "99 0/mV").replace("1000(10)/uV 12", "1000(10)/uV twelve")
    with pytest.raises(FormatError, match=r"signal 0: .*got 99; signal 0: .*got 0/mV; signal 1: .*twelve\.$"):
        parsed(header)


def test_a_file_is_measured_before_it_is_read(tmp_path):
    path = tmp_path / "r.hea"
    path.write_text(HEADER)
    assert read_header(path) == parsed(HEADER)
    path.write_text("#" * (2**20 + 1))
    with pytest.raises(FormatError, match="at most 1048576 bytes, got more"):
        read_header(path)


def test_a_mutated_header_is_parsed_or_refused_but_never_crashes():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        data = bytearray(HEADER.encode())
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.integers(0, 256)
        with contextlib.suppress(FormatError):
            header = parsed(bytes(data))
            assert 0 < header.rate_hz <= 1e6
            assert all(np.isfinite(1 / line.gain) for line in header.signals)


@pytest.mark.parametrize("text", ["9" * 10**6, "9" * 10**6 + "x", "1" + "e" * 10**6, "é" * 10**5])
@pytest.mark.parametrize("field", ["r 2 250 4", "16+24", "100/mV", "16 7"])
def test_a_field_of_a_megabyte_is_refused_at_once_in_a_short_message(field, text):
    with pytest.raises(FormatError, match=r"r.hea: ") as caught:
        parsed(changed(field, field.rpartition(" ")[0] + " " + text))
    assert len(str(caught.value)) < 2000


def test_a_message_names_the_first_problems_and_counts_the_others():
    with pytest.raises(FormatError, match=r"signal 7: .*; and 92 more\.$"):
        parsed("r 100 250 4\n" + "r.dat 99 1\n" * 100)
