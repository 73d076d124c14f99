import json
import math

import pytest
from tests.workflow.courses import END, WHOLE, epoch, look, step

from vicinal.files import to_json
from vicinal.workflow.course import Course


def test_where_a_run_is() -> None:
    course = Course(WHOLE[:5])
    assert (course.step, course.total) == (4, 8)
    assert course.loss == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert course.gradient_norm == 2.0
    assert course.rows_per_s == 100.0
    assert course.update_ratio == {"0.conv": 1e-3, "2.dense": 4e-3}
    assert course.dead_units is None
    assert course.remaining_s == 4 * 2.0 / 4  # four steps at two seconds for four
    assert course.end is None
    assert course.best is not None
    assert course.best["epoch"] == 1
    for record in WHOLE[5:]:
        course.add(record)
    assert course.dead_units == 0.25
    assert course.best["epoch"] == 2
    assert course.end == END


def test_before_anything_was_told() -> None:
    course = Course()
    assert (course.step, course.total, course.select, course.best, course.remaining_s) == (0, None) + (
        None,
    ) * 3
    assert math.isnan(course.loss)
    assert course.findings == []
    assert course.to_dict()["validation"] is None


def test_loss_and_speed_are_those_of_the_last_steps() -> None:
    course = Course(step(n, loss=float(n), rows_per_s=float(n)) for n in range(1, 101))
    assert course.loss == sum(range(69, 101)) / 32
    assert course.rows_per_s == 84.5
    assert len(course.losses.values) <= 64


def test_what_was_no_number_is_none_again_when_it_comes_from_a_file() -> None:
    records = [step(1, loss=math.nan), epoch(1, 1, math.nan, best=False)]
    course = Course(json.loads(to_json(record, indent=None)) for record in records)
    assert math.isnan(course.loss)
    assert math.isnan(course.epochs[0]["validation"]["auroc"])
    assert course.best is None
    assert [finding.kind for finding in course.findings] == ["no selection"]


def test_the_same_findings_as_the_monitor_has() -> None:
    records = [epoch(k, k, 0.8, best=k == 1, training_loss=0.69) for k in (1, 2, 3)]
    assert [finding.kind for finding in Course(records).findings] == ["not learning"]


def test_a_run_that_went_back_is_where_it_went_back_to() -> None:
    back = {"kind": "rollback", "step": 7, "to_step": 4, "what": "loss", "rate_share": 0.5}
    course = Course([*WHOLE[:7], back])
    assert course.step == 4
    assert [finding.kind for finding in course.findings] == ["rolled back"]
    assert course.to_dict()["findings"][0][0] == "rolled back"


def test_a_look_replaces_the_one_before() -> None:
    course = Course([look(1, {"0.conv": 1e-3}, 0.5), step(2), look(9, {"0.conv": None}, 0.25)])  # type: ignore[dict-item]
    assert math.isnan(course.update_ratio["0.conv"])
    assert course.dead_units == 0.25
