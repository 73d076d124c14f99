"""Event files are read back here by a reader of our own, from the format: length, sum, message, sum."""

import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.workflow.courses import END, WHOLE, epoch, step

from vicinal.errors import ExtraError, PathError
from vicinal.workflow import tensorboard
from vicinal.workflow.resuming import resume
from vicinal.workflow.run_folder import hidden_folder
from vicinal.workflow.running import train
from vicinal.workflow.tensorboard import TensorBoard, scalars_of

pytest.importorskip("tensorboardX")


def crc32c(data: bytes) -> int:
    """Castagnoli's sum, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    value = crc32c(data)
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def events_of(folder: Path) -> list[Any]:
    """Return the events of all files of a folder, oldest file first, each sum checked."""
    from tensorboardX.proto.event_pb2 import Event

    events = []
    for path in sorted(folder.iterdir()):
        data, place = path.read_bytes(), 0
        while place < len(data):
            (n,) = struct.unpack_from("<Q", data, place)
            assert struct.unpack_from("<I", data, place + 8)[0] == masked(data[place : place + 8])
            body = data[place + 12 : place + 12 + n]
            assert struct.unpack_from("<I", data, place + 12 + n)[0] == masked(body)
            events.append(Event.FromString(body))
            place += 16 + n
    return events


def scalars_at(events: Sequence[Any]) -> dict[int, dict[str, float]]:
    """Return the numbers by step as TensorBoard keeps them: what a later start takes back is gone."""
    found: dict[int, dict[str, float]] = {}
    for event in events:
        if event.HasField("session_log"):
            found = {at: values for at, values in found.items() if at < event.step}
        for value in event.summary.value:
            found.setdefault(event.step, {})[value.tag] = value.simple_value
    return found


def test_the_sum_is_castagnoli_s() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, the usual check value


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with TensorBoard(tmp_path / "tb") as events:
        for record in WHOLE:
            events.add(record)
    found = scalars_at(events_of(tmp_path / "tb"))
    assert sorted(found) == list(range(1, 9))
    for record in WHOLE:
        for name, value in scalars_of(record):
            assert found[record["step"]][name] == pytest.approx(value, rel=1e-6)
    assert found[8]["step/dead_units"] == 0.25
    assert found[1]["update_ratio/2.dense"] == pytest.approx(4e-3)
    assert found[8]["validation/auroc"] == pytest.approx(0.8)
    assert found[8]["training/ece"] == pytest.approx(0.05)
    assert found[4]["epoch/training_loss"] == 1.0
    assert not list(scalars_of(END))


def test_the_first_record_says_the_version_of_the_format(tmp_path: Path) -> None:
    with TensorBoard(tmp_path):
        pass
    assert events_of(tmp_path)[0].file_version == "brain.Event:2"


def test_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as events:
        events.add(step(1, loss=float("nan")))
        events.add(epoch(1, 1, float("nan"), best=False, training=None))
    found = scalars_at(events_of(tmp_path))[1]
    assert "step/loss" not in found
    assert "validation/auroc" not in found
    assert found["validation/loss"] == 0.5


def test_steps_that_were_taken_back_are_forgotten(tmp_path: Path) -> None:
    back = {"kind": "rollback", "step": 4, "to_step": 2, "what": "loss", "rate_share": 0.5}
    with TensorBoard(tmp_path) as events:
        for record in (step(1), step(2), step(3, loss=9.0), back, step(3, loss=0.25)):
            events.add(record)
    found = scalars_at(events_of(tmp_path))
    assert sorted(found) == [1, 2, 3]
    assert found[3]["step/loss"] == 0.25


def test_a_run_that_goes_on_adds_a_file_from_its_checkpoint_on(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(TensorBoard):
        n = 0

        def add(self, record: Any) -> None:
            super().add(record)
            Impatient.n += record["kind"] == "step"
            if Impatient.n == 6:  # after the checkpoint of the first epoch
                raise KeyboardInterrupt

    from vicinal.workflow import learning_in_folder

    with monkeypatch.context() as patch:
        patch.setattr(learning_in_folder, "TensorBoard", Impatient)
        with pytest.raises(KeyboardInterrupt):
            train(experiment_file, output=tmp_path / "run", tensorboard=tmp_path / "tb")
    assert hidden_folder(tmp_path / "run").is_dir()
    resume(tmp_path / "run")
    train(experiment_file, output=tmp_path / "whole", tensorboard=tmp_path / "tb")
    assert len(list((tmp_path / "tb" / "run").iterdir())) == 2
    one, other = (scalars_at(events_of(tmp_path / "tb" / name)) for name in ("run", "whole"))
    for values in (*one.values(), *other.values()):
        values.pop("step/rows_per_s", None)
    assert one == other
    n_starts = sum(event.HasField("session_log") for event in events_of(tmp_path / "tb" / "run"))
    assert n_starts == 2


def test_without_the_extra_it_is_said_before_anything_is_done(
    experiment_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX.event_file_writer", None)
    with pytest.raises(ExtraError, match=r"pip install 'vicinal\[tensorboard\]'"):
        train(experiment_file, output=tmp_path / "run", tensorboard=tmp_path / "tb")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PathError, match="cannot write event files into"):
        TensorBoard(tmp_path / "file" / "tb")
    assert tensorboard.require_tensorboard()
