import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from vicinal.decisions.calibration import Calibration
from vicinal.errors import ContractError, ExperimentError
from vicinal.inputs.contract import Contract
from vicinal.inputs.prepare import prepare
from vicinal.representations.network import build
from vicinal.scores.model import Model
from vicinal.scores.trace import trace
from vicinal.signal import Signal

TEXT = "local 1 window 20 stride 10 | relu | local 1 window 5 | relu | flatten | dense 1"


def recording(n=90, rate_hz=50.0):
    samples = np.random.default_rng(3).standard_normal((2, n)).astype(np.float32)
    return Signal(samples, ("II", "I"), ("mV", "uV"), rate_hz, id="r1", source="r1.csv")


def test_every_number_is_the_one_that_score_gives(model):
    table, found = model.score([recording()]), trace(model, recording())

    assert found.logits == tuple(table.logits[0])
    assert found.probabilities == tuple(table.probabilities[0])
    assert found.decisions == tuple(model.policy.decide(table.probabilities)[0])
    assert found.stages[-1].excited[0].value == table.logits[0, 0]
    assert (found.thresholds, found.model_hash, found.precision) == ((0.4,), model.hash, "float32")


def test_the_way_is_told_from_contract_to_meaning(model):
    found = trace(model, recording())

    assert [text.split(":")[0] for text in found.findings] == ["channels", "units", "duration_s"]
    assert found.prepared.shape == (2, 90)
    assert [stage.text.split()[0] for stage in found.stages] == [
        "conv",
        "relu",
        "residual",
        "mean-max",
        "dense",
    ]
    assert found.stages[0].text.endswith("| norm")
    assert found.meaning == "Of 1,000 people, 20 have AF."
    lines = "\n".join(found.lines())
    for words in (
        "recording  r1  (r1.csv)",
        "contract   units",
        "threshold 0.4",
        f"decision   {found.decision}",
    ):
        assert words in lines
    assert json.loads(json.dumps(found.to_dict()))["stages"][0]["window"] == list(
        found.stages[0].excited[0].window[0]
    )


def test_the_window_holds_what_moves_the_strongest_unit(model):
    # Changing samples outside the window leaves the unit alone; changing one inside moves it.
    contract = model.contract.model_copy(update={"steps": ()})
    fixed = replace(model, contract=contract, policy=None)
    signal = replace(recording(100), channels=("I", "II"), units=("mV", "mV"))
    stage = trace(fixed, signal).stages[0].excited[0]
    ((start, stop),) = stage.window

    inside, outside = signal.samples.copy(), signal.samples.copy()
    inside[:, start:stop] += 1.0
    outside[:, :start], outside[:, stop:] = 0.0, 0.0
    again = trace(fixed, replace(signal, samples=outside)).stages[0]
    moved = trace(fixed, replace(signal, samples=inside)).stages[0].excited[0]
    assert again.profile.max() >= stage.value or again.excited[0].value == pytest.approx(
        stage.value, rel=1e-6
    )
    assert moved.value != stage.value


def test_the_founding_network_by_hand():
    contract = Contract(channels=("I",), rate_hz=100, duration_s=1, units="mV")
    network = build(TEXT, input_shape=(1, 100), n_outputs=1, seed=0)
    weights = {name: np.zeros_like(tensor.numpy()) for name, tensor in network.state_dict().items()}
    weights["0.local.weight"][6] = 1.0  # window 6 sums samples 60 to 79
    weights["2.local.weight"][4, 0, 0, 2] = 2.0  # window 4 sees windows 4 to 8, here only window 6
    weights["5.dense.weight"][0, 4] = 3.0
    model = Model(TEXT, (1, 100), weights, contract, Calibration("binary", ("x",), "none"))
    samples = np.zeros((1, 100), np.float32)
    samples[0, 60:80] = 0.5

    found = trace(model, Signal(samples, ("I",), ("mV",), 100.0, id="a"))
    first, _, second, *_ = (stage.excited[0] for stage in found.stages)
    assert (first.position, first.value, first.window) == ((6,), 10.0, ((60, 80),))
    assert (second.position, second.value, second.window) == ((4,), 20.0, ((40, 100),))
    assert second.window_s == (0.4, 1.0)
    assert found.logits == (60.0,)
    assert found.decision.startswith("none: the model has no policy")


