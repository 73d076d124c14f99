from dataclasses import dataclass

import numpy as np
import pytest

from vicinal.errors import ExperimentError
from vicinal.inputs.segments import Segments
from vicinal.inputs.targets import Targets


@dataclass(frozen=True)
class Seen:
    """Outputs as a network with `same` windows gives them."""

    stride: int = 4
    left: int = 10
    right: int = 7

    def count(self, n: int) -> int:
        return -(-n // self.stride)

    def read(self, positions: np.ndarray, n: int) -> np.ndarray:
        return np.minimum((positions + self.stride // 2) // self.stride, self.count(n) - 1)


@dataclass(frozen=True)
class Rows:
    """Recordings whose samples say where they are: channel 0 the position, channel 1 the row."""

    lengths: np.ndarray
    events: Targets
    classes: tuple[str, ...] = ("N", "S", "V")

    def piece(self, index: int, start: int, stop: int) -> np.ndarray:
        assert 0 <= start < stop <= self.lengths[index]
        at = np.arange(start, stop, dtype=np.float32)
        return np.stack([at, np.full(len(at), index, np.float32)])

    def targets(self, indices: np.ndarray) -> Targets:
        of = np.isin(self.events.rows, indices)
        return Targets(
            *(getattr(self.events, name)[of] for name in ("rows", "positions", "classes", "symbols"))
        )


def rows(lengths: tuple[int, ...] = (500, 40, 233), n_events: int = 60) -> Rows:
    rng = np.random.default_rng(0)
    of = np.sort(rng.integers(0, len(lengths), n_events))
    positions = np.array([rng.integers(0, lengths[k]) for k in of])
    classes = rng.integers(-1, 3, n_events)
    return Rows(np.array(lengths), Targets(of, positions, classes, np.full(n_events, "x")))


def segments(pack: Rows, **changes: object) -> Segments:
    options: dict[str, object] = {"width": 60, "sight": Seen(), "batch": 4, "seed": 0, "drop_last": False}
    return Segments(pack, np.arange(len(pack.lengths)), **(options | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("epoch", range(5))
def test_every_event_comes_once_an_epoch_with_all_that_its_output_sees(epoch: int) -> None:
    pack, sight = rows(), Seen()
    known = pack.events.classes >= 0
    wanted = sorted(
        zip(pack.events.rows[known], pack.events.positions[known], pack.events.classes[known], strict=True)
    )
    found = []
    for batch in segments(pack).epoch(epoch):
        lengths = np.full(len(batch.x), 60) if batch.lengths is None else batch.lengths
        assert batch.y.shape[1:] == (3, sight.count(60))
        for x, y, length in zip(batch.x, batch.y, lengths, strict=True):
            row, start = int(x[1, 0]), int(x[0, 0])
            assert (x[:, length:] == 0).all()
            whole = int(pack.lengths[row])
            for name, output in zip(*np.nonzero(y), strict=True):
                at = output * sight.stride
                assert start == 0 or at - sight.left >= 0
                assert start + length == whole or at + sight.right < length
                found += [(row, start + at, name)] * int(y[name, output])
    assert len(found) == len(wanted)
    # An output stands for its position to within half a stride; at the end of a row the last one answers.
    for (row, at, name), (true_row, position, true_name) in zip(
        sorted(found, key=lambda one: (one[0], one[2], one[1])),
        sorted(wanted, key=lambda one: (one[0], one[2], one[1])),
        strict=True,
    ):
        assert (row, name) == (true_row, true_name)
        assert abs(at - position) <= sight.stride


def test_a_step_can_be_made_again_and_epochs_differ() -> None:
    made = segments(rows(), augment=[{"kind": "gain"}])
    whole = list(made.epoch(3))
    assert len(whole) == made.n_steps
    for again, batch in zip(made.epoch(3, first=2), whole[2:], strict=True):
        assert (again.x == batch.x).all()
        assert (again.y == batch.y).all()
    assert any(
        (a.x != b.x).any() for a, b in zip(made.epoch(4), whole, strict=True) if a.x.shape == b.x.shape
    )


def test_augmentation_leaves_what_is_no_signal_alone() -> None:
    for batch in segments(rows(), augment=[{"kind": "gain", "low": 3, "high": 3}], n_signal=1).epoch(0):
        assert set(np.unique(batch.x[:, 1])) <= {0.0, 1.0, 2.0}
        assert batch.x[:, 0].max() > 500 or (batch.x[:, 0] % 3 == 0).all()


def test_a_short_recording_is_one_segment() -> None:
    made = segments(rows(lengths=(40,), n_events=5))
    (batch,) = made.epoch(0)
    assert batch.lengths is not None
    assert batch.lengths.tolist() == [40]
    assert made.n_rows == 1


def test_what_cannot_be_trained_on_is_refused() -> None:
    with pytest.raises(
        ExperimentError, match=r"sees as many as 21; training.segment_s must be at least 22 positions"
    ):
        segments(rows(), width=20)
    with pytest.raises(ExperimentError, match="time_stretch moves what the events point at"):
        segments(rows(), augment=[{"kind": "time_stretch"}])
    pack = rows()
    unknown = Targets(pack.events.rows, pack.events.positions, np.full(60, -1), pack.events.symbols)
    with pytest.raises(ExperimentError, match="no event of a class"):
        segments(Rows(pack.lengths, unknown))
