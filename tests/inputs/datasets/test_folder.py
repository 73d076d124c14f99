import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.execution import map_tasks
from vicinal.inputs.datasets.folder import catalogue, read


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "hearts"
    (folder / "sub").mkdir(parents=True)
    for index, name in enumerate(("001", "002", "1", "sub/a")):
        np.save(folder / f"{name}.npy", np.full((1, 4), index, dtype=np.float32))
    return folder


def write(root, text, name="labels.csv"):
    (root / name).write_text(text)
    return root


TABLE = "file,label,patient,age,fold\n001,AF,p1,61,3\n002.npy,AF;LBBB,p1,,3\nsub/a,N,p2,40,4\n"


def test_a_table_gives_ids_labels_subjects_and_further_columns(root):
    found = catalogue(write(root, TABLE), rate_hz=100.0, units="mV")
    assert found.name == "hearts"
    assert found.classes == ("AF", "LBBB", "N")
    assert [one.id for one in found.recordings] == ["001", "002.npy", "sub/a"]
    assert [one.labels for one in found.recordings] == [("AF",), ("AF", "LBBB"), ("N",)]
    assert [one.group for one in found.recordings] == ["p1", "p1", "p2"]
    assert found.has_subjects
    assert found.recordings[2].columns == {"age": 40.0}
    assert found.skipped == (("1.npy", "no row in labels.csv"),)
    assert found.notes[0] == "columns fold bear reserved names and were left out"


def test_a_recording_is_read_as_the_catalogue_was_told(root):
    found = catalogue(write(root, TABLE), rate_hz=100.0, units="mV", channels=("II",))
    signal = read(found.recordings[1])
    assert (signal.id, signal.subject, signal.rate_hz, signal.channels) == ("002.npy", "p1", 100, ("II",))
    assert signal.samples.tolist() == [[1, 1, 1, 1]]


@pytest.mark.slow
def test_a_recording_is_read_in_another_process(root):
    found = catalogue(write(root, TABLE), rate_hz=100.0, units="mV")
    signals = list(map_tasks(read, found.recordings, n_processes=2))
    assert [signal.samples[0, 0] for signal in signals] == [0, 1, 3]


def test_without_subjects_every_recording_is_its_own_group_and_that_is_said(root):
    found = catalogue(write(root, "record,class\n001,AF\n1,N\n"))
    assert not found.has_subjects
    assert [one.group for one in found.recordings] == ["001", "1"]
    assert found.notes[0] == "no subjects are known: assumes one recording per person"


def test_8_12_a_recording_without_a_label_is_skipped_and_listed(root):
    found = catalogue(write(root, "file,label\n001,AF\n002,\n1,N\n"))
    assert [one.id for one in found.recordings] == ["001", "1"]
    assert found.skipped[0] == ("002", "no label in line 3 of labels.csv")
    assert found.skipped[1][0] == "sub/a.npy"


def test_5_a_repeated_row_counts_once_and_is_noted(root):
    found = catalogue(write(root, "file,label\n001,AF\n001.npy,AF\n1,N\n"))
    assert [one.id for one in found.recordings] == ["001", "1"]
    assert "1 rows repeat" in found.notes[1]


def test_the_table_may_lie_anywhere_and_name_its_columns_freely(root, tmp_path):
    (tmp_path / "truth.parquet.csv").write_text("wo,was,wer\n001,AF,x\n")
    found = catalogue(
        root,
        labels=tmp_path / "truth.parquet.csv",
        file_column="wo",
        label_column="was",
        subject_column="wer",
    )
    assert found.recordings[0].subject == "x"
    write(root, "file,label\n1,N\n", "other.csv")
    assert catalogue(root, labels="other.csv").recordings[0].id == "1"


def test_wfdb_records_are_named_without_their_ending(root):
    (root / "w.hea").write_text("w 1 250 2\nw.dat 16 100/mV\n")
    (root / "w.dat").write_bytes(bytes(4))
    found = catalogue(write(root, "file,label\nw,AF\n"))
    assert read(found.recordings[0]).rate_hz == 250
    assert [name for name, _ in found.skipped] == ["001.npy", "002.npy", "1.npy", "sub/a.npy"]


