from dataclasses import dataclass, field

import numpy as np

from vicinal.inputs.contract import Contract
from vicinal.inputs.prepare import Prepared
from vicinal.inputs.targets import Targets
from vicinal.scoretable import ScoreTable
from vicinal.workflow.reporting_events import around, event_example, n_positives


@dataclass(frozen=True)
class Made:
    """A pack of one recording of 20 s with three beats, of which one has no class."""

    task: str = "events"
    classes: tuple[str, ...] = ("N", "V")
    contract: Contract = field(
        default_factory=lambda: Contract(
            channels=("I",), rate_hz=50, duration_s=20, units="mV", steps=[{"step": "event_intervals"}]
        )
    )

    @property
    def lengths(self) -> np.ndarray:
        return np.array([1000])

    @property
    def ids(self) -> np.ndarray:
        return np.array(["a"])

    @property
    def truth(self) -> np.ndarray:
        return np.array([[1.0, 1.0]])

    def targets(self, indices: np.ndarray) -> Targets:
        assert indices.tolist() == [0]
        positions = np.array([100, 150, 600])
        return Targets(np.zeros(3, np.int64), positions, np.array([0, 1, -1]), np.array(["N", "E", "?"]))

    def piece(self, index: int, start: int, stop: int) -> np.ndarray:
        assert index == 0
        return np.arange(start, stop, dtype=np.float32) + np.zeros((3, 1), np.float32)


def test_an_event_is_drawn_with_the_seconds_around_it() -> None:
    p = np.full((3, 2), 0.5)
    table = ScoreTable(
        "classes",
        ("N", "V"),
        "test",
        np.array(["a-100", "a-150", "b-120"]),
        np.array([[1.0, 0], [0, 1], [0, 1]]),
        p,
        p,
        columns={
            "record": np.array(["a", "a", "b"]),
            "position_s": np.array([2.0, 3.0, 2.4]),
            "symbol": np.array(list("NEV")),
        },
    )
    pack = Made()
    kept = around(pack, pack.contract, table, 1)  # type: ignore[arg-type]
    # Four seconds to either side, cut short by the beginning; its intervals are no signal and not kept.
    assert kept["samples"].shape == (1, 350)
    assert (kept["samples"][0, 0], kept["start"].tolist()) == (0, [0.0])
    # The same of a recording prepared again, whose input begins two seconds in.
    again = Prepared(pack.piece(0, 100, 1000), 900, np.ones(900, bool), None, 100)
    cut = around(lambda record: {"a": again}[record], pack.contract, table, 1)
    assert cut["start"].tolist() == [100]
    assert (cut["samples"] == kept["samples"][:, 100:]).all()
    one = event_example(table, pack.contract, 1, 1, kept["samples"], 0)
    assert one.marks == ((100, "N"), (150, "[E]"))
    assert (one.id, one.about, one.channels, one.rate_hz, one.unit) == ("a-150", "V", ("I",), 50, "mV")
    assert event_example(table, pack.contract, 1, 1, kept["samples"][:, 120:], 120).marks == ((30, "[E]"),)


def test_events_are_counted_where_they_are_the_rows() -> None:
    assert n_positives(Made(), np.array([0])).tolist() == [1, 1]  # type: ignore[arg-type]
    assert n_positives(Made(task="labels"), np.array([0])).tolist() == [1, 1]  # type: ignore[arg-type]
    assert n_positives(Made(task="labels"), np.array([0, 0])).tolist() == [2, 2]  # type: ignore[arg-type]
