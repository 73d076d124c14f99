import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets.own.survey import survey

FULL = (
    "EKG;Befund;PatientNr;split\n001;krank;7;train\n002;gesund;8;test\n1;krank;9;train\nsub/a;gesund;9;test\n"
)


def test_a_table_of_any_name_with_columns_of_any_name(write):
    root = write(FULL, "patients.csv")
    found = survey(root, {})
    assert found.settings == {
        "labels": str(root / "patients.csv"), "file_column": "EKG", "label_column": "Befund",
        "subject_column": "PatientNr", "split_column": "split",
    }  # fmt: skip
    assert found.found[:2] == ("4 recordings, and 4 rows in patients.csv", "column EKG names the recordings")


def test_what_is_told_is_taken(write):
    root = write("a,b,c,d\n001,x,u,1\n002,y,v,2\n", "t.csv")
    assert survey(root, {"labels": "t.csv", "label_column": "c", "subject_column": "d"}).settings == {
        "labels": str(root / "t.csv"), "file_column": "a", "label_column": "c", "subject_column": "d",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a,b,c\n001,x,u\n002,y,v\n",
            r"which column holds the labels\? b, c may be. Name it: --label-column",
        ),
        ("a,age\n001,61\n002,62\n", r"which column holds the labels\? none of a, age looks like them"),
        (
            "label,x\nN,1\nA,2\n",
            r"expected a column that names the recordings, got label, x. The folder holds 4",
        ),
    ],
)
def test_what_is_not_clear_is_asked(write, text, message):
    with pytest.raises(FormatError, match=message):
        survey(write(text), {})


def test_rows_of_one_file(tmp_path):
    (tmp_path / "all.csv").write_text("Diagnosis,patientId,age,t0,t1\na,p,61,1,2\nb,q,62,4,5\n")
    found = survey(tmp_path, {})
    assert found.settings == {"label_column": "Diagnosis", "subject_column": "patientId"}


def test_arrays_with_a_column_for_each_class(tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((2, 5)))
    np.save(tmp_path / "y.npy", np.eye(2))
    np.save(tmp_path / "groups.npy", [1, 2])
    assert survey(tmp_path, {}).settings == {"label_columns": ["y[0]", "y[1]"], "subject_column": "groups"}


def test_a_folder_without_labels_says_what_it_needs(root, tmp_path):
    with pytest.raises(PathError, match="is not a folder"):
        survey(root / "nowhere", {})
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="expected recordings, got none"):
        survey(tmp_path / "empty", {})
    (root / "sub" / "a.npy").unlink()
    with pytest.raises(
        FormatError, match=r"3 recordings, but no labels: expected a table such as labels.csv"
    ):
        survey(root, {})


def test_two_tables_that_fit_are_asked_about(write):
    write("a,b\n001,x\n002,y\n", "one.csv")
    with pytest.raises(
        FormatError, match=r"2 tables name recordings: one.csv, two.csv. Say which .* --labels"
    ):
        survey(write("a,b\n001,x\n002,y\n", "two.csv"), {})


def test_class_folders_need_no_settings(tmp_path):
    for name in ("af", "n"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "1.npy", np.zeros(3))
    assert survey(tmp_path, {}).settings == {}
