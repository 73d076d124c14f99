import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from vicinal.decisions.calibration import Calibration
from vicinal.errors import ExperimentError
from vicinal.inputs.contract import Contract
from vicinal.inputs.prepare import prepare
from vicinal.representations.network import build
from vicinal.scores.attribution import _strongest, attribute, contributions, pixels
from vicinal.scores.model import Model
from vicinal.scores.trace import trace
from vicinal.scores.trace_page import draw_page
from vicinal.signal import Signal


def linear(weight, classes=("x",), task="binary"):
    """Return a model whose logit is a weighted sum of 100 samples at 100 Hz."""
    contract = Contract(channels=("I", "II"), rate_hz=100, duration_s=1, units="mV")
    network = build("flatten | dense classes", input_shape=(2, 100), n_outputs=len(classes), seed=0)
    weights = {name: np.zeros_like(tensor.numpy()) for name, tensor in network.state_dict().items()}
    weights["1.dense.weight"][:] = weight.reshape(len(classes), -1)
    return Model(network.text, (2, 100), weights, contract, Calibration(task, classes, "none"))


def prepared(model, samples):
    return prepare(Signal(samples, ("I", "II"), ("mV", "mV"), 100.0, id="a"), model.contract)


def test_a_linear_score_by_hand():
    weight, samples = np.zeros((2, 100), np.float32), np.zeros((2, 100), np.float32)
    samples[0, 20:25], samples[1, 60:65], samples[1, 65:70] = 2.0, 1.0, -1.0
    weight[0, 20:25], weight[1, 60:65] = 3.0, -1.0  # one of 0.1 is the mean of channel I, channel II has 0
    model = linear(weight)

    found = attribute(model, prepared(model, samples), name="x")

    assert found.log_odds == pytest.approx(5 * 2 * 3 - 5)
    assert found.flat_log_odds == pytest.approx(5 * 0.1 * 3)
    assert found.gap == pytest.approx(0, abs=1e-5)
    assert found.channels == pytest.approx({"I": 5 * 1.9 * 3, "II": -5})
    first, second = found.windows
    assert (first.start_s, first.stop_s) == (0.2, 0.25)
    assert (first.gradients, first.hidden) == (pytest.approx(28.5), pytest.approx(28.5))
    assert (second.start_s, second.gradients, second.hidden) == (0.6, pytest.approx(-5), pytest.approx(-5))
    assert "0.20 to 0.25 s adds +28.500 by gradients, +28.500 by hiding it" in "\n".join(found.lines())
    assert json.loads(json.dumps(found.to_dict()))["windows"][0]["hidden"] == first.hidden


def test_a_class_is_explained_against_the_others_and_a_label_alone():
    weight = np.zeros((2, 2, 100), np.float32)
    weight[:, 0, 50] = 1.0  # helps both alike
    weight[1, 0, 70] = 2.0
    samples = np.zeros((2, 100), np.float32)
    samples[0, [50, 70]], samples[0, [51, 71]] = 1.0, -1.0
    names = ("a", "b")
    one = attribute(m := linear(weight, names, "classes"), prepared(m, samples), name="b")
    other = attribute(m := linear(weight, names, "labels"), prepared(m, samples), name="b")
    assert one.values[0, [50, 70]].tolist() == pytest.approx([0, 2], abs=1e-6)
    assert other.values[0, [50, 70]].tolist() == pytest.approx([1, 2], abs=1e-6)


def test_a_short_recording_is_explained_where_it_is(model):
    samples = np.random.default_rng(0).standard_normal((2, 60)).astype(np.float32)
    ready = prepare(Signal(samples, ("I", "II"), ("mV", "mV"), 50.0, id="a"), model.contract)
    found = attribute(model, ready, name="AF")
    assert found.values.shape == (2, 60)
    assert found.hidden.shape == (60,)
    total = sum(found.channels.values())
    assert total == pytest.approx(found.log_odds - found.flat_log_odds, abs=0.02)
    logit = model.score([Signal(samples, ("I", "II"), ("mV", "mV"), 50.0, id="a")]).logits[0, 0]
    assert found.log_odds == pytest.approx(logit, rel=1e-4)


def test_an_unknown_class_is_refused(model):
    with pytest.raises(ExperimentError, match="a class of the model, AF, got 'VT'"):
        attribute(model, None, name="VT")


def test_the_precision_of_the_model_does_not_change_what_is_told(model):
    rounded = replace(model, provenance={**model.provenance, "precision": "bfloat16"}, policy=None)
    samples = np.random.default_rng(0).standard_normal((2, 100)).astype(np.float32)
    signal = Signal(samples, ("I", "II"), ("mV", "mV"), 50.0, id="a")
    first, second = (attribute(one, prepare(signal, model.contract), name="AF") for one in (model, rounded))
    assert np.array_equal(first.values, second.values)


def test_the_strongest_windows_lie_apart():
    values = np.zeros(100, np.float32)
    values[[10, 12, 50]] = 1.0, 5.0, -3.0
    starts = [place.start for (place,) in _strongest(values, (5,))]
    assert len(starts) == 2
    assert starts[0] <= 10
    assert starts[0] + 5 > 12
    assert starts[1] <= 50 < starts[1] + 5
    assert _strongest(np.zeros(100, np.float32), (5,)) == []
    assert _strongest(np.ones(2, np.float32), (1,)) == [(slice(0, 1),), (slice(1, 2),)]


