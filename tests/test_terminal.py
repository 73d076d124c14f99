import io
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.text import Text

from vicinal import terminal as module
from vicinal.terminal import QUIET, Terminal, spoken


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
    with QUIET.live(Counter()) as changed:
        changed()
    assert capsys.readouterr() == ("", "")


class Counter:
    """Something that changes."""

    n = 0

    def drawn(self) -> Text:
        return Text(f"drawn {self.n}")

    def line(self) -> str:
        return f"line {self.n}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_view_elsewhere_is_a_line_now_and_then_and_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    view = Counter()
    with Terminal().live(view) as changed:
        for view.n in range(1, 41):
            clock[0] += 1.0
            changed()
    assert capsys.readouterr() == ("", "line 15\nline 30\nline 40\n")


def test_a_view_on_a_terminal_is_drawn_at_most_once_a_second(clock: list[float]) -> None:
    terminal, view = Terminal(), Counter()
    terminal._errors = Console(file=io.StringIO(), force_terminal=True, width=40, highlight=False)
    with terminal.live(view) as changed:
        for view.n in range(1, 11):
            clock[0] += 0.25
            changed()
    text = terminal._errors.file.getvalue()  # type: ignore[attr-defined]
    drawn = [part.split()[0] for part in text.split("drawn ")[1:]]
    assert [one.partition("\x1b")[0] for one in drawn][:3] == ["0", "4", "8"]
    assert text.rstrip().endswith("line 10")


def test_a_picture_is_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().picture(Counter())
    assert capsys.readouterr() == ("drawn 0\n", "")


def test_seconds_are_said_in_words() -> None:
    assert [spoken(seconds) for seconds in (40.4, 700, 12_600)] == ["40 s", "12 min", "3.5 h"]
