import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import has_fit_parameter

import vicinal
from vicinal.decisions.meaning import meaning
from vicinal.errors import ContractError, ExperimentError, NetworkError
from vicinal.estimator import SignalClassifier
from vicinal.inputs.datasets import synthetic
from vicinal.proposal.budget import propose_budget
from vicinal.signal import Signal

TEXT = "conv 8 window 5 | relu | mean | dense classes"

EXEMPT: dict[str, str] = {}
"""Checks of scikit-learn that are expected to fail, each with its reason. There is none."""


def cohort(n: int = 120, n_classes: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise with a bump of the class's height; two signals a subject."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) // 2 % n_classes
    x = rng.normal(size=(n, 1, 50)).astype(np.float32)
    x[:, 0, 10:30] += 2.0 * codes[:, None]
    return x, np.array(["no", "yes", "maybe"])[codes], np.arange(n) // 2


def make(**settings: object) -> SignalClassifier:
    return SignalClassifier(**{"network": TEXT, "epochs": 25, "batch": 16, "learning_rate": 1e-2, **settings})  # type: ignore[arg-type]


@pytest.mark.slow
def test_every_check_of_scikit_learn_passes() -> None:
    """In a process of its own: one of the checks runs only when this is set before SciPy is loaded."""
    program = (
        "import json, sys, torch; torch.set_num_threads(1)\n"
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "from vicinal import SignalClassifier\n"
        "one = SignalClassifier('dense 8 | relu | dense classes', epochs=10, batch=16, learning_rate=3e-2)\n"
        f"found = check_estimator(one, expected_failed_checks={EXEMPT!r}, on_fail=None, on_skip=None)\n"
        "print(json.dumps([[one['check_name'], one['status'], str(one['exception'])] for one in found]))"
    )
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) > 50
    assert [one for one in found if one[1] != "passed" and one[0] not in EXEMPT] == []


def test_two_classes_are_learnt_and_saved(tmp_path: Path) -> None:
    x, y, groups = cohort()
    classifier = make().fit(x[:80], y[:80], groups=groups[:80])
    p = classifier.predict_proba(x[80:])
    assert classifier.classes_.tolist() == ["no", "yes"]
    assert classifier.n_features_in_ == 50
    assert p.shape == (40, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert classifier.score(x[80:], y[80:]) > 0.85

    classifier.save(tmp_path / "model.vicinal")
    model = vicinal.load(tmp_path / "model.vicinal")
    assert model.provenance["vicinal"] == vicinal.__version__
    scorer = model.scorer()
    logits = scorer.logits(x[80:], np.full(40, 50, dtype=np.int64))
    np.testing.assert_array_equal(model.calibration.apply(logits)[:, 0], p[:, 1])


def test_three_classes_and_flat_signals() -> None:
    x, y, _ = cohort(n_classes=3)
    classifier = make(epochs=50).fit(x[:, 0], y)
    assert classifier.predict_proba(x[:, 0]).shape == (120, 3)
    assert classifier.score(x[:, 0], y) > 0.7
    # The same signals, with their one channel spelled out.
    np.testing.assert_array_equal(classifier.predict(x), classifier.predict(x[:, 0]))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities_are_the_sigmoid_or_softmax_of_the_decision_function(n_classes: int) -> None:
    x, y, _ = cohort(60, n_classes)
    classifier = make(epochs=3).fit(x, y)
    odds, p = classifier.decision_function(x), classifier.predict_proba(x)
    if n_classes == 2:
        assert odds.shape == (60,)
        np.testing.assert_allclose(expit(odds), p[:, 1])
        np.testing.assert_array_equal(classifier.predict(x), np.array(["no", "yes"])[(odds > 0).astype(int)])
    else:
        np.testing.assert_allclose(softmax(odds, axis=1), p)
        np.testing.assert_array_equal(classifier.predict(x), classifier.classes_[odds.argmax(axis=1)])


def test_labels_that_do_not_exclude_each_other() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (160, 2))
    x = rng.normal(size=(160, 2, 40))
    x += 2.0 * truth[:, :, None]
    y = pd.DataFrame(truth, columns=["AF", "PVC"])
    classifier = make().fit(x[:120], y[:120])
    assert classifier.classes_.tolist() == ["AF", "PVC"]
    p, called = classifier.predict_proba(x[120:]), classifier.predict(x[120:])
    np.testing.assert_array_equal(called, p > 0.5)
    assert roc_auc_score(truth[120:], p) > 0.9
    assert classifier.score(x[120:], y[120:]) > 0.6
    policy = classifier.fit_policy(x[120:140], y[120:140], aim="AF: sensitivity >= 0.9; PVC: f1")
    assert policy.decide(x[140:]).shape == (20, 2)