def test_several_classes_and_referral_are_told_in_words(model, policy):
    referring = model.with_policy(replace(policy, refer=((0.0, 1.0),)))
    assert trace(referring, recording()).decision.startswith("referred")

    never = model.with_policy(replace(policy, thresholds=(1.0,)))
    assert trace(never, recording()).decision == "AF negative"


def test_what_breaks_the_contract_is_refused(model):
    with pytest.raises(ContractError, match="missing II"):
        trace(model, Signal(np.ones((1, 50), np.float32), ("I",), ("mV",), 50.0, id="a"))


def test_what_the_score_rests_on_is_part_of_the_way(model):
    found = trace(model, recording(), explain="AF")

    assert found.attribution.name == "AF"
    assert "rests on   AF: log-odds" in "\n".join(found.lines())
    told = json.loads(json.dumps(found.to_dict()))["attribution"]
    assert told["log_odds"] == pytest.approx(found.logits[0], rel=1e-4)
    assert sum(told["channels"].values()) == pytest.approx(
        told["log_odds"] - told["flat_log_odds"] + told["gap"], abs=1e-4
    )
    with pytest.raises(ExperimentError, match="got 'VT'"):
        trace(model, recording(), explain="VT")


def test_the_units_that_are_excited_most_are_those_with_the_largest_values(model):
    signal = recording()
    found = trace(model, signal)
    network = model.build()
    prepared = prepare(signal, model.contract)
    lengths = torch.tensor([prepared.length])
    with torch.no_grad():
        outputs = list(network.stages(torch.from_numpy(prepared.samples)[None], lengths))
    # Without the norm, which is folded into the window before it.
    del outputs[0]
    for stage, (text, values, left) in zip(found.stages, outputs, strict=True):
        row = values[0].numpy()
        row = row if left is None or row.ndim == 1 else row[:, : int(left[0])]
        assert stage.shape == row.shape
        best = row if row.ndim == 1 else row.max(axis=1)
        order = np.argsort(-best, kind="stable")[: len(stage.excited)]
        assert [one.unit for one in stage.excited] == order.tolist()
        assert [one.value for one in stage.excited] == pytest.approx(best[order].tolist(), rel=1e-4)
        assert len(stage.excited) == min(3, len(best)), text
        for one in stage.excited:
            assert one.window[0][1] <= prepared.length
            if one.position is not None:
                assert one.position == (int(row[one.unit].argmax()),)


def test_behind_local_each_position_has_units_of_its_own_and_zero_excites_none():
    contract = Contract(channels=("I",), rate_hz=100, duration_s=1, units="mV")
    network = build(TEXT, input_shape=(1, 100), n_outputs=1, seed=0)
    weights = {name: np.zeros_like(tensor.numpy()) for name, tensor in network.state_dict().items()}
    for place, weight in ((1, -5.0), (2, 1.0), (6, 2.0)):  # what pushes a unit down does not excite it
        weights["0.local.weight"][place] = weight
    model = Model(TEXT, (1, 100), weights, contract, Calibration("binary", ("x",), "none"))
    found = trace(model, Signal(np.ones((1, 100), np.float32), ("I",), ("mV",), 100.0, id="a"))
    local = found.stages[0]
    assert [(one.unit, one.position, one.value, one.window) for one in local.excited] == [
        (0, (6,), 40.0, ((60, 80),)),
        (0, (2,), 20.0, ((20, 40),)),
    ]
    told = local.to_dict()
    assert (told["unit"], told["window"], len(told["excited"])) == (0, (60, 80), 2)
    assert (told["position"], told["excited"][1]["position"]) == (6, 2)  # along time a number


def picture():
    samples = np.random.default_rng(4).random((1, 8, 10), dtype=np.float32)
    return Signal(samples, ("grey",), ("1",), None, axes=("height", "width"), id="i1", source="i1.png")


