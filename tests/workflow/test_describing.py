from vicinal.workflow.running import Run


def test_the_dataflow_goes_from_files_to_decisions_with_the_shape_at_each_step(finished: Run) -> None:
    flow = finished.evidence["dataflow"]
    assert [one["step"] for one in flow if not one.get("inner")] == [
        "inputs", "prepared", "representations", "scores", "decisions",
    ]  # fmt: skip
    assert flow[1]["sizes"] == [1, 100]
    stages = {one["step"]: one["sizes"] for one in flow if one.get("inner")}
    assert stages == {"conv 4 window 20 stride 5": [4, 17], "relu": [4, 17], "mean": [4], "dense 1": [1]}
    assert flow[-2]["what"] == "one logit -> sigmoid, calibrated by temperature"


def test_the_network_is_what_inspect_says(finished: Run) -> None:
    network = finished.evidence["network"]
    # 4 windows of 20 and a bias each; one weight for each of the 4, and a bias.
    assert [one["parameters"] for one in network["stages"]] == [84, 0, 0, 5]
    assert network["parameters"] == 89
    assert network["stages"][0]["receptive_field_ms"] == 200


def test_parts_are_counted_by_class_and_subject(finished: Run) -> None:
    parts = finished.evidence["data"]["parts"]
    assert list(parts) == ["train", "validation", "calibration", "test"]
    assert parts["test"] == {"rows": 36, "disease": 18, "subjects": 36}
    assert finished.evidence["protocol"]["rows"] == {name: one["rows"] for name, one in parts.items()}
    assert finished.evidence["training"]["select"] == "auroc"


def test_a_cross_validation_counts_the_rows_of_all_folds(crossed: Run) -> None:
    assert crossed.evidence["data"]["parts"] == {"test": {"rows": 120, "disease": 60, "subjects": 120}}
    assert "training" not in crossed.evidence
