from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import vicinal
from vicinal.errors import ContractError
from vicinal.estimator import SignalClassifier

TEXT = "conv 8 window 5 | relu | mean | dense classes"


def cohort(n: int = 120, n_classes: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise with a bump of the class's height; two signals a subject."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) // 2 % n_classes
    x = rng.normal(size=(n, 1, 50)).astype(np.float32)
    x[:, 0, 10:30] += 2.0 * codes[:, None]
    return x, np.array(["no", "yes", "maybe"])[codes], np.arange(n) // 2


def make(**settings: object) -> SignalClassifier:
    return SignalClassifier(**{"network": TEXT, "epochs": 25, "batch": 16, "learning_rate": 1e-2, **settings})  # type: ignore[arg-type]


def test_two_classes_are_learnt_and_saved(tmp_path: Path) -> None:
    x, y, groups = cohort()
    classifier = make().fit(x[:80], y[:80], groups=groups[:80])
    p = classifier.predict_proba(x[80:])
    assert classifier.classes_.tolist() == ["no", "yes"]
    assert p.shape == (40, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert classifier.score(x[80:], y[80:]) > 0.85

    classifier.save(tmp_path / "model.vicinal")
    model = vicinal.load(tmp_path / "model.vicinal")
    scorer = model.scorer()
    logits = scorer.logits(x[80:], np.full(40, 50, dtype=np.int64))
    np.testing.assert_array_equal(model.calibration.apply(logits)[:, 0], p[:, 1])


def test_three_classes_and_flat_signals() -> None:
    x, y, _ = cohort(n_classes=3)
    classifier = make(epochs=50).fit(x[:, 0], y)
    assert classifier.predict_proba(x[:, 0]).shape == (120, 3)
    assert classifier.score(x[:, 0], y) > 0.7


def test_the_same_seed_gives_the_same_probabilities_and_a_clone_is_unfitted() -> None:
    x, y, groups = cohort(60)
    classifier = make(epochs=2).fit(x, y, groups)
    again = clone(classifier)
    with pytest.raises(NotFittedError, match="not fitted"):
        again.predict_proba(x)
    np.testing.assert_array_equal(again.fit(x, y, groups).predict_proba(x), classifier.predict_proba(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:, 0, 0], y), r"expected numbers of shape \(n, channels, time\)"),
        (lambda x, y: (x.astype(str), y), "expected numbers"),
        (lambda x, y: (np.where(x > 2, np.nan, x), y), "NaN or infinity"),
        (lambda x, y: (x, y[:-1]), "one label for each"),
        (lambda x, _: (x, np.full(len(x), "a")), "at least two classes"),
        (lambda _, y: ([[1, 2], [3]], y), "X: expected numbers .*, got lists of different lengths"),
        (lambda x, y: (x[:, None], y), r"X: expected numbers .*, got float32 \(40, 1, 1, 50\). Give one row"),
        (lambda x, y: (x[:0], y[:0]), r"X: expected numbers .*, got float32 \(0, 1, 50\)"),
        (lambda x, y: (x, np.stack([y, y], axis=1)), "Give the class of each signal, not one column"),
        (lambda x, _: (x, np.linspace(0, 1, len(x))), "y: expected classes, got values that are no classes"),
        (lambda x, y: (x, np.where(np.arange(len(y)) == 3, None, y)), r"y: .* 1 are missing \(first \[3\]\)"),
        (
            lambda x, y: (x, y, [1, 2]),
            r"groups: expected the subject of each of 40 signals, got shape \(2,\)",
        ),
        (
            lambda x, y: (x, y, np.full(40, np.nan)),
            "groups: expected a subject for each signal, 40 are missing",
        ),
        (lambda x, y: (x, y, [[1], [1, 2]]), "groups: expected 40 subjects, got lists of different lengths"),
    ],
)
def test_what_does_not_fit_is_refused(change: object, message: str) -> None:
    x, y, _ = cohort(40)
    with pytest.raises(ContractError, match=message):
        make().fit(*change(x, y))  # type: ignore[operator]


def test_other_shapes_are_refused_after_fitting() -> None:
    x, y, _ = cohort(40)
    classifier = make(epochs=1).fit(x, y)
    with pytest.raises(ContractError, match=r"expected signals of shape \(1, 50\), got \(1, 49\)"):
        classifier.predict(x[:, :, 1:])
