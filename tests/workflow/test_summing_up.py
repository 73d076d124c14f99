import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.workflow.test_evidence_schema import problems

from vicinal.errors import TrainingError
from vicinal.evidence.ladder.sample import Sample
from vicinal.workflow.asking import Asked
from vicinal.workflow.comparing import Comparison, compare
from vicinal.workflow.summing_up import (
    _concentration,
    _reachable,
    _refuse_failure,
    _seconds_to,
    _spread,
    _with_all,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "compare.schema.json").read_text())


@pytest.fixture(scope="module")
def compared(experiment_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    asked = Asked(networks=("dense@4", "conv@4"), shares=(0.5,), seeds=2, rates=(0.01,), cut=())
    folder = tmp_path_factory.mktemp("summed") / "up"
    return compare(
        experiment_file, asked, output=folder, overrides=["training.epochs=1", "evidence.resamples=100"]
    )


def test_costs_shifts_and_stages_of_each_network(compared: Comparison) -> None:
    for name, one in compared.evidence["networks"].items():
        assert one["parameters"] > 0
        for timed in ("train_seconds", "step_ms", "infer_per_second"):
            assert 0 < one[timed]["least"] <= one[timed]["median"] <= one[timed]["most"]
        assert [point["shift"] for point in one["translation"]] == [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
        for point in one["translation"][1:]:
            assert point["change"]["value"] == pytest.approx(point["value"] - one["translation"][0]["value"])
        assert one["concentration"]["n_signals"] == 16
        assert [stage["n_stages"] for stage in one["stages"]] == list(range(1, len(one["stages"]) + 1))
        assert "value" in one["stages"][-1]
        assert all("value" not in stage for stage in one["stages"][:-1])
        if name == "conv@4":
            # 7 samples at 100 Hz, then 6 more at twice the distance with each stage.
            assert [stage["receptive_field_ms"] for stage in one["stages"]] == [70, 190, 430, 910]


def test_the_needed_number_is_in_words_and_numbers(compared: Comparison) -> None:
    found = compared.evidence
    assert found["unit"] == "subjects"
    (contrast,) = found["contrasts"]
    values = {name: one["curve"][-1]["value"] for name, one in found["networks"].items()}
    assert contrast["value"] == pytest.approx(values["dense@4"] - values["conv@4"])
    for one in found["networks"].values():
        assert one["needed"]["target"] == found["target"]
        assert (one["needed"]["fewest_tried"], one["needed"]["most_tried"]) == (21, 42)


def test_gaps_are_held_against_that_of_the_base(compared: Comparison) -> None:
    found, networks = compared.evidence["gap_contrasts"], compared.evidence["networks"]
    # Neither is called dense, so the first is the base.
    assert [(one["a"], one["b"], one["n_train_subjects"]) for one in found] == [
        ("conv@4", "dense@4", 21), ("conv@4", "dense@4", 42),
    ]  # fmt: skip
    for k, one in enumerate(found):
        gaps = [networks[name]["curve"][k]["gap"]["value"] for name in ("conv@4", "dense@4")]
        assert one["value"] == pytest.approx(gaps[0] - gaps[1])
        assert one["low"] < one["value"] < one["high"]


def test_it_holds_to_its_schema(compared: Comparison) -> None:
    found = json.loads((compared.folder / "compare.json").read_text())
    assert list(problems(found, SCHEMA, root=SCHEMA)) == []
    assert set(found) == set(SCHEMA["properties"])
    assert all(
        set(one) == set(SCHEMA["$defs"]["network"]["properties"]) for one in found["networks"].values()
    )


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (["networks", "conv@4", "curve", 0, "gap", "low"], "far", "not ['number', 'null']"),
        (["networks", "conv@4", "rating"], 3, "unknown rating"),
        (["contrasts", 0, "clear"], 1, "not ['boolean']"),
        (["gap_contrasts", 0, "n_train_subjects"], 0, "below 1"),
        (["verdict", 0, "answer"], "yes", "not among"),
        (["protocol", "evidence_rows"], "train", "not among"),
    ],
)
def test_another_comparison_breaks_the_schema(
    compared: Comparison, path: list[Any], value: Any, problem: str
) -> None:
    evidence = json.loads((compared.folder / "compare.json").read_text())
    place = evidence
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    (found,) = problems(evidence, SCHEMA, root=SCHEMA)
    assert problem in found


