from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from vicinal.errors import FormatError
from vicinal.evidence.beats import (
    CLASSES,
    COLUMNS,
    ROWS,
    beat_metrics,
    beat_table,
    beat_tables,
    jk,
    match_beats,
    outside,
    ppv_of,
    qrs,
    sensitivity_of,
)
from vicinal.evidence.resampling import once
from vicinal.evidence.summary import summarise
from vicinal.scoretable import ScoreTable

# Asymmetric on purpose: V called F (row V, 7) and F called V (row F, 40) must not be confused.
HAND = np.array(
    [
        #  N   S   V   F   Q  o  x
        [900, 30, 20, 3, 1, 5, 2],  # N
        [12, 80, 4, 2, 1, 3, 1],  # S
        [6, 5, 150, 7, 2, 9, 4],  # V
        [8, 11, 40, 25, 0, 1, 0],  # F
        [1, 13, 17, 0, 6, 0, 0],  # Q
        [14, 10, 8, 1, 0, 0, 0],  # O
        [2, 3, 5, 0, 0, 0, 0],  # X
    ]
)

positions = st.lists(st.integers(0, 400), max_size=25, unique=True).map(lambda x: np.array(sorted(x), int))


def test_a_table_worked_by_hand() -> None:
    flat = HAND.reshape(-1).astype(float)
    assert sensitivity_of("V")(flat) == 150 / (6 + 5 + 150 + 7 + 2 + 9 + 4)
    assert sensitivity_of("S")(flat) == 80 / (12 + 80 + 4 + 2 + 1 + 3 + 1)
    # F and Q called V are left out; Q called S is, F called S is not.
    assert ppv_of("V")(flat) == 150 / (150 + 20 + 4 + 8 + 5)
    assert ppv_of("S")(flat) == 80 / (80 + 30 + 5 + 11 + 10 + 3)
    true = np.repeat(np.arange(5), HAND[:5, :5].sum(axis=1))
    called = np.concatenate([np.repeat(np.arange(5), row) for row in HAND[:5, :5]])
    shares = 80 / 103 + 150 / 183 + 80 / 139 + 150 / 187
    assert jk(flat) == pytest.approx(0.5 * cohen_kappa_score(true, called) + 0.125 * shares)
    found = HAND[:5, :5].sum()
    assert (qrs(HAND).sensitivity, qrs(HAND).ppv) == (found / (found + 18), found / (found + 33))


@given(positions, positions, st.sampled_from([100.0, 250.0, 360.0]))
def test_matching_equals_its_definition(reference: np.ndarray, test: np.ndarray, rate_hz: float) -> None:
    window = int(0.15 * rate_hz + 0.5)
    expected = []
    for i, r in enumerate(reference):
        for j, t in enumerate(test):
            nearest_test = min(range(len(test)), key=lambda k: (abs(test[k] - r), k))
            nearest_reference = min(range(len(reference)), key=lambda k: (abs(reference[k] - t), k))
            if nearest_test == j and nearest_reference == i and abs(int(r) - int(t)) <= window:
                expected.append([i, j])
    assert match_beats(reference, test, rate_hz=rate_hz).tolist() == expected


def test_the_window_is_54_samples_at_360_hz() -> None:
    assert len(match_beats(np.array([1000]), np.array([1054]), rate_hz=360)) == 1
    assert len(match_beats(np.array([1000]), np.array([1055]), rate_hz=360)) == 0
    with pytest.raises(FormatError, match="reference must rise"):
        match_beats(np.array([5, 5]), np.array([1]), rate_hz=360)


def test_a_table_from_positions() -> None:
    reference, test = np.array([100, 500, 900, 1300]), np.array([110, 700, 905, 1700])
    pairs = match_beats(reference, test, rate_hz=360)
    counts = beat_table(
        ["N", "V", "S", "N"],
        ["N", "V", "V", "S"],
        pairs,
        reference_unreadable=np.array([False, False, False, True]),
        test_unreadable=np.array([False, False, False, True]),
    )
    cells = {(ROWS[r], COLUMNS[c]): int(n) for (r, c), n in np.ndenumerate(counts) if n}
    assert cells == {("N", "N"): 1, ("S", "V"): 1, ("V", "o"): 1, ("N", "x"): 1, ("O", "V"): 1, ("X", "S"): 1}
    with pytest.raises(FormatError, match="classes /; expected N, S, V, F, Q"):
        beat_table(["/"], ["N"], np.array([[0, 0]]))


def test_flutter_is_left_out_with_its_ends() -> None:
    stretches = np.array([[100, 200], [400, 500]])
    assert outside(np.array([99, 100, 150, 200, 201, 450]), stretches).tolist() == [
        True,
        *[False] * 3,
        True,
        False,
    ]
    assert outside(np.array([1, 2]), np.empty((0, 2), int)).all()


def beats(n: int = 4000, seed: int = 0) -> ScoreTable:
    rng = np.random.default_rng(seed)
    records = rng.choice(["100", "201", "202", "231", "232", "233"], n)
    true = rng.choice(5, n, p=[0.7, 0.12, 0.12, 0.05, 0.01])
    p = rng.dirichlet(np.ones(5), n) * 0.5 + 0.5 * np.eye(5)[np.where(rng.random(n) < 0.8, true, 0)]
    return ScoreTable(
        task="classes",
        classes=CLASSES,
        role="test",
        ids=np.arange(n).astype(str),
        truth=np.eye(5)[true],
        logits=np.log(p),
        probabilities=p,
        subjects=np.where(np.isin(records, ["201", "202"]), "201=202", records),
        columns={"record": records},
    )


