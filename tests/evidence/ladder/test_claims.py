import re

import numpy as np

from vicinal.evidence.intervals import auroc_interval
from vicinal.evidence.ladder.claims import claims
from vicinal.evidence.ladder.row import Row
from vicinal.scoretable import ScoreTable

TEXTS = {
    "dense": "dense 9 | relu | dense 5 | relu | dense 1",
    "local": "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense 1",
    "conv": "conv 1 window 20 stride 10 | relu | conv 1 window 5 | relu | flatten | dense 1",
    "conv+mean": "conv 8 window 20 | relu | conv 8 window 5 | relu | mean | dense 1",
}
PARAMETERS = {"dense": 965, "local": 225, "conv": 33, "conv+mean": 505}
WORK = {"dense": 1000, "local": 400, "conv": 400, "conv+mean": 37_000}


def row(
    bias: str,
    area: float = 0.9,
    *,
    half: float = 0.02,
    seconds: float = 1.0,
    shifted: float | None = None,
    n: int = 60,
    regime: str = "aligned",
    scores: ScoreTable | None = None,
    work: int | None = None,
    parameters: int | None = None,
) -> Row:
    return Row(
        name=bias,
        network=TEXTS[bias],
        parameters=parameters or PARAMETERS[bias],
        multiply_adds=work or WORK[bias],
        train_seconds=seconds,
        auroc=(area, area - half, area + half),
        shifted={} if shifted is None else {0: area, 10: shifted},
        n_train_subjects=n,
        regime=regime,
        scores=scores,
    )


def claim(question: str, *rows: Row) -> tuple[str, str]:
    found = {item.question: item for item in claims(rows)}[question]
    return found.verdict, found.sentence


def test_faster_is_false_where_less_arithmetic_takes_longer() -> None:
    verdict, sentence = claim("Faster", row("dense"), row("conv", seconds=1.3))
    assert verdict == "false"
    assert sentence == (
        "Faster? False here: conv took 1.3 x dense's seconds, although it needs 0.4 x the multiply-adds: at this "
        "size the time goes into calls, not arithmetic."
    )


def test_faster_is_true_where_seconds_say_so() -> None:
    verdict, sentence = claim("Faster", row("dense"), row("conv", seconds=0.5))
    assert verdict == "true"
    assert "0.5 x dense's seconds, and it needs 0.4 x the multiply-adds: less arithmetic" in sentence


def test_faster_is_false_for_more_arithmetic_and_not_shown_where_runs_disagree() -> None:
    verdict, sentence = claim("Faster", row("dense"), row("conv", seconds=3, work=5000))
    assert (verdict, "and it needs 5 x" in sentence) == ("false", True)
    rows = [row("dense"), row("conv", seconds=0.5), row("dense", n=400), row("conv", n=400, seconds=2)]
    verdict, sentence = claim("Faster", *rows)
    assert (verdict, "0.5 to 2 over 2 comparisons" in sentence) == ("not shown", True)


def test_fewer_parameters_both_ways() -> None:
    verdict, sentence = claim("Fewer parameters", *(row(bias) for bias in TEXTS))
    assert verdict == "true"
    assert "dense has 965, local 225 (0.23 x), conv 33 (0.034 x), conv+mean 505 (0.52 x)" in sentence
    assert "0.15 x local's" in sentence
    verdict, sentence = claim("Fewer parameters", row("dense"), row("conv", parameters=5000))
    assert (verdict, "hold more weights" in sentence) == ("false", True)
    verdict, _ = claim("Fewer parameters", row("dense"), row("conv"), row("conv+mean", parameters=5000))
    assert verdict == "partly"


def test_less_data_is_true_only_where_the_intervals_are_apart() -> None:
    verdict, sentence = claim(
        "Less data", row("dense", 0.7), row("conv", 0.85), row("dense", 0.8, n=400), row("conv", 0.9, n=400)
    )
    assert verdict == "true"
    assert "aligned, 60 training subjects, dense 0.700 (0.680 to 0.720): conv is better (+0.150" in sentence
    assert "conv even beats dense trained on 400 (+0.050" in sentence
    verdict, sentence = claim("Less data", row("dense", 0.70), row("conv", 0.71))
    assert (verdict, "does not differ clearly" in sentence) == ("not shown", True)
    verdict, sentence = claim("Less data", row("dense", 0.9), row("conv", 0.7))
    assert (verdict, "conv is worse (-0.200" in sentence) == ("false", True)


