from vicinal.workflow.metric_cells import count_cell, interval_cell, value_cell


def test_a_metric_reads_with_three_places_and_says_when_it_is_unreliable() -> None:
    metric = {"value": 0.98765, "low": 0.9, "high": 1.0, "n": 1705, "unreliable": False}
    assert (value_cell(metric), interval_cell(metric), count_cell(metric)) == (
        "0.988",
        "0.900 to 1.000",
        "1,705",
    )
    assert interval_cell({**metric, "unreliable": True}) == "0.900 to 1.000 unreliable"


def test_what_is_not_known_is_a_dash() -> None:
    metric = {"value": None, "low": None, "high": 0.5}
    assert (value_cell(metric), interval_cell(metric), count_cell(metric)) == ("-", "-", "-")
    assert interval_cell({**metric, "unreliable": True}) == "- unreliable"
