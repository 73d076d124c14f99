import io
import re
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


NAMES = ["network", "parameters", "train s", "AUROC (95 %)", "subjects for 0.94", "gap", "in a tenth"]
LINES = [
    ["conv-flat", "5,729", "3.1", "0.944 (0.922 to 0.960)", "389 (341 to over 400)", "+0.055", "41 %"],
    ["minirocket", "29,989", "2.6", "0.973 (0.953 to 0.984)", "136 (66 to 261)", "+0.027", "31 %"],
]


def printed(width: int, columns: list[str], rows: list[list[str]], *, n_text: int = 1) -> list[str]:
    """Return the lines of a table as a terminal of that width gets them."""
    terminal = Terminal()
    terminal._results = Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=width, highlight=False
    )
    terminal.table(columns, rows, n_text=n_text)
    return [line.rstrip() for line in terminal._results.file.getvalue().splitlines()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_table_too_wide_for_the_terminal_becomes_several_with_every_cell_whole(width: int) -> None:
    lines = printed(width, NAMES, LINES)
    assert max(map(len, lines)) <= width
    tables = "\n".join(lines).split("\n\n")
    assert all(one.splitlines()[-1].startswith("minirocket") for one in tables)
    found = {cell for line in lines for cell in re.split(r"\s{2,}", line.strip())}
    assert {cell for row in LINES for cell in row} <= found
    assert {word for name in NAMES for word in name.split()} <= {
        word for one in found for word in one.split()
    }
    assert [len(tables), len(lines)] == {
        40: [4, 15], 60: [2, 7], 80: [2, 7], 120: [1, 3], 200: [1, 3]
    }[width]  # fmt: skip


def test_a_table_that_fits_is_as_wide_as_it_needs_to_be() -> None:
    assert printed(80, ["network", "AUROC"], [["dense", "0.97"], ["conv-flat", "0.9"]]) == [
        "network    AUROC",
        "dense       0.97",
        "conv-flat    0.9",
    ]


def test_a_long_name_is_wrapped_between_words_to_a_third_of_the_terminal() -> None:
    text = "conv 8 window 20 | relu | conv 8 window 5 | relu | mean | dense classes"
    lines = printed(60, ["network", "parameters", "multiply-adds", "gap"], [[text, "1,000", "2,000", "+0.1"]])
    assert max(map(len, lines)) <= 60
    assert lines[1] == "conv 8 window 20 | relu |         1,000          2,000  +0.1"
    assert lines[2:] == ["conv 8 window 5 | relu |", "mean | dense classes"]


def test_a_word_that_no_column_can_hold_is_folded_not_cut() -> None:
    name = "x" * 50
    lines = printed(30, ["file", "score"], [[name, "0.5"]])
    assert max(map(len, lines)) <= 30
    assert sum(line.count("x") for line in lines) == 50
    wide = printed(20, ["file", "score"], [["a", "9" * 40]])
    assert max(map(len, wide)) <= 20
    assert sum(line.count("9") for line in wide) == 40


def test_a_short_row_and_wide_characters_keep_their_columns() -> None:
    assert printed(30, ["unit", "tells"], [["心電図", "4"], ["silent"]], n_text=2) == [
        "unit    tells",
        "心電図  4",
        "silent",
    ]


def test_a_table_in_a_pipe_is_one_however_wide(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table(NAMES * 4, [row * 4 for row in LINES], title="wide " * 60)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert [cell for cell in re.split(r"\s{2,}", lines[2].strip()) if cell] == LINES[0] * 4


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_paragraph_is_as_wide_as_the_terminal_and_breaks_between_words(width: int) -> None:
    terminal, text = Terminal(), "a sentence of several words " * 20
    terminal._results = Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False)
    terminal.paragraph(text)
    lines = terminal._results.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert width - len("sentence ") <= len(lines[0]) <= width
    assert " ".join(lines).split() == text.split()


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
