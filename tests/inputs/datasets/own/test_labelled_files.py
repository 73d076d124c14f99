"""Every item of the list of bad label tables, by its number."""

import math
import re

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError
from vicinal.inputs.datasets.folder import catalogue, read
from vicinal.inputs.datasets.own.columns import Columns
from vicinal.inputs.datasets.own.labelled_files import by_table
from vicinal.inputs.datasets.own.listing import Listing
from vicinal.inputs.labels import LabelTable, text_column
from vicinal.inputs.tasks import truth

REFUSED = [
    ("1", "", "the file is empty"),
    ("2", "file,label\n", "expected rows below the header line"),
    ("3", "label\nAF\n", "expected a column named file or .* Set file_column"),
    ("4", "file\n001\n", "expected a column named label or .* Set label_column"),
    ("6", "file,label\n001,AF\n001,N\n", "line 3: '001' stands twice, .* .before in line 2"),
    ("7", "file,label\n009,AF\n008,N\n", r"2 problems:\n  line 2: '009' is not in .*\n  line 3"),
    ("10", "file,label\n001,AF\n002,af\n", "labels 'AF' and 'af' look like one"),
    ("12", "file,label\n001,NaN\n", "line 2: label 'NaN': it reads like a missing value"),
    ("13", "file,label\n001,0.5\n002,1\n", "line 2: label '0.5': expected a class, got a number that is not whole"),
    ("16", "file,label\n001,A;A\n", "line 2: label 'A;A': expected distinct labels"),
    ("17", "file,label\n001,['NORM'\n", "line 2: .* a list in Python or JSON"),
    ("18", 'file,label\n001,"{__import__(\'os\').remove(\'x\')}"\n', "line 2: .* a list in Python or JSON"),
    ("18-code", "file,label\n001,(exit())\n", "line 2: .* a list in Python or JSON"),
    ("23", "file,label,subject\n001,A,\n", "line 2: expected a subject, the cell is empty"),
    ("24", "file,label,subject\n001,A,001\n002,A,1\n", "subjects '001' and '1' look like one"),
    ("25", "file,label,subject\n001,A,1.0\n002,A,1\n", "subjects '1' and '1.0' look like one"),
    ("36", "file,label\n../x.npy,A\n", "line 2: file name '../x.npy' leads outside"),
    ("36-absolute", "file,label\n/etc/passwd,A\n", "only names relative to"),
    ("37", "file,label\n0\x0001,A\n", "got NUL characters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_a_bad_table_is_refused_with_what_and_where(write, text, message):
    with pytest.raises(FormatError, match=message):
        catalogue(write(text))


def table_of_classes(cell):
    return f"file,AF,LBBB\n001,{cell},0\n002,0,1\n"


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("0.5", id="13"),
        pytest.param("2", id="14"),
        pytest.param("-1", id="15"),
        pytest.param("", id="12"),
        pytest.param("yes?", id="9"),
    ],
)
def test_a_column_of_a_class_holds_zeros_and_ones(write, cell):
    with pytest.raises(
        FormatError, match=rf"line 2: column AF: expected 0 or 1, got '{cell.replace('?', '.')}'"
    ):
        catalogue(write(table_of_classes(cell)), label_columns=("AF", "LBBB"))


def test_one_column_for_each_class(write):
    text = "file,AF,LBBB\n001,1,0\n002,0.0,False\n1,True,1\n"
    found = catalogue(write(text), label_columns=("AF", "LBBB"))
    assert found.classes == ("AF", "LBBB")
    assert [one.labels for one in found.recordings] == [("AF",), (), ("AF", "LBBB")]


