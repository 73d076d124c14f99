import numpy as np
import torch

from vicinal.inputs.array_kind import beside, kind_of


def test_an_array_stays_what_it_is():
    x = np.zeros(2)
    assert kind_of(x) is np
    assert beside(x, x) is x


def test_a_tensor_brings_its_library():
    x = torch.zeros(2, device="meta")
    assert kind_of(x) is torch
    found = beside(x, np.arange(3))
    assert (found.device.type, found.dtype, tuple(found.shape)) == ("meta", torch.int64, (3,))
    assert beside(torch.zeros(1), np.arange(3)).tolist() == [0, 1, 2]
