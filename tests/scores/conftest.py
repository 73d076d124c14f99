import numpy as np
import pytest

from vicinal.decisions.calibration import Calibration
from vicinal.decisions.policy import Policy
from vicinal.inputs.contract import Contract
from vicinal.representations.network import build
from vicinal.scores.model import Model

TEXT = "conv 4 window 5 stride 2 same | norm | relu | residual 4 window 3 stride 2 | mean-max | dense classes"


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract(
        channels=("I", "II"),
        rate_hz=50,
        duration_s=2,
        units="mV",
        steps=[{"step": "scale", "by": "recording"}],
    )


@pytest.fixture(scope="session")
def policy() -> Policy:
    return Policy(
        task="binary",
        kind="threshold",
        aim="sensitivity >= 0.95",
        classes=("AF",),
        thresholds=(0.4,),
        role="calibration",
        n_rows=100,
        n_positive=(20,),
        rows_prevalence=(0.2,),
    )


@pytest.fixture(scope="session")
def bare(contract: Contract) -> Model:
    """A model without a policy, its running statistics as if it had been trained."""
    network = build(TEXT, input_shape=contract.input_shape, n_outputs=1, seed=0)
    rng = np.random.default_rng(0)
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    for name, array in weights.items():
        if "running" in name:
            array += 0.1 * rng.random(array.shape, dtype=np.float32)
    return Model(
        network=network.text,
        input_shape=contract.input_shape,
        weights=weights,
        contract=contract,
        calibration=Calibration("binary", ("AF",), "temperature", {"temperature": (1.5,)}),
        reference={"meaning": {"sentence": "Of 1,000 people, 20 have AF."}},
        provenance={"precision": "float32", "seed": 0},
        card="# Atrial fibrillation, größer\n",
    )


@pytest.fixture(scope="session")
def model(bare: Model, policy: Policy) -> Model:
    return bare.with_policy(policy)


IMAGE_TEXT = """
    conv 4 window 3x2 stride 2 same | norm | relu | max window 2 stride 2 same
    local 3 window 2 | flatten | dense classes
"""


@pytest.fixture(scope="session")
def image_model() -> Model:
    """A model of three classes of images, 8 x 10 pixels."""
    contract = Contract(
        axes=("height", "width"),
        channels=("grey",),
        size=(8, 10),
        units="1",
        steps=[{"step": "scale", "by": "constant", "centre": 0.5, "spread": 0.5}],
    )
    network = build(IMAGE_TEXT, input_shape=contract.input_shape, n_outputs=3, seed=0)
    return Model(
        network=network.text,
        input_shape=contract.input_shape,
        weights={name: tensor.numpy().copy() for name, tensor in network.state_dict().items()},
        contract=contract,
        calibration=Calibration("classes", ("a", "b", "c"), "none"),
        provenance={"precision": "float32", "seed": 0},
    )
