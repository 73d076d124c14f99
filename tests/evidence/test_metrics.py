import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn import metrics as reference

from vicinal.errors import FormatError
from vicinal.evidence.curves import calibration_points
from vicinal.evidence.metrics import auroc, compute, measure, ranking
from vicinal.evidence.resampling import once
from vicinal.scoretable import ScoreTable


def table(task: str, truth: np.ndarray, logits: np.ndarray) -> ScoreTable:
    return ScoreTable(
        task=task,  # type: ignore[arg-type]
        classes=tuple("ABCDE"[: truth.shape[1]]),
        role="test",
        ids=np.arange(len(truth)).astype(str),
        truth=truth,
        logits=logits,
        probabilities=softmax(logits, axis=1) if task == "classes" else expit(logits),
        subjects=(np.arange(len(truth)) // 3).astype(str),
    )


def binary(n: int = 400, seed: int = 0) -> tuple[ScoreTable, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = np.round(rng.normal(0, 2, n), 1)
    y = (rng.random(n) < expit(0.7 * z - 0.3)).astype(float)
    return table("binary", y[:, None], z[:, None]), y, z, (z >= 0.5).astype(np.int8)


def exclusive(n: int = 400) -> tuple[ScoreTable, np.ndarray]:
    rng = np.random.default_rng(1)
    z = rng.normal(0, 1.5, (n, 3))
    true = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
    return table("classes", np.eye(3)[true], z), true


def test_binary_metrics_equal_scikit_learn() -> None:
    rows, y, z, called = binary()
    p = expit(z)
    expected = {
        "auroc": reference.roc_auc_score(y, z),
        "average_precision": reference.average_precision_score(y, z),
        "brier": reference.brier_score_loss(y, p),
        "log_loss": reference.log_loss(y, p),
        "sensitivity": reference.recall_score(y, called),
        "specificity": reference.recall_score(1 - y, 1 - called),
        "ppv": reference.precision_score(y, called),
        "npv": reference.precision_score(1 - y, 1 - called),
        "accuracy": reference.accuracy_score(y, called),
        "f1": reference.f1_score(y, called),
        "balanced_accuracy": reference.balanced_accuracy_score(y, called),
        "mcc": reference.matthews_corrcoef(y, called),
        "kappa": reference.cohen_kappa_score(y, called),
    }
    found = compute(rows, called[:, None])
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert set(found) - set(expected) == {"ece", "ece_mass", "calibration_slope", "calibration_intercept"}


def test_a_confusion_table_worked_by_hand() -> None:
    # TP 6, FN 4, FP 5, TN 85.
    y = np.repeat([1.0, 1, 0, 0], [6, 4, 5, 85])
    called = np.repeat([1, 0, 1, 0], [6, 4, 5, 85]).astype(np.int8)
    found = compute(table("binary", y[:, None], called[:, None].astype(float)), called[:, None])
    assert found["f1"] == pytest.approx(12 / 21)
    assert found["kappa"] == pytest.approx((0.91 - 0.812) / (1 - 0.812))
    assert found["mcc"] == pytest.approx((6 * 85 - 4 * 5) / np.sqrt(10 * 11 * 90 * 89))


def test_calibration_line_is_the_maximum_of_the_likelihood() -> None:
    rows, y, z, _ = binary()
    found = compute(rows)
    slope, intercept = found["calibration_slope"], found["calibration_intercept"]
    residual = y - expit(slope * logit(expit(z)) + intercept)
    assert residual.sum() == pytest.approx(0, abs=1e-4)
    assert (residual * z).sum() == pytest.approx(0, abs=1e-3)


def test_the_calibration_line_is_found_to_the_last_digits_where_few_rows_lie_across() -> None:
    """A line search that stops short, or gives up with a warning, fails here."""
    rng = np.random.default_rng(9)
    y = rng.integers(0, 2, 1600).astype(float)
    z = (2 * y - 1) * np.abs(rng.normal(8, 4, 1600))
    z[:8] *= -rng.random(8)
    found = compute(table("binary", y[:, None], z[:, None]))
    held = logit(np.clip(expit(z), 1e-15, 1 - 1e-15))
    residual = y - expit(found["calibration_slope"] * held + found["calibration_intercept"])
    assert residual.sum() == pytest.approx(0, abs=1e-9)
    assert (residual * held).sum() == pytest.approx(0, abs=1e-8)


def test_every_statistic_of_the_rows_as_they_are_is_the_value() -> None:
    rows, _, _, called = binary()
    many, _ = exclusive()
    labels = table("labels", many.truth, many.logits)
    found = (
        measure(rows, called[:, None]) + measure(many) + measure(labels, (many.logits > 0).astype(np.int8))
    )
    resampled = [metric for metric in found if metric.statistic is not None]
    assert len(resampled) > 90
    for metric in resampled:
        n_subjects = len(np.unique(rows.clusters))
        assert metric.statistic is not None
        # The step of a calibration line starts where scikit-learn stopped.
        assert metric.statistic(once(n_subjects))[0] == pytest.approx(metric.value, abs=1e-5), metric.name


def test_every_statistic_of_a_resample_is_the_value_of_the_repeated_rows() -> None:
    rows, y, z, called = binary()
    _, index = np.unique(rows.clusters, return_inverse=True)
    drawn = np.random.default_rng(3).integers(0, 3, index.max() + 1).astype(np.int32)
    repeated = np.repeat(np.arange(len(y)), drawn[index])
    again = compute(table("binary", y[repeated, None], z[repeated, None]), called[repeated, None])
    for metric in measure(rows, called[:, None]):
        # Bins of equal mass stay those of the sample; the calibration line takes one Newton step.
        if metric.statistic is not None and metric.name != "ece_mass":
            tolerance = 0.03 if metric.name.startswith("calibration") else 1e-9
            found = metric.statistic(drawn[None])[0]
            assert found == pytest.approx(again[metric.name], abs=tolerance), metric.name


def test_exclusive_classes_equal_scikit_learn() -> None:
    rows, true = exclusive()
    found, called, p = compute(rows), rows.probabilities.argmax(axis=1), rows.probabilities
    expected = {
        "accuracy": reference.accuracy_score(true, called),
        "macro_f1": reference.f1_score(true, called, average="macro"),
        "balanced_accuracy": reference.balanced_accuracy_score(true, called),
        "mcc": reference.matthews_corrcoef(true, called),
        "kappa": reference.cohen_kappa_score(true, called),
        "log_loss": reference.log_loss(true, p),
        "auroc": reference.roc_auc_score(true, p, multi_class="ovr", average="macro"),
        "f1[B]": reference.f1_score(true, called, average=None)[1],
        "sensitivity[C]": reference.recall_score(true, called, average=None)[2],
        "ppv[A]": reference.precision_score(true, called, average=None)[0],
        "specificity[A]": reference.recall_score(true != 0, called != 0),
        "npv[A]": reference.precision_score(true != 0, called != 0),
        "mcc[B]": reference.matthews_corrcoef(true == 1, called == 1),
        "kappa[B]": reference.cohen_kappa_score(true == 1, called == 1),
        "average_precision": reference.average_precision_score(np.eye(3)[true], p, average="macro"),
        "average_precision[C]": reference.average_precision_score(true == 2, p[:, 2]),
        "brier": np.mean([((p[k] - np.eye(3)[true[k]]) ** 2).sum() for k in range(len(p))]),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_the_largest_probability_of_exclusive_classes_is_held_to_its_word() -> None:
    rows, true = exclusive()
    found, p = compute(rows), rows.probabilities
    right, largest = (p.argmax(axis=1) == true).astype(float), p.max(axis=1)
    assert found["ece"] == pytest.approx(calibration_points(right, largest).error)
    assert found["ece[B]"] == pytest.approx(calibration_points((true == 1).astype(float), p[:, 1]).error)


def test_a_referred_row_of_exclusive_classes_is_decided_for_none() -> None:
    rows, true = exclusive()
    called = np.eye(3, dtype=np.int8)[rows.probabilities.argmax(axis=1)]
    called[:50] = -1
    found = compute(rows, called)
    kept = compute(rows.select(np.arange(400) >= 50), called[50:])
    assert found["referred"] == 50 / 400
    for name in ("accuracy", "macro_f1", "f1[A]", "sensitivity[B]", "npv[C]", "kappa"):
        assert found[name] == pytest.approx(kept[name])
    assert found["auroc[A]"] != kept["auroc[A]"]
    assert true.shape == (400,)


def test_labels_equal_scikit_learn_class_by_class() -> None:
    rng = np.random.default_rng(4)
    z = np.round(rng.normal(size=(300, 3)), 1)
    truth = (rng.random((300, 3)) < expit(z)).astype(float)
    truth[:40, 1] = np.nan
    called = (z > 0.2).astype(np.int8)
    found = compute(table("labels", truth, z), called)
    p, each = expit(z), {}
    for k, name in enumerate("ABC"):
        known = ~np.isnan(truth[:, k])
        y, d, q = truth[known, k], called[known, k], p[known, k]
        each[name] = {
            "auroc": reference.roc_auc_score(y, q),
            "average_precision": reference.average_precision_score(y, q),
            "brier": reference.brier_score_loss(y, q),
            "log_loss": reference.log_loss(y, q),
            "sensitivity": reference.recall_score(y, d),
            "specificity": reference.recall_score(1 - y, 1 - d),
            "ppv": reference.precision_score(y, d),
            "f1": reference.f1_score(y, d),
            "balanced_accuracy": reference.balanced_accuracy_score(y, d),
            "mcc": reference.matthews_corrcoef(y, d),
            "kappa": reference.cohen_kappa_score(y, d),
        }
    for name, values in each.items():
        assert {kind: found[f"{kind}[{name}]"] for kind in values} == pytest.approx(values)
    for mean, kind in (("auroc", "auroc"), ("brier", "brier"), ("log_loss", "log_loss"), ("macro_f1", "f1")):
        assert found[mean] == pytest.approx(np.mean([values[kind] for values in each.values()]))


def test_events_are_measured_class_by_class() -> None:
    rng = np.random.default_rng(5)
    z = rng.normal(size=(100, 2))
    truth = (z + rng.normal(size=z.shape) > 0).astype(float)
    as_labels, as_events = (
        compute(table(task, truth, z), (z > 0).astype(np.int8)) for task in ("labels", "events")
    )
    assert as_events == as_labels


def test_classes_without_positives_are_named_and_not_averaged() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(200, 3))
    truth = (rng.random((200, 3)) < expit(2 * z)) * np.array([1.0, 1.0, 0.0])
    found = {metric.name: metric for metric in measure(table("labels", truth, z), (z > 0).astype(np.int8))}
    areas = [reference.roc_auc_score(truth[:, k], z[:, k]) for k in (0, 1)]
    assert found["auroc"].value == pytest.approx(np.mean(areas))
    assert found["auroc"].left_out == ("C",)
    assert np.isnan(found["auroc[C]"].value)
    assert found["macro_f1"].left_out == ("C",)
    assert found["average_precision"].left_out == ("C",)
    each = reference.f1_score(truth, z > 0, average=None, zero_division=0)
    assert found["macro_f1"].value == pytest.approx(np.mean(each[:2]))


def test_referred_rows_count_as_referred_and_nothing_else() -> None:
    rows, y, z, called = binary()
    called = np.where(np.abs(z) < 1, np.int8(-1), called)
    found = compute(rows, called[:, None])
    assert found["referred"] == pytest.approx((np.abs(z) < 1).mean())
    assert found["sensitivity"] == pytest.approx((called[(y == 1) & (called >= 0)] == 1).mean())


def test_unknown_truth_is_left_out() -> None:
    _, y, z, called = binary()
    more = table("binary", np.append(y, np.nan)[:, None], np.append(z, 0.0)[:, None])
    fewer = table("binary", y[:, None], z[:, None])
    assert compute(more, np.append(called, 1)[:, None]) == compute(fewer, called[:, None])


def test_one_class_gives_nan_and_no_warning() -> None:
    rows = table("binary", np.ones((5, 1)), np.arange(5.0)[:, None])
    found = compute(rows, np.ones((5, 1), np.int8))
    assert np.isnan([found["auroc"], found["specificity"], found["calibration_slope"]]).all()
    assert found["sensitivity"] == 1
    assert np.isnan(auroc(np.ones(3), np.arange(3.0)))


def test_without_a_policy_there_are_no_metrics_of_decisions() -> None:
    rows, *_ = binary()
    assert "sensitivity" not in compute(rows)
    with pytest.raises(FormatError, match=r"decisions must be \(400, 1\)"):
        compute(rows, np.zeros((3, 1), np.int8))


def test_what_follows_training_equals_the_whole() -> None:
    rows, _, _, _ = binary()
    all_of_them = compute(rows)
    assert ranking(rows) == pytest.approx(
        {name: all_of_them[name] for name in ("log_loss", "auroc", "average_precision")}
    )


def test_several_classes_are_followed_by_their_mean() -> None:
    rows, true = exclusive()
    found = ranking(rows)
    assert found["macro_auroc"] == pytest.approx(
        reference.roc_auc_score(true, rows.probabilities, multi_class="ovr", average="macro")
    )
    assert found["log_loss"] == pytest.approx(reference.log_loss(true, rows.probabilities))