def test_an_image_gets_the_numbers_that_score_gives(image_model):
    table, found = image_model.score([picture()]), trace(image_model, picture())

    assert found.logits == tuple(table.logits[0])
    assert found.probabilities == tuple(table.probabilities[0])
    assert (found.rate_hz, found.offset_s, found.seconds) == (None, None, None)
    assert found.prepared.shape == (1, 8, 10)
    assert found.attribution.name == "abc"[int(np.argmax(found.logits))]
    lines = "\n".join(found.lines())
    for words in (
        "image      i1  (i1.png)",
        "prepared   grey, 8 x 10 pixels",
        "units that this image excites",
    ):
        assert words in lines
    for line in found.attribution.lines():
        assert line in lines


def test_the_units_that_an_image_excites_most_are_those_with_the_largest_values(image_model):
    found, network = trace(image_model, picture()), image_model.build()
    prepared = prepare(picture(), image_model.contract)
    with torch.no_grad():
        outputs = [
            values[0].numpy() for _, values, _ in network.stages(torch.from_numpy(prepared.samples)[None])
        ]
    del outputs[0]  # without the norm, which is folded into the window before it
    for stage, row in zip(found.stages[:3], outputs[:3], strict=True):
        best = row.reshape(len(row), -1).max(axis=1)
        order = np.argsort(-best, kind="stable")[:3]
        assert stage.shape == row.shape
        assert [one.unit for one in stage.excited] == order.tolist()
        assert [one.value for one in stage.excited] == pytest.approx(best[order].tolist(), rel=1e-4)
        for one in stage.excited:
            assert row[(one.unit, *one.position)] == pytest.approx(one.value, rel=1e-4)
        np.testing.assert_allclose(stage.profile, row[order[0]], rtol=1e-4, atol=1e-6)
    local, row = found.stages[3], outputs[3]
    assert [one.value for one in local.excited] == pytest.approx(
        np.sort(row.ravel())[::-1][:3].tolist(), rel=1e-4
    )
    assert found.stages[-1].profile.tolist() == pytest.approx(outputs[-1].tolist(), rel=1e-4)


def test_a_unit_of_an_image_sees_its_window_and_no_more(image_model):
    plain = replace(image_model, contract=image_model.contract.model_copy(update={"steps": ()}))
    for index in (0, 2, 3):
        one = trace(plain, picture()).stages[index].excited[0]
        inside = (slice(None), *(slice(*span) for span in one.window))
        kept = np.zeros((1, 8, 10), np.float32)
        kept[inside] = picture().samples[inside]
        network = plain.build()
        with torch.no_grad():
            values = network.stages(torch.from_numpy(kept)[None])[index + 1][1][0]
        assert float(values[(one.unit, *one.position)]) == pytest.approx(one.value, rel=1e-4)


def test_an_image_by_hand_and_as_json():
    contract = Contract(axes=("height", "width"), channels=("grey",), size=(6, 8), units="1")
    text = "conv 1 window 2x3 stride 2 | flatten | dense 1"
    network = build(text, input_shape=(1, 6, 8), n_outputs=1, seed=0)
    weights = {name: np.zeros_like(tensor.numpy()) for name, tensor in network.state_dict().items()}
    weights["0.conv.weight"][:] = 1.0
    weights["2.dense.weight"][0, 7] = 2.0  # row 2, column 1 of 3 x 3
    model = Model(text, (1, 6, 8), weights, contract, Calibration("binary", ("x",), "none"))
    samples = np.zeros((1, 6, 8), np.float32)
    samples[0, 4, 3], samples[0, 5, 4] = 0.5, 0.25

    told = json.loads(json.dumps(trace(model, replace(picture(), samples=samples)).to_dict()))

    first, _, head = told["stages"]
    assert first["shape"] == [1, 3, 3]
    assert (first["unit"], first["position"], first["value"]) == (0, [2, 1], 0.75)
    assert (first["window"], first["window_s"]) == ([[4, 6], [2, 5]], None)
    assert (head["position"], head["value"], head["window"]) == (
        None,
        1.5,
        [[0, 6], [0, 7]],
    )  # no window of 3 begins at column 6
    assert told["logits"] == [1.5]
    assert told["size"] == [6, 8]
    assert "length" not in told
    strongest = max(told["attribution"]["windows"], key=lambda one: one["gradients"])
    assert strongest["rows"][0] <= 4 < strongest["rows"][1]
