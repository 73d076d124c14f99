from dataclasses import replace

import numpy as np
import pytest

from vicinal.decisions.exclusive import decide_exclusive
from vicinal.evidence.mistakes import confusion, could_be_mistaken, mistakes
from vicinal.scoretable import ScoreTable

NAN = np.nan


def table_of(task: str, truth: list, probability: list, subjects: np.ndarray | None = None) -> ScoreTable:
    p = np.array(probability, dtype=float)
    n, k = p.shape
    return ScoreTable(
        task=task, classes=tuple("ABC")[:k], role="test", ids=np.array([f"r{row}" for row in range(n)]),
        truth=np.array(truth, dtype=float), logits=np.zeros((n, k)), probabilities=p, subjects=subjects,
    )  # fmt: skip


BINARY = table_of(
    "binary", [[1], [1], [1], [0], [0], [NAN], [1]], [[0.1], [0.9], [0.05], [0.8], [0.95], [0.2], [0.4]]
)
DECIDED = np.array([[0], [1], [0], [1], [1], [0], [-1]], np.int8)


def test_misses_and_false_alarms_come_most_confident_first() -> None:
    found = mistakes(BINARY, DECIDED)["A"]
    assert found["missed"] == {
        "n": 2,
        "listed": [{"id": "r2", "probability": 0.05}, {"id": "r0", "probability": 0.1}],
    }
    assert [one["id"] for one in found["false_alarms"]["listed"]] == ["r4", "r3"]


def test_whose_recording_it_is_stays_untold() -> None:
    known = replace(BINARY, subjects=np.array(["patient 1", *"vwxyzu"]))
    assert "patient" not in str(mistakes(known, DECIDED))


def test_exclusive_classes_say_what_a_row_was_taken_for() -> None:
    table = table_of(
        "classes", [[1, 0, 0], [1, 0, 0], [0, 1, 0]], [[0.2, 0.7, 0.1], [0.1, 0.3, 0.6], [0.1, 0.8, 0.1]]
    )
    decided = np.array([[0, 1, 0], [0, 0, 1], [0, 1, 0]], np.int8)
    found = mistakes(table, decided)
    assert found["A"] == {
        "missed": {
            "n": 2,
            "listed": [
                {"id": "r0", "decided": "B", "probability": 0.7}, {"id": "r1", "decided": "C", "probability": 0.6},
            ],
        }
    }  # fmt: skip
    assert found["B"]["missed"]["n"] == 0


def test_a_long_list_is_counted_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vicinal.evidence.mistakes.MOST_LISTED", 1)
    missed = mistakes(BINARY, DECIDED)["A"]["missed"]
    assert missed["n"] == 2
    assert len(missed["listed"]) == 1


@pytest.mark.parametrize("task", ["binary", "labels", "classes"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_policy_its_most_confident_errors_are_among_those_that_could_be(
    task: str, seed: int
) -> None:
    rng, n = np.random.default_rng(seed), 200
    k = 1 if task == "binary" else 3
    p = np.round(rng.random((n, k)), 2)  # with ties
    if task == "classes":
        p = rng.dirichlet(np.ones(k), n)
        truth = np.eye(k)[rng.integers(0, k, n)]
    else:
        truth = (rng.random((n, k)) < 0.4).astype(float)
    table = table_of(task, truth.tolist(), p.tolist())
    could = {(table.ids[row], table.classes[j]) for row, j in could_be_mistaken(table, n=5)}
    for cut, width in ((0.2, 0.0), (0.5, 0.1), (0.9, 0.05)):
        if task == "classes":
            decided = (p == p.max(axis=1, keepdims=True)).astype(np.int8)
            decided[p.max(axis=1) < cut * 0.7] = -1
        else:
            decided = np.where(np.abs(p - cut) < width, -1, p >= cut).astype(np.int8)
        for name, kinds in mistakes(table, decided).items():
            for kind in kinds.values():
                assert {(one["id"], name) for one in kind["listed"][:5]} <= could


def test_errors_of_alarms_are_those_of_the_decisions_not_of_the_largest_probability() -> None:
    p = [[0.6, 0.4, 0.0], [0.55, 0.0, 0.45], [0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2]]
    truth = np.eye(3)[[0, 0, 0, 1, 1]]
    table = table_of("classes", truth.tolist(), p)
    decided = decide_exclusive(table.probabilities, (None, 0.35, 0.4))
    found = mistakes(table, decided)
    # Rows 0 and 1 are most probably what they are, and alarmed of; row 4 has no alarm, and should.
    assert [(one["id"], one["decided"], one["probability"]) for one in found["A"]["missed"]["listed"]] == [
        ("r1", "C", 0.45), ("r0", "B", 0.4),
    ]  # fmt: skip
    assert [one["id"] for one in found["B"]["missed"]["listed"]] == ["r4"]
    could = {(str(table.ids[row]), table.classes[k]) for row, k in could_be_mistaken(table, n=2)}
    assert {("r0", "A"), ("r1", "A"), ("r4", "B")} <= could


def test_confusion_leaves_out_unknown_truth_and_shows_the_referred() -> None:
    (table,) = confusion(BINARY, DECIDED)
    assert table == {
        "class": "A",
        "decided": ["A", "not A", "referred"],
        "rows": [
            {"truth": "A", "counts": [1, 2, 1], "shares": [0.25, 0.5, 0.25]},
            {"truth": "not A", "counts": [2, 0, 0], "shares": [1.0, 0.0, 0.0]},
        ],
    }


def test_exclusive_classes_share_one_confusion() -> None:
    table = table_of(
        "classes", [[1, 0], [1, 0], [0, 1], [NAN, NAN]], [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [1, 0]]
    )
    (found,) = confusion(table, np.array([[1, 0], [0, 1], [-1, -1], [1, 0]], np.int8))
    assert found["class"] is None
    assert found["decided"] == ["A", "B", "referred"]
    assert [row["counts"] for row in found["rows"]] == [[1, 1, 0], [0, 0, 1]]
