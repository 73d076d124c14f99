import numpy as np
import pytest
import torch

from vicinal.decisions.calibration import Calibration
from vicinal.inputs.contract import Contract
from vicinal.representations.network import build
from vicinal.scores.detectors import Detector, Detectors, DetectorStage
from vicinal.scores.model import Model
from vicinal.scores.responses import responses

TEXT = "conv 3 window 5 stride 2 | local 2 window 3 | mean | dense 1"


@pytest.mark.parametrize("length", [41, 50])
def test_units_give_what_the_network_gives_and_nothing_behind_the_end(length):
    contract = Contract(channels=("I",), rate_hz=50, duration_s=1, units="mV", steps=[])
    network = build(TEXT, input_shape=(1, 50), n_outputs=1, seed=0).eval()
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    model = Model(TEXT, (1, 50), weights, contract, Calibration("binary", ("x",), "none"))
    units = [
        (Detector(2, None, ()), Detector(0, None, ())),
        (Detector(1, (4,), ()),),
        (Detector(1, None, ()),),
        (Detector(0, None, ()),),
    ]
    stages = tuple(
        DetectorStage(text, n_units=3, n_silent=0, units=of)
        for text, of in zip(network.stage_texts, units, strict=True)
    )
    found = Detectors("validation", 1, 1, None, ("I",), "mV", 50.0, "", "class", stages)
    x = np.zeros((1, 50), dtype=np.float32)
    x[:, :length] = np.random.default_rng(0).standard_normal((1, length))

    given = responses(model, x, found, length=length)
    with torch.no_grad():
        conv, local, mean, dense = [
            values[0].numpy()
            for _, values, _ in network.stages(torch.from_numpy(x[None]), torch.tensor([length]))
        ]
    n = (length - 5) // 2 + 1
    np.testing.assert_allclose(given[0][0], conv[2, :n], rtol=1e-5)
    np.testing.assert_allclose(given[0][1], conv[0, :n], rtol=1e-5)
    assert float(given[1][0]) == pytest.approx(float(local[1, 4]), rel=1e-5)
    assert float(given[2][0]) == pytest.approx(float(mean[1]), rel=1e-5)
    assert float(given[3][0]) == pytest.approx(float(dense[0]), rel=1e-5)
