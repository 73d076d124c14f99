from vicinal.proposal.budget import propose_budget, propose_learning_rate


def test_few_rows_get_small_steps_and_many_passes() -> None:
    found = propose_budget(n_train=40, multiply_adds=1_000_000)
    assert (found.batch, found.epochs, found.minutes, found.patience) == (8, 60, None, 15)
    assert "stops when 15 epochs in a row were no better" in found.why


def test_some_rows_get_some_six_hundred_steps() -> None:
    found = propose_budget(n_train=1000, multiply_adds=1_000_000)
    assert (found.batch, found.epochs) == (64, 40)
    assert found.why.startswith("at most 600 steps")


def test_long_training_is_bounded_in_minutes() -> None:
    found = propose_budget(n_train=50_000, multiply_adds=100_000_000)
    assert (found.epochs, found.minutes, found.patience) == (None, 5, 10)
    assert "give more" in found.why


def test_a_network_of_few_weights_learns_in_larger_steps() -> None:
    assert [propose_learning_rate(n) for n in (505, 9_999, 10_000, 3_000_000)] == [1e-2, 1e-2, 2e-3, 2e-3]
