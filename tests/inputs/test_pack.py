import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from vicinal.errors import FormatError, PathError
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets import synthetic
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.pack import Pack, write_pack
from vicinal.inputs.prepare import prepare
from vicinal.signal import Signal

CONTRACT = Contract(channels=("ECG",), rate_hz=100, duration_s=2, units="mV")


def recording(name: str, **options: object) -> Recording:
    return Recording(id=name, path=None, subject=f"s{name}", group=f"s{name}", labels=("N",), **options)  # type: ignore[arg-type]


def catalogue(*recordings: Recording, **options: object) -> Catalogue:
    return Catalogue(name="made", classes=("N", "A"), recordings=recordings, has_subjects=True, **options)  # type: ignore[arg-type]


def read(one: Recording) -> Signal:
    """Make the signal that the id names: its seed, its length, or what is wrong with it."""
    if one.id == "missing":
        raise PathError("missing.csv does not exist.")
    n = 150 if one.id == "short" else 200
    samples = np.random.default_rng(one.seed).normal(size=(1, n)).astype(np.float32)
    if one.id == "flat":
        samples[:] = 1
    unit = "furlong" if one.id == "odd" else "uV" if one.id == "micro" else "mV"
    return Signal(samples=samples, channels=("ECG",), units=(unit,), rate_hz=100.0, id=one.id)


def pack(folder: Path, *recordings: Recording, **options: object) -> Pack:
    made = catalogue(*recordings)
    truth = np.eye(2)[np.arange(len(recordings)) % 2]
    return write_pack(
        folder, catalogue=made, read=read, contract=CONTRACT, classes=("N", "A"), truth=truth, **options
    )  # type: ignore[arg-type]


GOOD = (recording("a", seed=1), recording("micro", seed=2), recording("short", seed=3), recording("flat"))


def test_rows_are_what_prepare_gives_to_the_bit(tmp_path: Path) -> None:
    made = pack(tmp_path / "p", *GOOD)
    assert len(made) == 4
    x, lengths = made.rows(np.array([2, 0, 1]))
    assert x.dtype == np.float32
    assert lengths.tolist() == [150, 200, 200]
    for row, length, one in zip(x, lengths, (GOOD[2], GOOD[0], GOOD[1]), strict=True):
        expected = prepare(read(one), CONTRACT)
        assert row.tobytes() == expected.samples.tobytes()
        assert length == expected.length
    assert not x[0, :, 150:].any()
    x[:] = 7  # a copy: the pack stays as it is
    made.verify()


def test_opened_again_it_is_the_same(tmp_path: Path) -> None:
    rows = (
        recording("a", seed=1, columns={"age": 61.0, "site": "B", "length": "long"}),
        recording("micro", seed=2, columns={"site": "C"}),
    )
    pack(tmp_path / "p", *rows)
    made = Pack.open(tmp_path / "p")
    assert made.contract == CONTRACT
    assert made.classes == ("N", "A")
    assert made.ids.tolist() == ["a", "micro"]
    assert made.subjects is not None
    assert made.subjects.tolist() == made.groups.tolist() == ["sa", "smicro"]
    assert made.labels.tolist() == ["N", "N"]
    assert made.truth.tolist() == [[1, 0], [0, 1]]
    assert made.lengths.dtype == np.int64
    assert made.n_flat.tolist() == [0, 0]
    assert made.columns["site"].tolist() == ["B", "C"]
    assert made.columns["length"].tolist() == ["long", ""]
    np.testing.assert_array_equal(made.columns["age"], [61.0, np.nan])
    assert json.loads((tmp_path / "p/pack.json").read_text())["counts"] == {"N": 1, "A": 1}


def test_without_subjects_there_are_none(tmp_path: Path) -> None:
    one = Recording(id="a", path=None, subject=None, group="a", labels=("N",), seed=1)
    made = Catalogue(name="made", classes=("N",), recordings=(one,), has_subjects=False, notes=("one each",))
    found = write_pack(
        tmp_path / "p", catalogue=made, read=read, contract=CONTRACT, classes=("N",), truth=np.ones((1, 1))
    )
    assert found.subjects is None
    assert found.notes == ("one each",)


def test_unknown_truth_stays_unknown(tmp_path: Path) -> None:
    made = write_pack(
        tmp_path / "p",
        catalogue=catalogue(GOOD[0]),
        read=read,
        contract=CONTRACT,
        classes=("N", "A"),
        truth=np.array([[1.0, np.nan]]),
    )
    np.testing.assert_array_equal(made.truth, [[1.0, np.nan]])


def test_flat_channels_are_counted(tmp_path: Path) -> None:
    assert pack(tmp_path / "p", *GOOD).n_flat.tolist() == [0, 0, 0, 1]


def test_skipped_recordings_are_listed_with_the_reason(tmp_path: Path) -> None:
    rows = (recording("missing"), GOOD[0], recording("odd"), GOOD[1])
    done: list[tuple[int, int]] = []
    made = pack(tmp_path / "p", *rows, max_skipped=0.5, progress=lambda k, n: done.append((k, n)))
    assert made.ids.tolist() == ["a", "micro"]
    assert made.truth.tolist() == [[0, 1], [0, 1]]
    assert [name for name, _ in made.skipped] == ["missing", "odd"]
    assert "furlong" in made.skipped[1][1]
    assert done[-1] == (4, 4)


