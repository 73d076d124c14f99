import math

import pytest

from vicinal.errors import NetworkError
from vicinal.representations.families import FAMILIES, text_at
from vicinal.representations.inspection import inspect
from vicinal.representations.matching import By, match


def count(text: str, shape: tuple[int, ...], by: By) -> int:
    found = inspect(text, input_shape=shape, rate_hz=None, n_outputs=4)
    return found.parameters if by == "parameters" else found.multiply_adds


@pytest.mark.parametrize("by", ["parameters", "multiply-adds"])
@pytest.mark.parametrize("name", ["dense", "local", "conv", "separable", "inception", "lstm", "transformer"])
def test_no_other_width_is_nearer(name: str, by: By) -> None:
    shape, target = (2, 90), 7_000 if by == "parameters" else 20_000
    found = match(name, input_shape=shape, n_outputs=4, target=target, by=by)
    step = FAMILIES[name].step
    counts = {k * step: count(text_at(name, k * step, shape), shape, by) for k in range(1, 80)}
    nearest = min(counts, key=lambda width: abs(math.log(counts[width] / target)))
    assert (found.width, found.count) == (nearest, counts[nearest])
    assert found.text == text_at(name, nearest, shape)
    assert found.ratio == pytest.approx(counts[nearest] / target)


def test_a_target_out_of_reach_gives_the_nearest_there_is() -> None:
    found = match("local", input_shape=(1, 3000), n_outputs=1, target=50, by="parameters")
    assert (found.width, found.ratio > 100) == (1, True)


def test_what_cannot_be_built_ends_the_search() -> None:
    found = match("dense", input_shape=(1, 100_000), n_outputs=1, target=999_000_000, by="parameters")
    assert 0.99 < found.ratio <= 1.001


def test_fixed_kernels_have_no_width() -> None:
    found = match("minirocket", input_shape=(1, 100), n_outputs=1, target=100, by="parameters")
    assert (found.width, found.ratio > 100) == (None, True)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(NetworkError, match="lstm: it reads signals along time"):
        match("lstm", input_shape=(1, 8, 8), n_outputs=1, target=100, by="parameters")
