from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from vicinal.errors import FormatError
from vicinal.evidence.intervals import (
    auroc_interval,
    auroc_statistic,
    average_precision_statistic,
    bootstrap,
    paired_auroc,
    percentile_interval,
)
from vicinal.scoretable import ScoreTable


def table(truth: np.ndarray, z: np.ndarray, subjects: np.ndarray | None = None) -> ScoreTable:
    return ScoreTable(
        task="binary",
        classes=("A",),
        role="test",
        ids=np.array([f"r{k:05d}" for k in range(len(truth))]),
        truth=truth[:, None],
        logits=z[:, None],
        probabilities=np.full((len(truth), 1), 0.5),
        subjects=subjects,
    )


def drawn(n_subjects: int, rows: int, *, shift: float, correlation: float, seed: int) -> ScoreTable:
    """Half the subjects positive, with scores correlated within a subject."""
    rng = np.random.default_rng(seed)
    subjects = np.repeat(np.arange(n_subjects), rows)
    own = rng.normal(size=n_subjects)[subjects]
    z = np.sqrt(correlation) * own + np.sqrt(1 - correlation) * rng.normal(size=len(subjects))
    y = (subjects % 2).astype(float)
    return table(y, z + shift * y, subjects.astype(str))


rows = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30)


@given(rows, st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_weighted_statistics_equal_those_of_repeated_rows(
    found: list[tuple[bool, int, int]], counts: list[int]
) -> None:
    y, scores, index = (np.array(column) for column in zip(*found, strict=True))
    y, times = y.astype(float), np.array(counts, np.int32)
    again = np.repeat(np.arange(len(y)), times[index])
    area = auroc_statistic(y, scores.astype(float), index)(times)
    precision = average_precision_statistic(y, scores.astype(float), index)(times)
    if len(again) and y[again].min() != y[again].max():
        assert area == pytest.approx(roc_auc_score(y[again], scores[again]))
        assert precision == pytest.approx(average_precision_score(y[again], scores[again]))
    else:
        assert np.isnan(area)


def test_the_bootstrap_draws_subjects_and_repeats_itself() -> None:
    seen = []

    def statistic(times: np.ndarray) -> float:
        seen.append(times)
        return float(times[0])

    first = bootstrap({"a": statistic}, n_subjects=7, resamples=200, seed=1)["a"]
    assert all(times.sum() == 7 for times in seen)
    assert first.mean() == pytest.approx(1, abs=0.25)
    np.testing.assert_array_equal(
        bootstrap({"a": statistic}, n_subjects=7, resamples=200, seed=1)["a"], first
    )


def test_rows_of_one_subject_do_not_narrow_the_interval() -> None:
    once = drawn(60, 1, shift=1.0, correlation=0.0, seed=0)
    repeated = table(
        np.repeat(once.truth[:, 0], 9), np.repeat(once.logits[:, 0], 9), np.repeat(once.subjects, 9)
    )
    few, many = auroc_interval(once), auroc_interval(repeated)
    assert many.value == pytest.approx(few.value)
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=0.1)
    as_rows = auroc_interval(replace(repeated, subjects=None))
    assert as_rows.high - as_rows.low < 0.5 * (many.high - many.low)
    assert (many.n, many.n_subjects, as_rows.n_subjects) == (540, 60, None)


def test_undefined_resamples_are_left_out_unless_they_are_most() -> None:
    assert percentile_interval(np.array([1.0, np.nan, 1.0])) == (1.0, 1.0)
    assert np.isnan(percentile_interval(np.array([1.0, np.nan, np.nan]))).all()


def test_a_model_does_not_differ_from_itself() -> None:
    a = drawn(80, 3, shift=1.0, correlation=0.3, seed=1)
    order = np.random.default_rng(0).permutation(len(a))
    shuffled = ScoreTable(
        **{
            **{name: getattr(a, name) for name in ("task", "classes", "role")},
            **{
                name: getattr(a, name)[order]
                for name in ("ids", "truth", "logits", "probabilities", "subjects")
            },
        }
    )
    found = paired_auroc(a, shuffled)
    assert (found.value, found.low, found.high, found.is_clear) == (0, 0, 0, False)


def test_a_paired_difference_is_tighter_than_two_intervals() -> None:
    a = drawn(100, 3, shift=1.0, correlation=0.3, seed=2)
    noise = np.random.default_rng(3).normal(0, 0.7, a.logits.shape)
    b = replace(a, logits=a.logits + noise)
    found, first, second = paired_auroc(a, b), auroc_interval(a), auroc_interval(b)
    assert found.value == pytest.approx(first.value - second.value)
    assert found.low < found.value < found.high
    assert found.high - found.low < first.high - first.low
    opposite = paired_auroc(b, a)
    assert (opposite.low, opposite.high) == pytest.approx((-found.high, -found.low))


def test_tables_of_other_rows_are_not_paired() -> None:
    a = drawn(20, 2, shift=1.0, correlation=0.0, seed=0)
    with pytest.raises(FormatError, match=r"same classes and ids.*differing in r00039, x"):
        paired_auroc(a, replace(a, ids=np.append(a.ids[:-1], "x")))
    with pytest.raises(FormatError, match="same truth"):
        paired_auroc(a, replace(a, truth=1 - a.truth))
    with pytest.raises(FormatError, match="same subjects"):
        paired_auroc(a, replace(a, subjects=a.ids))


def coverage(area: float, correlation: float, *, draws: int, resamples: int) -> float:
    shift = float(norm.ppf(area)) * np.sqrt(2)
    held = 0
    for seed in range(draws):
        found = auroc_interval(
            drawn(100, 3, shift=shift, correlation=correlation, seed=seed), resamples=resamples, seed=seed
        )
        held += found.low <= area <= found.high
    return held / draws


@pytest.mark.slow
def test_coverage_of_auroc() -> None:
    assert 0.92 <= coverage(0.85, 0.3, draws=400, resamples=300) <= 0.98


@pytest.mark.prove
@pytest.mark.parametrize("area", [0.7, 0.85, 0.95])
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_coverage_of_auroc_at_length(area: float, correlation: float) -> None:
    assert 0.925 <= coverage(area, correlation, draws=2000, resamples=1000) <= 0.975
