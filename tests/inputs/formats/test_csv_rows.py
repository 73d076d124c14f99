import numpy as np
import pandas as pd
import pytest
from tests.inputs.formats.mutants import answers, mutants

from vicinal.errors import FormatError
from vicinal.inputs.formats.csv_rows import open_csv
from vicinal.inputs.formats.reading import read
from vicinal.inputs.formats.stated import Stated


def write(folder, text, name="r.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def opened(path, **stated):
    return open_csv(path, Stated(path.parent, rate_hz=10.0, units="mV", **stated))


WIDE = 'label,t0,t1,t2,subject\nAF,1,2,3,p1\n"N, maybe",4,,NaN,\n'


def test_each_row_is_a_signal_and_the_rest_are_columns(tmp_path):
    rows = opened(write(tmp_path, WIDE))
    assert rows.n == 2
    assert rows.columns == {"label": ("AF", "N, maybe"), "subject": ("p1", "")}
    np.testing.assert_array_equal(rows.read(1).samples, np.float32([[4, np.nan, np.nan]]))
    assert (rows.read(0).id, rows.read(0).rate_hz, rows.read(0).units) == ("r[0]", 10.0, ("mV",))


def test_a_row_is_read_by_number(tmp_path):
    path = write(tmp_path, WIDE)
    assert read(path, row=0, rate_hz=10.0, units="mV", channels=["II"]).samples.tolist() == [[1, 2, 3]]
    with pytest.raises(FormatError, match="from 0 to 1, got 2"):
        read(path, row=2, rate_hz=10.0, units="mV")
    with pytest.raises(FormatError, match="expected one signal, the file holds 2"):
        read(path, samples="t0:t2", rate_hz=10.0, units="mV")


def test_a_ucr_file_has_its_label_first(tmp_path):
    rows = opened(write(tmp_path, "1\t0.5\t-1\t2e0\n-1\tNaN\t1\t2\n", "r.tsv"))
    assert rows.columns == {"label": ("1", "-1")}
    assert rows.read(0).samples.tolist() == [[0.5, -1, 2]]


def test_columns_counted_by_pandas_are_a_header(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(3, 4)))
    frame.to_csv(tmp_path / "r.csv", index=False)
    rows = opened(tmp_path / "r.csv")
    np.testing.assert_array_equal(rows.read(2).samples[0], frame.loc[2].to_numpy(np.float32))
    frame.to_csv(tmp_path / "r.csv")
    with pytest.raises(FormatError, match="expected distinct column names, none of them empty, got ''"):
        opened(tmp_path / "r.csv")


def test_a_csv_without_a_header_needs_the_samples_stated(tmp_path):
    path = write(tmp_path, "0.1,2,3\n4,5,6\n")
    with pytest.raises(FormatError, match=r'samples = "0:2" if all are'):
        opened(path)
    rows = opened(path, samples="0:1")
    assert rows.columns == {"2": ("3", "6")}
    assert rows.read(1).samples.tolist() == [[4, 5]]


