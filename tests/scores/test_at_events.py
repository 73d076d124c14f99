from dataclasses import replace

import numpy as np
import pytest

from vicinal.decisions.calibration import identity
from vicinal.errors import ContractError, FormatError
from vicinal.inputs.contract import Contract
from vicinal.representations.network import build
from vicinal.scores.at_events import event_ids
from vicinal.scores.model import Model
from vicinal.signal import Events, Signal

NETWORK = "conv 4 window 7 stride 2 same | relu | conv classes window 1"


@pytest.fixture(scope="module")
def model() -> Model:
    contract = Contract(
        channels=("I",), rate_hz=50, duration_s=20, units="mV",
        steps=[{"step": "events", "symbols": ["N", "V"]}, {"step": "event_intervals"}],
    )  # fmt: skip
    network = build(NETWORK, input_shape=contract.input_shape, n_outputs=2, seed=0)
    return Model(
        network=network.text,
        input_shape=contract.input_shape,
        weights={name: value.numpy() for name, value in network.state_dict().items()},
        contract=contract,
        calibration=identity("classes", ("N", "V")),
    )


def signal(n: int = 1200) -> Signal:
    """24 s, of which the middle 20 are kept."""
    samples = np.random.default_rng(0).standard_normal((1, n)).astype(np.float32)
    events = Events(np.array([60, 150, 300, 600, 700, 1150]), ("N", "V", "N", "+", "N", "V"))
    return Signal(samples, ("I",), ("mV",), 50.0, id="a", events=events)


def test_a_row_is_an_event_at_its_second_of_the_recording(model: Model) -> None:
    assert model.answers_at_events
    table = model.score([signal()])
    # The crop leaves out the first and the last 2 s, and the symbol + is none that the contract selects.
    assert table.ids.tolist() == ["a-50", "a-200", "a-600"]
    assert table.columns["position_s"].tolist() == [3.0, 6.0, 14.0]
    assert table.columns["symbol"].tolist() == ["V", "N", "N"]
    assert (table.task, table.role) == ("classes", "unlabelled")
    assert Model.from_bytes(model.to_bytes()).hash == model.hash


def test_no_events_in_what_is_kept_is_said(model: Model) -> None:
    for events in (None, Events(np.array([3]), ("N",)), Events(np.array([300]), ("+",))):
        with pytest.raises(
            ContractError, match=r"annotated events, got none|answers at events, and there are none"
        ):
            model.score([replace(signal(), events=events)])


def test_events_at_one_place_have_names_of_their_own() -> None:
    records, positions = np.array(["a", "a", "b", "a"]), np.array([5, 5, 5, 5])
    assert event_ids(records, positions).tolist() == ["a-5", "a-5-2", "b-5", "a-5-3"]


def test_answers_along_time_are_exclusive_classes_that_see_a_stretch(model: Model) -> None:
    with pytest.raises(FormatError, match="exclusive classes, and end in one softmax"):
        replace(model, calibration=identity("labels", ("N", "V")))
    network = build("conv 4 window 3 same | lstm 4 both | conv classes window 1", input_shape=model.input_shape,
                    n_outputs=2, seed=0)  # fmt: skip
    with pytest.raises(FormatError, match="reads the signal from its end"):
        replace(
            model, network=network.text, weights={name: v.numpy() for name, v in network.state_dict().items()}
        )
