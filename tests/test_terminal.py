import pytest

from vicinal.terminal import QUIET, Terminal


def test_messages_go_to_standard_error_and_results_to_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal()
    terminal.say("working [on it]")
    terminal.result("0.97 [0.95, 0.98]")
    out, err = capsys.readouterr()
    assert out == "0.97 [0.95, 0.98]\n"
    assert err == "working [on it]\n"


def test_progress_elsewhere_is_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().progress("packing") as update:
        update(1, 2)
        update(2, 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("packing: done in ")


def test_a_table_in_a_pipe_is_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table(
        ["network", "AUROC"], [["conv 8 window 20 | relu | conv 8 window 5 | relu | mean", "0.97"]]
    )
    out, _ = capsys.readouterr()
    assert "conv 8 window 20 | relu | conv 8 window 5 | relu | mean" in out
    assert len(out.splitlines()) == 2


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    QUIET.say("x")
    with QUIET.progress("y") as update:
        update(1, 2)
    assert capsys.readouterr() == ("", "")
