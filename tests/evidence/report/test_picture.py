import re

import numpy as np

from vicinal.evidence.report.picture import picture


def test_equal_pixels_of_a_row_are_one_rectangle_and_the_range_is_told():
    drawn = picture(np.array([[[0.0, 0.0, 16.0], [8.0, 8.0, 8.0]]]), label="a <digit>")
    assert re.findall(r'fill="(#\w+)" d="(M\d \dh\d)', drawn.svg) == [
        ("#000000", "M0 0h2"), ("#ffffff", "M2 0h1"), ("#828282", "M0 1h3"),
    ]  # fmt: skip
    assert 'viewBox="0 0 3 2"' in drawn.svg
    assert "a &lt;digit&gt;" in drawn.svg
    assert drawn.scale == "dark 0 to light 16"


def test_three_channels_are_colours_and_a_large_image_is_thinned():
    red = np.zeros((3, 1, 200))
    red[0] = 1
    drawn = picture(red, label="")
    assert "#ff0000" in drawn.svg
    assert 'viewBox="0 0 50 1"' in drawn.svg
    assert drawn.scale.endswith("every 4th pixel")


def test_a_constant_image_is_drawn_dark():
    assert "#000000" in picture(np.full((1, 2, 2), 5.0), label="").svg


def test_what_pixels_add_is_drawn_beside_them():
    adds = np.zeros((2, 2, 2))
    adds[:, 0, 1], adds[0, 1, 0] = 1.0, -1.0
    drawn = picture(np.zeros((2, 2, 2)), label="", adds=adds)
    assert drawn.svg.endswith(
        '<g transform="translate(3)"><path class="against l2" d="M0 1h1v1h-1z"/>'
        '<path class="for l4" d="M1 0h1v1h-1z"/></g></svg>'
    )
    assert 'viewBox="0 0 5 2"' in drawn.svg
    assert drawn.width_mm == picture(np.zeros((2, 2, 2)), label="").width_mm * 5 / 2
    wide = np.zeros((1, 1, 200))
    wide[0, 0, 5] = 1.0
    assert 'class="for l4" d="M1 0h1v1h-1z"' in picture(np.zeros((1, 1, 200)), label="", adds=wide).svg
