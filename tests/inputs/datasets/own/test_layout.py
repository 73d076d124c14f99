from pathlib import Path

import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.own.layout import find_layout


@pytest.mark.parametrize(
    ("names", "kind", "labels"),
    [
        ((), "folders", None),
        (("labels.csv",), "table", "labels.csv"),
        (("labels.parquet", "X.npy"), "table", "labels.parquet"),
    ],
)
def test_the_layout_follows_from_names(tmp_path, names, kind, labels):
    for name in names:
        (tmp_path / name).write_text("")
    found = find_layout(tmp_path, labels=None, events=None)
    assert (found.kind, found.labels and found.labels.name) == (kind, labels)


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (("X.npy", "y.npy", "groups.npy"), {"X.npy": None}),
        (("X.npz",), {"X.npz": None}),
        (("all.csv", "readme.md"), {"all.csv": None}),
        (
            ("A_TEST.tsv", "A_TRAIN.tsv", "A_TEST.ts", "A_TRAIN.ts"),
            {"A_TEST.tsv": "test", "A_TRAIN.tsv": "train"},
        ),
        (("A_TRAIN.tsv", "B_TEST.tsv"), {}),
        (("one.csv", "two.csv"), {}),
        (("af/one.csv",), {}),
    ],
)
def test_files_with_one_signal_a_row(tmp_path, names, rows):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = find_layout(tmp_path, labels=None, events=None)
    assert {path.name: part for path, part in found.rows} == rows
    assert found.kind == ("rows" if rows else "folders")


def test_named_tables_lie_in_the_folder_or_anywhere(tmp_path):
    (tmp_path / "in.csv").write_text("")
    found = find_layout(tmp_path, labels=Path("in.csv"), events=Path("/elsewhere/events.csv"))
    assert (found.labels, found.events) == (tmp_path / "in.csv", Path("/elsewhere/events.csv"))


def test_two_tables_are_one_too_many(tmp_path):
    for name in ("events.csv", "events.tsv"):
        (tmp_path / name).write_text("")
    with pytest.raises(FormatError, match=r"expected one of events.csv, events.tsv, got 2. Set events"):
        find_layout(tmp_path, labels=None, events=None)