def test_images_are_signals_too() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = rng.normal(size=(120, 1, 8, 6))
    x[y == 1, 0, 2:6] += 1.5
    classifier = make(network="conv 4 window 3 | relu | mean | dense classes", channels=["grey"]).fit(x, y)
    assert classifier.score(x, y) > 0.85
    assert classifier.model_.contract.size == (8, 6)
    with pytest.raises(ContractError, match=r"expected signals of shape \(1, 8, 6\), got \(1, 6, 8\)"):
        classifier.predict(x.transpose(0, 1, 3, 2))


def test_the_same_seed_gives_the_same_probabilities_and_a_clone_is_unfitted() -> None:
    x, y, groups = cohort(60)
    classifier = make(epochs=2).fit(x, y, groups)
    again = clone(classifier)
    with pytest.raises(NotFittedError, match="not fitted"):
        again.predict_proba(x)
    np.testing.assert_array_equal(again.fit(x, y, groups).predict_proba(x), classifier.predict_proba(x))


def test_random_state_as_in_scikit_learn() -> None:
    x, y, _ = cohort(60)

    def odds(state: object) -> np.ndarray:
        return make(epochs=1, random_state=state).fit(x, y).decision_function(x)

    np.testing.assert_array_equal(odds(np.random.RandomState(3)), odds(np.random.RandomState(3)))
    assert (odds(1) != odds(2)).any()
    assert (odds(None) != odds(None)).any()
    one = make(epochs=1, random_state=np.random.RandomState(3))
    assert (one.fit(x, y).decision_function(x) != one.fit(x, y).decision_function(x)).any()
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # that of the caller, which must stay
    odds(5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_fitted_classifier_survives_a_pickle() -> None:
    x, y, _ = cohort(40)
    classifier = make(epochs=1).fit(x, y)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(x), classifier.predict_proba(x))


def test_names_of_a_data_frame_are_kept_and_compared() -> None:
    x, y, _ = cohort(40)
    frame = pd.DataFrame(x[:, 0], columns=[f"t{k}" for k in range(50)])
    classifier = make(epochs=1).fit(frame, y)
    assert classifier.feature_names_in_.tolist() == list(frame.columns)
    np.testing.assert_array_equal(classifier.predict_proba(frame), classifier.predict_proba(x))
    with pytest.raises(ContractError, match="feature names should match"):
        classifier.predict(frame[frame.columns[::-1]])
    assert not hasattr(classifier.fit(x, y), "feature_names_in_")


def test_defaults_are_those_that_init_proposes() -> None:
    x, y, groups = cohort(80)
    classifier = SignalClassifier(epochs=2).fit(x, y, groups)
    assert classifier.model_.network.startswith("conv 16 window 7 same | norm | relu")
    assert [record["epoch"] for record in classifier.history_] == [1, 2]
    few = SignalClassifier(network=TEXT).fit(x, y, groups)
    proposed = propose_budget(n_train=64, multiply_adds=1)  # a fifth of the 80 validates
    assert few.history_[0]["step"] == 64 // proposed.batch
    best = max(record["epoch"] for record in few.history_ if record["best"])
    assert len(few.history_) == min(best + proposed.patience, proposed.epochs)


def test_the_rate_follows_the_number_of_weights() -> None:
    """That which `init` proposes: two convolutions as in the README learn little with the rate of a wide network."""
    x, y, _ = cohort(60)

    def odds(**settings: Any) -> np.ndarray:
        return SignalClassifier(epochs=2, **settings).fit(x, y).decision_function(x)

    np.testing.assert_array_equal(odds(network=TEXT), odds(network=TEXT, learning_rate=1e-2))
    assert (odds(network=TEXT) != odds(network=TEXT, learning_rate=2e-3)).any()
    np.testing.assert_array_equal(odds(), odds(learning_rate=2e-3))  # 11,409 weights


def test_the_classifier_of_the_readme_learns_the_synthetic_hearts() -> None:
    recordings = synthetic.catalogue(n_subjects=200, aligned=True).recordings
    x = np.stack([synthetic.read(one).samples for one in recordings])
    y = np.array([one.labels[0] for one in recordings])
    groups = np.array([one.subject for one in recordings])
    fit = np.isin(groups, np.unique(groups)[:100])
    text = "conv 8 window 20 | relu | conv 8 window 5 | relu | mean | dense classes"
    classifier = SignalClassifier(text).fit(x[fit], y[fit], groups=groups[fit])
    assert roc_auc_score(y[~fit] == "healthy", classifier.decision_function(x[~fit])) > 0.8