def test_every_key_is_documented(compared: Comparison) -> None:
    page = (Path(__file__).parents[2] / "docs" / "compare.md").read_text().split("## compare.json")[1]
    one = compared.evidence["networks"]["dense@4"]
    keys = {*compared.evidence, *one, *one["curve"][0], *one["stages"][-1], *one["translation"][0]}
    keys |= {
        *one["needed"],
        *compared.evidence["gap_contrasts"][0],
        *compared.evidence["contrasts"][0],
        *compared.evidence["protocol"],
    }
    assert sorted(key for key in keys if f"`{key}`" not in page) == []


def test_seconds_are_counted_until_validation_rows_are_at_the_target() -> None:
    entry = {
        "select": "auroc",
        "history": [[[1.0, 5, 0.7], [2.0, 10, 0.9]], [[1.5, 5, 0.8]], [[9.0, 5, None]]],
    }
    assert _seconds_to(0.75, "auroc", entry) == {
        "median": 1.75, "least": 1.5, "most": 2.0, "n_reached": 2, "n_seeds": 3,
    }  # fmt: skip
    assert _seconds_to(0.95, "auroc", entry) == {"n_reached": 0, "n_seeds": 3}
    assert _seconds_to(0.75, "accuracy", entry) is None


def test_the_target_is_what_half_of_the_networks_reach() -> None:
    def curve(value: float) -> dict[int, Sample]:
        return {n: Sample(np.array([at]), np.zeros((1, 9)), 9) for n, at in ((10, 0.5), (100, value))}

    curves = {str(k): curve(value) for k, value in enumerate((0.6, 0.876, 0.93))}
    assert _reachable(curves) == pytest.approx(0.87)
    assert _reachable({**curves, "3": curve(0.99)}) == pytest.approx(0.93)
    assert _reachable({**curves, "broken": {}}) == pytest.approx(0.87)


def test_the_target_is_not_chance_where_most_networks_are() -> None:
    values = {"conv": 0.9, "dense": 0.51, "local": 0.5, "lstm": 0.52}
    curves = {name: {9: Sample(np.array([value]), np.zeros((1, 9)), 9)} for name, value in values.items()}
    assert _reachable(curves) == pytest.approx(0.7)


def test_small_sums() -> None:
    assert _spread([3.0, 1.0, 2.0]) == {"median": 2.0, "least": 1.0, "most": 3.0}
    assert _spread([]) is None
    found = _concentration(np.array([[0.2, 0.4, np.nan], [0.4, 0.6, np.nan]]))
    assert found is not None
    assert (found["value"], found["n_signals"]) == (pytest.approx(0.4), 2)
    assert _concentration(np.full((2, 3), np.nan)) is None


def test_a_network_that_broke_off_with_all_subjects_is_not_compared_by_fewer() -> None:
    sample = Sample(np.array([0.9]), np.full((1, 10), 0.9), 30)
    outcomes: list[Any] = [
        SimpleNamespace(facts={"n_train_subjects": n, "failed": "loss is nan"}, test=None) for n in (10, 100)
    ]
    whole: Any = [(SimpleNamespace(name=name), outcomes) for name in ("whole", "broken")]
    assert list(_with_all(whole, {"whole": {10: sample, 100: sample}, "broken": {10: sample}})) == ["whole"]
    _refuse_failure(whole, {"whole": {10: sample}, "broken": {}})
    with pytest.raises(
        TrainingError, match="4 trainings broke off, and of no network two came to an end; the first"
    ):
        _refuse_failure(whole, {"whole": {}, "broken": {}})
