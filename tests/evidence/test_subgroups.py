from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from vicinal.errors import ExperimentError
from vicinal.evidence.intervals import auroc_interval
from vicinal.evidence.subgroups import METRICS, NOT_KNOWN, banded, require_columns, subgroups
from vicinal.scoretable import ScoreTable


def table(*, weak: float = 1.0, n_subjects: int = 300, seed: int = 0) -> ScoreTable:
    """Two rows a subject; women are scored `weak` times as well as men."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(n_subjects), 2)
    y = np.repeat(rng.random(n_subjects) < 0.4, 2).astype(float)
    sex = np.repeat(rng.choice(["f", "m"], n_subjects), 2)
    z = rng.normal(size=2 * n_subjects) + 2 * (y - 0.5) * np.where(sex == "f", weak, 1.0)
    age = np.repeat(rng.uniform(20, 90, n_subjects), 2)
    return ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.arange(len(y)).astype(str),
        truth=y[:, None],
        logits=z[:, None],
        probabilities=expit(z)[:, None],
        subjects=subjects.astype(str),
        columns={"sex": sex, "age": age},
    )


def test_each_group_is_measured_on_its_rows_alone() -> None:
    rows = table()
    decisions = (rows.logits > 0).astype(np.int8)
    found = subgroups(rows, decisions, columns=["sex"], resamples=200)["sex"]
    assert list(found) == ["f", "m"]
    for name, group in found.items():
        here = rows.columns["sex"] == name
        y, z = rows.truth[:, 0], rows.logits[:, 0]
        assert group["n"] == here.sum()
        assert group["n_subjects"] == here.sum() // 2
        assert group["n_positive"] == {"A": y[here].sum()}
        assert group["metrics"]["auroc"]["value"] == pytest.approx(roc_auc_score(y[here], z[here]))
        assert group["metrics"]["sensitivity"]["value"] == pytest.approx((z[here & (y == 1)] > 0).mean())
        alone = auroc_interval(rows.select(here), resamples=200)
        entry = group["metrics"]["auroc"]
        assert (entry["low"], entry["high"]) == pytest.approx((alone.low, alone.high))
        gap = roc_auc_score(y[here], z[here]) - roc_auc_score(y[~here], z[~here])
        assert group["gaps"]["auroc"]["value"] == pytest.approx(gap)
        assert set(group["metrics"]) <= set(METRICS)
        sizes = [
            group["gaps"]["sensitivity"][key] for key in ("n", "n_others", "n_subjects", "n_subjects_others")
        ]
        positive = [int((y[rows] == 1).sum()) for rows in (here, ~here)]
        assert sizes == [*positive, *(n // 2 for n in positive)]
    assert found["f"]["gaps"]["auroc"]["low"] == pytest.approx(-found["m"]["gaps"]["auroc"]["high"])


def test_the_interval_of_a_gap_is_that_of_two_independent_groups() -> None:
    # No subject is in both groups, so the variances of the two add up.
    rows = table(n_subjects=800)
    group = subgroups(rows, columns=["sex"], resamples=1500)["sex"]["f"]
    each = [auroc_interval(rows.select(rows.columns["sex"] == sex), resamples=1500) for sex in "fm"]
    expected = np.hypot(*(one.high - one.low for one in each))
    assert group["gaps"]["auroc"]["high"] - group["gaps"]["auroc"]["low"] == pytest.approx(expected, rel=0.08)


def test_a_planted_gap_is_found_and_none_is_not() -> None:
    gaps = [
        subgroups(table(weak=weak), columns=["sex"], resamples=200)["sex"]["f"]["gaps"] for weak in (0.2, 1.0)
    ]
    assert gaps[0]["auroc"]["clear"]
    assert gaps[0]["auroc"]["value"] < -0.1
    assert not gaps[1]["auroc"]["clear"]


def test_a_subject_in_both_groups_counts_in_both() -> None:
    # The same scores on two devices: no gap, whatever subjects are drawn.
    rows = table()
    z = np.repeat(rows.logits[::2], 2, axis=0)
    rows = replace(
        rows, logits=z, probabilities=expit(z), columns={"device": np.tile(["x", "y"], len(rows) // 2)}
    )
    gap = subgroups(rows, columns=["device"], resamples=100)["device"]["x"]["gaps"]["auroc"]
    assert (gap["value"], gap["low"], gap["high"]) == pytest.approx((0, 0, 0), abs=1e-12)


def test_numbers_are_cut_into_bands() -> None:
    values = np.array([10, 40, 64.9, 65, np.nan, 90])
    bands = {name: np.flatnonzero(rows).tolist() for name, rows in banded(values, [40, 65, 100]).items()}
    assert bands == {"under 40": [0], "40 to under 65": [1, 2], "65 to under 100": [3, 5]}
    rows = table()
    found = subgroups(rows, columns=["age"], bands={"age": [40, 65]}, resamples=50)["age"]
    assert list(found) == ["under 40", "40 to under 65", "65 and over"]
    assert sum(group["n"] for group in found.values()) == len(rows)
    quartiles = [group["n"] for group in subgroups(rows, columns=["age"], resamples=50)["age"].values()]
    assert quartiles == pytest.approx([150] * 4, abs=5)
    assert sum(quartiles) == len(rows)


def test_empty_cells_are_a_group_of_their_own() -> None:
    rows = table()
    sex = rows.columns["sex"].copy()
    sex[:40] = ""
    device = np.where(np.arange(len(rows)) < 300, 1.0, 2.0)
    device[-50:] = np.nan
    found = subgroups(
        replace(rows, columns={"sex": sex, "device": device}), columns=["sex", "device"], resamples=50
    )
    assert found["sex"][NOT_KNOWN]["n"] == 40
    assert {name: group["n"] for name, group in found["device"].items()} == {
        "1": 300,
        "2": 250,
        NOT_KNOWN: 50,
    }


def test_few_positive_subjects_are_unreliable_and_one_group_has_no_gap() -> None:
    rows = table(n_subjects=30)
    rows = replace(rows, columns={"site": np.array(["x"] * 60)})
    group = subgroups(rows.select(np.arange(60) < 20), columns=["site"], resamples=50)["site"]["x"]
    assert group["metrics"]["auroc"]["unreliable"]
    assert group["gaps"] == {}


def test_columns_that_cannot_be_groups_are_refused() -> None:
    with pytest.raises(
        ExperimentError,
        match=r"no column 'sexx' \(did you mean 'sex'\?\); the data have the columns age, sex\. Name",
    ):
        require_columns({"sex", "age"}, ["sexx"])
    rows = table()
    with pytest.raises(ExperimentError, match="holds 600 values, more than 20"):
        subgroups(replace(rows, columns={"name": rows.ids}), columns=["name"])
    with pytest.raises(ExperimentError, match="'sex' holds texts"):
        subgroups(rows, columns=["sex"], bands={"sex": [1.0]})


def test_columns_that_are_not_there_are_each_named_once() -> None:
    with pytest.raises(
        ExperimentError,
        match=r"no column 'x' and none 'agee' \(did you mean 'age'\?\); the data have the columns age",
    ):
        require_columns({"age"}, ["x", "agee", "x"])
    with pytest.raises(
        ExperimentError, match=r"no column 'x'; the data have no further column\. Name one that"
    ):
        require_columns(set(), ["x"])
