import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from vicinal.scores.attribution_picture import bands, stretches


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
