import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.formats.reading import read

PLAIN = "time,MLII [mV],V5 (uV)\n0.00,1,10\n0.01,2,\n0.02,3,NaN\n"


def write(folder, text, name="r.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_names_units_and_rate_come_from_the_file(tmp_path):
    signal = read(write(tmp_path, PLAIN))
    np.testing.assert_array_equal(signal.samples, np.float32([[1, 2, 3], [10, np.nan, np.nan]]))
    assert signal.channels == ("MLII", "V5")
    assert signal.units == ("mV", "uV")
    assert (signal.rate_hz, signal.id) == (100.0, "r")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a,b\n1,2\n3,4\n", "r.csv"),
        ("a;b\n1;2\n3;4\n", "r.csv"),
        ("a\tb\r\n1\t2\r\n3\t4\r\n", "r.tsv"),
        ("\ufeffa,b\n1,2\n3,4\n", "r.csv"),
        ('"a","b"\n"1","2"\n3,4', "r.csv"),
    ],
)
def test_separators_line_ends_and_marks_do_not_matter(tmp_path, text, name):
    signal = read(write(tmp_path, text, name), rate_hz=100.0, units="mV")
    assert signal.channels == ("a", "b")
    assert signal.samples.tolist() == [[1, 3], [2, 4]]


def test_without_a_header_line_channels_are_named_by_the_caller_or_numbered(tmp_path):
    path = write(tmp_path, "1,2\n3,4\n")
    assert read(path, rate_hz=1.0, units="1").channels == ("0", "1")
    assert read(path, rate_hz=1.0, units="1", channels=["a", "b"]).channels == ("a", "b")
    assert read(path, rate_hz=1.0, units="1", channels=["1"]).samples.tolist() == [[2, 4]]


@pytest.mark.parametrize(
    ("times", "unit", "rate_hz"),
    [
        (np.arange(3600) / 360, "", 360.0),
        (np.round(np.arange(3600) / 360, 3), "", 360.0),
        (np.arange(500) * 4, " [ms]", 250.0),
        (np.arange(100) / 12.5 + 7, " [s]", 12.5),
    ],
)
def test_the_rate_is_that_of_the_time_column(tmp_path, times, unit, rate_hz):
    rows = "".join(f"{time:.6f},0\n" for time in times)
    assert read(write(tmp_path, f"time{unit},x [mV]\n" + rows)).rate_hz == pytest.approx(rate_hz)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "empty line", id="81-empty"),
        pytest.param("a,b\n", "expected samples|numbers in 2 columns", id="82-header-only"),
        pytest.param("a,b\n1,2\n3\n", "Expected 2 columns, got 1", id="83-ragged"),
        pytest.param("a;b\n1,5;2,5\n", "conversion error", id="84-decimal-comma"),
        pytest.param("a,b\n1,inf\n", "infinity in column 2, sample 0", id="85-inf"),
        pytest.param("a,b\n1,-\n", "conversion error", id="85-dash"),
        pytest.param("a,b\n1,1e400\n", "infinity|conversion error", id="86-1e400"),
        pytest.param("a,b\n1,1e39\n", "below 3.4e38 in b", id="beyond-float32"),
        pytest.param('a,b\n1,"2\n"\n', "numbers in 2 columns", id="87-newline"),
        pytest.param("a,b\n1,\0\n", "binary or UTF-16", id="88-nul"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), "binary or UTF-16", id="89-utf-16"),
        pytest.param(",".join("x" + str(i) for i in range(5000)) + "\n", "at most 4096", id="90-columns"),
        pytest.param("a [mV],a [uV]\n1,2\n", "distinct column names", id="91-duplicate"),
        pytest.param("time,a\n0,1\n2,1\n1,1\n3,1\n", "gaps or steps back", id="92-time-back"),
        pytest.param("time,a\n0,1\n1,1\n2,1\n9,1\n", "gaps or steps back", id="92-time-gap"),
        pytest.param("time,a\n1,1\n1,1\n", "increasing times", id="92-time-constant"),
        pytest.param("time [h],a\n1,1\n2,1\n", "in s or ms, got 'h'", id="time-unit"),
        pytest.param("time,t,a\n1,1,1\n", "expected one time column", id="two-times"),
        pytest.param("time\n1\n2\n", "a channel beside the time column", id="time-only"),
        pytest.param("a,b\n1,=cmd\n", "conversion error", id="93-formula"),
        pytest.param(b"\x1f\x8b\x08\x00\x00", "binary", id="94-gzip"),
        pytest.param(b"\xff\xe9a,b\n1,2\n", "UTF-8", id="latin-1"),
    ],
)
def test_a_bad_table_is_refused(tmp_path, text, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, text), rate_hz=1.0, units="mV")
    assert "r.csv" in str(caught.value)


def test_rate_and_unit_are_never_guessed(tmp_path):
    path = write(tmp_path, "a,b\n1,2\n")
    with pytest.raises(FormatError, match="Give units"):
        read(path, rate_hz=1.0)
    with pytest.raises(FormatError, match="Give rate_hz"):
        read(path, units="mV")
    with pytest.raises(FormatError, match="expected 'mV' as stated, the file says 'uV'"):
        read(write(tmp_path, PLAIN), units="mV")
