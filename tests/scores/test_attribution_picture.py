import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from vicinal.scores.attribution_picture import bands, stretches, tinted


def test_a_stretch_is_coloured_by_what_it_adds():
    values = np.zeros(100)
    values[10:15], values[50:55] = 1.0, -0.5
    drawn = ElementTree.fromstring(f"<svg>{bands(values, largest=5.0, width=100, top=3, height=9)}</svg>")
    assert [(r.attrib["class"], r.attrib["x"], r.attrib["width"], r.attrib["opacity"]) for r in drawn] == [
        ("for", "10.0", "5.0", "0.70"),
        ("against", "50.0", "5.0", "0.35"),
    ]


def test_nothing_is_drawn_where_nothing_counts():
    assert bands(np.zeros(50), largest=0.0, width=100, top=0, height=9) == ""
    assert re.findall("rect", bands(np.full(50, 0.01), largest=5.0, width=100, top=0, height=9)) == []


def test_stretches_hold_every_value_once():
    values = np.random.default_rng(0).standard_normal((3, 997))
    edges, sums = stretches(values, width=640)
    assert sums.shape == (3, len(edges) - 1) == (3, 128)
    np.testing.assert_allclose(sums.sum(1), values.sum(1))
    assert stretches(values[:, :7], width=640)[1].shape == (3, 7)


def test_a_pixel_is_tinted_by_what_it_adds():
    image, values = np.zeros((1, 3, 4)), np.zeros((3, 4))
    image[0, 0], values[1, 2], values[2, 3], values[0, 0] = 1.0, 2.0, -2.0, 1.0
    drawn = tinted(image, values)
    orange, blue = np.array([0xE0, 0x70, 0x2A]) / 255, np.array([0x2C, 0x7F, 0xC4]) / 255
    np.testing.assert_allclose(drawn[:, 1, 2], orange)
    np.testing.assert_allclose(drawn[:, 2, 3], blue)
    np.testing.assert_allclose(drawn[:, 0, 0], (1 + orange) / 2)  # on white, half as much
    np.testing.assert_allclose(drawn[:, 0, 1], 1.0)
    np.testing.assert_allclose(drawn[:, 1, 1], 0.6)
    assert tinted(image, np.zeros((3, 4))).max() == 1.0


def test_pixels_of_a_large_image_are_tinted_together():
    values = np.random.default_rng(0).standard_normal((130, 200))
    drawn = tinted(np.zeros((3, 130, 200)), values)
    edges = [np.linspace(0, n, 65).astype(int) for n in (130, 200)]
    sums = np.add.reduceat(np.add.reduceat(values, edges[0][:-1], axis=0), edges[1][:-1], axis=1)
    assert len(np.unique(drawn[0])) <= 64 * 64
    y, x = np.unravel_index(sums.argmax(), sums.shape)
    cell = drawn[:, edges[0][y] : edges[0][y + 1], edges[1][x] : edges[1][x + 1]]
    assert np.ptp(cell, axis=(1, 2)).max() == 0
    assert cell[0].mean() > cell[2].mean()  # orange
