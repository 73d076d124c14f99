from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from vicinal.errors import FormatError
from vicinal.evidence.intervals import auroc_interval, fewest, matched, paired_auroc
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


def test_the_rarer_kind_is_counted_in_subjects() -> None:
    clusters = np.array(["a", "a", "b", "c", "c"])
    assert fewest(clusters, np.array([1, 1, 1, 0, np.nan])) == 1
    assert fewest(clusters, np.array([1, 1, 1, 0, 0]), np.array([True, True, False, True, True])) == 1
    assert fewest(clusters, np.array([1, 0, 1, 0, 1])) == 2


def test_rows_in_another_order_are_matched_by_id() -> None:
    a = drawn(6, 2, shift=1.0, correlation=0.0, seed=0)
    order = np.array([3, 1, 0, 2, 11, 10, 9, 8, 7, 6, 5, 4])
    b = a.select(np.ones(12, bool))
    b = replace(b, ids=a.ids[order], truth=a.truth[order], logits=a.logits[order], subjects=a.subjects[order])
    assert b.ids[matched(a, b)].tolist() == a.ids.tolist()


def coverage(area: float, correlation: float, *, draws: int, resamples: int) -> float:
    shift = float(norm.ppf(area)) * np.sqrt(2)
    held = 0
    for seed in range(draws):
        found = auroc_interval(
            drawn(100, 3, shift=shift, correlation=correlation, seed=seed), resamples=resamples, seed=seed
        )
        held += found.low <= area <= found.high
    return held / draws


def paired_coverage(correlation: float, *, draws: int, resamples: int) -> float:
    """The second model sees the first one's scores through noise: its AUROC is that of the two noises together."""
    area, noise = 0.85, 0.7
    shift = float(norm.ppf(area)) * np.sqrt(2)
    true = area - float(norm.cdf(shift / np.sqrt(2 * (1 + noise**2))))
    held = 0
    for seed in range(draws):
        a = drawn(100, 3, shift=shift, correlation=correlation, seed=seed)
        extra = np.random.default_rng([seed, 1]).normal(0, noise, a.logits.shape)
        found = paired_auroc(a, replace(a, logits=a.logits + extra), resamples=resamples, seed=seed)
        held += found.low <= true <= found.high
    return held / draws


@pytest.mark.slow
def test_coverage_of_auroc() -> None:
    assert 0.92 <= coverage(0.85, 0.3, draws=400, resamples=300) <= 0.98


@pytest.mark.prove
@pytest.mark.parametrize("area", [0.7, 0.85, 0.95])
@pytest.mark.parametrize("correlation", [0.0, 0.25, 0.5])
def test_coverage_of_auroc_at_length(area: float, correlation: float) -> None:
    """93 to 97 % with 50 subjects of each kind; the error of 2,000 draws is 0.5 points."""
    held = coverage(area, correlation, draws=2000, resamples=400)
    print(f"AUROC {area}, correlation {correlation}: {held:.4f}")
    assert 0.93 <= held <= 0.97


@pytest.mark.prove
@pytest.mark.parametrize("correlation", [0.0, 0.25, 0.5])
def test_coverage_of_a_paired_difference_at_length(correlation: float) -> None:
    held = paired_coverage(correlation, draws=2000, resamples=400)
    print(f"paired difference, correlation {correlation}: {held:.4f}")
    assert 0.93 <= held <= 0.97
