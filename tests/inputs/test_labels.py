import csv
import math
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.errors import FormatError, PathError
from vicinal.inputs.labels import read_labels, split_labels


def table(folder, text, name="labels.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_labels(path)


@pytest.mark.parametrize(
    "text",
    [
        "file,label\n001,AF\nnan,N\n",
        "file;label\n001;AF\nnan;N\n",
        "file\tlabel\n001\tAF\nnan\tN\n",
        "\ufefffile,label\r\n001 , AF\r\n\r\n nan,N \r\n",
        '"file","label"\n"001","AF"\n"nan","N"',
    ],
    ids=["comma", "34-semicolon", "tab", "11-32-33-blanks-crlf-bom", "quoted"],
)
def test_cells_stay_text_whatever_the_dialect(tmp_path, text):
    found = table(tmp_path, text)
    assert cells(found) == {"file": ["001", "nan"], "label": ["AF", "N"]}
    assert len(found) == 2


def cells(found):
    return {name: column.cells() for name, column in found.columns.items()}


def test_lines_are_those_of_the_file(tmp_path):
    assert table(tmp_path, 'a,b\n1,"x\ny"\n\n2,z\n').lines.tolist() == [2, 5]
    assert table(tmp_path, "\n\na\n1\n\n2").lines.tolist() == [4, 6]


@given(st.lists(st.tuples(*[st.text('ab,;"\n x0', max_size=4)] * 2), min_size=1, max_size=8))
def test_what_the_csv_module_writes_is_read_alike(rows):
    rows = [row for row in rows if any(cell.strip() for cell in row)] or [("x", "y")]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "t.csv").open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("one", "two"), *rows])
        stream.flush()
        found = read_labels(Path(stream.name))
    assert list(zip(*cells(found).values(), strict=True)) == [
        tuple(cell.strip() for cell in row) for row in rows
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the file is empty", id="1-empty"),
        pytest.param("file,label\n", "expected rows below the header", id="2-header-only"),
        pytest.param("a,b\n1\n1,2\n1,2,3\n", r"2 problems:\n  line 2: .*\n  line 4: ", id="ragged"),
        pytest.param("a,a\n1,2\n", "distinct, non-empty column names", id="repeated"),
        pytest.param("a,\n1,2\n", "distinct, non-empty column names", id="unnamed"),
        pytest.param("a,b\n1,\0\n", "NUL", id="37-nul"),
        pytest.param(b"a,b\n1,\xff\n", "expected UTF-8", id="latin-1"),
        pytest.param('a,b\n1,"2\n', "line 2: expected a closing quote", id="open-quote"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        table(tmp_path, text)


def test_a_missing_table_is_a_path_error(tmp_path):
    with pytest.raises(PathError, match="does not exist"):
        read_labels(tmp_path / "labels.csv")


def test_parquet_reads_as_the_same_text(tmp_path):
    frame = pd.DataFrame({"file": ["001", "b"], "patient": [1.0, None], "age": [61.5, 40.0]})
    frame["ill"] = [True, False]
    frame.to_parquet(tmp_path / "labels.parquet")
    found = cells(read_labels(tmp_path / "labels.parquet"))
    assert found == {
        "file": ["001", "b"],
        "patient": ["1", ""],
        "age": ["61.5", "40"],
        "ill": ["True", "False"],
    }


def test_bad_parquet_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(FormatError, match="expected a Parquet table"):
        read_labels(tmp_path / "a.parquet")
    pd.DataFrame({"file": ["a"], "label": [["x", "y"]]}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(FormatError, match="plain values in column 'label'"):
        read_labels(tmp_path / "b.parquet")


def test_a_column_is_found_by_its_usual_name_or_the_given_one(tmp_path):
    found = table(tmp_path, "Record,label,class\na,b,c\n")
    assert found.require(None, usual=("file", "record"), key="file_column") == "Record"
    assert found.require("class", usual=("label",), key="label_column") == "class"
    assert found.find(None, usual=("subject",), key="subject_column") is None
    with pytest.raises(
        FormatError, match=r"expected a column named subject, got the columns Record, label, class"
    ):
        found.require(None, usual=("subject",), key="subject_column")
    with pytest.raises(FormatError, match=r"file_column: expected the column 'x'; .* has the columns Record"):
        found.find("x", usual=(), key="file_column")
    with pytest.raises(FormatError, match=r"expected one column among label, class"):
        found.find(None, usual=("label", "class"), key="label_column")


def test_a_column_of_numbers_is_numbers_and_codes_stay_text(tmp_path):
    found = table(tmp_path, "age,code,mixed,none,odd\n61,007,1,,1_0\n,010,x,,2\n")
    age = found.values("age")
    assert age[0] == 61.0
    assert math.isnan(float(age[1]))
    assert found.values("code") == ["007", "010"]
    assert found.values("mixed") == ["1", "x"]
    assert found.values("none") == ["", ""]
    assert found.values("odd") == ["1_0", "2"]


def test_labels_are_separated_by_semicolons():
    assert split_labels("AF") == ("AF",)
    assert split_labels("AF; LBBB") == ("AF", "LBBB")
    assert split_labels("AF|LBBB") == ("AF", "LBBB")
    assert split_labels("-1") == ("-1",)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        pytest.param("A;A", "distinct labels", id="16"),
        pytest.param("A;", "distinct labels", id="16-empty"),
        pytest.param("['NORM'", "a list in Python or JSON", id="17"),
        pytest.param("{'NORM': 100.0}", "a list in Python or JSON", id="18"),
        pytest.param("NaN", "reads like a missing value", id="12"),
        pytest.param("0.5", "a number that is not whole", id="13"),
    ],
)
def test_a_cell_that_is_no_label_is_refused(cell, message):
    with pytest.raises(FormatError, match=message):
        split_labels(cell)
