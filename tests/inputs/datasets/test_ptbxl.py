import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.inputs.datasets import ptbxl
from vicinal.inputs.datasets.catalogue import Recording

STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass
NDT,non-diagnostic T,1.0,1.0,,STTC,STTC
NORM,normal,1.0,,,NORM,NORM
IMI,inferior,1.0,,,MI,IMI
ILMI,inferolateral,1.0,,,MI,IMI
ABQRS,abnormal QRS,,1.0,,,
SR,sinus rhythm,,,1.0,,
"""

ROWS: list[dict[str, str]] = [
    {"scp_codes": "{'NORM': 100.0, 'SR': 0.0}", "strat_fold": "8"},
    {"scp_codes": "{'IMI': 15.0, 'ILMI': 100.0, 'NDT': 0.0, 'ABQRS': 0.0}", "strat_fold": "9"},
    {"scp_codes": "{'SR': 0.0}", "strat_fold": "10", "age": "", "sex": "1", "nurse": "", "site": ""},
]


def folder(path: Path, *changes: dict[str, str], rate_hz: int = 100, record: bool = True) -> Path:
    """Write the tables and one record for each row; `changes` overwrite cells of the first rows."""
    short = {100: "lr", 500: "hr"}[rate_hz]
    rows = []
    for k, own in enumerate(ROWS):
        usual = {
            "ecg_id": str(k + 1), "patient_id": "7.0" if k < 2 else "8.0", "age": "56.0", "sex": "0",
            "nurse": "2.0", "site": "0.0", "device": "CS-12   E", "report": 'zwei\nZeilen, "und" Komma',
            "filename_lr": f"records100/00000/{k + 1:05d}_lr",
            "filename_hr": f"records500/00000/{k + 1:05d}_hr",
        }  # fmt: skip
        rows.append(usual | own | (changes[k] if k < len(changes) else {}))
    with (path / "ptbxl_database.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (path / "scp_statements.csv").write_text(STATEMENTS)
    below = path / f"records{rate_hz}/00000"
    below.mkdir(parents=True, exist_ok=True)
    for k in range(len(ROWS) if record else 0):
        name = f"{k + 1:05d}_{short}"
        (below / f"{name}.dat").write_bytes(np.array([1, -2, 3, 1000], "<i2").tobytes())
        line = f"{name}.dat 16 1000.0(0)/mV 16 0 1 1002 0 I"
        (below / f"{name}.hea").write_text(f"{name} 1 {rate_hz} 4\n{line}\n")
    return path


@pytest.mark.parametrize(
    ("kind", "classes", "labels"),
    [
        (
            "all",
            ("NDT", "NORM", "IMI", "ILMI", "ABQRS", "SR"),
            [("NORM", "SR"), ("IMI", "ILMI", "NDT", "ABQRS"), ("SR",)],
        ),
        ("diagnostic", ("NDT", "NORM", "IMI", "ILMI"), [("NORM",), ("IMI", "ILMI", "NDT")]),
        ("subdiagnostic", ("STTC", "NORM", "IMI"), [("NORM",), ("IMI", "STTC")]),
        ("superdiagnostic", ("NORM", "MI", "STTC", "CD", "HYP"), [("NORM",), ("MI", "STTC")]),
        ("form", ("NDT", "ABQRS"), [("NDT", "ABQRS")]),
        ("rhythm", ("SR",), [("SR",), ("SR",)]),
    ],
)
def test_each_set_of_labels_counts_statements_whatever_their_likelihood(
    tmp_path: Path, kind: str, classes: tuple[str, ...], labels: list[tuple[str, ...]]
) -> None:
    made = ptbxl.catalogue(folder(tmp_path), labels=kind)
    assert made.classes == classes
    assert [one.labels for one in made.recordings] == labels
    assert f"; {3 - len(labels)} recordings without any of them are left out" in made.notes[0]


def test_patients_facts_and_the_published_split(tmp_path: Path) -> None:
    made = ptbxl.catalogue(folder(tmp_path), labels="all")
    assert made.officials == {"strat_fold": ("train", "validation", "test")}
    assert [(one.id, one.subject, one.group) for one in made.recordings] == [
        ("00001", "7", "7"), ("00002", "7", "7"), ("00003", "8", "8"),
    ]  # fmt: skip
    assert made.recordings[0].columns == {
        "age": 56.0, "sex": "male", "device": "CS-12   E", "site": "0", "nurse": "2",
    }  # fmt: skip
    last = made.recordings[2].columns
    assert np.isnan(float(last["age"]))
    assert (last["sex"], last["nurse"], last["site"]) == ("female", "", "")


@pytest.mark.parametrize("rate_hz", [100, 500])
def test_either_rate_is_read_in_millivolt(tmp_path: Path, rate_hz: int) -> None:
    made = ptbxl.catalogue(folder(tmp_path, rate_hz=rate_hz), labels="all", rate_hz=rate_hz)
    signal = ptbxl.read(made.recordings[2])
    assert (signal.id, signal.subject, signal.rate_hz, signal.units) == ("00003", "8", rate_hz, ("mV",))
    np.testing.assert_allclose(signal.samples, [[0.001, -0.002, 0.003, 1.0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scp_codes": "__import__('os')"}, "scp_codes: expected a table"),
        ({"scp_codes": "{'NORM': 100.0, 'SR': [0]}"}, "scp_codes: expected a table"),
        ({"scp_codes": "{'NORM': 1e3}"}, "scp_codes: expected a table"),
        ({"scp_codes": "{'NORN': 100.0}"}, r"line 3: scp_codes: NORN not in scp_statements\.csv"),
        ({"strat_fold": "11"}, "strat_fold: expected 1 to 10"),
        ({"patient_id": "7.5"}, "patient_id: expected a whole number"),
        ({"age": "old"}, "could not convert"),
        ({"filename_lr": "../00001_lr"}, "expected a file such as"),
        ({"filename_lr": "/etc/passwd"}, "expected a file such as"),
    ],
)
def test_a_table_is_not_trusted(tmp_path: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        ptbxl.catalogue(folder(tmp_path, change))


def test_all_problems_of_a_table_are_listed(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="2 problems") as error:
        ptbxl.catalogue(folder(tmp_path, {"strat_fold": "0"}, {"ecg_id": ""}))
    assert "strat_fold" in str(error.value)
    assert "ecg_id" in str(error.value)


def test_damaged_tables_are_refused(tmp_path: Path) -> None:
    path = folder(tmp_path) / "scp_statements.csv"
    path.write_text(STATEMENTS.replace("MI,IMI", "XX,IMI"))
    with pytest.raises(FormatError, match="of the superclasses NORM, MI, STTC, CD, HYP, got XX"):
        ptbxl.catalogue(tmp_path)
    path.write_text(STATEMENTS.replace("rhythm,", "rythm,"))
    with pytest.raises(FormatError, match="expected the columns rhythm too"):
        ptbxl.catalogue(tmp_path)
    path.write_text(STATEMENTS + "SBRAD,too short\n")
    with pytest.raises(FormatError, match=r"line 8: a row is too short"):
        ptbxl.catalogue(tmp_path)
    path.unlink()
    with pytest.raises(PathError, match=r"no scp_statements\.csv in"):
        ptbxl.catalogue(tmp_path)


def test_recordings_without_files_are_skipped_and_listed(tmp_path: Path) -> None:
    (folder(tmp_path) / "records100/00000/00001_lr.dat").unlink()
    made = ptbxl.catalogue(tmp_path)
    assert made.skipped == (("00001", "records100/00000/00001_lr.dat not in the folder"),)
    assert [one.id for one in made.recordings] == ["00002"]
    with pytest.raises(PathError, match=r"no recording of ptbxl at 500 Hz .*vicinal get ptbxl --rate-hz 500"):
        ptbxl.catalogue(tmp_path, rate_hz=500)


def test_wrong_options_are_all_said_at_once() -> None:
    with pytest.raises(
        ExperimentError, match=r"'forms', did you mean 'form'\?; rate_hz: expected 100 or 500"
    ):
        ptbxl.catalogue(None, labels="forms", rate_hz=250)
    with pytest.raises(PathError, match="vicinal get ptbxl"):
        ptbxl.catalogue(None)
    with pytest.raises(PathError, match="names no file"):
        ptbxl.read(Recording("00001", None, None, "1", ()))


@pytest.mark.parametrize(
    ("kind", "n_classes", "n_recordings"),
    [
        ("all", 71, 500),
        ("diagnostic", 44, 488),
        ("subdiagnostic", 23, 488),
        ("form", 19, 126),
        ("rhythm", 12, 471),
    ],
)
def test_the_real_sets_of_labels(
    real: Callable[[str], Path], kind: str, n_classes: int, n_recordings: int
) -> None:
    made = ptbxl.catalogue(real("ptbxl"), labels=kind)
    if len(made.recordings) > 500:
        pytest.skip("counts are those of the first 500 recordings; the whole set is here")
    assert (len(made.classes), len(made.recordings)) == (n_classes, n_recordings)
    assert made.skipped == ()


def test_the_first_500_real_recordings_have_the_stated_counts(real: Callable[[str], Path]) -> None:
    root = real("ptbxl")
    everything, made = ptbxl.catalogue(root, labels="all"), ptbxl.catalogue(root)
    if len(everything.recordings) > 500:
        pytest.skip("counts are those of the first 500 recordings; the whole set is here")
    assert len({one.subject for one in everything.recordings}) == 466
    counts = Counter(label for one in made.recordings for label in one.labels)
    assert counts == {"NORM": 297, "STTC": 96, "CD": 78, "MI": 73, "HYP": 40}
    assert Counter(everything.officials["strat_fold"]) == {"train": 353, "validation": 81, "test": 66}
    parts = {one.subject: set() for one in everything.recordings}  # type: dict[str | None, set[str]]
    for one, part in zip(everything.recordings, everything.officials["strat_fold"], strict=True):
        parts[one.subject].add(part)
    assert all(len(found) == 1 for found in parts.values())
    signal = ptbxl.read(made.recordings[0])
    assert signal.samples.shape == (12, 1000)
    assert signal.channels == ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
