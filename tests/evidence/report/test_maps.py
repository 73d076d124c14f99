import re

import numpy as np

from vicinal.evidence.report.maps import map_drawing


def test_stretches_that_raise_and_lower_are_coloured_behind_the_line() -> None:
    adds = np.zeros((1, 200))
    adds[0, 20:24], adds[0, 100:102] = 1.0, -1.0
    svg = map_drawing(np.linspace(0, 1, 200)[None], adds, label="a <signal>")
    assert re.findall(r'<rect class="(for|against) l(\d)" x="([\d.]+)"', svg) == [
        ("for", "4", "30.0"), ("for", "4", "33.0"), ("against", "4", "150.0"),
    ]  # fmt: skip
    assert svg.count("<polyline") == 1
    assert "a &lt;signal&gt;" in svg


def test_a_few_channels_stand_below_each_other_and_many_are_an_image() -> None:
    few = map_drawing(np.ones((3, 50)), np.zeros((3, 50)), label="")
    assert few.count("<polyline") == 3
    assert 'viewBox="0 0 300 138"' in few
    many = map_drawing(np.random.default_rng(0).normal(size=(40, 30)), np.ones((40, 30)), label="")
    assert "<polyline" not in many
    assert many.startswith("<svg")


def test_images_are_drawn_with_their_map_beside_them() -> None:
    svg = map_drawing(np.ones((1, 8, 8)), np.ones((1, 8, 8)), label="")
    assert 'viewBox="0 0 17 8"' in svg


def test_a_map_of_nothing_has_no_colour() -> None:
    assert "<rect" not in map_drawing(np.ones((1, 50)), np.zeros((1, 50)), label="")