def test_less_data_is_partly_true_where_regimes_differ() -> None:
    rows = [
        row("dense"),
        row("conv"),
        row("dense", 0.6, regime="any phase"),
        row("conv", 0.8, regime="any phase"),
    ]
    verdict, sentence = claim("Less data", *rows)
    assert verdict == "partly"
    assert "aligned, 60" in sentence
    assert "any phase, 60" in sentence


def test_against_more_data_nothing_is_claimed_that_the_intervals_do_not_allow() -> None:
    rows = [row("dense", 0.7), row("conv", 0.85)]
    assert "dense needs about 400 for the same" in claim("Less data", *rows, row("dense", 0.85, n=400))[1]
    assert "dense trained on 400 beats it again" in claim("Less data", *rows, row("dense", 0.95, n=400))[1]


def test_shift_invariance_is_false_where_flattened_conv_falls() -> None:
    verdict, sentence = claim(
        "Shift-invariant", row("conv", 0.93, shifted=0.60), row("conv+mean", 0.95, shifted=0.94)
    )
    assert verdict == "false"
    assert "conv alone is equivariant, not invariant" in sentence
    assert "shifted by 10, flattened conv falls from 0.930 to 0.600" in sentence
    assert "with mean pooling it goes from 0.950 to 0.940, which its interval allows" in sentence
    assert "forgets where a pattern was" in sentence


def test_shift_invariance_the_other_way_round() -> None:
    verdict, sentence = claim("Shift-invariant", row("conv", 0.93, shifted=0.92))
    assert (verdict, "flattened conv holds" in sentence) == ("true", True)
    assert "equivariant" not in sentence
    verdict, sentence = claim(
        "Shift-invariant", row("conv", 0.9, shifted=0.6), row("conv+mean", 0.9, shifted=0.7)
    )
    assert (verdict, "pooling does not remove all of it" in sentence) == ("false", True)
    verdict, sentence = claim("Shift-invariant", row("conv", 0.51, shifted=0.50))
    assert (verdict, "near chance" in sentence) == ("not shown", True)


def test_claims_that_the_rows_cannot_judge_are_not_made() -> None:
    assert claims([]) == []
    assert [item.question for item in claims([row("conv", shifted=0.9)])] == ["Shift-invariant"]
    assert [item.question for item in claims([row("dense"), row("conv")])] == [
        "Faster",
        "Fewer parameters",
        "Less data",
    ]


def test_scores_of_the_same_rows_are_compared_in_pairs() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0.0, 1.0], 150)
    good = y + rng.normal(0, 0.8, 300)
    worse = good + rng.normal(0, 0.4, 300)

    def scored(z: np.ndarray) -> ScoreTable:
        return ScoreTable(
            task="binary",
            classes=("A",),
            role="test",
            ids=np.arange(300).astype(str),
            truth=y[:, None],
            logits=z[:, None],
            probabilities=np.full((300, 1), 0.5),
        )

    def rows(*, paired: bool) -> list[Row]:
        found = []
        for bias, z in (("dense", worse), ("conv", good)):
            area = auroc_interval(scored(z))
            scores = scored(z) if paired else None
            found.append(row(bias, area.value, half=(area.high - area.low) / 2, scores=scores))
        return found

    assert claim("Less data", *rows(paired=True))[0] == "true"
    assert claim("Less data", *rows(paired=False))[0] == "not shown"


def test_sentences_are_sentences() -> None:
    rows = [row(bias, shifted=0.8, n=n) for bias in TEXTS for n in (60, 400)]
    for item in claims(rows):
        opening = r"\w[\w -]+\? (True here|Partly true here|False here|Not shown here): .+\."
        assert re.fullmatch(opening, item.sentence)
        print(item.sentence)
