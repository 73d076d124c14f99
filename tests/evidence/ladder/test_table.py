from vicinal.evidence.ladder.table import comparison_rows, rows_in_words


def test_what_is_not_known_stays_empty() -> None:
    network = {
        "parameters": 9, "multiply_adds": 9, "activation_bytes": 9, "train_seconds": None, "infer_per_second": None,
        "curve": [], "needed": None, "translation": [], "concentration": None,
    }  # fmt: skip
    evidence = {"metric": "auroc", "unit": "subjects", "target": 0.9, "networks": {"a": network}}
    _, ((name, *cells),) = comparison_rows(evidence)
    assert (name, cells[5], cells[6:]) == ("a", "failed", [""] * 6)


def test_numbers_stand_with_their_intervals() -> None:
    timed = {"median": 1.234, "least": 1.0, "most": 2.0}
    point = {"value": 0.9, "low": 0.85, "high": 0.94, "train": 0.92, "gap": {"value": 0.02}}
    network = {
        "parameters": 1500, "multiply_adds": 20_000, "activation_bytes": 4000, "train_seconds": timed,
        "infer_per_second": {**timed, "median": 12_345.6}, "curve": [{"share": 1, **point}],
        "needed": {
            "value": None, "low": 210.0, "high": None, "fewest_tried": 20, "most_tried": 400, "at_most": False
        },
        "translation": [{"shift": 0.1, "value": 0.7, "decisions_changed": 0.25}], "concentration": {"value": 0.42},
    }  # fmt: skip
    evidence = {"metric": "auroc", "unit": "subjects", "target": 0.95, "networks": {"conv": network}}
    columns, ((*cells,),) = comparison_rows(evidence)
    assert (columns[6], columns[7]) == ("AUROC (95 %)", "subjects for 0.95")
    assert cells == [
        "conv", "1,500", "20,000", "1.2", "12,346", "10", "0.900 (0.850 to 0.940)", "over 400 (210 or more)",
        "0.920", "+0.020", "0.700", "25 %", "42 %",
    ]  # fmt: skip
    network["needed"] = None
    assert comparison_rows(evidence)[1][0][7] == ""


def test_what_was_tested_is_in_words() -> None:
    assert (
        rows_in_words({"test": {"n": 1200, "n_subjects": 300}, "n_seeds": 3})
        == "1,200 test rows of 300 subjects, 3 seeds"
    )
    assert rows_in_words({"test": {"n": 5, "n_subjects": None}, "n_seeds": 1}) == "5 test rows, 1 seed"