FLAGGED = [
    ("5", "file,label\n001,AF\n001.npy,AF\n1,N\n", "1 rows repeat another row"),
    ("15", "file,label\n001,-1\n002,0\n1,1\n", "-1 counts as a class of its own"),
    ("21", "file,label\n001,AF\n002,N\n1,N\n", "fewer than 5 subjects or recordings have: AF .1., N .2."),
    ("26", "file,label,fold\n001,A,0\n002,A,11\n1,N,ten\n", "columns fold bear reserved names"),
    ("39", "file,label,date\n001,A,32/13/2020\n002,N,1/2/2020\n", "column date: 1 cells are no date"),
    ("40", "file,label,age\n001,A,-1\n002,N,300\n", "column age: 2 cells are no age"),
    ("41", "file,label,sex\n001,A,X\n002,N,F\n", "column sex: 1 cells are no sex"),
    ("45", "file,label,weight\n001,A,0\n002,N,-1\n1,N,inf\n", "column weight weighs nothing"),
]


@pytest.mark.parametrize(("text", "note"), [pytest.param(*case[1:], id=case[0]) for case in FLAGGED])
def test_what_may_be_meant_is_taken_and_said(write, text, note):
    assert any(re.search(note, one) for one in catalogue(write(text)).notes)


def test_8_a_recording_without_a_row_is_skipped_and_listed(write):
    found = catalogue(write("file,label\n001,AF\n1,N\n"))
    assert found.skipped == (("002.npy", "no row in labels.csv"), ("sub/a.npy", "no row in labels.csv"))


def test_12_an_empty_label_is_skipped_and_listed(write):
    assert catalogue(write("file,label\n001,AF\n002,\n1,N\n")).skipped[0] == (
        "002",
        "no label in line 3 of labels.csv",
    )


@pytest.mark.parametrize(
    ("task", "message"),
    [
        pytest.param({"task": "binary", "positive": ("AFL",)}, "no class 'AFL', did you mean 'AF'", id="9"),
        pytest.param(
            {"task": "classes", "classes": ("AF",)}, "do not have exactly one of AF", id="9-left-out"
        ),
    ],
)
def test_a_class_that_is_not_there_is_refused_by_the_task(write, task, message):
    found = catalogue(write("file,label\n001,AF\n002,N\n"))
    with pytest.raises(ExperimentError, match=message):
        truth(found, **task)


@pytest.mark.parametrize(
    "task", [{"task": "binary", "positive": ("AF",)}, {"task": "classes"}, {"task": "labels"}]
)
def test_19_one_class_alone_is_nothing_to_learn(write, task):
    found = catalogue(write("file,label\n001,AF\n002,AF\n"))
    with pytest.raises(ExperimentError, match=r"every class is positive|nothing to learn"):
        truth(found, **task)


def test_14_a_third_label_is_a_third_class_which_a_binary_task_counts_among_the_rest(write):
    found = catalogue(write("file,label\n001,0\n002,1\n1,2\n"))
    assert found.classes == ("0", "1", "2")
    assert truth(found, task="binary", positive=("1",))[1].tolist() == [[0], [1], [0]]


def test_22_31_one_subject_is_one_group(write):
    found = catalogue(write("file,label,subject\n001,A,man\n002,N,man\n1,N,other\n"))
    assert [one.group for one in found.recordings] == ["man", "man", "other"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        pytest.param(("0", "11", "ten"), "line 2: column fold: expected train, .*, got '0'", id="26"),
        pytest.param(("train", "", "test"), "line 3: column fold: expected train, .*, got ''", id="27"),
    ],
)
def test_a_column_named_as_the_split_holds_parts(write, cells, message):
    rows = "".join(f"{name},A,{cell}\n" for name, cell in zip(("001", "002", "1"), cells, strict=True))
    with pytest.raises(FormatError, match=message):
        catalogue(write("file,label,fold\n" + rows), split_column="fold")


