from pathlib import Path

import pytest

from vicinal.errors import FormatError
from vicinal.workflow import history as module
from vicinal.workflow.history import History, Tail


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


def test_the_records_that_stayed_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    records = [{"kind": "step", "step": step} for step in range(4)]
    with History(path, n_kept=0) as history:
        for record in records:
            history.add(record)
        assert list(history.past()) == []
    with History(path, n_kept=3) as history:
        history.add({"kind": "step", "step": 9})
        history.sync()
        assert list(history.past()) == records[:3]


def test_records_reach_the_file_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows a run is at most a second behind, without a write for each record."""
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    tail = Tail(tmp_path / "history.jsonl")
    assert tail.read() == (False, [])
    with History(tmp_path / "history.jsonl", n_kept=0) as history:
        history.add({"kind": "a"})
        assert tail.read() == (False, [])
        now = 1.0
        history.add({"kind": "b"})
        assert tail.read() == (False, [{"kind": "a"}, {"kind": "b"}])
        assert tail.read() == (False, [])


def test_a_tail_sees_when_the_file_was_begun_anew(tmp_path: Path) -> None:
    path, fresh = tmp_path / "history.jsonl", tmp_path / "fresh"
    path.write_text('{"kind": "a"}\n{"kind": "b"}\n')
    tail = Tail(path)
    assert len(tail.read()[1]) == 2
    fresh.write_text('{"kind": "c"}\n{"kind": "d"}\n{"kind": "e"}\n')
    fresh.replace(path)
    assert tail.read() == (True, [{"kind": "c"}, {"kind": "d"}, {"kind": "e"}])
    path.write_text('{"kind": "f"}\n')
    assert tail.read() == (True, [{"kind": "f"}])
