import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit

from vicinal.decisions.aim import parse_aim
from vicinal.decisions.thresholds import (
    choose_threshold,
    parse_refer,
    prevalence_weights,
    refer_band,
    shift_prevalence,
)
from vicinal.errors import ExperimentError, InfeasibleError

TRUTH = np.array([0.0, 0, 1, 0, 0, 1, 1, 0, 1, 1])
P = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


def chosen(
    aim: str, truth: np.ndarray = TRUTH, p: np.ndarray = P, *, prevalence: float | None = None
) -> float:
    return choose_threshold(parse_aim(aim), truth, p, prevalence=prevalence)


@pytest.mark.parametrize(
    ("aim", "threshold"),
    [
        ("sensitivity >= 0.8", 0.5),  # 4 of 5 positives are at 0.5 or above
        ("sensitivity >= 0.81", 0.2),
        ("specificity >= 0.8", 0.5),  # 4 of 5 negatives lie below 0.5
        ("specificity >= 0.81", 0.8),
        ("ppv >= 0.8", 0.5),  # 4 of 5 alarms are right
        ("ppv >= 0.9", 0.8),
        ("npv >= 0.8", 0.5),  # 4 of 5 below are negative
        ("npv >= 0.9", 0.2),
        ("alarms <= 500 per 1000", 0.5),
        ("alarms <= 499 per 1000", 0.6),
        ("f1", 0.5),
        ("cost miss=3 alarm=1", 0.25),
        ("cost miss=1 alarm=1", 0.5),
    ],
)
def test_thresholds_worked_by_hand(aim: str, threshold: float) -> None:
    assert chosen(aim) == threshold


def test_prevalence_moves_what_depends_on_it_and_nothing_else() -> None:
    assert chosen("sensitivity >= 0.8", prevalence=0.01) == 0.5
    # PPV at 0.5 is 0.8 * q / (0.8 * q + 0.2 * (1 - q)): 0.308 at q = 0.1.
    assert chosen("ppv >= 0.31", prevalence=0.1) == 0.8
    assert chosen("ppv >= 0.30", prevalence=0.1) == 0.5
    # Rows have prevalence 1/2; at 1/4 the field's odds are a third, so the threshold's are 3 * 1/3.
    assert chosen("cost miss=3 alarm=1", prevalence=0.25) == pytest.approx(0.5)


def test_of_thresholds_of_equal_f1_the_highest_is_taken() -> None:
    # F1 is 2/3 at 0.9 (one of two found, no false alarm) and at 0.1 (both found, two false alarms).
    assert chosen("f1", np.array([1.0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.9])) == 0.9


@pytest.mark.parametrize(
    ("aim", "nearest"),
    [("ppv >= 0.9", "0.5"), ("specificity >= 0.9", "0"), ("alarms <= 100 per 1000", "500 per 1000")],
)
def test_an_aim_out_of_reach_says_how_near_the_rows_come(aim: str, nearest: str) -> None:
    with pytest.raises(InfeasibleError, match=rf"meets {aim} on these 2 rows; the nearest gives {nearest}$"):
        chosen(aim, np.array([1.0, 0]), np.array([0.1, 0.9]))


def test_only_a_cost_in_the_rows_own_prevalence_needs_no_rows_of_both_classes() -> None:
    negatives = np.zeros(10)
    assert chosen("cost miss=3 alarm=1", negatives) == 0.25
    for aim, prevalence in (("f1", None), ("cost miss=3 alarm=1", 0.25)):
        with pytest.raises(InfeasibleError, match="of known truth, got 0 and 10"):
            chosen(aim, negatives, prevalence=prevalence)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0.001, 0.999))
def test_prevalence_shift_is_a_shift_of_logits_and_has_an_inverse(p: float, q: float, value: float) -> None:
    moved = shift_prevalence(np.array([value]), source=p, field=q)
    assert logit(moved[0]) == pytest.approx(logit(value) + logit(q) - logit(p), abs=1e-9)
    assert shift_prevalence(moved, source=q, field=p)[0] == pytest.approx(value)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=40),
    st.sampled_from(
        ["sensitivity >= 0.7", "specificity >= 0.7", "ppv >= 0.4", "npv >= 0.7", "alarms <= 400 per 1000"]
    ),
    st.sampled_from([None, 0.2]),
)
def test_every_threshold_meets_its_aim_as_counted_one_by_one(
    rows: list[tuple[bool, int]], aim: str, prevalence: float | None
) -> None:
    y = np.array([row[0] for row in rows])
    p = np.array([row[1] for row in rows]) / 20
    if y.all() or not y.any():
        return

    def meets(t: float) -> bool:
        q = y.mean() if prevalence is None else prevalence
        se, sp = (p[y] >= t).mean(), (p[~y] < t).mean()
        alarms = q * se + (1 - q) * (1 - sp)
        kind, goal = aim.split()[0], float(aim.split()[2])
        return {
            "sensitivity": se >= goal - 1e-9,
            "specificity": sp >= goal - 1e-9,
            "ppv": q * se >= (goal - 1e-9) * alarms,
            "npv": (1 - q) * sp >= (goal - 1e-9) * (1 - alarms),
            "alarms": alarms <= goal / 1000 + 1e-9,
        }[kind]

    passing = [t for t in np.unique(p) if meets(t)]
    if not passing:
        with pytest.raises(InfeasibleError, match="no threshold meets"):
            chosen(aim, y.astype(float), p, prevalence=prevalence)
        return
    found = chosen(aim, y.astype(float), p, prevalence=prevalence)
    assert found == (max(passing) if aim.startswith(("sensitivity", "npv")) else min(passing))


