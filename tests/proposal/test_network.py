import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vicinal.proposal.network import propose_network


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(4, 20_000), st.sampled_from([20, 1000, 50_000]), st.integers(1, 5))
def test_any_signal_gets_a_network_that_fits(channels: int, n: int, n_train: int, n_outputs: int) -> None:
    found = propose_network((channels, n), n_train=n_train, n_outputs=n_outputs, rate_hz=100.0)
    assert found.inspection.stages[-1].shape == (n_outputs,)
    assert found.inspection.multiply_adds < 300_000_000


@pytest.mark.parametrize("size", [(4, 4), (8, 8), (28, 28), (128, 96)])
def test_any_image_gets_a_network_that_fits(size: tuple[int, int]) -> None:
    found = propose_network((1, *size), n_train=1000, n_outputs=10, rate_hz=None)
    assert found.inspection.stages[-1].shape == (10,)


def test_more_rows_carry_a_wider_network() -> None:
    sizes = [
        propose_network((1, 1000), n_train=n, n_outputs=1, rate_hz=100.0).inspection.parameters
        for n in (100, 1000, 10_000)
    ]
    assert sizes == sorted(set(sizes))


def test_a_long_signal_is_thinned_by_the_stem() -> None:
    text = propose_network((1, 9000), n_train=500, n_outputs=1, rate_hz=300.0).text
    assert text.startswith("conv 32 window 35 stride 9 same | norm | relu")
