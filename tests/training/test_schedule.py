import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vicinal.training.schedule import N_HELD, n_held, n_steps_within, rate_factor


def test_one_cycle_by_hand():
    # 101 steps: 10 held at 1/25, the peak at step 0.2 * 100 = 20, the end at step 100, half-way down step 60.
    factors = [rate_factor(step, total=101, warmup=0.2) for step in range(101)]

    assert factors[:10] == [1 / 25] * 10
    assert factors[20] == pytest.approx(1.0)
    assert factors[60] == pytest.approx((1 + 1e-4) / 2)
    assert factors[100] == pytest.approx(1e-4)
    assert factors[10:21] == sorted(factors[10:21])
    assert factors[20:] == sorted(factors[20:], reverse=True)


@given(total=st.integers(1, 10_000), warmup=st.floats(0, 0.99), share=st.floats(0, 1))
def test_the_rate_stays_between_its_ends(total, warmup, share):
    factor = rate_factor(min(int(share * total), total - 1), total=total, warmup=warmup)

    assert 0.999e-4 <= factor <= 1.0 + 1e-12
    assert math.isfinite(factor)


def test_held_steps_do_not_depend_on_a_total_of_a_hundred_or_more():
    unknown = [rate_factor(step, total=None, warmup=0.1) for step in range(N_HELD)]

    for total in (100, 101, 5_000):
        assert [rate_factor(step, total=total, warmup=0.1) for step in range(N_HELD)] == unknown
    assert n_held(99) == 9
    assert n_held(5) == 0


def test_steps_within_a_budget_by_hand():
    # 100 s left; 1 s a step, 10 s a validation after every 10 steps and one at the end: 2 s a step in 90 s.
    assert n_steps_within(100, step_s=1, validation_s=10, n_steps_per_epoch=10, n_done=10) == 55
    assert n_steps_within(-5, step_s=1, validation_s=10, n_steps_per_epoch=10, n_done=10) == 10


def test_cosine_rises_along_a_line_by_hand():
    factors = [rate_factor(step, total=1001, warmup=0.2, schedule="cosine") for step in range(1001)]

    assert factors[:10] == [1 / 25] * 10
    assert factors[100] == pytest.approx((1 / 25 + 1) / 2)
    assert factors[150] == pytest.approx(1 / 25 + 0.75 * 24 / 25)
    assert factors[200] == 1.0
    assert factors[600] == pytest.approx((1 + 1e-4) / 2)
    assert factors[1000] == pytest.approx(1e-4)


def test_without_warmup_both_schedules_fall_alike():
    for step in (10, 50, 99):
        falls = [rate_factor(step, total=100, warmup=0, schedule=one) for one in ("cosine", "one-cycle")]
        assert falls[0] == falls[1]