def test_it_stands_at_the_end_of_a_pipeline() -> None:
    x, y, groups = cohort()
    pipeline = make_pipeline(StandardScaler(), make())
    pipeline.fit(x[:80, 0], y[:80], signalclassifier__groups=groups[:80])
    assert pipeline.score(x[80:, 0], y[80:]) > 0.85


def test_cross_validation_by_subject() -> None:
    x, y, groups = cohort()
    scores = cross_val_score(make(), x, y, groups=groups, cv=GroupKFold(3), scoring="roc_auc")
    assert scores.shape == (3,)
    assert scores.min() > 0.85


def test_subjects_reach_the_inner_split_where_metadata_is_routed() -> None:
    x, y, groups = cohort(60)
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_validate(
            make(epochs=1),
            x,
            y,
            params={"groups": groups},
            cv=GroupKFold(3),
            return_estimator=True,
            return_indices=True,
        )
        search = GridSearchCV(make(epochs=1), {"batch": [16]}, cv=GroupKFold(3)).fit(x, y, groups=groups)
    for fitted, train in zip(found["estimator"], found["indices"]["train"], strict=True):
        # The inner split knew them: signals of a subject of its training rows are refused as new ones.
        with pytest.raises(ContractError, match="groups: 1 subjects were in fit too"):
            fitted.score_table(x[:2] + 1, y[:2], groups=[groups[train[0]]] * 2)
    with pytest.raises(ContractError, match="groups: 1 subjects were in fit too"):
        search.best_estimator_.score_table(x[:2] + 1, y[:2], groups=groups[:2])


def test_a_grid_of_network_texts_finds_the_bias_that_fits() -> None:
    rng = np.random.default_rng(1)
    y, x = np.arange(120) % 2, rng.normal(size=(120, 60))
    for row in np.flatnonzero(y):
        start = rng.integers(0, 54)
        x[row, start : start + 6] += [
            3,
            3,
            3,
            -3,
            -3,
            -3,
        ]  # anywhere: only shared windows under a mean look there
    texts = ["dense 8 | relu | dense classes", "conv 8 window 7 | relu | max | dense classes"]
    search = GridSearchCV(make(epochs=30), {"network": texts}, cv=2, scoring="roc_auc").fit(x, y)
    assert search.best_params_ == {"network": texts[1]}
    assert search.best_score_ > 0.9
    assert search.cv_results_["mean_test_score"][0] < 0.75


def test_scikit_learn_can_calibrate_it_once_more() -> None:
    x, y, _ = cohort()
    calibrated = CalibratedClassifierCV(make(), cv=2).fit(x[:80, 0], y[:80])
    assert calibrated.score(x[80:, 0], y[80:]) > 0.85


def test_weights_of_signals_are_refused_in_the_way_scikit_learn_understands() -> None:
    x, y, _ = cohort(40)
    assert not has_fit_parameter(make(), "sample_weight")
    with pytest.raises(TypeError, match="sample_weight"):
        make().fit(x, y, sample_weight=np.ones(40))  # type: ignore[call-arg]


