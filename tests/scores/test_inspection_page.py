import json
import re

import numpy as np
import pytest

from vicinal.representations.inspection import inspect, seen_by, window_of
from vicinal.representations.network import sketch
from vicinal.scores.detectors import Detector, Detectors, DetectorStage, Snippet
from vicinal.scores.inspection_page import Learnt, _line, _span, draw_page, write_page


def test_the_page_holds_the_window_of_every_unit_and_needs_nothing_else(tmp_path):
    found = inspect("founding", input_shape=(1, 100), rate_hz=100)
    write_page(tmp_path / "sees.html", found, np.random.default_rng(0).normal(size=(1, 100)), about="<noise>")
    page = (tmp_path / "sees.html").read_text()

    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    data = json.loads(data)
    assert [stage["n"] for stage in data["stages"]] == ["9", "9", "5", "5", "5", "1"]
    for index, stage in enumerate(data["stages"]):
        assert stage["text"] == found.stages[index].text
        for (position,), (window,) in zip(stage["places"], stage["windows"], strict=True):
            assert tuple(window) == window_of("founding", (1, 100), index, position)
    assert data["stages"][data["first"]]["windows"][4] == [[40, 100]]
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


def learnt_of(text, shape, ids=("r1", "r2"), role="validation"):
    """Two snippets for two units of every stage, and what the units give along a signal of 90 samples or an image."""
    network, rng = sketch(text, input_shape=shape, n_outputs=1), np.random.default_rng(0)
    rate_hz = 100.0 if len(shape) == 2 else None
    stages, given = [], []
    for index, layer in enumerate(network.layers()):
        sizes = layer.facts.shape[1:]
        place = tuple(n // 2 for n in sizes) or (0,)
        window = seen_by(network, index, place)
        inside = tuple(stop - start for start, stop in window)
        ms = None if rate_hz is None else (10.0 * window[0][0], 10.0 * window[0][1])
        cut = [
            Snippet(
                one,
                ("AF",),
                2.0 - k,
                place if sizes else None,
                window,
                ms,
                rng.standard_normal((shape[0], *inside)),
            )
            for k, one in enumerate(ids)
        ]
        units = tuple(Detector(k, None, tuple(cut)) for k in range(min(2, layer.facts.shape[0])))
        stages.append(DetectorStage(network.stage_texts[index], layer.facts.shape[0], 1, units))
        given.append([rng.standard_normal(sizes).astype(np.float32) for _ in units])
    found = Detectors(role, 2, 9, 2, ("I",) * shape[0], "mV", rate_hz, "", "value", tuple(stages))
    return Learnt(found, given), network


def embedded(page):
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(data)


def test_a_trained_network_tells_units_where_they_are_strongest_and_by_what():
    text, shape = "conv 3 window 5 stride 2 | relu | mean | dense 1", (2, 100)
    learnt, network = learnt_of(text, shape)
    found = inspect(text, input_shape=shape, rate_hz=100)
    page = draw_page(found, np.ones((2, 90)), about="a signal", learnt=learnt)
    assert "What the network has learnt to detect" in page
    assert "out of 2 of 9 validation rows of 2 subjects, drawn by lot" in page
    assert "no test row is looked at" in page
    assert "1 of 3 units silent" in page
    assert page.count("data-unit=") == 2 + 2 + 2 + 1
    stages = embedded(page)["stages"]
    for index, (stage, given) in enumerate(zip(stages[:2], learnt.responses, strict=False)):
        for unit, response in zip(stage["units"], given, strict=True):
            (peak,) = unit["peak"]
            assert peak == response.argmax()
            start, stop = window_of(text, shape, index, peak)
            assert unit["window"] == [[min(start, 90), min(stop, 90)]]
            assert [one["id"] for one in unit["snippets"]] == ["r1", "r2"]
            assert [one["where"] for one in unit["snippets"]] == ["0.480 to 0.530 s"] * 2
            assert len(unit["snippets"][0]["lines"]) == 2
    assert "peak" not in stages[2]["units"][0]
    del network
    train, _ = learnt_of(text, shape, role="train")
    assert "fitted to these rows" in draw_page(found, np.ones((2, 90)), about="a signal", learnt=train)


def test_images_are_drawn_with_patches():
    text, shape = "conv 3 window 3 same | max window 2 stride 2 | flatten | dense 1", (1, 9, 8)
    learnt, _ = learnt_of(text, shape)
    found = inspect(text, input_shape=shape, rate_hz=None)
    page = draw_page(found, np.random.default_rng(0).random(shape), about="an image", learnt=learnt)
    data = embedded(page)
    assert (data["sizes"], data["kind"], data["width"]) == ([9, 8], "image", 8)
    assert '<svg class="picture" viewBox="0 0 8 9"' in page
    for unit in data["stages"][1]["units"]:
        row, column = unit["peak"]
        # A maximum over 2 x 2 places, each of which sees its neighbours.
        assert unit["window"] == [
            [max(2 * row - 1, 0), min(2 * row + 3, 9)], [max(2 * column - 1, 0), min(2 * column + 3, 8)]
        ]  # fmt: skip
        assert unit["map"].startswith("data:image/png;base64,")
        assert "lines" not in unit["snippets"][0]


def test_names_from_the_data_cannot_become_markup():
    text, shape = "conv 1 window 5 | mean | dense 1", (1, 100)
    learnt, _ = learnt_of(text, shape, ids=("</script><img src=x>", "b"))
    page = draw_page(
        inspect(text, input_shape=shape, rate_hz=100), np.ones((1, 100)), about="x", learnt=learnt
    )
    assert "<img src=x>" not in page
    assert embedded(page)["stages"][0]["units"][0]["snippets"][0]["id"] == "</script><img src=x>"
    assert "innerHTML" not in page


@pytest.mark.parametrize(
    ("text", "n", "expected"),
    [
        (
            "conv 1 window 21 | mean | dense 1",
            80,
            (10.5, 89.5),
        ),  # the middle of samples 0 to 20, and of 79 to 99
        ("conv 1 window 21 stride 10 same | mean | dense 1", 10, (0.5, 90.5)),
        ("lstm 2 | mean | dense 1", 100, (0.5, 99.5)),  # all that came before: told by their own places
    ],
)
def test_what_a_unit_gives_is_drawn_over_what_it_sees(text, n, expected):
    network = sketch(text, input_shape=(1, 100), n_outputs=1)
    assert _span(network, 0, n, 100) == pytest.approx(expected)
