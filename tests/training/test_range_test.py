"""The range test finds the learning rate that a network needs, and says so when no rate does anything."""

import numpy as np
import pytest
import torch
from tests.training.test_loop import Rows, Small

from vicinal.errors import TrainingError
from vicinal.representations.engine import Engine
from vicinal.training.config import TrainingConfig
from vicinal.training.range_test import HIGHEST, LOWEST, range_test, suggestion


def climb(rows=None, network=None, **config):
    return range_test(
        network or Small(), rows or Rows(), config=TrainingConfig(**{"batch": 16, "steps": 1, **config}),
        task="binary", engine=Engine(), seed=3,
    )  # fmt: skip


def test_the_suggested_rate_trains_better_than_a_hundredth_and_a_hundred_times_of_it():
    found = climb()
    assert found.suggested is not None
    final = {}
    for factor in (0.01, 1, 100):
        torch.manual_seed(0)
        network, rows = Small(), Rows()
        optimiser = torch.optim.AdamW(network.parameters(), lr=found.suggested * factor)
        for epoch in range(5):
            for batch in rows.epoch(epoch):
                logits = network(torch.from_numpy(batch.x), None)
                loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(batch.y))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        network.eval()
        logits = network(torch.from_numpy(rows.x), None).detach()
        final[factor] = float(
            torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(rows.y))
        )
    assert final[1] < 0.5 * final[0.01]
    assert final[1] < final[100]


def test_rates_climb_evenly_in_their_logarithm():
    found = climb()
    steps = np.diff(np.log10(found.rates))
    assert found.rates[0] == LOWEST
    assert found.rates[-1] <= HIGHEST
    assert np.allclose(steps, steps[0])
    assert len(found.rates) == len(found.losses) == len(found.smooth)


def test_the_same_seed_gives_the_same_climb():
    assert climb() == climb()
    assert climb(mixup=0.2) == climb(mixup=0.2)
    assert climb(mixup=0.2) != climb()


def test_the_caller_s_random_state_stays():
    network = Small()
    torch.manual_seed(7)
    before = torch.get_rng_state()
    climb(network=network)
    assert torch.equal(torch.get_rng_state(), before)


def planted(steepest: float, lowest: float) -> tuple[list[float], list[float]]:
    """A loss that falls along a sigmoid around one rate and rises from another."""
    rates = np.geomspace(1e-6, 1, 150)
    fall = 1 / (1 + np.exp(4 * (np.log10(rates) - np.log10(steepest))))
    rise = np.clip(np.log10(rates) - np.log10(lowest), 0, None)
    return rates.tolist(), (0.3 + fall + rise).tolist()


@pytest.mark.parametrize("steepest", [1e-4, 1e-3, 2e-2])
def test_the_fastest_fall_is_found_in_noise(steepest):
    rates, losses = planted(steepest, 30 * steepest)
    noisy = (np.asarray(losses) + 0.03 * np.random.default_rng(0).standard_normal(150)).tolist()
    for some in (losses, noisy):
        found, reason = suggestion(rates, some, n_steps=150)
        assert found == pytest.approx(steepest, rel=0.7)
        assert "higher rates raised it again" in reason
    found, reason = suggestion(rates[:120], planted(1e-2, 10)[1][:120], n_steps=150)
    assert found is not None
    assert "still falling at the top" in reason


def test_where_the_loss_falls_nowhere_nothing_is_suggested():
    rates = np.geomspace(1e-6, 1, 150).tolist()
    flat = (0.69 + 0.01 * np.random.default_rng(0).standard_normal(150)).tolist()
    found, reason = suggestion(rates, flat, n_steps=150)
    assert found is None
    assert "the loss fell at no rate from 1e-06 to 1e+00" in reason
    assert suggestion(rates, np.linspace(0.7, 2, 150).tolist(), n_steps=150)[0] is None


class Falling(Rows):
    """Rows that stop being numbers."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def epoch(self, k, *, first=0):
        for n, batch in enumerate(super().epoch(k, first=first)):
            if 4 * k + n >= self.after:
                batch.x[:] = np.nan
            yield batch


def test_it_ends_where_the_loss_is_no_number():
    assert len(climb(Falling(60)).rates) == 60


def test_a_first_loss_that_is_no_number_is_an_error():
    with pytest.raises(TrainingError, match="range test: the first loss or gradient is not finite"):
        climb(Falling(0))


def test_without_a_batch_there_is_no_test():
    rows = Rows()
    rows.n_steps = 0
    with pytest.raises(TrainingError, match="range test: expected at least one full batch"):
        climb(rows)


def test_it_stops_once_the_loss_has_doubled():
    class Wild(Small):
        """At high rates it flies apart."""

        def forward(self, x, lengths):
            return 50 * super().forward(x, lengths)

    found = climb(network=Wild())
    assert len(found.rates) < 150
    assert found.smooth[-1] > 2 * min(found.smooth)
    assert found.to_dict()["rates"][0] == LOWEST
