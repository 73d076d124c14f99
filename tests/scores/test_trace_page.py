import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from vicinal.scores.trace import trace
from vicinal.scores.trace_page import draw_page, write_page
from vicinal.signal import Signal


@pytest.fixture
def found(model):
    samples = np.random.default_rng(3).standard_normal((2, 90)).astype(np.float32)
    return trace(model, Signal(samples, ("I", "II"), ("mV", "mV"), 50.0, id="<script>alert(1)</script>"))


def test_the_page_holds_every_number_and_needs_nothing_else(found, tmp_path):
    write_page(tmp_path / "trace.html", found)
    page = (tmp_path / "trace.html").read_text()

    for words in (f"{found.logits[0]:.6g}", f"{found.probabilities[0]:.6g}", found.decision, found.meaning):
        assert words in page
    for stage in found.stages:
        assert stage.excited
        for one in stage.excited:
            assert f"sees {one.window_s[0]:.3f} to {one.window_s[1]:.3f} s" in page
            assert f"{one.value:+.4g}" in page
    assert "http" not in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_every_drawing_is_well_formed_and_stays_in_its_box(found):
    drawings = re.findall(r"<svg.*?</svg>", draw_page(found), flags=re.DOTALL)

    assert len(drawings) >= 2 + 2 * len(found.stages)
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        width, height = (
            map(float, root.attrib["viewBox"].split()[2:])
            if "viewBox" in root.attrib
            else (float(root.attrib["width"]), float(root.attrib["height"]))
        )
        for box in root.iter("rect"):
            assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width + 1
            assert float(box.attrib["y"]) + float(box.attrib["height"]) <= height + 1
        for line in root.iter("polyline"):
            points = np.array([point.split(",") for point in line.attrib["points"].split()], dtype=float)
            assert points.min() >= 0
            assert points[:, 0].max() <= width
            assert points[:, 1].max() <= height


def test_the_page_colours_what_the_score_rests_on(found):
    page = draw_page(found)
    assert 'class="for"' in page
    assert 'class="against"' in page
    for line in found.attribution.lines()[1:]:
        assert line.strip() in page


def test_an_image_has_a_page_too(image_model):
    samples = np.random.default_rng(4).random((1, 8, 10), dtype=np.float32)
    signal = Signal(samples, ("grey",), ("1",), None, axes=("height", "width"), id="i1")
    found = trace(image_model, signal)
    page = draw_page(found)
    for stage in found.stages:
        for one in stage.excited:
            (top, bottom), (left, right) = one.window
            assert f"sees {one.sees} ({bottom - top} x {right - left} pixels)" in page
    for words in (
        "grey, 8 x 10 pixels",
        "Orange pixels raise",
        "from a flat image",
        "that this image excites",
    ):
        assert words in page
    for line in found.attribution.lines()[1:]:
        assert line.strip() in page
    assert "http" not in page
    assert "<script" not in page