def test_a_folder_may_be_a_link(root, tmp_path):
    (tmp_path / "link").symlink_to(write(root, TABLE))
    found = catalogue(tmp_path / "link", rate_hz=100.0, units="mV")
    assert read(found.recordings[2]).samples[0, 0] == 3
    assert len(found.skipped) == 1


def test_a_link_out_of_the_folder_is_not_followed(root):
    np.save(root.parent / "x.npy", np.zeros(3))
    (root / "x.npy").symlink_to(root.parent / "x.npy")
    with pytest.raises(FormatError, match=r"'x\.npy' leads outside"):
        catalogue(write(root, "file,label\nx.npy,A\n"))


def test_sub_folders_are_classes(tmp_path):
    for name in ("AF/1", "AF/deep/2", "N/1", ".hidden/3"):
        path = tmp_path / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.zeros(3))
    np.save(tmp_path / "loose.npy", np.zeros(3))
    found = catalogue(tmp_path, rate_hz=1.0, units="1")
    assert found.classes == ("AF", "N")
    assert [(one.id, one.labels[0]) for one in found.recordings] == [
        ("AF/1", "AF"),
        ("AF/deep/2", "AF"),
        ("N/1", "N"),
    ]
    assert found.skipped == (("loose.npy", "not in the folder of a class"),)
    assert read(found.recordings[2]).id == "N/1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("label\nAF\n", "column named file or .* got the columns label. Set file_column", id="3"),
        pytest.param(
            "file\n001\n", "column named label or .* got the columns file. Set label_column", id="4"
        ),
        pytest.param("file,label\n001,AF\n001,N\n", "line 3: '001' stands twice", id="6"),
        pytest.param(
            "file,label\n009,AF\n008,N\n", r"2 problems:\n  line 2: '009' is not in .*\n  line 3", id="7"
        ),
        pytest.param("file,label\n001,AF\n002,af\n", "labels 'AF' and 'af' look like one", id="10"),
        pytest.param("file,label\n001,NaN\n", "reads like a missing value", id="12"),
        pytest.param("file,label\n001,A;A\n", "distinct labels", id="16"),
        pytest.param("file,label\n001,['NORM'\n", "a list in Python or JSON", id="17"),
        pytest.param("file,label,subject\n001,A,\n", "expected a subject, the cell is empty", id="23"),
        pytest.param(
            "file,label,subject\n001,A,001\n002,A,1\n", "subjects '001' and '1' look like one", id="24"
        ),
        pytest.param(
            "file,label,subject\n001,A,1.0\n002,A,1\n", "subjects '1' and '1.0' look like one", id="25"
        ),
        pytest.param("file,label\n../x.npy,A\n", "leads outside", id="36"),
        pytest.param("file,label\n/etc/passwd,A\n", "only names relative to", id="36-absolute"),
        pytest.param("file,label\nhttp://x/y,A\n", "only names relative to", id="36-url"),
        pytest.param("file,label\n,A\n", "expected a file, the cell is empty", id="no-file"),
        pytest.param("file,label\n001,\n", "every cell is empty", id="no-label"),
        pytest.param(f"file,label\n{'x' * 5000},A\n", "is not in", id="long"),
        pytest.param("file,label\nsub,A\n", "is not a regular file", id="folder"),
    ],
)
def test_a_table_with_problems_is_refused_with_all_of_them(root, text, message):
    np.save(root.parent / "x.npy", np.zeros(3))
    with pytest.raises(FormatError, match=message):
        catalogue(write(root, text))


def test_many_problems_are_counted(root):
    rows = "".join(f"x{i},A\n" for i in range(50))
    with pytest.raises(FormatError, match=r"50 problems:\n(.*\n){20}  and 30 more"):
        catalogue(write(root, "file,label\n" + rows))


def test_nothing_to_read_says_what_was_looked_for(root, tmp_path):
    with pytest.raises(PathError, match="expected a folder of recordings"):
        catalogue(tmp_path / "nowhere")
    with pytest.raises(PathError, match="got none"):
        catalogue(None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match=r"expected a label table \(labels.csv"):
        catalogue(tmp_path / "empty")
    with pytest.raises(PathError, match="does not exist"):
        catalogue(root, labels="absent.csv")
    write(root, "file,label\n1,N\n")
    write(root, "file,label\n1,N\n", "labels.tsv")
    with pytest.raises(FormatError, match=r"expected one of labels.csv, labels.tsv, got 2"):
        catalogue(root)
