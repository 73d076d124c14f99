import json
import re

import numpy as np

from vicinal.representations.inspection import inspect, window_of
from vicinal.scores.inspection_page import _line, draw_page, write_page


def test_the_page_holds_the_window_of_every_unit_and_needs_nothing_else(tmp_path):
    found = inspect("founding", input_shape=(1, 100), rate_hz=100)
    write_page(tmp_path / "sees.html", found, np.random.default_rng(0).normal(size=(1, 100)), about="<noise>")
    page = (tmp_path / "sees.html").read_text()

    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    data = json.loads(data)
    assert [stage["n"] for stage in data["stages"]] == [9, 9, 5, 5, 5, 1]
    for index, stage in enumerate(data["stages"]):
        assert stage["text"] == found.stages[index].text
        for position, window in zip(stage["positions"], stage["windows"], strict=True):
            assert tuple(window) == window_of("founding", (1, 100), index, position)
    assert data["stages"][data["first"]]["windows"][4] == [40, 100]
    assert page.count('<input type="range"') == 6
    assert "http" not in page
    assert "&lt;noise&gt;" in page
    assert "as dense layers 965" in page


def test_a_signal_of_many_samples_keeps_its_extremes():
    row = np.zeros(100_000)
    row[31_415], row[70_000] = 5.0, -5.0
    points = re.findall(r"([\d.]+),([\d.]+)", _line(row, 100_000, top=0, height=100))
    heights = [float(y) for _, y in points]
    assert len(points) == 2000
    assert heights.count(0.0) == 1
    assert heights.count(100.0) == 1
    (x,) = [float(x) for x, y in points if float(y) == 0.0]
    assert abs(x - 314.15) < 1


def test_a_short_recording_is_drawn_to_the_scale_of_the_input():
    found = inspect("conv 2 window 5 | mean | dense 1", input_shape=(1, 200), rate_hz=None)
    page = draw_page(found, np.ones((1, 100)), about="half")
    points = re.search(r'<polyline points="(.*?)"', page)
    assert points is not None
    assert points.group(1).split()[-1].startswith("497.5,")
