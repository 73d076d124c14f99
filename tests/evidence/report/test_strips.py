import re

import numpy as np
import pytest

from vicinal.evidence.report.strips import lay_out, paper


def corners(svg: str) -> list[tuple[int, int]]:
    """Absolute points of the trace, in 1/20 mm."""
    trace = re.search(r'class="trace" d="([^"]*)"', svg)
    assert trace
    points = []
    for start, steps in re.findall(r"M(-?\d+ -?\d+)l([-\d ]+)", trace[1]):
        x, y = map(int, start.split())
        points.append((x, y))
        numbers = list(map(int, steps.split()))
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
    return points


@pytest.mark.parametrize(("unit", "one_millivolt"), [("mV", 1.0), ("uV", 1000.0), ("V", 0.001)])
def test_one_second_is_25_mm_and_one_millivolt_10_mm(unit: str, one_millivolt: float) -> None:
    samples = np.zeros((1, 101))
    samples[0, 100] = one_millivolt
    drawn = paper(samples, rate_hz=100.0, unit=unit, label="x")
    points = corners(drawn.svg)
    assert points[100][0] - points[0][0] == 25 * 20
    assert points[0][1] - points[100][1] == 10 * 20
    assert drawn.scale == "25 mm/s, 10 mm/mV"


def test_half_a_minute_is_three_rows_of_ten_seconds() -> None:
    drawn = paper(np.zeros((1, 3000)), rate_hz=100.0, unit="mV", label="x")
    assert drawn.width_mm == 250.0
    assert len({y for _, y in corners(drawn.svg)}) == 3


def test_channels_lie_below_each_other_and_gaps_stay_gaps() -> None:
    samples = np.zeros((2, 100))
    samples[0, 40:60] = np.nan
    samples[1] = np.nan
    drawn = paper(samples, rate_hz=100.0, unit="mV", label="x")
    assert drawn.svg.count("M0 300h") == 0
    xs = [x for x, _ in corners(drawn.svg)]
    assert len(xs) == 80
    assert not any(40 * 5 <= x < 60 * 5 for x in xs)


def test_a_spike_does_not_make_the_paper_endless() -> None:
    samples = np.zeros((1, 100))
    samples[0, 50] = 400.0
    height = re.search(r'viewBox="0 0 \d+ (\d+)"', paper(samples, rate_hz=100.0, unit="mV", label="x").svg)
    assert height
    assert int(height[1]) <= 60 * 20


def test_other_units_are_scaled_to_fit_and_said_so() -> None:
    drawn = paper(np.linspace(0, 30000, 100)[None], rate_hz=100.0, unit="1", label="x")
    assert drawn.scale == "25 mm/s, height scaled to fit (1)"


def test_labels_are_escaped() -> None:
    assert '"<b>' not in paper(np.zeros((1, 10)), rate_hz=100.0, unit="mV", label='"<b>').svg


def test_names_and_symbols_have_squares_of_their_own() -> None:
    samples = np.zeros((1, 200))
    plain = lay_out(samples, rate_hz=100.0, units=("mV",))
    named = lay_out(samples, rate_hz=100.0, units=("mV",), names=("II",), marks=[(100, "V"), (500, "N")])
    assert named.height == plain.height + 10
    (strip,) = named.strips
    assert strip.marks == ((100, "V"),)
    assert strip.name_at < strip.marks_at < strip.baseline
    drawn = paper(samples, rate_hz=100.0, unit="mV", label="x", names=("<II>",), marks=[(100, "V")])
    assert ">&lt;II&gt;</text>" in drawn.svg
    assert f'class="mark" x="{25 * 20}"' in drawn.svg


def test_marks_go_to_the_row_they_lie_in() -> None:
    layout = lay_out(np.zeros((1, 2000)), rate_hz=100.0, units=("mV",), marks=[(1001, "V")])
    assert [strip.marks for strip in layout.strips] == [(), ((1, "V"),)]


def test_channels_of_two_units_are_scaled_each_by_its_own() -> None:
    samples = np.array([[0.0, 1.0], [0.0, 5000.0]])
    layout = lay_out(samples, rate_hz=1.0, units=("mV", "1"))
    assert layout.strips[0].heights.tolist() == [0.0, 10.0]
    assert layout.strips[1].heights.max() < 21
    assert layout.scale == "25 mm/s, height scaled to fit (1)"


def test_what_samples_add_is_drawn_behind_them_in_the_row_they_are_in() -> None:
    adds = np.zeros((2, 1500))
    adds[0, 1200:1210], adds[1, 0:10] = 1.0, -0.5
    drawn = paper(np.zeros((2, 1500)), rate_hz=100.0, unit="mV", label="x", adds=adds)
    boxes = re.findall(r'<path class="(\w+ l\d)" d="M(\d+) (\d+)h(\d+)v(\d+)h-\d+z"/>', drawn.svg)
    # Rows of 10 s and 15 mm: two for each channel; 20 steps to the millimetre, 2.5 mm to a tenth of a second.
    assert boxes == [("against l2", "0", "600", "50", "300"), ("for l4", "1000", "300", "50", "300")]
    assert drawn.svg.index("for l4") < drawn.svg.index('class="trace"')
    plain = paper(np.zeros((2, 1500)), rate_hz=100.0, unit="mV", label="x")
    nothing = paper(np.zeros((2, 1500)), rate_hz=100.0, unit="mV", label="x", adds=np.zeros((2, 1500)))
    assert plain.svg == nothing.svg
