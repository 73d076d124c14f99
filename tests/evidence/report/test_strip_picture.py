import io

import matplotlib.image
import numpy as np

from vicinal.evidence.report.strip_picture import image_png, strips_png
from vicinal.evidence.report.strips import lay_out

DOTS_PER_MM = 150 / 25.4


def pixels(png):
    return matplotlib.image.imread(io.BytesIO(png))[..., :3]


def test_a_second_is_25_mm_at_true_size() -> None:
    layout = lay_out(np.zeros((2, 400)), rate_hz=100.0, units=("mV", "mV"))
    height, width, _ = pixels(strips_png(layout)).shape
    assert abs(width - 100 * DOTS_PER_MM) <= 1
    assert abs(height - layout.height * DOTS_PER_MM) <= 1


def test_the_trace_lies_where_the_layout_says() -> None:
    samples = np.zeros((1, 400))
    samples[0, 200:] = 1.0
    layout = lay_out(samples, rate_hz=100.0, units=("mV",))
    dark = pixels(strips_png(layout)).sum(axis=2) < 1.0
    rows = [np.flatnonzero(dark[:, round(x * DOTS_PER_MM)]).mean() / DOTS_PER_MM for x in (25, 75)]
    assert abs((rows[0] - rows[1]) - 10) < 0.3
    assert abs(rows[0] - layout.strips[0].baseline) < 0.3


def test_the_same_signal_gives_the_same_bytes() -> None:
    layout = lay_out(np.zeros((1, 100)), rate_hz=100.0, units=("mV",), names=("$x_1$",), marks=[(3, "$")])
    assert strips_png(layout) == strips_png(layout)


def test_an_image_keeps_its_pixels() -> None:
    drawn = pixels(image_png(np.array([[[0.0, 1.0], [0.5, 0.0]]]), low=0.0, high=1.0))
    height, width, _ = drawn.shape
    assert (height, width) == (600, 600)
    corners = [drawn[y, x, 0] for y in (150, 450) for x in (150, 450)]
    np.testing.assert_allclose(corners, [0, 1, 0.5, 0], atol=0.01)


def test_colours_stay_colours() -> None:
    red = np.zeros((3, 2, 2))
    red[0] = 1
    np.testing.assert_allclose(pixels(image_png(red, low=0.0, high=1.0))[300, 300], [1, 0, 0], atol=0.01)
