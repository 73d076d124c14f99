import numpy as np

from vicinal.inputs.targets import class_of_symbol, targets_of
from vicinal.signal import Events

FOUND = [
    (3, Events(np.array([5, 9]), ("A", "N"))),
    (4, None),
    (7, Events(np.empty(0, np.int64), ())),
    (8, Events(np.array([1]), ("+",))),
]


def test_events_of_many_rows_by_hand() -> None:
    made = targets_of(FOUND, classes=("N", "S"), class_of={"N": "N", "A": "S", "V": "V"})
    assert made.rows.tolist() == [3, 3, 8]
    assert made.positions.tolist() == [5, 9, 1]
    assert made.classes.tolist() == [1, 0, -1]
    assert made.symbols.tolist() == ["A", "N", "+"]
    assert len(made) == 3
    truth = made.truth(2)
    assert truth[:2].tolist() == [[0, 1], [1, 0]]
    assert np.isnan(truth[2]).all()


def test_without_a_map_a_symbol_is_its_own_class() -> None:
    assert targets_of(FOUND, classes=("N", "A"), class_of={}).classes.tolist() == [1, 0, -1]
    assert (class_of_symbol("A", {}), class_of_symbol("A", {"B": "X"})) == ("A", "")


def test_no_events_at_all() -> None:
    made = targets_of([(0, None)], classes=("N", "S"), class_of={})
    assert len(made) == 0
    assert made.truth(2).shape == (0, 2)