def test_a_band_of_a_share_takes_the_rows_nearest_to_the_threshold() -> None:
    # Distances in logits from 0.5: 0.4 and 0.6 are 0.405, 0.3 and 0.7 are 0.847.
    assert refer_band({"share": 0.3}, P, threshold=0.5) == (0.4, np.nextafter(0.6, 1))
    # Two rows tie for the one place left, so neither is taken.
    band = refer_band({"share": 0.5}, np.array([0.5, 0.6, 0.6, 0.9]), threshold=0.5)
    assert band == (0.5, np.nextafter(0.5, 1))
    assert refer_band({"share": 0.05}, P, threshold=0.5) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0.01, 0.99), st.floats(0, 1))
def test_a_refer_band_never_exceeds_its_share(values: list[float], share: float, threshold: float) -> None:
    p = np.array(values)
    band = refer_band({"share": share}, p, threshold=threshold)
    if band is not None:
        assert band[0] <= threshold <= band[1]
        assert ((p >= band[0]) & (p < band[1])).mean() <= share + 1e-9


@pytest.mark.parametrize("edges", [(0.3, 0.8), (0.5, 0.8), (0.3, 0.5), (0.0, 1.0)])
def test_a_band_that_is_given_is_kept(edges: tuple[float, float]) -> None:
    assert refer_band(edges, P, threshold=0.5) == edges


@pytest.mark.parametrize(
    "refer",
    [
        {"share": 0.0},
        {"share": 1.0},
        {"part": 0.1},
        {"risk": 0.0},
        {"share": 0.1, "risk": 0.1},
        (0.6, 0.9),
        (0.1,),
        (0.5, 0.5),
    ],
)
def test_bands_that_make_no_sense_are_refused(refer: object) -> None:
    with pytest.raises(ExperimentError, match=r"refer .*expected"):
        refer_band(refer, P, threshold=0.5)  # type: ignore[arg-type]


def test_a_band_that_would_hold_nothing_is_none() -> None:
    assert refer_band({"share": 0.5}, np.array([1.0, 0.5]), threshold=1.0) is None


ROWS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(1, 19)), min_size=2, max_size=30).filter(
    lambda rows: len({row[0] for row in rows}) == 2
)


@given(ROWS, st.sampled_from(["share", "risk"]), st.floats(0.02, 0.9), st.sampled_from([None, 0.1, 0.7]))
def test_bands_are_those_found_by_trying_every_one(
    rows: list[tuple[float, int]], kind: str, limit: float, prevalence: float | None
) -> None:
    y, p = np.array([row[0] for row in rows]), np.array([row[1] for row in rows]) / 20
    threshold = 0.45
    q = y.mean() if prevalence is None else prevalence
    weight = [q / y.sum() if one else (1 - q) / (1 - y).sum() for one in y]
    wrong = ((p >= threshold) != (y == 1)).astype(float)
    far = [abs(logit(one) - logit(threshold)) for one in p]
    tried = []  # Every band of the nearest rows, ties together, the smallest first: who is in it.
    for reach in [-1.0, *sorted(set(far))]:
        inside = [d <= reach for d in far]
        share = sum(w for w, held in zip(weight, inside, strict=True) if held)
        errors = sum(w * e for w, e, held in zip(weight, wrong, inside, strict=True) if not held)
        fits = (
            share <= limit + 1e-9
            if kind == "share"
            else share < 1 - 1e-9 and errors <= limit * (1 - share) + 1e-9
        )
        if fits:
            tried.append(inside)
    weights = None if prevalence is None else prevalence_weights(y, field=prevalence)

    def band() -> tuple[float, float] | None:
        return refer_band({kind: limit}, p, threshold=threshold, wrong=wrong, weights=weights)

    if not tried:
        with pytest.raises(InfeasibleError, match="no refer band leaves"):
            band()
        return
    edges = band()
    found = np.zeros(len(p), bool) if edges is None else (p >= edges[0]) & (p < edges[1])
    assert found.tolist() == (tried[-1] if kind == "share" else tried[0])


def test_weights_bring_rows_to_the_prevalence_of_the_field() -> None:
    weights = prevalence_weights(np.array([1.0, 0, 0, 0, np.nan]), field=0.1)
    assert weights == pytest.approx([0.4, 1.2, 1.2, 1.2, 0])
    with pytest.raises(InfeasibleError, match="got 0 and 2"):
        prevalence_weights(np.zeros(2), field=0.1)


def test_certainty_that_cannot_be_referred_is_no_risk_limit_met() -> None:
    with pytest.raises(InfeasibleError, match="rows of probability 1"):
        refer_band(
            {"risk": 0.1}, np.array([0.01, 1.0, 0.02]), threshold=0.9999999, wrong=np.array([0.0, 1, 0])
        )
    with pytest.raises(InfeasibleError, match="rows of known truth, got none"):
        refer_band({"risk": 0.1}, P, threshold=0.5)


def test_a_refer_band_in_words() -> None:
    assert parse_refer("share=0.1") == {"share": 0.1}
    assert parse_refer(" risk = 1e-2") == {"risk": 0.01}
    assert parse_refer(".3, 0.6") == (0.3, 0.6)
    for text in ("", "share", "part=0.1", "0.3", "0.1,0.2,0.3", "share=-0.1", "share=nan"):
        with pytest.raises(ExperimentError, match=r"expected share=0.1, risk=0.01"):
            parse_refer(text)
