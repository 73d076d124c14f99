import numpy as np
import pytest

from vicinal.evidence.decided import OF_CONFUSION, of_decisions


def found(truth: list[float], decisions: list[int], **options: object) -> dict[str, float]:
    index = np.arange(len(truth))
    metrics = of_decisions(np.array(truth), np.array(decisions, np.int8), index, **options)  # type: ignore[arg-type]
    return {metric.name: metric.value for metric in metrics}


def test_a_table_worked_by_hand() -> None:
    # TP 3, FN 1, FP 2, TN 4, and one row of unknown truth.
    values = found([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, np.nan], [1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1])
    assert values == pytest.approx(
        {
            "sensitivity": 3 / 4,
            "specificity": 4 / 6,
            "ppv": 3 / 5,
            "npv": 4 / 5,
            "accuracy": 7 / 10,
            "f1": 6 / 9,
            "balanced_accuracy": (3 / 4 + 4 / 6) / 2,
            "mcc": (3 * 4 - 2 * 1) / np.sqrt(5 * 4 * 6 * 5),
            "kappa": (0.7 - 0.5) / 0.5,  # by chance 0.4 * 0.5 + 0.6 * 0.5
        }
    )
    assert set(OF_CONFUSION) < set(values)


def test_referred_rows_are_neither_right_nor_wrong() -> None:
    values = found([1, 1, 0, 0], [1, -1, 0, -1], mark="[A]")
    assert values["referred[A]"] == 0.5
    assert values["accuracy[A]"] == values["sensitivity[A]"] == 1
    assert "referred" not in found([1, 0], [1, 0])


def test_rows_that_do_not_count() -> None:
    values = found([1, 1, 0], [1, 0, 0], known=np.array([True, False, True]))
    assert values["sensitivity"] == 1
