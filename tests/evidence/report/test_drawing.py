"""One drawing: the same bytes each time, text that stays text, and a legend that takes its room from the axes."""

import pytest

from vicinal.evidence.report.drawing import Drawing, legend_above


def drawn(name: str, *labels: str) -> Drawing:
    with Drawing(name) as drawing:
        for k, label in enumerate(labels):
            drawing.axes.plot([0, 1], [k, k + 1], label=label)
        drawing.axes.set_xlabel("a word")
    return drawing


def test_the_same_drawing_has_the_same_bytes_and_keeps_its_text() -> None:
    svg = drawn("lines", "one").svg
    assert svg == drawn("lines", "one").svg
    assert "a word" in svg
    assert svg.startswith('<svg class="plot" viewBox=')
    assert svg.rstrip().endswith("</svg>")


def test_an_element_of_a_page_brings_no_style_and_no_header() -> None:
    svg = drawn("1 < 2", "one").svg
    assert 'aria-label="1 &lt; 2"' in svg
    assert "<style" not in svg
    assert "<?xml" not in svg


def test_what_is_not_finished_is_not_drawn() -> None:
    drawing = Drawing("broken")
    with pytest.raises(ValueError, match="broken"), drawing:
        raise ValueError("broken")
    assert drawing.svg == ""


def test_each_row_of_the_legend_takes_its_height_from_the_axes() -> None:
    with Drawing("legend") as drawing:
        for label in "abcd":
            drawing.axes.plot([0, 1], [0, 1], label=label)
        legend_above(drawing.axes, n_columns=3, box=(0.1, 0.2, 0.8, 0.7), row=0.05)
        position = drawing.axes.get_position()
    assert position.bounds == pytest.approx((0.1, 0.2, 0.8, 0.6))
    assert all(f">{label}</text>" in drawing.svg for label in "abcd")
