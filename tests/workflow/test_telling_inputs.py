from pathlib import Path

import pytest

from vicinal.terminal import Terminal
from vicinal.workflow.showing import show
from vicinal.workflow.telling_inputs import tell_shown


def test_what_a_file_holds_is_a_sentence_and_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("II [mV]\n0\n1\n\n")
    tell_shown(show(tmp_path / "a.csv", rate_hz=2), Terminal())
    printed = capsys.readouterr().out
    assert "a: 1 channel of 2 positions (time) at 2 Hz, 1 s." in printed
    assert "II" in printed
    assert "missing" in printed
