import math

from vicinal.training.failure import NotFinite


def test_it_says_what_was_not_finite_first():
    assert NotFinite(step=1, loss=math.nan, norm=math.nan, rate=0.1).what == "loss"
    assert NotFinite(step=1, loss=1.0, norm=math.inf, rate=0.1).what == "gradient"
    assert NotFinite(step=1, loss=1.0, norm=2.0, rate=0.1, stages=["0.conv"]).what == "weights"


def test_the_message_holds_step_numbers_and_advice():
    failure = NotFinite(step=7, loss=1.5, norm=2.0, rate=0.01, stages=["0.conv", "3.dense"])

    text = failure.message(n_rollbacks=3)
    assert "stopped at step 7, after going back 3 times" in text
    assert "got loss 1.5 and gradient norm 2, after which weights of 0.conv, 3.dense were not finite" in text
    assert "at learning rate 0.01. Try a third of the learning rate" in text
    assert "going back" not in failure.message(n_rollbacks=0)
