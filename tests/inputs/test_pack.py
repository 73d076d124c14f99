import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.files import sha256_bytes, to_json
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.pack import Pack, checksum
from vicinal.inputs.packing import write_pack
from vicinal.inputs.storage import Storage
from vicinal.signal import Events, Signal

CONTRACT = Contract(channels=("I", "II"), rate_hz=10, duration_s=0.4, units="mV")
VALUES = {"a": [[1, 2, 3, 4], [0, 0, 0, 0]], "b": [[5, 6], [-0.5, 1]], "c": [[7, 8, 9], [1, 1, 1]]}


def read(one: Recording) -> Signal:
    if one.id == "bad":
        raise FormatError("bad.hea: damaged.")
    samples = np.array(VALUES[one.id], dtype=np.float32)
    events = Events(np.array([1]), ("V",)) if one.id == "b" else Events(np.array([], np.int64), ())
    return Signal(
        samples=samples, channels=("I", "II"), units=("mV", "mV"), rate_hz=10.0, id=one.id,
        events=None if one.id == "a" else events,
    )  # fmt: skip


def made(folder: Path, *ids: str, **options: object) -> Pack:
    recordings = tuple(
        Recording(
            id=name, path=Path(f"/data/x/{name}.hea"), subject=f"s{name}", group=f"g{name}", labels=("N", "A"),
            columns={"age": 61.0, "length": "long"} if name == "a" else {"site": "C"},
        )
        for name in ids
    )  # fmt: skip
    catalogue = Catalogue(
        name="made", classes=("N", "A"), recordings=recordings, has_subjects=True, notes=("of nobody",),
        officials={"old": tuple("test" for _ in recordings)},
    )  # fmt: skip
    truth = np.array([[1.0, np.nan]] * len(recordings))
    return write_pack(
        folder, catalogue=catalogue, read=read, contract=CONTRACT, classes=("N", "A.B"), truth=truth,
        max_skipped=0.5, **options,
    )  # type: ignore[arg-type]  # fmt: skip


def test_the_files_are_what_the_specification_says_byte_by_byte(tmp_path: Path) -> None:
    made(tmp_path / "p", "a", "bad", "b")
    files = {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()}
    assert sorted(files) == ["manifest.parquet", "pack.json", "samples.bin", "skipped.json"]
    first = np.array([1, 2, 3, 4, 0, 0, 0, 0], dtype="<f4").tobytes()
    second = np.array([5, 6, -0.5, 1], dtype="<f4").tobytes()
    assert files["samples.bin"] == first + second
    assert files["skipped.json"] == b'[\n  [\n    "bad",\n    "bad.hea: damaged."\n  ]\n]\n'
    table = pq.read_table(tmp_path / "p/manifest.parquet")
    assert table.to_pydict() == {
        "id": ["a", "b"],
        "subject": ["sa", "sb"],
        "group": ["ga", "gb"],
        "labels": ["N;A", "N;A"],
        "event_positions": [None, [1]],
        "event_symbols": [None, ["V"]],
        "source": ["a.hea", "b.hea"],
        "offset": [0, 8],
        "length": [4, 2],
        "n_flat": [1, 0],
        "sha256": [sha256_bytes(first), sha256_bytes(second)],
        "official:old": ["test", "test"],
        "truth:N": [1.0, 1.0],
        "truth:A.B": [None, None],
        "column:age": [61.0, None],
        "column:length": ["long", None],
        "column:site": [None, "C"],
    }
    head = json.loads(files["pack.json"])
    expected = {
        "version": 2,
        "name": "made",
        "task": "labels",
        "contract": CONTRACT.model_dump(mode="json"),
        "classes": ["N", "A.B"],
        "storage": {"dtype": "float32", "max_error": 0.0005},
        "scale": 1.0,
        "n": 2,
        "n_skipped": 1,
        "counts": {"N": 2, "A.B": 0},
        "has_subjects": True,
        "notes": ["of nobody"],
        "files": {
            name: {"bytes": len(files[name])}
            | ({} if name == "samples.bin" else {"sha256": sha256_bytes(files[name])})
            for name in ("samples.bin", "manifest.parquet", "skipped.json")
        },
        "hash": head["hash"],
    }
    assert files["pack.json"].decode() == to_json(expected | {"checksum": checksum(expected)}) + "\n"


def test_int16_is_little_endian_steps_of_the_scale(tmp_path: Path) -> None:
    found = made(tmp_path / "p", "b", storage=Storage(dtype="int16", max_error=0.25))
    assert (tmp_path / "p/samples.bin").read_bytes() == np.array([10, 12, -1, 2], dtype="<i2").tobytes()
    assert json.loads((tmp_path / "p/pack.json").read_text())["scale"] == 0.5
    x, lengths = found.rows(np.array([0]))
    assert x.tolist() == [[[5, 6, 0, 0], [-0.5, 1, 0, 0]]]
    assert lengths.tolist() == [2]


