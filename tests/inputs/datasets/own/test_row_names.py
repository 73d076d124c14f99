"""A folder as CODE-15 is laid out: archives of many traces, and one table for all of them."""

import h5py
import numpy as np
import pytest

from vicinal.errors import FormatError
from vicinal.inputs.datasets.folder import catalogue, read
from vicinal.inputs.datasets.own.survey import survey
from vicinal.workflow.packing import pack
from vicinal.workflow.starting import init

PARTS = {"exams_part0.hdf5": (7, 5, 0), "exams_part1.hdf5": (9, 8, 0)}
"""Exams of each archive; the published ones end with a trace of zeros that no exam has."""

EXAMS = (
    "exam_id,age,AF,LBBB,patient_id,trace_file\n"
    "9,61,True,False,1,exams_part1.hdf5\n5,70,False,False,2,exams_part0.hdf5\n"
    "8,62,False,True,1,exams_part1.hdf5\n7,44,True,False,3,exams_part0.hdf5\n"
)
OPTIONS = {
    "labels": "exams.csv", "file_column": "trace_file", "row_column": "exam_id", "label_columns": ("AF", "LBBB"),
    "rate_hz": 400.0, "units": "mV",
}  # fmt: skip


@pytest.fixture
def code15(tmp_path):
    root = tmp_path / "code15"
    root.mkdir()
    for name, exams in PARTS.items():
        with h5py.File(root / name, "w") as file:
            file["exam_id"] = np.array(exams)
            file["tracings"] = np.stack([np.full((64, 12), exam, np.float32) for exam in exams])
    (root / "exams.csv").write_text(EXAMS)
    return root


def test_rows_of_the_table_find_their_signals(code15):
    made = catalogue(code15, **OPTIONS)
    assert [one.id for one in made.recordings] == [
        "exams_part0[7]", "exams_part0[5]", "exams_part1[9]", "exams_part1[8]",
    ]  # fmt: skip
    assert [one.labels for one in made.recordings] == [("AF",), (), ("AF",), ("LBBB",)]
    assert [one.subject for one in made.recordings] == ["3", "2", "1", "1"]
    assert [one.columns["age"] for one in made.recordings] == [44, 70, 61, 62]
    assert [read(one).samples[0, 0] for one in made.recordings] == [7, 5, 9, 8]
    assert made.skipped == ()


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("\n8,", "\n80,", "line 4: exam_id '80': exams_part1.hdf5 holds no signal of that name"),
        ("\n5,", "\n0,", "line 3: exam_id '0': exams_part0.hdf5 holds several signals of that name"),
        ("\n8,62,False", "\n9,62,False", "line 4: 'exams_part1.9.' stands twice, with different label"),
        (
            "exam_id,age",
            "exam,exam_id",
            "exams_part0.hdf5: expected a column 'exam' as in the table, did you",
        ),
    ],
)
def test_what_cannot_be_found_is_named_by_its_line(code15, was, becomes, message):
    assert was in EXAMS
    text = EXAMS.replace(was, becomes).replace("0.hdf5\n0", "1.hdf5\n0")
    if becomes == "\n0,":
        with h5py.File(code15 / "exams_part0.hdf5", "r+") as file:
            file["exam_id"][...] = (7, 0, 0)
    (code15 / "exams.csv").write_text(text)
    row_column = "exam" if becomes.startswith("exam") else "exam_id"
    with pytest.raises(FormatError, match=message):
        catalogue(code15, **{**OPTIONS, "row_column": row_column})


def test_an_archive_that_cannot_be_opened_is_named(code15):
    (code15 / "exams_part1.hdf5").write_bytes(b"nothing")
    with pytest.raises(FormatError, match=r"line 2: .*exams_part1.hdf5: expected an HDF5 file"):
        catalogue(code15, **OPTIONS)


def test_events_of_files_do_not_go_with_signals_inside_files(code15):
    (code15 / "events.csv").write_text("file,time_s,symbol\nexams_part0.hdf5,0.1,N\n")
    with pytest.raises(FormatError, match="give events_column"):
        catalogue(code15, **OPTIONS)


def test_a_first_look_finds_both_columns(code15):
    settings = survey(code15, {}).settings
    assert settings == {
        "labels": str(code15 / "exams.csv"), "file_column": "trace_file", "row_column": "exam_id",
        "label_columns": ["AF", "LBBB"], "subject_column": "patient_id",
    }  # fmt: skip
    assert survey(code15, {}).found == (
        "2 files of recordings, and 4 rows in exams.csv",
        "column trace_file names the files",
        "column exam_id says which of a file's signals",
        "columns AF, LBBB are classes, 0 or 1",
        "column patient_id says whom (3 subjects)",
    )


def test_what_init_writes_is_packed(tmp_path):
    root, rng = tmp_path / "code15", np.random.default_rng(0)
    root.mkdir()
    lines = ["exam_id,AF,LBBB,patient_id,trace_file"]
    for part in range(2):
        exams = np.arange(30) + 30 * part
        with h5py.File(root / f"exams_part{part}.hdf5", "w") as file:
            file["exam_id"] = exams
            file["tracings"] = rng.normal(size=(30, 400, 12)).astype(np.float32)
        lines += [
            f"{exam},{exam % 3 == 0},{exam % 2 == 0},{exam // 2},exams_part{part}.hdf5" for exam in exams
        ]
    (root / "exams.csv").write_text("\n".join([lines[0], *rng.permutation(lines[1:])]) + "\n")
    started = init(root, output=tmp_path / "code15.toml", stated={"rate_hz": 400.0, "units": "mV"})
    assert 'row_column = "exam_id"' in started.text
    made = pack(tmp_path / "code15.toml", output=tmp_path / "p")
    assert made.ids.tolist() == [f"exams_part{exam // 30}[{exam}]" for exam in range(60)]
    assert made.counts == {"AF": 20, "LBBB": 30}