def test_an_aim_becomes_decisions_that_the_saved_model_makes_too(tmp_path: Path) -> None:
    x, y, groups = cohort(240)
    fit, aside, test = (np.isin(groups // 2 % 4, keep) for keep in ((0, 1), (2,), (3,)))
    classifier = make().fit(x[fit], y[fit], groups[fit])
    classifier.fit_policy(x[aside], y[aside], groups=groups[aside], aim="sensitivity >= 0.95")
    decisions = classifier.decide(x[test])
    assert set(decisions.tolist()) <= {0, 1}
    policy = classifier.model_.policy
    assert policy is not None
    assert policy.role == "calibration"
    assert policy.n_positive_subjects == (15,)
    expected = classifier.predict_proba(x[test])[:, 1] >= policy.thresholds[0]
    np.testing.assert_array_equal(decisions, expected)
    aside_found = classifier.decide(x[aside])[y[aside] == "yes"]
    assert aside_found.mean() >= 0.95

    table = classifier.score_table(x[test], y[test], groups=groups[test])
    assert (table.role, table.n_subjects) == ("test", 30)
    assert "Of 1,000 recordings" in meaning(table, policy).sentence

    classifier.save(tmp_path / "model.vicinal")
    model = vicinal.load(tmp_path / "model.vicinal")
    signals = [
        Signal(samples=row, channels=("0",), units=("1",), rate_hz=1.0, id=str(k))
        for k, row in enumerate(x[test])
    ]
    assert model.policy is not None
    np.testing.assert_array_equal(model.policy.decide(model.score(signals).probabilities)[:, 0], decisions)


def test_decisions_are_about_the_positive_class_and_predictions_are_not() -> None:
    x, y, groups = cohort(120)
    classifier = make(positive="no").fit(x[:80], y[:80], groups[:80])
    assert classifier.classes_.tolist() == ["no", "yes"]
    assert classifier.model_.calibration.classes == ("no",)
    assert classifier.score(x[80:], y[80:]) > 0.85
    odds, p = classifier.decision_function(x), classifier.predict_proba(x)
    np.testing.assert_allclose(expit(odds), p[:, 1])
    np.testing.assert_array_equal(classifier.predict(x), classifier.classes_[p.argmax(axis=1)])
    classifier.fit_policy(x[80:], y[80:], groups=groups[80:], aim="sensitivity >= 0.95")
    assert classifier.decide(x[80:])[y[80:] == "no"].mean() >= 0.95
    assert classifier.decide(x[80:])[y[80:] == "yes"].mean() < 0.5


def test_several_classes_are_decided_by_the_largest_probability_or_referred() -> None:
    x, y, _ = cohort(180, n_classes=3)
    classifier = make(epochs=40).fit(x[:90], y[:90])
    classifier.fit_policy(x[90:150], y[90:150], aim="argmax", refer={"share": 0.3})
    decisions = classifier.decide(x[150:])
    assert decisions.shape == (30, 3)
    referred = (decisions == -1).all(axis=1)
    assert 0 < referred.sum() < 30
    np.testing.assert_array_equal(
        classifier.classes_[decisions[~referred].argmax(axis=1)], classifier.predict(x[150:])[~referred]
    )


def test_rows_that_something_was_fitted_on_neither_decide_nor_judge() -> None:
    x, y, groups = cohort(120)
    classifier = make(epochs=1).fit(x[:60], y[:60], groups[:60])
    with pytest.raises(ContractError, match=r"X: 60 of 120 signals were in fit \(first \[0, 1"):
        classifier.fit_policy(x, y, aim="f1")
    with pytest.raises(ContractError, match="groups: 30 subjects were in fit too"):
        classifier.fit_policy(x[60:], y[60:], aim="f1", groups=groups[:60])
    classifier.fit_policy(x[60:90], y[60:90], aim="f1", groups=groups[60:90])
    classifier.fit_policy(x[60:90], y[60:90], aim="sensitivity >= 0.9", groups=groups[60:90])  # another aim
    with pytest.raises(ContractError, match=r"30 of 60 signals were in fit_policy .*test rows"):
        classifier.score_table(x[60:], y[60:])
    assert len(classifier.score_table(x[90:], y[90:], groups=groups[90:])) == 30
    assert len(classifier.score_table(x[:60], y[:60], role="train")) == 60
    classifier.fit(x[:60], y[:60])
    assert len(classifier.score_table(x[60:], y[60:])) == 60  # a new fit knows nothing of an earlier policy
    with pytest.raises(ExperimentError, match="there is no policy yet"):
        classifier.decide(x)


def test_channels_and_units_are_those_of_the_contract() -> None:
    x, y, _ = cohort(60)
    classifier = make(epochs=2, channels=["II"], units="mV", rate_hz=100).fit(x, y)
    in_microvolts = Signal(samples=1000 * x[0], channels=("ii",), units=("uV",), rate_hz=100.0, id="a")
    found = classifier.model_.score([in_microvolts]).probabilities[0, 0]
    assert found == pytest.approx(classifier.predict_proba(x[:1])[0, 1], abs=1e-4)


def test_time_before_channels_is_suspected_and_the_advice_helps() -> None:
    x, y, _ = cohort(40)
    two = np.concatenate([x, x], axis=1)
    with pytest.warns(
        UserWarning, match=r"50 channels of 2 positions each.*give X\.transpose\(0, 2, 1\)"
    ) as found:
        make(epochs=1, network="mean | dense classes").fit(two.transpose(0, 2, 1), y)
    assert found[0].filename == __file__
    make(epochs=1).fit(two.transpose(0, 2, 1).transpose(0, 2, 1), y)


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    x, y, _ = cohort(40)
    make(epochs=1, verbose=True).fit(x, y)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "training" in shown.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:, 0, 0], y), r"expected numbers of shape \(n, time\)"),
        (lambda x, y: (np.where(x > 2, np.nan, x), y), "NaN or infinity"),
        (lambda x, y: (x, y[:-1]), "one label for each"),
        (lambda x, _: (x, np.full(len(x), "a")), "at least two classes"),
        (lambda x, y: (x, y, [1, 2]), r"groups: expected the subject of each of 40 signals"),
        (
            lambda x, _: (x, np.array(["rare"] + ["usual"] * 39)),
            r"a class is missing there or in training; signals by class: 'rare' 1, 'usual' 39",
        ),
        (
            lambda x, y: (x, y, np.where(y == "no", 1, 2)),
            r"subjects by class: 'no' 1, 'yes' 1\. Give more subjects",
        ),
    ],
)
def test_what_does_not_fit_is_refused(change: object, message: str) -> None:
    x, y, _ = cohort(40)
    with pytest.raises(ContractError, match=message):
        make().fit(*change(x, y))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ExperimentError, "epochs: Input should be greater than or equal to 1"),
        ({"minutes": 1}, ExperimentError, "exactly one budget"),
        ({"batch": 0, "learning_rate": -1}, ExperimentError, "batch: .*learning_rate: "),
        ({"validation": 0}, ExperimentError, "validation: expected a share between 0 and 1, got 0"),
        ({"validation": "0.2"}, ExperimentError, "validation: expected a share between 0 and 1, got '0.2'"),
        ({"network": None, "rate_hz": "100"}, ExperimentError, "network: .*got None; rate_hz: .*got '100'"),
        ({"rate_hz": float("inf")}, ExperimentError, "rate_hz: expected a rate above 0, got inf"),
        ({"validation": 0.01}, ContractError, "1 % of the signals .* a class is missing there"),
        ({"random_state": -1}, ExperimentError, "random_state: expected a number of at least 0"),
        ({"random_state": "x"}, ExperimentError, "random_state: 'x' cannot be used"),
        ({"rate_hz": 0}, ExperimentError, "rate_hz: expected a rate above 0"),
        ({"channels": ["I", "II"]}, ContractError, "channels: expected 1 names, as X has channels, got 2"),
        ({"network": "conf 8 window 5 | mean | dense classes"}, NetworkError, "conv"),
        ({"channels": "I"}, ExperimentError, "channels: expected a list of names"),
        ({"augment": {"kind": "gain"}}, ExperimentError, "augment: expected a list of steps such as"),
        ({"augment": ["gain"]}, ExperimentError, "augment: expected a list of steps such as"),
        ({"augment": [{"kind": "gane"}]}, ExperimentError, "gain"),
    ],
)
def test_wrong_parameters_are_refused_at_fit(
    settings: dict[str, object], error: type[Exception], message: str
) -> None:
    x, y, _ = cohort(40)
    with pytest.raises(error, match=message):
        make(**settings).fit(x, y)


