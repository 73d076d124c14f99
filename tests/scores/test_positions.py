import numpy as np
import pytest
import torch

from vicinal.representations.engine import choose
from vicinal.representations.network import Network, build
from vicinal.representations.sight import at_length, sight_of
from vicinal.scores import positions as room
from vicinal.scores.positions import make_positions

NETWORKS = (
    "conv 3 window 7 stride 2 same | norm | relu | residual 4 window 5 stride 2 dilation 2 | conv classes window 1",
    "conv 3 window 6 | relu | conv 4 window 5 stride 3 causal | conv classes window 1",
    "conv 4 window 9 same | relu | max window 3 stride 3 same | inception 4 window 8 depth 2 | conv classes window 1",
)


def network(text: str, n: int) -> Network:
    made = build(text, input_shape=(2, n), n_outputs=3, seed=0)
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if "running" in name:
                value += 0.3 * torch.rand(value.shape, generator=torch.Generator().manual_seed(1))
    return made.eval()


@pytest.mark.parametrize("text", NETWORKS)
@pytest.mark.parametrize("length", [37, 500, 511, 640])
def test_chunks_give_what_the_whole_recording_gives_at_once(
    text: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_CORE", 61)
    x = np.random.default_rng(0).standard_normal((2, length), dtype=np.float32)
    net, engine = network(text, 640), choose(precision="float32")
    whole = at_length(net, length)(torch.from_numpy(x[None])).detach().numpy()[0]
    made = make_positions(net, shape=(2, 640), engine=engine)
    places = np.arange(length)
    found = made.logits(lambda start, stop: x[:, start:stop], length, places)
    assert found == pytest.approx(whole[:, sight_of(net).read(places, length)].T, abs=2e-6)
    # A few of them are the same bits as all of them.
    some = np.array([length - 1, 3, length // 2, 3])
    few = made.logits(lambda start, stop: x[:, start:stop], length, some)
    assert (few == found[some]).all()


def test_only_what_is_asked_for_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_CORE", 64)
    seen: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> np.ndarray:
        seen.append((start, stop))
        return np.zeros((2, stop - start), np.float32)

    made = make_positions(network(NETWORKS[0], 10_000), shape=(2, 10_000), engine=choose(precision="float32"))
    made.logits(read, 10_000, np.array([5000]))
    ((start, stop),) = seen
    assert start <= 5000 - made.sight.left
    assert 5000 + made.sight.right < stop <= start + made.width
    assert made.width < 200
    assert made.logits(read, 10_000, np.empty(0, np.int64)).shape[0] == 0