def test_opened_again_it_is_the_same(tmp_path: Path) -> None:
    made(tmp_path / "p", "a", "bad", "b", "c")
    found = Pack.open(tmp_path / "p")
    assert (found.contract, found.classes, found.task, found.name) == (
        CONTRACT,
        ("N", "A.B"),
        "labels",
        "made",
    )
    assert len(found) == found.n == 3
    assert found.ids.tolist() == ["a", "b", "c"]
    assert found.subjects is not None
    assert found.subjects.tolist() == ["sa", "sb", "sc"]
    assert found.groups.tolist() == ["ga", "gb", "gc"]
    assert found.labels.tolist() == ["N;A"] * 3
    np.testing.assert_array_equal(found.truth, [[1, np.nan]] * 3)
    assert found.truth.dtype == np.float64
    assert found.lengths.tolist() == [4, 2, 3]
    assert found.lengths.dtype == np.int64
    assert found.offsets.tolist() == [0, 8, 12]
    assert found.n_flat.tolist() == [1, 0, 1]
    assert found.sources.tolist() == ["a.hea", "b.hea", "c.hea"]
    assert found.skipped == (("bad", "bad.hea: damaged."),)
    assert found.n_skipped == 1
    assert found.notes == ("of nobody",)
    assert found.counts == {"N": 3, "A.B": 0}
    assert found.columns["site"].tolist() == ["", "C", "C"]
    assert found.columns["length"].tolist() == ["long", "", ""]
    np.testing.assert_array_equal(found.columns["age"], [61.0, np.nan, np.nan])
    assert found.officials["old"].tolist() == ["test"] * 3


def test_rows_are_copies_zero_beyond_their_lengths(tmp_path: Path) -> None:
    found = made(tmp_path / "p", "a", "b", "c")
    x, lengths = found.rows(np.array([2, 1, 0, 2]))
    assert x.shape == (4, 2, 4)
    assert x[0].tolist() == [[7, 8, 9, 0], [1, 1, 1, 0]]
    assert x[1].tolist() == [[5, 6, 0, 0], [-0.5, 1, 0, 0]]
    assert x[2].tolist() == VALUES["a"]
    assert lengths.tolist() == [3, 2, 4, 3]
    x[:] = 9
    assert found.rows(np.array([1]))[0][0].tolist() == [[5, 6, 0, 0], [-0.5, 1, 0, 0]]
    assert found.rows(np.array([], dtype=np.int64))[0].shape == (0, 2, 4)


def test_whole_rows_are_cut_at_once_and_are_copies_too(tmp_path: Path) -> None:
    for dtype in ("float32", "int16"):
        found = made(tmp_path / dtype, "a", storage=Storage(dtype=dtype, max_error=0.25))  # type: ignore[arg-type]
        x, _ = found.rows(np.array([0, 0]))
        assert x.dtype == np.float32
        assert x.tolist() == [VALUES["a"], VALUES["a"]]
        x[:] = 9
        assert found.rows(np.array([0]))[0][0].tolist() == VALUES["a"]


def test_events_tell_none_from_not_annotated(tmp_path: Path) -> None:
    found = made(tmp_path / "p", "a", "b", "c")
    events = [found.events(k) for k in range(3)]
    assert events[0] is None
    assert events[1] is not None
    assert (events[1].positions.tolist(), events[1].symbols) == ([1], ("V",))
    assert events[2] is not None
    assert events[2].symbols == ()
    assert found.events(-2) is not None
    with pytest.raises(IndexError, match="out of range"):
        found.events(3)
    assert made(tmp_path / "q", "a").events(0) is None


def test_opening_reads_no_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "p", "a", "b")
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", None)
    assert len(Pack.open(tmp_path / "p")) == 2


def test_changed_samples_are_found_by_verify_and_missing_ones_at_once(tmp_path: Path) -> None:
    found = made(tmp_path / "p", "a", "b", "c")
    path = tmp_path / "p" / "samples.bin"
    data = bytearray(path.read_bytes())
    found.verify()
    data[33] ^= 1
    path.write_bytes(data)
    assert Pack.open(tmp_path / "p").changed() == ["b"]
    with pytest.raises(FormatError, match="1 of 3 rows are not what was written, first b"):
        Pack.open(tmp_path / "p").verify()
    path.write_bytes(data[:-4])
    with pytest.raises(FormatError, match=r"expected 72 bytes in samples\.bin, got 68"):
        Pack.open(tmp_path / "p")


@pytest.mark.parametrize("name", ["manifest.parquet", "skipped.json"])
def test_a_changed_file_is_found_by_verify(tmp_path: Path, name: str) -> None:
    found = made(tmp_path / "p", "a", "b")
    data = bytearray((tmp_path / "p" / name).read_bytes())
    data[0] ^= 1
    (tmp_path / "p" / name).write_bytes(data)
    with pytest.raises(FormatError, match=f"its {name} was changed"):
        found.verify()


def test_a_changed_head_is_found_when_it_is_opened(tmp_path: Path) -> None:
    made(tmp_path / "p", "a")
    path = tmp_path / "p/pack.json"
    path.write_text(path.read_text().replace("of nobody", "of everybody"))
    with pytest.raises(FormatError, match=r"its pack\.json was changed"):
        Pack.open(tmp_path / "p")


@pytest.mark.parametrize("name", ["manifest.parquet", "samples.bin", "skipped.json"])
def test_a_folder_without_a_part_is_not_a_whole_pack(tmp_path: Path, name: str) -> None:
    made(tmp_path / "p", "a")
    (tmp_path / "p" / name).unlink()
    with pytest.raises(FormatError, match="is not a whole pack"):
        Pack.open(tmp_path / "p")


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="is not a pack"):
        Pack.open(tmp_path)
    (tmp_path / "pack.json").write_text('{"version": 1}')
    with pytest.raises(FormatError, match="expected pack version 2"):
        Pack.open(tmp_path)
