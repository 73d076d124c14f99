import numpy as np
import pytest
from sklearn import metrics as reference

from vicinal.evidence.following import following, following_names, mean_f1_classes
from vicinal.evidence.metrics import compute
from vicinal.scoretable import ScoreTable


def table(task: str, classes: tuple[str, ...], n: int = 300) -> ScoreTable:
    rng = np.random.default_rng(1)
    k = len(classes)
    if task == "classes":
        labels = rng.choice(k, size=n, p=[0.5, 0.3, 0.15, 0.05])
        truth = np.eye(k)[labels]
    else:
        truth = (rng.random((n, k)) < 0.3).astype(float)
    logits = rng.normal(size=(n, k)) + 1.5 * truth
    powers = np.exp(logits)
    p = powers / powers.sum(axis=1, keepdims=True) if task == "classes" else 1 / (1 + 1 / powers)
    return ScoreTable(
        task=task, classes=classes, role="validation", ids=np.arange(n).astype(str), subjects=None,
        truth=truth, logits=logits, probabilities=p,
    )  # fmt: skip


CLASSES = ("N", "A", "O", "~")


def test_exclusive_classes_are_decided_by_the_largest_as_in_the_evidence() -> None:
    rows = table("classes", CLASSES)
    found, whole = following(rows, select="f1[N, A, O]"), compute(rows)
    assert set(found) - {"f1[N, A, O]"} == set(following_names("classes", CLASSES))
    for name in ("accuracy", "macro_f1", "ece", *(f"f1[{one}]" for one in CLASSES)):
        assert found[name] == pytest.approx(whole[name], abs=1e-12)
    truth, called = rows.truth.argmax(axis=1), rows.probabilities.argmax(axis=1)
    each = reference.f1_score(truth, called, average=None)
    assert found["f1[N, A, O]"] == pytest.approx(each[:3].mean())
    assert found["macro_f1"] == pytest.approx(each.mean())
    assert found["accuracy"] == reference.accuracy_score(truth, called)


@pytest.mark.parametrize(("task", "classes"), [("binary", ("A",)), ("labels", ("A", "B", "C"))])
def test_other_tasks_are_followed_by_loss_ranking_and_calibration(
    task: str, classes: tuple[str, ...]
) -> None:
    rows = table(task, classes)
    found, whole = following(rows), compute(rows)
    assert set(found) == set(following_names(task, classes))
    assert found["loss"] == pytest.approx(whole["log_loss"])
    assert found["ece"] == pytest.approx(whole["ece"])


def test_a_mean_over_classes_names_some_of_them_once() -> None:
    assert mean_f1_classes("f1[N,A , O]", CLASSES) == ("N", "A", "O")
    assert mean_f1_classes("f1[N, B]", ("N, B", "N", "B")) == ("N, B",)
    for name in ("f1[N,X]", "f1[N,N]", "f1[]", "macro_f1", "f1[N", "recall[N]"):
        assert mean_f1_classes(name, CLASSES) == ()


def test_a_class_without_rows_leaves_the_mean_and_is_worth_nothing_when_it_was_chosen() -> None:
    rows = table("classes", CLASSES)
    truth = rows.truth.copy()
    truth[truth[:, 3] == 1] = [1, 0, 0, 0]
    p = np.where(np.arange(4) == 3, 0.0, rows.probabilities)
    again = ScoreTable(
        task="classes", classes=CLASSES, role="validation", ids=rows.ids, subjects=None, truth=truth,
        logits=rows.logits, probabilities=p / p.sum(axis=1, keepdims=True),
    )  # fmt: skip
    found = following(again, select="f1[A, ~]")
    assert np.isnan(found["f1[~]"])
    assert found["macro_f1"] == pytest.approx(np.mean([found[f"f1[{one}]"] for one in "NAO"]))
    assert found["f1[A, ~]"] == pytest.approx(found["f1[A]"] / 2)
