import subprocess
import sys
from pathlib import Path

import pytest

from vicinal.errors import ExperimentError, FormatError, PathError, TrainingError
from vicinal.terminal import QUIET
from vicinal.workflow.run_folder import (
    Begun,
    begin,
    checkpoints_of,
    free_folder,
    hidden_folder,
    is_interrupted,
    keep_to,
    run_folder,
)

BEGUN = Begun("/somewhere/hearts.toml", ("seed=1",), None, "vicinal run hearts.toml")


def interrupt(folder: Path, error: type[BaseException] = KeyboardInterrupt) -> None:
    with pytest.raises(error), run_folder(folder, resumed=False) as part:  # noqa: PT012 - the block is what fails
        begin(part, BEGUN, "title = 1\n")
        checkpoints_of(part).mkdir()
        (checkpoints_of(part) / "step").write_text("")
        raise error("stop")


def test_it_gets_its_name_when_everything_is_in_it(tmp_path: Path) -> None:
    with run_folder(tmp_path / "a" / "run", resumed=False) as part:
        begin(part, BEGUN, "text\n")
        keep_to(part, {"x": 1}, accept=False, show=QUIET)
        checkpoints_of(part).mkdir()
        assert not (tmp_path / "a" / "run").exists()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["run"]
    assert [path.name for path in (tmp_path / "a" / "run").iterdir()] == ["experiment.toml"]


def test_an_error_before_any_checkpoint_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), run_folder(tmp_path / "run", resumed=False) as part:  # noqa: PT012 - the same
        begin(part, BEGUN, "")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_failed_leaves_nothing(tmp_path: Path) -> None:
    interrupt(tmp_path / "run", TrainingError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, PathError])
def test_an_interrupted_run_is_kept_and_known_again(tmp_path: Path, error: type[BaseException]) -> None:
    interrupt(tmp_path / "run", error)
    assert is_interrupted(tmp_path / "run")
    assert Begun.of(tmp_path / "run") == BEGUN
    with run_folder(tmp_path / "run", resumed=True) as part:
        assert (part / "experiment.toml").read_text() == "title = 1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert not is_interrupted(tmp_path / "run")


def test_an_interrupted_run_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path / "runs" / "run")
    message = r"was interrupted. Go on with `vicinal run --resume .*run`"
    with pytest.raises(PathError, match=message):
        free_folder(tmp_path / "runs" / "run", "x")
    with pytest.raises(PathError, match=message), run_folder(tmp_path / "runs" / "run", resumed=False):
        pass
    monkeypatch.chdir(tmp_path)
    assert free_folder(None, "run") == Path("runs/run-2")
    assert is_interrupted(tmp_path / "runs" / "run")


def test_what_a_killed_run_left_without_a_checkpoint_is_cleared(tmp_path: Path) -> None:
    left = hidden_folder(tmp_path / "run")
    (left / "scores").mkdir(parents=True)
    (left / "history.jsonl").write_text("old")
    with run_folder(tmp_path / "run", resumed=False) as part:
        assert list(part.iterdir()) == []


HOLDER = """
import sys
from pathlib import Path
from vicinal.workflow.run_folder import run_folder
with run_folder(Path(sys.argv[1]), resumed=False):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_of_two_processes_the_second_refuses(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline() == "held\n"
        for resumed in (False, True):
            with (
                pytest.raises(PathError, match="another process is at the run"),
                run_folder(tmp_path / "run", resumed=resumed),
            ):
                pass
        holder.communicate("")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_finished_run_and_none_at_all_cannot_be_resumed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(PathError, match="is finished: there is nothing to resume"):
        Begun.of(tmp_path / "run")
    with pytest.raises(PathError, match="was never begun"):
        Begun.of(tmp_path / "other")


@pytest.mark.parametrize("text", ["{}", "[]", "null", "{", '{"experiment": "a", "overrides": 1}'])
def test_notes_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    interrupt(tmp_path / "run")
    (hidden_folder(tmp_path / "run") / "begun.json").write_text(text)
    with pytest.raises(FormatError):
        Begun.of(tmp_path / "run")


def test_a_change_is_refused_or_told(tmp_path: Path) -> None:
    keep_to(tmp_path, {"threads": 2, "torch": "a"}, accept=False, show=QUIET)
    keep_to(tmp_path, {"threads": 2, "torch": "a"}, accept=False, show=QUIET)
    with pytest.raises(ExperimentError, match=r"begun with threads 2, now 1\. .*--accept-changes"):
        keep_to(tmp_path, {"threads": 1, "torch": "a"}, accept=False, show=QUIET)
    keep_to(tmp_path, {"threads": 1, "torch": "b"}, accept=True, show=QUIET)
