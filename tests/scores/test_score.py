import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.formats.reading import read as read_file
from vicinal.inputs.packing import write_pack
from vicinal.scores.score import find_recordings, score_pack, score_paths
from vicinal.scores.scorer import BATCH

N = BATCH + 9


def write_recording(path: Path, samples: np.ndarray) -> None:
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["time_s", "I [mV]", "II [mV]"])
        table.writerows([k / 50, *map(float, row)] for k, row in enumerate(samples.T))


def read(recording: Recording):
    return read_file(recording.path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of 1 to 3 s: shorter and longer than the contract's 2 s."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for k in range(N):
        write_recording(folder / f"r{k:02d}.csv", rng.standard_normal((2, int(rng.integers(50, 151)))))
    return folder


@pytest.fixture(scope="module")
def pack(folder, contract, tmp_path_factory):
    recordings = tuple(
        Recording(path.stem, path, f"s{k % 7}", f"s{k % 7}", ("AF",) if k % 3 == 0 else (), {"age": float(k)})
        for k, path in enumerate(sorted(folder.iterdir()))
    )
    return write_pack(
        tmp_path_factory.mktemp("packs") / "pack",
        catalogue=Catalogue("test", ("AF",), recordings, True, (), ()),
        read=read,
        contract=contract,
        classes=("AF",),
        truth=np.array([[float("AF" in recording.labels)] for recording in recordings]),
    )


def test_files_and_packs_give_the_same_bits(model, folder, pack):
    from_pack = score_pack(model, pack, np.arange(N), role="test", split_hash="abc")
    from_files, skipped = score_paths(model, [folder])

    assert skipped == []
    assert from_files.ids.tolist() == from_pack.ids.tolist()
    assert from_files.logits.tobytes() == from_pack.logits.tobytes()
    assert from_files.probabilities.tobytes() == from_pack.probabilities.tobytes()
    assert from_files.model_hash == from_pack.model_hash == model.hash


def test_a_pack_gives_truth_subjects_and_columns(model, pack):
    rows = np.array([5, 3, 40])
    table = score_pack(model.scorer(), pack, rows, role="calibration", split_hash="abc")
    whole = score_pack(model, pack, np.arange(N), role="test")

    assert table.ids.tolist() == ["r05", "r03", "r40"]
    assert table.truth[:, 0].tolist() == [0.0, 1.0, 0.0]
    assert table.subjects.tolist() == ["s5", "s3", "s5"]
    assert table.columns["age"].tolist() == [5.0, 3.0, 40.0]
    assert (table.role, table.split_hash) == ("calibration", "abc")
    assert table.logits.tobytes() == whole.logits[rows].tobytes()


def test_a_pack_of_another_contract_is_refused(model, pack):
    other = replace(pack, contract=pack.contract.model_copy(update={"min_duration_s": 1.0}))
    with pytest.raises(FormatError, match="expected the contract and the classes of the model"):
        score_pack(model, other, np.arange(3), role="test")


def test_what_cannot_be_scored_is_listed_with_its_reason(model, folder, tmp_path):
    write_recording(tmp_path / "good.csv", np.ones((2, 100)))
    (tmp_path / "labels.csv").write_text("id,label\na,1\n")
    (tmp_path / "notes.txt").write_text("not a recording")
    table, skipped = score_paths(model, [tmp_path, folder / "r00.csv"])

    assert table.ids.tolist() == ["good", "r00"]
    assert [Path(path).name for path, _ in skipped] == ["labels.csv"]
    assert skipped[0][1]


def test_the_same_name_in_two_folders_is_told_apart(model, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_recording(tmp_path / name / "x.csv", np.ones((2, 100)))
    calls = []
    table, _ = score_paths(
        model, [tmp_path, tmp_path / "a" / "x.csv"], progress=lambda *call: calls.append(call)
    )

    assert table.ids.tolist() == [str(tmp_path / "a" / "x.csv"), str(tmp_path / "b" / "x.csv")]
    assert calls == [(2, 2)]


def test_arrays_need_their_rate_unit_and_channels(model, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 100)))
    table, _ = score_paths(model, [tmp_path / "x.npy"], channels=("I", "II"), rate_hz=50, units="mV")

    assert table.ids.tolist() == ["x"]
    with pytest.raises(FormatError, match=r"none of 1 recordings could be scored:\n.*x.npy"):
        score_paths(model, [tmp_path])


def test_a_wfdb_record_is_one_recording_by_any_of_its_names(tmp_path):
    for suffix in (".hea", ".dat"):
        (tmp_path / f"100{suffix}").write_bytes(b"")

    header = tmp_path / "100.hea"
    assert find_recordings([tmp_path]) == [(header, tmp_path)]
    assert find_recordings([tmp_path / "100.dat", tmp_path / "100", header]) == [(header, tmp_path)]


def test_nothing_there_is_a_clear_error(tmp_path):
    with pytest.raises(PathError, match="no recordings there"):
        find_recordings([tmp_path])
    with pytest.raises(PathError, match=r"missing.csv does not exist"):
        find_recordings([tmp_path / "missing.csv"])
