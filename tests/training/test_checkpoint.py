import errno
import math
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from vicinal.errors import PathError
from vicinal.training.checkpoint import Checkpoints, State

STATE = State(
    {
        "network.w": np.arange(6, dtype=np.float32).reshape(2, 3),
        "network.n": np.array(7),
        "random": np.arange(5, dtype=np.uint8),
        "empty": np.zeros(0),
    },
    {"n_done": 3, "value": math.nan, "seconds": 0.1 + 0.2, "total": None},
)


def written(folder: Path, *steps: int) -> Checkpoints:
    checkpoints = Checkpoints(folder / "checkpoints")
    for step in steps:
        checkpoints.write(step, State(STATE.tensors, {**STATE.facts, "n_done": step}))
    return checkpoints


def names(checkpoints: Checkpoints) -> list[str]:
    return sorted(path.name for path in checkpoints.folder.iterdir())


def test_what_is_written_is_read_bit_for_bit(tmp_path: Path) -> None:
    found = written(tmp_path, 3).newest()
    assert found is not None
    assert found.tensors.keys() == STATE.tensors.keys()
    for name, array in STATE.tensors.items():
        assert (found.tensors[name].dtype, found.tensors[name].shape) == (array.dtype, array.shape)
        assert found.tensors[name].tobytes() == array.tobytes()
    assert math.isnan(found.facts.pop("value"))
    assert found.facts == {"n_done": 3, "seconds": 0.1 + 0.2, "total": None}


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "nowhere").newest() is None


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    checkpoints = written(tmp_path, 9, 10, 100, 1_000_000)
    assert names(checkpoints) == ["step-000000000100.checkpoint", "step-000001000000.checkpoint"]
    assert checkpoints.newest().facts["n_done"] == 1_000_000


def test_after_going_back_those_of_later_steps_are_dropped(tmp_path: Path) -> None:
    checkpoints = written(tmp_path, 4, 8, 9, 6)
    assert names(checkpoints) == ["step-000000000006.checkpoint"]
    assert checkpoints.newest().facts["n_done"] == 6


@pytest.mark.parametrize("harm", ["cut", "flip first", "flip last", "flip middle", "empty", "folder"])
def test_a_damaged_newest_is_passed_over(tmp_path: Path, harm: str) -> None:
    checkpoints = written(tmp_path, 1, 2)
    newest = checkpoints.folder / "step-000000000002.checkpoint"
    data = bytearray(newest.read_bytes())
    if harm.startswith("flip"):
        data[{"first": 0, "last": -1, "middle": len(data) // 2}[harm.split()[1]]] ^= 1
        newest.write_bytes(data)
    elif harm == "folder":
        newest.unlink()
        newest.mkdir()
    else:
        newest.write_bytes(data[: -len(data) // 3] if harm == "cut" else b"")
    assert checkpoints.newest().facts["n_done"] == 1
    assert checkpoints.damaged == [newest.name]


def test_two_damaged_ones_are_none(tmp_path: Path) -> None:
    checkpoints = written(tmp_path, 1, 2)
    for path in checkpoints.folder.iterdir():
        path.write_bytes(b"x" * 100)
    assert checkpoints.newest() is None
    assert len(checkpoints.damaged) == 2


@pytest.mark.parametrize("fault", ["write", "fsync", "replace", "read only", "folder gone"])
def test_a_disk_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    checkpoints = written(tmp_path, 1)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if fault == "write":
        monkeypatch.setattr(Path, "write_bytes", full)
    elif fault == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    elif fault == "replace":
        monkeypatch.setattr(Path, "replace", full)
    elif fault == "read only":  # nothing new can be made there
        monkeypatch.setattr(tempfile, "mkstemp", full)
    else:
        checkpoints.folder.rename(tmp_path / "elsewhere")
        monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(PathError, match=r"cannot write the checkpoint of step 2 .*--resume"):
        checkpoints.write(2, STATE)
    monkeypatch.undo()
    kept = checkpoints if fault != "folder gone" else Checkpoints(tmp_path / "elsewhere")
    assert names(kept) == ["step-000000000001.checkpoint"]
    assert kept.newest().facts["n_done"] == 1


def test_what_goes_with_it_is_brought_to_the_disk_before(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c")
    seen: list[bool] = []
    checkpoints.before_writing = lambda: seen.append((tmp_path / "c").exists())
    checkpoints.write(1, STATE)
    assert seen == [False]


def test_it_is_due_after_its_time(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path, every_s=0.0).is_due
    assert not Checkpoints(tmp_path, every_s=1e6).is_due