def test_too_many_skipped_recordings_fail_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"1 of 2 recordings cannot be used.*\n  missing: missing.csv"):
        pack(tmp_path / "p", GOOD[0], recording("missing"))
    with pytest.raises(FormatError, match="1 of 1 recordings cannot be used"):
        pack(tmp_path / "p", recording("missing"), max_skipped=1.0)
    assert list(tmp_path.iterdir()) == []


def test_what_the_catalogue_left_out_counts_as_skipped(tmp_path: Path) -> None:
    made = catalogue(GOOD[0], skipped=(("b", "no label"),))
    options = {"read": read, "contract": CONTRACT, "classes": ("N",), "truth": np.ones((1, 1))}
    with pytest.raises(FormatError, match="1 of 2 recordings cannot be used"):
        write_pack(tmp_path / "p", catalogue=made, **options)  # type: ignore[arg-type]
    found = write_pack(tmp_path / "p", catalogue=made, max_skipped=0.5, **options)  # type: ignore[arg-type]
    assert found.skipped == (("b", "no label"),)


def test_a_bug_or_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(one: Recording) -> Signal:
        raise KeyboardInterrupt(one.id)

    with pytest.raises(KeyboardInterrupt, match="a"):
        write_pack(
            tmp_path / "p",
            catalogue=catalogue(GOOD[0]),
            read=interrupted,
            contract=CONTRACT,
            classes=("N",),
            truth=np.ones((1, 1)),
        )
    assert list(tmp_path.iterdir()) == []


def test_a_pack_is_never_written_over(tmp_path: Path) -> None:
    first = pack(tmp_path / "p", *GOOD)
    with pytest.raises(PathError, match="exists and is not empty"):
        pack(tmp_path / "p", GOOD[0])
    assert Pack.open(tmp_path / "p").hash == first.hash
    with pytest.raises(PathError, match="does not exist"):
        pack(tmp_path / "nowhere" / "p", GOOD[0])


def test_the_hash_says_what_is_inside(tmp_path: Path) -> None:
    first, same = pack(tmp_path / "p1", *GOOD), pack(tmp_path / "p2", *GOOD)
    assert first.hash == same.hash
    for name in ("samples.f32", "manifest.parquet", "pack.json"):
        assert (tmp_path / "p1" / name).read_bytes() == (tmp_path / "p2" / name).read_bytes()
    others = [
        pack(tmp_path / "p3", *GOOD[:3]),
        pack(tmp_path / "p4", recording("a", seed=9), *GOOD[1:]),
        pack(tmp_path / "p5", recording("z", seed=1), *GOOD[1:]),
    ]
    assert len({first.hash, *(other.hash for other in others)}) == 4


def test_changed_samples_are_found_by_verify_and_missing_ones_at_once(tmp_path: Path) -> None:
    pack(tmp_path / "p", *GOOD)
    path = tmp_path / "p" / "samples.f32"
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"1 of 4 rows are not what was written, first \[.*'a'"):
        Pack.open(tmp_path / "p").verify()
    path.write_bytes(data[:-4])
    with pytest.raises(
        FormatError, match="4 rows in 3200 bytes of samples, got 4 rows in the manifest and 3196"
    ):
        Pack.open(tmp_path / "p")


def test_a_changed_manifest_is_found_by_verify(tmp_path: Path) -> None:
    pack(tmp_path / "p", *GOOD)
    path = tmp_path / "p" / "manifest.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("truth:N")
    pq.write_table(table.set_column(place, "truth:N", [[1.0] * 4]), path)
    with pytest.raises(FormatError, match="manifest was changed"):
        Pack.open(tmp_path / "p").verify()


@pytest.mark.parametrize("name", ["manifest.parquet", "samples.f32"])
def test_a_folder_without_a_part_is_not_a_whole_pack(tmp_path: Path, name: str) -> None:
    pack(tmp_path / "p", *GOOD)
    (tmp_path / "p" / name).unlink()
    with pytest.raises(FormatError, match="is not a whole pack"):
        Pack.open(tmp_path / "p")


def test_what_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="is not a pack"):
        Pack.open(tmp_path)
    (tmp_path / "pack.json").write_text('{"version": 99}')
    with pytest.raises(FormatError, match="expected pack version 1"):
        Pack.open(tmp_path)
    with pytest.raises(FormatError, match=r"expected truth of shape \(1, 1\), got \(2, 1\)"):
        write_pack(
            tmp_path / "q",
            catalogue=catalogue(GOOD[0]),
            read=read,
            contract=CONTRACT,
            classes=("N",),
            truth=np.ones((2, 1)),
        )


@pytest.mark.slow
def test_two_processes_give_the_same_pack_as_one(tmp_path: Path) -> None:
    made = synthetic.catalogue(n_subjects=150)
    contract = Contract(channels=("ECG",), rate_hz=100, duration_s=1, units="mV")
    packs = [
        write_pack(
            tmp_path / f"p{n}",
            catalogue=made,
            read=synthetic.read,
            contract=contract,
            classes=("N",),
            truth=np.ones((len(made.recordings), 1)),
            n_processes=n,
        )
        for n in (1, 2)
    ]
    assert packs[0].hash == packs[1].hash
    assert packs[0].ids.tolist() == [one.id for one in made.recordings]
    assert (tmp_path / "p1/samples.f32").read_bytes() == (tmp_path / "p2/samples.f32").read_bytes()
