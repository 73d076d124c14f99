import numpy as np
import pytest

from vicinal.inputs.datasets.own.guesses import guess_file, guess_labels, guess_subject, tables_that_fit
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.labels import LabelTable, text_column


def table(**columns):
    n = len(next(iter(columns.values())))
    return LabelTable("t", {name: text_column(cells) for name, cells in columns.items()}, np.arange(2, 2 + n))


def test_the_file_column_is_the_one_that_names_recordings(root):
    listing = Listing(root)
    assert (
        guess_file(table(age=("61", "1", "1"), EKG=("001", "002", "sub/a"), x=("a", "b", "c")), listing)
        == "EKG"
    )
    assert guess_file(table(a=("x", "y"), b=("1", "1")), listing) is None


@pytest.mark.parametrize("name", ["PatientNr", "patientID", "pat", "Subj", "group", "person no", "mrn"])
def test_a_column_about_persons_is_told_by_its_name(name):
    assert (
        guess_subject(table(**{"age": ("1", "2"), name: ("1", "2"), "patient_age": ("1", "2")}), but=set())
        == name
    )


def test_two_columns_about_persons_are_none():
    assert guess_subject(table(subj_a=("1",), subj_b=("1",)), but=set()) is None


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        ({"age": ("1", "2"), "Rhythm": ("a", "b")}, ("Rhythm",)),
        ({"sex": ("0", "1"), "AF": ("0", "1"), "MI": ("1", "0")}, ("AF", "MI")),
        ({"Befund": ("krank", "gesund"), "Datum": ("1", "1")}, ("Befund",)),
        ({"one": ("a", "b"), "two": ("c", "d")}, ("one", "two")),
        ({"age": ("1", "2")}, ()),
    ],
)
def test_labels_are_told_by_name_or_by_what_the_column_holds(columns, labels):
    assert guess_labels(table(**columns), but=set()) == labels


def test_a_table_that_fits_names_recordings(root):
    (root / "1.csv").write_text("time,ECG\n0,0.1\n1,0.2\n")
    (root / "2.csv").write_text("time,ECG\n0,0.1\n1,0.2\n")
    (root / "who.csv").write_text("name;result\n001;a\n002;b\n")
    assert [path.name for path in tables_that_fit(root)] == ["who.csv"]
