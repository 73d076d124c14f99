import gzip

import numpy as np
import pandas as pd
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats.csv import column_names
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
        pytest.param("a,b\n", "expected samples below the header", id="82-header-only"),
        pytest.param("a,b\n1,2\n3\n", "line 3: expected 2 cells, got 1", id="83-ragged"),
        pytest.param(
            "a;b\n1,5;2,5\n", "line 2, column a: expected a number .* got '1,5'", id="84-decimal-comma"
        ),
        pytest.param(
            "a,b\n1,inf\n", "line 2, column b: expected a finite number .*, got infinity", id="85-inf"
        ),
        pytest.param("a,b\n1,-\n", "line 2, column b: expected a number .* got '-'", id="85-dash"),
        pytest.param("a,b\n1,1e400\n", "line 2, column b: .* got infinity", id="86-1e400"),
        pytest.param("a,b\n1,1e39\n", "line 2, column b: .* below 3.4e38, got 1e", id="beyond-float32"),
        pytest.param('a,b\n1,"2\n"\n', "line 2: expected a quoted cell to end on its line", id="87-newline"),
        pytest.param("a,b\n1,\0\n", "binary content", id="88-nul"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), "binary or UTF-16", id="89-utf-16"),
        pytest.param(",".join("x" + str(i) for i in range(5000)) + "\n", "at most 4096", id="90-columns"),
        pytest.param(
            ",".join("x" + str(i) for i in range(10**6)), "at most 4194304 bytes", id="90-long-line"
        ),
        pytest.param("x" + "," * 10**6 + "\n", "at most 524288 columns", id="90-many-empty"),
        pytest.param("a [mV],a [uV]\n1,2\n", "distinct column names", id="91-duplicate"),
        pytest.param("time,a\n0,1\n2,1\n1,1\n3,1\n", "gaps or steps back", id="92-time-back"),
        pytest.param("time,a\n0,1\n1,1\n2,1\n9,1\n", "gaps or steps back", id="92-time-gap"),
        pytest.param("time,a\n1,1\n1,1\n", "increasing times", id="92-time-constant"),
        pytest.param("time [h],a\n1,1\n2,1\n", "in s or ms, got 'h'", id="time-unit"),
        pytest.param("time,t,a\n1,1,1\n", "expected one time column", id="two-times"),
        pytest.param("time\n1\n2\n", "a channel beside the time column", id="time-only"),
        pytest.param("a,b\n1,=cmd\n", "line 2, column b: expected a number .* '=cmd'", id="93-formula"),
        pytest.param(b"\x1f\x8b\x08\x00\x00", "binary", id="94-gzip"),
        pytest.param(gzip.compress(bytes(10**7)), "binary", id="94-gzip-bomb"),
        pytest.param("a,b\n1,1\r2\n", "line 2, column b: expected a number", id="lone-return"),
        pytest.param("a,b\n1,2\n\n1\n", "line 4: expected 2 cells, got 1", id="line-after-an-empty-one"),
        pytest.param('"a,b\n1,2\n', "separated by ','", id="open-quote"),
        pytest.param(b"\xff\xe9a,b\n1,2\n", "UTF-8", id="latin-1"),
    ],
)
def test_a_bad_table_is_refused(tmp_path, text, message):
    with pytest.raises(FormatError, match=message) as caught:
        read(write(tmp_path, text), rate_hz=1.0, units="mV")
    assert "r.csv" in str(caught.value)


def test_rate_and_unit_are_never_guessed(tmp_path):
    path = write(tmp_path, "a,b\n1,2\n")
    with pytest.raises(FormatError, match="State it: --units"):
        read(path, rate_hz=1.0)
    with pytest.raises(FormatError, match="Give rate_hz"):
        read(path, units="mV")
    with pytest.raises(FormatError, match="expected 'mV' as stated, the file says 'uV'"):
        read(write(tmp_path, PLAIN), units="mV")


def test_empty_lines_are_left_out_but_a_single_column_has_missing_samples(tmp_path):
    assert read(write(tmp_path, "a,b\n1,2\n\n3,4\n\n"), rate_hz=1.0, units="1").samples.tolist() == [
        [1, 3],
        [2, 4],
    ]
    single = read(write(tmp_path, "a\n1\n\n3\n\n\n"), rate_hz=1.0, units="1").samples
    np.testing.assert_array_equal(single, np.float32([[1, np.nan, 3]]))


def test_a_ucr_file_read_as_one_recording_is_told_from_a_table_without_names(tmp_path):
    path = write(tmp_path, "1\t2\t3\n2\t3\t4\n", "r.tsv")
    with pytest.raises(FormatError, match=r"one signal a row: give row\. If the 3 columns are channels"):
        read(path, rate_hz=1.0, units="1")
    assert read(path, rate_hz=1.0, units="1", channels=["a", "b", "c"]).samples.shape == (3, 2)


@pytest.mark.parametrize("n", [1, 3])
def test_many_blocks_equal_what_pandas_reads(tmp_path, n):
    values = np.random.default_rng(n).normal(size=(200_000, n))
    frame = pd.DataFrame(values, columns=[f"c{k} [mV]" for k in range(n)])
    frame.insert(0, "time", np.arange(len(frame)) / 500)
    frame.to_csv(tmp_path / "r.csv", index=False)
    signal = read(tmp_path / "r.csv")
    np.testing.assert_array_equal(signal.samples, values.T.astype(np.float32))
    assert signal.rate_hz == 500


def survive(folder, n):
    good = b"time [ms],II [mV],V1 [uV]\n" + b"".join(b"%d,%d,%d.5\n" % (10 * k, k % 7, -k) for k in range(30))
    for mutant in mutants(good, n=n, seed=21):
        (folder / "r.csv").write_bytes(mutant)
        n_lines = sum(bool(line.strip()) for line in mutant.split(b"\n")) - 1

        def misread(signal, n_lines=n_lines):
            return (
                None if signal.n_positions == n_lines else f"{signal.n_positions} samples of {n_lines} lines"
            )

        answers(lambda: read(folder / "r.csv"), names="r.csv", misread=misread)


def test_mutants(tmp_path):
    survive(tmp_path, 150)


@pytest.mark.prove
def test_ten_thousand_mutants(tmp_path):
    survive(tmp_path, 10_000)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("lead_I_mV", ("lead_I", "mV")),
        ("II uV", ("II", "uV")),
        ("V1_\u00b5V", ("V1", "\u00b5V")),
        ("II [mV]", ("II", "mV")),
        ("lead_V", ("lead_V", None)),
        ("mV", ("mV", None)),
        ("time_s", ("time", "s")),
        ("Time_ms", ("Time", "ms")),
        ("pulse_s", ("pulse_s", None)),
    ],
)
def test_a_header_may_end_with_the_unit(cell: str, expected: tuple[str, str | None]) -> None:
    names, units = column_names([cell], where="x")
    assert (names[0], units[0]) == expected
