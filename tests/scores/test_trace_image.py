import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from vicinal.scores.attribution_picture import tinted
from vicinal.scores.trace import Trace, trace
from vicinal.scores.trace_image import attributed, entered, framed, sees, snippet
from vicinal.signal import Signal


@pytest.fixture
def found(image_model) -> Trace:
    samples = np.random.default_rng(4).random((1, 8, 10), dtype=np.float32)
    return trace(image_model, Signal(samples, ("grey",), ("1",), None, axes=("height", "width"), id="i1"))


def pictures_of(drawing: str) -> list[tuple[np.ndarray, ElementTree.Element]]:
    """Return the pixels of each figure, and its SVG."""
    found = []
    for svg in re.findall(r"<svg.*?</svg>", drawing, flags=re.DOTALL):
        root = ElementTree.fromstring(svg)
        (image,) = root.iter("image")
        data = base64.b64decode(image.attrib["href"].removeprefix("data:image/png;base64,"))
        found.append((np.asarray(Image.open(io.BytesIO(data))), root))
    return found


def boxes_of(root: ElementTree.Element) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the rows and columns of each frame."""
    found = []
    for box in root.iter("rect"):
        left, top, width, height = (int(box.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append(((top, top + height), (left, left + width)))
    return found


def grey(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.rint(255 * (values - low) / (high - low)).astype(np.uint8)


def test_the_image_is_drawn_as_it_entered(found):
    ((pixels, root),) = pictures_of(entered(found))
    image = found.prepared[0]
    assert np.array_equal(pixels, grey(image, image.min(), image.max()))
    assert root.attrib["viewBox"] == "0 0 10 8"


def test_the_window_of_the_first_unit_is_framed_beside_what_it_gives(found):
    for stage in found.stages:
        drawn = pictures_of(framed(found, stage))
        first = stage.excited[0]
        assert boxes_of(drawn[0][1]) == [first.window]
        assert len(drawn) == (1 if first.position is None else 2)
        if first.position is not None and np.ptp(stage.profile) > 0:
            given, _ = drawn[1]
            assert given.shape == stage.profile.shape
            assert given[first.position] == given.max() == 255 or stage.text.startswith("local")


def test_a_snippet_holds_the_pixels_of_its_window(found):
    one = found.stages[0].excited[0]
    ((pixels, _),) = pictures_of(snippet(found, one.window))
    image = found.prepared[0]
    patch = image[slice(*one.window[0]), slice(*one.window[1])]
    assert np.array_equal(pixels, grey(patch, image.min(), image.max()))
    assert sees(one).endswith(f"({patch.shape[0]} x {patch.shape[1]} pixels)")
    assert snippet(found, ((0, 8), (0, 10))) == ""  # all of it is drawn already


def test_heat_maps_are_drawn_with_the_strongest_patches_framed(found):
    by_gradients, by_hiding = pictures_of(attributed(found))
    for (pixels, root), values in (
        (by_gradients, found.attribution.values.sum(axis=0)),
        (by_hiding, found.attribution.hidden),
    ):
        expected = np.rint(255 * tinted(found.prepared, values)).astype(np.uint8)
        assert np.array_equal(np.moveaxis(pixels, -1, 0), expected)
        assert boxes_of(root) == [(one.rows, one.columns) for one in found.attribution.windows]
    assert len(found.attribution.windows) == 3