def test_several_channels_in_a_row(tmp_path):
    rows = opened(write(tmp_path, "I_0,I_1,II_0,II_1\n1,2,3,4\n"))
    assert rows.read(0).channels == ("I", "II")
    assert rows.read(0).samples.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "begins with an empty line", id="81-empty"),
        pytest.param("t0,t1\n", "expected samples below the header", id="82-header-only"),
        pytest.param("t0,t1\n1,2\n3\n", "line 3: expected 2 cells, got 1", id="83-149-ragged"),
        pytest.param("t0;t1\n1,5;2,5\n", "line 2, column t0: .* got '1,5'", id="84-decimal-comma"),
        pytest.param("t0,t1\n1,-inf\n", "line 2, column t1: .* got infinity", id="85-inf"),
        pytest.param("t0,t1\n1,-\n", "line 2, column t1: .* got '-'", id="85-dash"),
        pytest.param("t0,t1\n1,1e400\n", "line 2, column t1: .* got infinity", id="86-1e400"),
        pytest.param('t0,t1,y\n1,2,"a\nb"\n', "line 2: expected a quoted cell to end", id="87-newline"),
        pytest.param("t0,t1,y\n1,2,\0\n", "binary content", id="88-nul"),
        pytest.param("t0,t1\n1,2\n".encode("utf-16"), "binary or UTF-16", id="89-utf-16"),
        pytest.param(",".join(f"t{i}" for i in range(10**6)), "at most 4194304 bytes", id="90-columns"),
        pytest.param("t0,t1,t1\n1,2,3\n", "distinct column names", id="91-duplicate"),
        pytest.param("t0,t1\n1,=cmd\n", "line 2, column t1: .* got '=cmd'", id="93-formula"),
        pytest.param(b"\x1f\x8b\x08\x00\x00", "binary", id="94-gzip"),
        pytest.param(b"t0,t1,y\n1,2,\xff\n", "line 2, column y: expected UTF-8", id="latin-1"),
        pytest.param(b"t0,t1,y\n1,2,\xff\n1,2\n", "line 2: expected UTF-8", id="latin-1-ragged"),
    ],
)
def test_a_bad_table_is_refused(tmp_path, text, message):
    with pytest.raises(FormatError, match=message) as caught:
        opened(write(tmp_path, text))
    assert "r.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("1\tx\t3\n", "line 1, column 1: .* got 'x'|do not run by ones", id="149-text-first"),
        pytest.param("1\t2\t3\n1\tx\t3\n", "line 2, column 1: .* got 'x'", id="149-text"),
        pytest.param("1\t2\t3\n1\t2\n", "line 2: expected 3 cells, got 2", id="149-shorter"),
        pytest.param("1\t2\t3\n1\t2\t3\t4\n", "line 2: expected 3 cells, got 4", id="149-longer"),
    ],
)
def test_a_bad_ucr_file_is_refused(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        opened(write(tmp_path, text, "r.tsv"))


def test_many_blocks_equal_what_pandas_reads(tmp_path):
    values = np.random.default_rng(0).normal(size=(3000, 140))
    frame = pd.DataFrame(values).add_prefix("x").assign(label=np.arange(3000) % 5)
    frame.to_csv(tmp_path / "r.csv", index=False)
    rows = opened(tmp_path / "r.csv")
    assert rows.columns["label"] == tuple(frame["label"].astype(str))
    found = np.stack([rows.read(row).samples[0] for row in range(rows.n)])
    np.testing.assert_array_equal(found, values.astype(np.float32))


GOOD = {
    "r.csv": "label,x0,x1,x2,x3,subject\n" + "".join(f"A,{k},{k}.5,,-{k}e-1,p{k}\n" for k in range(8)),
    "r.tsv": "".join(f"{k % 3}\t{k}.25\t{-k}\tNaN\t{k}\t1e-2\n" for k in range(8)),
}


def survive(tmp_path, name, n):
    for mutant in mutants(GOOD[name].encode(), n=n, seed=5):
        path = write(tmp_path, mutant, name)

        def misread(signal, mutant=mutant):
            # Every line has as many cells as the first; a further column is one that is not a sample.
            first = mutant.split(b"\n")[0]
            cells = 1 + first.count(b"\t" if b"\t" in first else b";" if b";" in first else b",")
            found = signal.samples.size
            return None if found < cells or b'"' in mutant else f"{found} samples in {cells} cells"

        answers(lambda path=path: read(path, row=2, rate_hz=1.0, units="1"), names=name, misread=misread)


@pytest.mark.parametrize("name", GOOD)
def test_mutants(tmp_path, name):
    survive(tmp_path, name, 100)


@pytest.mark.prove
@pytest.mark.parametrize("name", GOOD)
def test_ten_thousand_mutants(tmp_path, name):
    survive(tmp_path, name, 10_000)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("ECG5000/ECG5000_TRAIN.tsv", (500, 140)),
        ("ECG5000/ECG5000_TEST_from_rda.tsv", (4500, 140)),
        ("ECG200/ECG200_TRAIN.tsv", (100, 96)),
        ("ECG200/ECG200_TEST.tsv", (100, 96)),
    ],
)
def test_real_ucr_files_equal_what_pandas_reads(real, name, shape):
    expected = pd.read_csv(real("ucr") / name, sep="\t", header=None, dtype={0: str})
    rows = opened(real("ucr") / name)
    assert rows.columns == {"label": tuple(expected[0])}
    found = np.stack([rows.read(row).samples[0] for row in range(rows.n)])
    assert found.shape == shape
    np.testing.assert_array_equal(found, expected.iloc[:, 1:].to_numpy(np.float32))
