import numpy as np
import pytest
import torch

from vicinal.errors import NetworkError
from vicinal.representations.families import FAMILIES, text_at
from vicinal.representations.inspection import inspect
from vicinal.representations.network import build

SHAPES = [(1, 100), (1, 3000), (12, 1000), (40, 50), (2, 16), (1, 8, 8), (3, 28, 40)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_fits_every_shape_that_it_reads(name: str, shape: tuple[int, ...]) -> None:
    family = FAMILIES[name]
    if len(shape) - 1 not in family.axes:
        with pytest.raises(NetworkError, match=f"{name}: it reads signals along time"):
            text_at(name, family.step, shape)
        return
    narrow, wide = (
        inspect(text_at(name, k * family.step, shape), input_shape=shape, rate_hz=None, n_outputs=3)
        for k in (1, 4)
    )
    assert narrow.stages[-1].shape == (3,)
    assert (narrow.parameters < wide.parameters) == family.has_width
    network = build(text_at(name, family.step, shape), input_shape=shape, n_outputs=3, seed=0)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32))
    network.settle(x)
    assert network(x).shape == (4, 3)


def test_each_rung_adds_one_claim_and_leaves_the_rest_as_it_is() -> None:
    local, flat, conv = (text_at(name, 8, (1, 100)) for name in ("local", "conv-flat", "conv"))
    assert local.replace("local", "conv") == flat
    assert flat.replace("flatten", "mean") == conv
    assert conv.count("conv 8 window 7 same stride 2 | norm | relu") == 4


def test_a_conv_keeps_its_answer_when_a_pattern_moves_and_the_others_do_not() -> None:
    changes = {}
    for name in ("local", "conv-flat", "conv"):
        network = build(text_at(name, 8, (1, 512)), input_shape=(1, 512), n_outputs=1, seed=0).eval()
        x = torch.zeros(2, 1, 512)
        x[0, 0, 200:220] = x[1, 0, 264:284] = 1.0  # moved by twice the stride of all stages
        first, second = network(x).flatten().tolist()
        changes[name] = abs(first - second)
    assert changes["conv"] < 1e-5 < min(changes["local"], changes["conv-flat"])


def test_stages_follow_the_positions_there_are() -> None:
    counts = [text_at("conv", 4, (1, n)).count("stride 2") for n in (8, 16, 64, 100, 128, 5000)]
    assert counts == [2, 2, 4, 4, 5, 5]


def test_an_unknown_family_and_a_wrong_width_are_named() -> None:
    with pytest.raises(NetworkError, match="'cnv': no such family of networks, did you mean 'conv'"):
        text_at("cnv", 4, (1, 100))
    with pytest.raises(NetworkError, match="transformer: expected a width in multiples of 4, got 6"):
        text_at("transformer", 6, (1, 100))
