import pytest

from vicinal.evidence.ladder.row import Row, bias_of, table

TEXTS = {
    "dense": "dense 9 | relu | dense 5 | relu | dense 1",
    "local": "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense 1",
    "conv": "conv 1 window 20 stride 10 | relu | conv 1 window 5 | relu | flatten | dense 1",
    "conv+mean": "conv 8 window 20 | relu | conv 8 window 5 | relu | mean | dense 1",
}


@pytest.mark.parametrize("bias", TEXTS)
def test_a_network_says_its_bias(bias: str) -> None:
    assert bias_of(TEXTS[bias]) == bias


def test_other_networks_are_not_taken_for_one_of_the_four() -> None:
    assert bias_of("lstm 8 | last | dense 1") == "other"
    assert bias_of("local 4 window 5 | conv 4 window 3 | dense 1") == "other"
    assert bias_of("residual 8 window 5 # a comment with local\nmean | dense classes") == "conv+mean"


def test_the_table_has_a_column_for_each_shift() -> None:
    facts = {"parameters": 9, "multiply_adds": 9, "train_seconds": 1.0, "n_train_subjects": 60}
    rows = [
        Row("conv", TEXTS["conv"], auroc=(0.93, 0.91, 0.95), shifted={0: 0.93, 10: 0.6}, **facts),  # type: ignore[arg-type]
        Row("dense", TEXTS["dense"], auroc=(0.9, 0.88, 0.92), **facts),  # type: ignore[arg-type]
    ]
    header, lines = table(rows)
    assert header[-1] == "shifted 10"
    assert lines[0][-2:] == ("0.930 (0.910-0.950)", "0.600")
    assert lines[1][-1] == ""
    assert all(len(line) == len(header) for line in lines)
