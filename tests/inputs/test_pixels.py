import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vicinal.inputs.pixels import place, resize


def image(height, width, seed=0):
    return np.random.default_rng(seed).normal(size=(2, height, width))


def test_half_the_size_is_a_triangle_over_four_pixels():
    row = np.array([[[0.0, 0, 8, 0, 0, 0, 0, 0]]])
    # Pixel 1 of 4 lies between the old 2 and 3; triangles two wide: weights 1/8, 3/8, 3/8, 1/8 over 1 to 4.
    assert resize(row, (1, 4))[0, 0].tolist() == pytest.approx([8 / 7, 3, 1 * 0 + 0, 0], abs=1e-12)


def test_twice_the_size_lies_on_the_line_between_pixels():
    assert resize(np.array([[[0.0, 4.0]]]), (1, 4))[0, 0].tolist() == pytest.approx([0, 1, 3, 4])


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_a_constant_stays_and_the_own_size_changes_nothing(height, width, new_height, new_width):
    constant = resize(np.full((1, height, width), 3.0), (new_height, new_width))
    np.testing.assert_allclose(constant, np.full((1, new_height, new_width), 3.0), rtol=1e-12)
    np.testing.assert_allclose(resize(image(height, width), (height, width)), image(height, width))


@pytest.mark.parametrize("size", [(7, 5), (33, 40), (16, 50), (1, 1)])
def test_resizing_equals_pillow(size):
    picture = image(21, 34)[:1]
    expected = Image.fromarray(picture[0].astype(np.float32)).resize(size[::-1], Image.Resampling.BILINEAR)
    np.testing.assert_allclose(resize(picture, size)[0], np.asarray(expected), atol=2e-6)


@pytest.mark.parametrize(
    ("where", "expected"), [("start", [0, 1, 2]), ("centre", [1, 2, 3]), ("end", [2, 3, 4])]
)
def test_a_larger_image_is_cropped_and_a_smaller_one_lies_in_the_middle(where, expected):
    placed, filled = place(np.arange(5.0).reshape(1, 1, 5), (3, 3), where=where)
    assert placed[0].tolist() == [[0, 0, 0], expected, [0, 0, 0]]
    assert filled == (slice(1, 2), slice(0, 3))
