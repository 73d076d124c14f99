import pytest

from vicinal.terminal import Terminal
from vicinal.training.range_test import RangeTest
from vicinal.workflow.telling_training import tell_range


def test_bars_fall_with_the_loss_and_the_suggested_rate_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    smooth = (1.0, 0.9, 0.5, 0.75)
    tell_range(
        RangeTest((1e-4, 1e-3, 1e-2, 1e-1), smooth, smooth, 1e-3, "there it falls fastest"), Terminal()
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.count("█") for line in lines[:4]] == [41, 33, 1, 21]
    assert lines[1].endswith("<- suggested")
    assert "Try learning_rate = 1.0e-03: there it falls fastest." in lines[-1]


def test_long_climbs_are_told_in_at_most_25_lines(capsys: pytest.CaptureFixture[str]) -> None:
    rates = tuple(10 ** (-6 + k / 25) for k in range(150))
    flat = (0.7,) * 150
    tell_range(RangeTest(rates, flat, flat, None, "the loss fell nowhere"), Terminal())
    out = capsys.readouterr().out
    assert out.count("█") == 25
    assert "No rate is suggested: the loss fell nowhere" in out
