import io

import pytest
from rich.console import Console
from tests.workflow.courses import END, WHOLE, epoch, step

from vicinal.workflow.course import Course
from vicinal.workflow.course_view import CourseView


def drawn(view: CourseView, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(view.drawn())
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_everything_the_monitor_follows_is_drawn() -> None:
    lines = drawn(CourseView(Course(WHOLE[:9])))
    assert lines[0] == "training: step 8 of 8, epoch 1, 0 s left"
    assert set(lines[1]) == {"━"}
    by_name = {line[:18].strip(): line[18:].split() for line in lines[2:] if line[:1] != " "}
    assert by_name["loss"] == ["0.340", "█▄▃▂▂▁▁▁"]
    assert by_name["gradient norm"] == ["2.000", "▁▁▁▁▁▁▁▁"]
    assert by_name["learning rate"] == ["0.001"]
    assert by_name["update ratio"] == ["1.0e-04", "to", "2.0e-04", "0.conv", "moves", "most"]
    assert by_name["dead units"] == ["25.0", "%"]
    assert by_name["rows a second"] == ["100"]
    assert by_name["validation auroc"] == ["0.700", "training", "0.900", "best", "0.700", "in", "epoch", "1"]
    assert by_name["validation loss"] == ["0.500", "training", "0.400"]
    assert by_name["validation ece"] == ["0.100", "training", "0.050"]
    assert lines[-1] == "monitor: nothing known to be wrong"


def test_the_line_says_the_same_numbers() -> None:
    assert CourseView(Course(WHOLE[:9]), title="fold 2").line() == (
        "fold 2: step 8 of 8, epoch 1, 0 s left, loss 0.340, gradient norm 2.000, learning rate 0.001, "
        "update ratio 1.0e-04 to 2.0e-04, dead units 25.0 %, 100 rows/s, "
        "validation auroc 0.700 (training 0.900), best 0.700 in epoch 1"
    )


def test_the_monitor_s_words_are_shown() -> None:
    records = [epoch(k, k, 0.8, best=k == 1, training_loss=0.69) for k in (1, 2, 3)]
    view = CourseView(Course([step(1), *records, END]))
    assert view.line().endswith("; monitor: not learning")
    said = " ".join(drawn(view))
    assert "not learning: the training loss stayed where it was: 0.690 in epoch 1" in said
    assert "training is over" in said


@pytest.mark.parametrize("n_records", range(len(WHOLE) + 1))
def test_it_can_be_drawn_at_any_moment_and_on_a_narrow_terminal(n_records: int) -> None:
    view = CourseView(Course(WHOLE[:n_records]))
    assert max(map(len, drawn(view, width=40))) <= 40
    assert view.line()


def test_before_the_first_step() -> None:
    assert drawn(CourseView(Course())) == ["training: no step yet"]


def test_a_run_without_a_sample_of_training_rows_or_a_known_total() -> None:
    records = [step(1, total=None), epoch(1, 1, None, best=False, training=None)]
    view = CourseView(Course(records))
    assert "validation auroc -;" in view.line()
    assert drawn(view)[0] == "training: step 1, epoch 1"