def test_28_a_split_without_validation_is_taken_as_it_is(write):
    found = catalogue(write("file,label,split\n001,A,Train\n002,N,train\n1,N,TEST\n"))
    assert found.officials == {"split": ("train", "train", "test")}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("file,label\n001 , AF\n 002,N \n", id="11"),
        pytest.param("file,label\r\n001,AF\r\n002,N\r\n", id="32"),
        pytest.param("\ufefffile,label\n001,AF\n002,N\n", id="33"),
        pytest.param("file;label\n001;AF\n002;N\n", id="34"),
    ],
)
def test_a_dialect_changes_nothing(write, text):
    assert [(one.id, one.labels) for one in catalogue(write(text)).recordings] == [
        ("001", ("AF",)),
        ("002", ("N",)),
    ]


def test_38_ids_that_read_like_something_else_are_text(root, write):
    for name in ("nan", "NA", "TRUE"):
        np.save(root / f"{name}.npy", np.zeros(3))
    found = catalogue(write("file,label,subject\nnan,A,NA\nNA,N,nan\nTRUE,N,TRUE\n"))
    assert [(one.id, one.subject) for one in found.recordings] == [
        ("nan", "NA"),
        ("NA", "nan"),
        ("TRUE", "TRUE"),
    ]


def test_42_a_further_column_makes_subgroups_and_never_reaches_the_network(write):
    found = catalogue(
        write("file,label,report\n001,A,atrial fibrillation\n002,N,normal\n"), rate_hz=1.0, units="1"
    )
    assert found.recordings[0].columns == {"report": "atrial fibrillation"}
    assert read(found.recordings[0]).samples.shape == (1, 4)


def test_44_an_event_beyond_the_recording_is_refused_when_it_is_read(write):
    write("file,time_s,symbol\n001,0.5,N\n001,4.0,V\n002,0.25,N\n", "events.csv")
    found = catalogue(write("file,label\n001,A\n002,N\n1,N\n"), rate_hz=2.0, units="1")
    with pytest.raises(
        FormatError, match=r"'001': expected events within its 2 s, got 1 beyond \(first 4 s\)"
    ):
        read(found.recordings[0])
    events = read(found.recordings[1]).events
    assert (events.positions.tolist(), events.symbols) == ([0], ("N",))
    assert read(found.recordings[2]).events is None


def test_43_symbols_are_kept_as_they_are_and_a_symbol_is_never_mapped_in_silence(write):
    found = catalogue(
        write("file,label,beats\n001,A,0.5 N;1 ?\n002,N,\n"), rate_hz=2.0, units="1", events_column="beats"
    )
    assert read(found.recordings[0]).events.symbols == ("N", "?")
    assert read(found.recordings[1]).events.symbols == ()


def test_ages_are_numbers_and_codes_stay_text(write):
    found = catalogue(write("file,label,age,site\n001,A,61,007\n002,N,,012\n"))
    assert found.recordings[0].columns == {"age": 61.0, "site": "007"}
    assert math.isnan(found.recordings[1].columns["age"])


def many(n, names):
    distinct = text_column(names).distinct
    codes = (np.arange(n) % len(distinct)).astype(np.int32)
    columns = {"file": type(text_column(["x"]))(distinct, codes), "label": text_column(["AF"] * n)}
    return LabelTable("labels.csv", columns, np.arange(2, n + 2))


@pytest.mark.slow
def test_35_ten_million_rows_that_repeat_or_name_nothing_are_counted(root):
    columns = Columns(labels=("label",), file="file")
    n = 10_000_000
    found = by_table(Listing(root), many(n, ["001", "002"]), columns, options={}, events=None)
    assert [one.id for one in found.recordings] == ["001", "002"]
    assert found.notes[1] == "9999998 rows repeat another row and were left out"
    with pytest.raises(FormatError, match=r"10,000,000 problems:\n  line 2: 'x' is not in"):
        by_table(Listing(root), many(n, ["x", "y"]), columns, options={}, events=None)


def test_29_30_one_waveform_under_two_names_is_two_recordings_until_the_auditor_looks(write):
    assert len(catalogue(write("file,label\n001,A\n002,A\n")).recordings) == 2
