"""relu, gelu and dropout."""

import torch

from vicinal.representations.layers.pointwise import Dropout, Gelu, Relu


def test_relu_and_gelu_leave_zero_alone() -> None:
    x = torch.tensor([[-1.0, 0.0, 2.0]])
    assert Relu((3,))(x)[0].tolist() == [[0.0, 0.0, 2.0]]
    torch.testing.assert_close(Gelu((3,))(x)[0], torch.tensor([[-0.158655, 0.0, 1.954500]]))


def test_dropout_thins_out_in_training_only() -> None:
    layer = Dropout((10_000,), share=0.25)
    x = torch.ones(1, 10_000)
    thinned = layer(x)[0]
    assert set(thinned.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert 0.2 < (thinned == 0).float().mean() < 0.3
    assert torch.equal(layer.eval()(x)[0], x)