def slow(true: list[str], called: list[str], name: str) -> tuple[float, float]:
    """Sensitivity and PPV beat by beat, each rule spelled out."""
    hits = sum(t == c == name for t, c in zip(true, called, strict=True))
    wrong = 0
    for t, c in zip(true, called, strict=True):
        if c == name and t != name and t != "Q" and not (name == "V" and t == "F"):
            wrong += 1
    return hits / true.count(name), hits / (hits + wrong)


def test_metrics_of_a_table_equal_the_slow_rules() -> None:
    rows = beats()
    found = {metric.name: metric for metric in beat_metrics(rows)}
    records = rows.columns["record"]
    for mark, without in (("", ""), ("@strict", "202"), ("@without-232", "232")):
        kept = records != without
        for name in ("S", "V"):
            by_record = []
            for one in (kept, *(kept & (records == record) for record in np.unique(records[kept]))):
                true = [CLASSES[k] for k in rows.truth[one].argmax(axis=1)]
                called = [CLASSES[k] for k in rows.probabilities[one].argmax(axis=1)]
                by_record.append(slow(true, called, name))
            gross, mean = by_record[0], np.mean(by_record[1:], axis=0)
            for k, kind in enumerate(("sensitivity", "ppv")):
                assert found[f"beat_{kind}[{name}]{mark}"].value == pytest.approx(gross[k])
                assert found[f"mean_beat_{kind}[{name}]{mark}"].value == pytest.approx(mean[k])
    assert found["jk@strict"].rows.sum() == (records != "202").sum()
    for metric in found.values():
        assert metric.statistic is not None
        assert metric.statistic(once(5))[0] == pytest.approx(metric.value), metric.name


def test_records_without_such_a_beat_are_left_out_of_the_mean() -> None:
    rows = beats()
    truth = rows.truth.copy()
    lone = (rows.columns["record"] == "233") & (truth[:, 2] == 1)
    truth[lone] = np.eye(5)[0]
    fewer = {metric.name: metric.value for metric in beat_metrics(replace(rows, truth=truth))}
    kept = rows.select(rows.columns["record"] != "233")
    without = {metric.name: metric.value for metric in beat_metrics(kept)}
    assert fewer["mean_beat_sensitivity[V]"] == pytest.approx(without["mean_beat_sensitivity[V]"])


def test_a_variant_without_effect_is_not_there() -> None:
    rows = beats()
    names = {m.name for m in beat_metrics(rows.select(~np.isin(rows.columns["record"], ["202", "232"])))}
    assert names == {name for name in names if "@" not in name}
    assert "jk" in names


def test_evidence_holds_them_when_asked() -> None:
    rows = beats(600)
    metrics = summarise(rows, resamples=50, further=["beats"])["metrics"]
    assert metrics["jk"]["low"] <= metrics["jk"]["value"] <= metrics["jk"]["high"]
    assert metrics["jk@without-232"]["n_subjects"] == 4
    assert "jk" not in summarise(rows, resamples=50)["metrics"]


def test_other_tables_are_refused() -> None:
    with pytest.raises(FormatError, match="a column 'record'"):
        beat_metrics(replace(beats(50), columns={}))


def with_symbols(rows: ScoreTable) -> ScoreTable:
    """Symbols of the map "literature": half of the N beats are escape beats."""
    symbol = np.array(list("NAVFQ"))[rows.truth.argmax(axis=1)]
    symbol[(symbol == "N") & (np.arange(len(rows)) % 2 == 0)] = "e"
    return replace(rows, columns={**rows.columns, "symbol": symbol})


OTHER = {"N": "N", "e": "S", "A": "S", "V": "V", "F": "F"}
"""Like ec57, but Q is in no class."""


def test_another_map_gives_the_same_rows_another_truth() -> None:
    rows = with_symbols(beats())
    found = {metric.name: metric for metric in beat_metrics(rows, maps={"other": OTHER})}
    symbols = rows.columns["symbol"]
    for mark, without in (("@other", ""), ("@other-strict", "202"), ("@other-without-232", "232")):
        kept = (symbols != "Q") & (rows.columns["record"] != without)
        true = [OTHER[one] for one in symbols[kept]]
        called = [CLASSES[k] for k in rows.probabilities[kept].argmax(axis=1)]
        expected = slow(true, called, "S")
        assert found[f"beat_sensitivity[S]{mark}"].value == pytest.approx(expected[0])
        assert found[f"beat_ppv[S]{mark}"].value == pytest.approx(expected[1])
        assert found[f"jk{mark}"].rows.sum() == kept.sum()
    plain = {metric.name: metric.value for metric in beat_metrics(rows)}
    assert plain == {name: found[name].value for name in plain}
    assert not any("other" in metric.name for metric in beat_metrics(beats(), maps={"other": OTHER}))


def test_the_tables_are_those_behind_the_metrics() -> None:
    rows = with_symbols(beats())
    tables = beat_tables(rows, maps={"other": OTHER})
    metrics = {metric.name: metric.value for metric in beat_metrics(rows, maps={"other": OTHER})}
    assert set(tables) == {"", "@strict", "@without-232", "@other", "@other-strict", "@other-without-232"}
    for mark, counts in tables.items():
        assert jk(counts.reshape(1, -1).astype(float))[0] == pytest.approx(metrics[f"jk{mark}"])
    evidence = summarise(rows, resamples=50, further=["beats"], beat_maps={"other": OTHER})
    assert evidence["beats"]["counts"]["other"] == tables["@other"].tolist()
    assert evidence["beats"]["counts"]["protocol"] == tables[""].tolist()
    assert evidence["metrics"]["jk@other"]["low"] is not None