@pytest.mark.parametrize("window", [(1, 1), (2, 3), (4, 1), (7, 9)])
def test_the_strongest_patches_are_those_of_a_plain_loop(window):
    values = np.random.default_rng(0).standard_normal((7, 9)).astype(np.float32)
    places = [
        (slice(y, y + window[0]), slice(x, x + window[1]))
        for y in range(7 - window[0] + 1)
        for x in range(9 - window[1] + 1)
    ]
    expected, free = [], np.ones((7, 9), bool)
    while len(expected) < 3 and (left := [place for place in places if free[place].all()]):
        expected.append(max(left, key=lambda place: abs(values[place].sum(dtype=np.float64))))
        free[expected[-1]] = False
    assert _strongest(values, window) == sorted(expected, key=lambda place: [one.start for one in place])


def image_model(weight):
    """Return a model of two exclusive classes whose second logit is a weighted sum of 10 x 15 pixels."""
    contract = Contract(axes=("height", "width"), channels=("grey",), size=(10, 15), units="1")
    network = build("flatten | dense classes", input_shape=(1, 10, 15), n_outputs=2, seed=0)
    weights = {name: np.zeros_like(tensor.numpy()) for name, tensor in network.state_dict().items()}
    weights["1.dense.weight"][1] = weight.ravel()
    return Model(network.text, (1, 10, 15), weights, contract, Calibration("classes", ("a", "b"), "none"))


def test_a_linear_score_of_an_image_by_hand():
    weight, image = np.zeros((10, 15), np.float32), np.zeros((1, 10, 15), np.float32)
    image[0, 2:4, 3:6], image[0, 6, 9] = 0.5, 0.75  # patches are a fifth of each side: 2 x 3
    weight[2:4, 3:6], weight[6, 9] = 1.0, -2.0
    model, mean = image_model(weight), (6 * 0.5 + 0.75) / 150
    signal = Signal(image, ("grey",), ("1",), None, axes=("height", "width"), id="a")

    found = attribute(model, prepare(signal, model.contract), name="b")

    assert found.log_odds == pytest.approx(3 - 1.5)
    assert found.flat_log_odds == pytest.approx(6 * mean - 2 * mean)
    assert found.gap == pytest.approx(0, abs=1e-5)
    assert found.values.shape == (1, 10, 15)
    assert found.hidden.shape == (10, 15)
    first, second = found.windows
    assert (first.rows, first.columns) == ((2, 4), (3, 6))
    assert (first.gradients, first.hidden) == (pytest.approx(6 * (0.5 - mean)),) * 2
    assert second.rows[0] <= 6 < second.rows[1] == second.rows[0] + 2
    assert second.columns[0] <= 9 < second.columns[1] == second.columns[0] + 3
    assert (second.gradients, second.hidden) == (pytest.approx(-2 * (0.75 - mean)),) * 2
    told = "\n".join(found.lines())
    assert "of a flat image" in told
    assert "rows 2 to 3, columns 3 to 5 adds +2.850 by gradients, +2.850 by hiding it" in told
    assert json.loads(json.dumps(found.to_dict()))["windows"][0] == {
        "rows": [2, 4], "columns": [3, 6], "gradients": first.gradients, "hidden": first.hidden,
    }  # fmt: skip


def test_pixels_are_named_from_the_first_to_the_last():
    assert pixels(((2, 5), (0, 1))) == "rows 2 to 4, column 0"


def test_a_network_without_gradients_is_explained_by_hiding():
    contract = Contract(channels=("I", "II"), rate_hz=100, duration_s=1, units="mV")
    network = build("minirocket 84 | norm | dense classes", input_shape=(2, 100), n_outputs=1, seed=0)
    samples = np.random.default_rng(0).standard_normal((2, 100)).astype(np.float32)
    network.settle(torch.from_numpy(samples)[None])
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    model = Model(network.text, (2, 100), weights, contract, Calibration("binary", ("x",), "none"))

    found = attribute(model, prepared(model, samples), name="x")

    assert (found.gap, found.channels) == (None, {})
    assert len(found.windows) == 3
    assert all(window.gradients is None and window.hidden != 0 for window in found.windows)
    assert np.array_equal(found.values, np.stack([found.hidden] * 2))
    assert "the network has no gradient" in found.lines()[0]
    assert f"s adds {found.windows[0].hidden:+.3f} by hiding it" in found.lines()[1]
    way = trace(model, Signal(samples, ("I", "II"), ("mV", "mV"), 100.0, id="a"))
    assert "by hiding windows: the network has no gradient" in draw_page(way)


@pytest.mark.parametrize(
    "text", ["conv 4 window 3 | relu | flatten | dense classes", "minirocket 84 | dense classes"]
)
def test_contributions_end_where_the_signal_ends(text):
    network = build(text, input_shape=(2, 40), n_outputs=3, seed=0).eval()
    samples = np.random.default_rng(0).standard_normal((2, 40)).astype(np.float32)
    if "minirocket" in text:
        network.settle(torch.from_numpy(samples)[None])
    values, gap = contributions(network, samples, length=25, output=1, exclusive=True)
    assert values.shape == (2, 25)
    assert np.abs(values).max() > 0
    assert (gap is None) is ("minirocket" in text)


def test_an_image_has_contributions_everywhere():
    text = "conv 4 window 3 | relu | flatten | dense classes"
    network = build(text, input_shape=(1, 8, 9), n_outputs=2, seed=0).eval()
    samples = np.random.default_rng(0).standard_normal((1, 8, 9)).astype(np.float32)
    values, gap = contributions(network, samples, length=None, output=1, exclusive=False)
    flat = np.full_like(samples, samples.mean())
    with torch.no_grad():
        scored, with_flat = (network(torch.from_numpy(v)[None])[0, 1].item() for v in (samples, flat))
    assert values.shape == samples.shape
    assert values.sum() - gap == pytest.approx(scored - with_flat, abs=1e-4)
