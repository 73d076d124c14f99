import json

import numpy as np
import pytest
import torch

from vicinal.decisions.calibration import Calibration
from vicinal.errors import FormatError
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.packing import write_pack
from vicinal.representations.network import build
from vicinal.scores.detectors import detectors
from vicinal.scores.model import Model
from vicinal.signal import Signal

N = 40
TEXT = "conv 3 window 5 stride 2 | norm | relu | conv 4 window 3 | relu | local 2 window 3 | mean | dense 1"


def make_pack(folder, contract, signal_of, classes=("AF",)):
    """A pack of N recordings, every third one of class AF."""
    recordings = tuple(
        Recording(
            f"r{k:02d}",
            None,
            f"secret{k % 7}",
            f"secret{k % 7}",
            ("AF",) if k % 3 == 0 else (),
            options={"k": k},
        )
        for k in range(N)
    )
    return write_pack(
        folder,
        catalogue=Catalogue("test", classes, recordings, True, (), ()),
        read=lambda recording: signal_of(recording.options["k"]),
        contract=contract,
        classes=classes,
        truth=np.array([[float("AF" in one.labels)] for one in recordings]),
        n_processes=1,
    )


def model_of(text, contract):
    network = build(text, input_shape=contract.input_shape, n_outputs=1, seed=3)
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    calibration = Calibration("binary", ("AF",), "none")
    return Model(network.text, contract.input_shape, weights, contract, calibration)


@pytest.fixture(scope="module")
def signals(tmp_path_factory):
    """Recordings of two channels and 0.5 to 1.5 s at 50 Hz, where the contract takes one second."""
    contract = Contract(channels=("I", "II"), rate_hz=50, duration_s=1, units="mV", steps=[])
    rng = np.random.default_rng(0)
    made = [rng.standard_normal((2, int(rng.integers(25, 76)))).astype(np.float32) for _ in range(N)]
    pack = make_pack(
        tmp_path_factory.mktemp("packs") / "signals",
        contract,
        lambda k: Signal(made[k], ("I", "II"), ("mV", "mV"), 50.0, id=f"r{k:02d}"),
    )
    return model_of(TEXT, contract), pack


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    contract = Contract(axes=("height", "width"), channels=("grey",), size=(9, 8), units="1")
    made = np.random.default_rng(1).standard_normal((N, 1, 9, 8)).astype(np.float32)
    pack = make_pack(
        tmp_path_factory.mktemp("packs") / "images",
        contract,
        lambda k: Signal(made[k], ("grey",), ("1",), None, id=f"r{k:02d}", axes=("height", "width")),
    )
    return model_of("conv 3 window 3x2 | relu | local 2 window 2 | mean | dense 1", contract), pack


def found_in(model, pack, rows=None, **changes):
    usual = {"role": "validation", "n_role": N, "n_units": 3, "n_snippets": 4, "by": "value"}
    return detectors(model, pack, np.arange(N) if rows is None else rows, **{**usual, **changes})


@pytest.mark.parametrize("kind", ["signals", "images"])
def test_a_snippet_holds_all_that_its_unit_sees(kind, request):
    # New samples outside the window leave the value as it is; new ones inside change it.
    model, pack = request.getfixturevalue(kind)
    found, network = found_in(model, pack), model.build()
    rng = np.random.default_rng(5)
    for index, stage in enumerate(found.stages):
        assert stage.units
        for unit in stage.units:
            for one in unit.snippets:
                (row,) = np.flatnonzero(pack.ids == one.id)
                x, lengths = pack.rows(np.array([row]))
                real = int(lengths[0])
                given = None if x.ndim > 3 else torch.from_numpy(lengths)
                inside = (0, slice(None), *(slice(*window) for window in one.window))
                np.testing.assert_array_equal(one.samples, x[inside])
                if x.ndim == 3:
                    assert one.window[0][1] <= real  # no padding is shown as signal
                    assert one.window_ms == (20.0 * one.window[0][0], 20.0 * one.window[0][1])

                def value(x, index=index, unit=unit, one=one, given=given):
                    with torch.no_grad():
                        values = network.stages(torch.from_numpy(x), given)[index][1][0, unit.channel]
                    return float(values[one.position or ()])

                other = rng.standard_normal(x.shape).astype(np.float32)
                other[inside] = x[inside]
                moved = x.copy()
                moved[inside] = rng.standard_normal(one.samples.shape)
                assert value(x) == pytest.approx(one.value, rel=1e-4)
                assert value(other) == pytest.approx(one.value, rel=1e-4), (stage.text, one)
                assert value(moved) != pytest.approx(one.value, rel=1e-4)


