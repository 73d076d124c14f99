"""Dense: over all values when it stands first, over channels at each position when it does not."""

import torch

from vicinal.representations.layers.dense import Dense


def made(shape: tuple[int, ...], *, first: bool) -> Dense:
    layer = Dense(shape, units=2, first=first, head=False)
    layer.initialise(torch.Generator().manual_seed(0))
    torch.nn.init.normal_(layer.bias)
    return layer


def test_first_sees_everything_channel_after_channel() -> None:
    layer = made((3, 4), first=True)
    x = torch.randn(5, 3, 1, 4)
    expected = torch.einsum("bct,oct->bo", x.squeeze(2), layer.weight.reshape(2, 3, 4)) + layer.bias
    y, lengths = layer(x, torch.full((5,), 4))
    torch.testing.assert_close(y, expected)
    assert lengths is None


def test_in_the_middle_it_mixes_channels_at_each_position() -> None:
    layer = made((3, 4), first=False)
    x = torch.randn(5, 3, 1, 4)
    expected = torch.einsum("bct,oc->bot", x.squeeze(2), layer.weight) + layer.bias[:, None]
    lengths = torch.tensor([4, 3, 2, 1, 0])
    y, new_lengths = layer(x, lengths)
    assert new_lengths is lengths
    torch.testing.assert_close(y.squeeze(2), expected * (torch.arange(4) < lengths[:, None])[:, None])


def test_on_features_it_is_a_matrix_product() -> None:
    layer = made((3,), first=False)
    x = torch.randn(5, 3)
    torch.testing.assert_close(layer(x)[0], x @ layer.weight.T + layer.bias)
