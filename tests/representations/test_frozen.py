import numpy as np
import torch

from vicinal.representations.frozen import Rest, features, n_frozen_features, settle
from vicinal.representations.network import build

X = np.random.default_rng(0).normal(size=(30, 2, 40)).astype(np.float32)
LENGTHS = np.random.default_rng(1).integers(0, 41, size=30)


class Read:
    """Remembers which rows were asked for."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def __call__(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.seen |= set(indices.tolist())
        return X[indices], LENGTHS[indices]


def test_the_rest_on_features_is_the_network_on_signals() -> None:
    network = build(
        "minirocket 252 | norm | dense 6 | relu | dense 2", input_shape=(2, 40), n_outputs=2, seed=0
    )
    read, train = Read(), np.arange(5, 20)
    settle(network, read, train, tensor=torch.from_numpy, seed=0)
    assert read.seen == set(train.tolist())
    found = features(network, read, np.arange(30), tensor=torch.from_numpy)
    assert found.shape == (30, n_frozen_features(network)) == (30, 252)
    network.eval()
    whole = network(torch.from_numpy(X), torch.from_numpy(LENGTHS))
    rest = Rest(network)
    assert torch.equal(rest(torch.from_numpy(found)), whole)
    assert set(rest.state_dict()) == {name for name in network.state_dict() if not name.startswith("0.")}


def test_a_first_stage_that_learns_is_not_frozen() -> None:
    network = build("conv 2 window 3 | mean | dense 1", input_shape=(2, 40), n_outputs=1, seed=0)
    read = Read()
    settle(network, read, np.arange(5), tensor=torch.from_numpy, seed=0)
    assert n_frozen_features(network) == 0
    assert not read.seen