def test_units_and_snippets_come_strongest_first_each_from_another_recording(signals):
    found = found_in(*signals)
    for stage in found.stages:
        best = [unit.snippets[0].value for unit in stage.units]
        assert best == sorted(best, reverse=True)
        for unit in stage.units:
            values = [one.value for one in unit.snippets]
            assert values == sorted(values, reverse=True)
            assert len({one.id for one in unit.snippets}) == len(unit.snippets) == 4
    first, local, dense = found.stages[0], found.stages[5], found.stages[-1]
    assert (first.n_units, local.n_units, dense.n_units) == (3, 2 * 19, 1)
    assert [unit.place is None for unit in (first.units[0], local.units[0])] == [True, False]
    # A stage with weights of its own stays at its place; behind the head a snippet is the whole recording.
    assert {one.position for one in local.units[0].snippets} == {local.units[0].place}
    lengths = dict(zip(signals[1].ids.tolist(), signals[1].lengths.tolist(), strict=True))
    for one in dense.units[0].snippets:
        assert one.window == ((0, lengths[one.id]),)


def test_only_the_rows_that_are_named_are_looked_at_and_no_person_is_told(signals):
    rows = np.array([3, 7, 9, 12, 21])
    found = found_in(*signals, rows=rows, n_role=50, n_units=2)
    told = json.dumps(found.to_dict())
    ids = {one.id for stage in found.stages for unit in stage.units for one in unit.snippets}
    assert ids <= {f"r{k:02d}" for k in rows}
    assert "secret" not in told
    assert {one.labels for unit in found.stages[0].units for one in unit.snippets} <= {("AF",), ("not AF",)}
    assert found.source == "5 of 50 validation rows of 4 subjects, drawn by lot"
    labels = {one.id: one.labels for unit in found.stages[0].units for one in unit.snippets}
    assert all((labels[f"r{k:02d}"] == ("AF",)) == (k % 3 == 0) for k in rows if f"r{k:02d}" in labels)


def test_a_dead_unit_is_silent_and_a_negative_score_is_not(signals):
    model, pack = signals
    weights = {name: value.copy() for name, value in model.weights.items()}
    weights["3.conv.weight"][1], weights["3.conv.bias"][1] = 0.0, -1.0
    weights["7.dense.bias"][:] = -100.0
    dead = Model(model.network, model.input_shape, weights, model.contract, model.calibration)
    stages = found_in(dead, pack, n_units=9).stages
    assert (stages[4].n_silent, [unit.channel for unit in stages[4].units].count(1)) == (1, 0)
    assert stages[3].n_silent == 0
    assert stages[-1].units[0].snippets[0].value < 0


def test_rows_of_another_contract_are_refused(signals, images):
    with pytest.raises(
        FormatError, match="expected rows prepared by the model's contract, got those of another"
    ):
        found_in(signals[0], images[1])
    with pytest.raises(FormatError, match="got none"):
        found_in(*signals, rows=np.array([], dtype=np.int64))


def test_units_that_tell_a_class_from_the_others_come_first(signals):
    model, pack = signals
    by_class, by_value = found_in(model, pack, by="class", n_units=99), found_in(model, pack, n_units=99)
    assert (by_class.by, by_value.by) == ("class", "value")
    for stage, other in zip(by_class.stages, by_value.stages, strict=True):
        apart = [abs(unit.tells[1]) for unit in stage.units if unit.tells is not None]
        assert apart == sorted(apart, reverse=True)
        assert {unit.name: unit.tells for unit in stage.units} == {
            unit.name: unit.tells for unit in other.units
        }
    # By hand, for the logit: the mean over rows with the class less that over the others, in deviations within both.
    x, lengths = pack.rows(np.arange(N))
    with torch.no_grad():
        logits = model.build()(torch.from_numpy(x), torch.from_numpy(lengths)).numpy()[:, 0].astype(float)
    is_true = pack.truth[:, 0] == 1
    a, b = logits[is_true], logits[~is_true]
    deviation = np.sqrt((len(a) * a.var() + len(b) * b.var()) / (N - 2))
    (unit,) = by_class.stages[-1].units
    assert unit.tells == ("AF", pytest.approx((a.mean() - b.mean()) / deviation, rel=1e-3))
    assert unit.told == f"AF {unit.tells[1]:+.2g}"


def test_rows_of_one_class_alone_tell_nothing_and_stand_by_their_values(signals):
    rows = np.array([1, 2, 4, 5, 7, 8])
    by_class, by_value = found_in(*signals, rows=rows, by="class"), found_in(*signals, rows=rows)
    assert all(unit.tells is None and unit.told == "" for stage in by_class.stages for unit in stage.units)
    assert by_class.to_dict()["stages"] == by_value.to_dict()["stages"]
