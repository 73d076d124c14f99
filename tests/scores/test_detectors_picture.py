import base64
import io

import numpy as np
from PIL import Image

from vicinal.scores.detectors import Detector, Snippet
from vicinal.scores.detectors_picture import is_map, lines_of, picture_of, unit_of


def numbers(text):
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8)


def image(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def snippet(samples, value=1.0, position=(3,)):
    n = samples.shape[1:]
    return Snippet(
        "r1", ("AF",), value, position, tuple((2, 2 + one) for one in n), (20.0, 20.0 + 10 * n[0]), samples
    )


def test_lines_run_from_low_to_high():
    (line,) = lines_of(np.array([[-1.0, 0.0, 3.0]]), np.array([-1.0]), np.array([3.0]))
    assert numbers(line).tolist() == [0, 64, 255]
    (flat,) = lines_of(np.array([[2.0, 2.0]]), np.array([2.0]), np.array([2.0]))
    assert numbers(flat).tolist() == [128, 128]


def test_of_many_samples_each_column_keeps_its_extremes():
    row = np.zeros(10_000)
    row[4_321], row[9_999] = 1.0, -1.0
    (line,) = lines_of(row[None], np.array([-1.0]), np.array([1.0]), n_columns=50)
    found = numbers(line)
    assert len(found) == 100
    assert (found == 255).nonzero()[0].tolist() == [2 * (4_321 // 200) + 1]
    assert (found == 0).nonzero()[0].tolist() == [98]


def test_snippets_of_one_unit_have_one_scale():
    small, large = np.array([[0.0, 1.0]], np.float32), np.array([[0.0, 10.0]], np.float32)
    told = unit_of(
        Detector(4, None, (snippet(large, 2.0), snippet(small))), np.array([1.0, 3.0, 2.0], np.float32)
    )
    assert [numbers(one["lines"][0]).tolist() for one in told["snippets"]] == [[0, 255], [0, 26]]
    assert (told["name"], told["best"], told["peak"], told["gives"]) == ("4", "2", [1], "3")
    assert numbers(told["line"]).tolist() == [0, 255, 128]
    assert told["snippets"][0] | {"lines": 0} == {
        "id": "r1", "labels": "AF", "value": "2", "where": "0.020 to 0.040 s", "lines": 0,
    }  # fmt: skip


def test_images_are_pictures_in_grey_or_colour():
    assert is_map((1, 8, 8))
    grey = np.array([[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]])
    assert image(picture_of(grey, 0.0, 5.0)).tolist() == [[0, 51, 102], [153, 204, 255]]
    colours = np.stack([grey[0], 5 - grey[0], np.zeros((2, 3))])
    assert image(picture_of(colours, 0.0, 5.0))[1, 2].tolist() == [255, 0, 0]
    assert image(picture_of(np.zeros((1, 300, 600)), 0.0, 1.0)).shape == (100, 200)


def test_a_signal_of_many_channels_is_a_picture_with_the_first_at_the_bottom():
    assert not is_map((12, 100))
    assert is_map((13, 100))
    bands = np.zeros((40, 1000))
    bands[39] = 1.0
    drawn = image(picture_of(bands, 0.0, 1.0))
    assert drawn.shape == (40, 250)
    assert drawn[0].min() == 255
    assert drawn[1:].max() == 0


def test_a_unit_without_positions_has_no_peak_and_one_of_its_own_stays_there():
    samples = np.array([[0.0, 1.0]], np.float32)
    feature = unit_of(Detector(0, None, (snippet(samples, position=None),)), np.float32(3))
    assert "peak" not in feature
    own = unit_of(Detector(0, (7,), (snippet(samples),)), np.float32(3))
    assert (own["peak"], own["gives"], "line" in own) == ([7], "3", False)
    over = unit_of(
        Detector(0, None, (snippet(np.ones((1, 2, 2), np.float32)),)), np.eye(3, dtype=np.float32)[::-1]
    )
    assert over["peak"] == [0, 2]
    assert image(over["map"])[:, 0].tolist() == [0, 0, 255]