def test_other_shapes_are_refused_after_fitting() -> None:
    x, y, _ = cohort(40)
    classifier = make(epochs=1).fit(x, y)
    with pytest.raises(ContractError, match=r"expected signals of shape \(1, 50\), got \(1, 49\)"):
        classifier.predict(x[:, :, 1:])
    with pytest.raises(ContractError, match="X has 49 features, but SignalClassifier is expecting 50"):
        classifier.predict(x[:, 0, 1:])
    two = np.concatenate([x, x], axis=1)
    classifier.fit(two, y)
    with pytest.raises(ContractError, match=r"got one alone, of shape \(2, 50\)\. Give X\[None\]"):
        classifier.predict(two[0])
    np.testing.assert_array_equal(classifier.predict(two[0][None]), classifier.predict(two[:1]))
    with pytest.raises(ContractError, match=r"expected signals of shape \(2, 50\), got \(1, 100\)"):
        classifier.predict(two.reshape(len(two), -1))


def test_signals_of_a_mapped_file_are_read_without_a_warning(tmp_path: Path) -> None:
    """scikit-learn hands them to its processes so; pytest makes a warning an error."""
    x, y, _ = cohort(160)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected = make(epochs=1).fit(x, y).predict_proba(x)
    np.testing.assert_array_equal(make(epochs=1).fit(mapped, y).predict_proba(mapped), expected)
