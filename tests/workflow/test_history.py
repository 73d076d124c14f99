from pathlib import Path

import pytest

from vicinal.errors import FormatError
from vicinal.workflow.history import History


def test_what_came_after_the_last_checkpoint_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with History(path, n_kept=0) as history:
        for step in range(5):
            history.add({"step": step})
        history.sync()
        assert len(path.read_text().splitlines()) == 5
    with path.open("a") as file:
        file.write('{"step": 5, "lo')
    with History(path, n_kept=3) as history:
        history.add({"step": 3})
    assert path.read_text() == "".join(f'{{"step": {step}}}\n' for step in range(4))


def test_a_new_run_begins_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("old\n")
    with History(tmp_path / "history.jsonl", n_kept=0):
        pass
    assert (tmp_path / "history.jsonl").read_text() == ""


def test_records_that_are_missing_are_said(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").write_text("{}\n")
    with pytest.raises(FormatError, match="expected 2 records or more, got 1"):
        History(tmp_path / "history.jsonl", n_kept=2)
