"""Watching a run that is under way, killed or finished; what is followed never notices."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.workflow.courses import WHOLE
from typer.testing import CliRunner

from vicinal.cli.app import app
from vicinal.errors import FormatError, PathError
from vicinal.files import to_json
from vicinal.workflow.run_folder import Begun, begin, checkpoints_of, hidden_folder, is_held, run_folder
from vicinal.workflow.running import Run
from vicinal.workflow.watching import watch

BEGUN = Begun("/somewhere/hearts.toml", (), None, "vicinal run hearts.toml")


def text_of(records: Sequence[dict[str, Any]]) -> str:
    return "".join(to_json(record, indent=None) + "\n" for record in records)


def never(_: float) -> None:
    pytest.fail("there was nothing to wait for")


def test_a_finished_run(finished: Run) -> None:
    watched = watch(finished.folder, wait=never)
    assert watched.state == "finished"
    assert watched.words() == f"the run {finished.folder} is finished: {finished.folder / 'report.html'}"
    course = watched.view.course
    assert course.end is not None
    records = [json.loads(line) for line in (finished.folder / "history.jsonl").read_text().splitlines()]
    assert course.step == course.end["step"] == sum(record["kind"] == "step" for record in records)
    assert len(course.epochs) == 3


def test_a_run_under_way_is_followed_to_its_end(tmp_path: Path) -> None:
    run, steps_seen = tmp_path / "run", []
    text = text_of(WHOLE)
    cuts = [0, 30, len(text) // 2, len(text) - 5, len(text)]  # in the middle of lines

    def goes_on(part: Path) -> Callable[[float], None]:
        def wait(seconds: float) -> None:
            assert seconds > 0
            k = len(steps_seen)
            steps_seen.append(k)
            if k < len(cuts):
                (part / "history.jsonl").write_text(text[: cuts[k]])
            else:
                held.__exit__(None, None, None)

        return wait

    held = run_folder(run, resumed=False)
    part = held.__enter__()
    watched = watch(run, wait=goes_on(part))
    assert watched.state == "finished"
    assert len(steps_seen) == len(cuts) + 1
    assert watched.view.course.to_dict()["step"] == 8
    assert watched.view.course.end is not None
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_without_following_it_is_looked_at_once(tmp_path: Path) -> None:
    with run_folder(tmp_path / "run", resumed=False) as part:
        (part / "history.jsonl").write_text(text_of(WHOLE[:3]))
        watched = watch(tmp_path / "run", follow=False, wait=never)
        assert watched.state == "running"
        assert watched.to_dict()["step"] == 3
        assert watched.words().endswith("goes on")


def test_an_interrupted_run_says_how_it_goes_on(tmp_path: Path) -> None:
    part = hidden_folder(tmp_path / "run")
    part.mkdir()
    (part / "history.jsonl").write_text(text_of(WHOLE[:6]) + '{"kind": "st')
    watched = watch(tmp_path / "run", wait=never)
    assert watched.state == "interrupted"
    assert watched.view.course.step == 5
    assert "before its first checkpoint" in watched.words()
    begin(part, BEGUN, "")
    checkpoints_of(part).mkdir()
    (checkpoints_of(part) / "step").write_text("")
    assert watch(tmp_path / "run", wait=never).words().endswith(f"vicinal run --resume {tmp_path / 'run'}")


def test_a_run_that_goes_on_from_a_checkpoint_is_seen_from_there(tmp_path: Path) -> None:
    """Resuming writes a new file with fewer records."""
    waits = 0

    def wait(_: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 1:
            fresh = tmp_path / "fresh"
            fresh.write_text(text_of(WHOLE[:2]))
            fresh.replace(part / "history.jsonl")
        else:
            held.__exit__(None, None, None)

    held = run_folder(tmp_path / "run", resumed=False)
    part = held.__enter__()
    (part / "history.jsonl").write_text(text_of(WHOLE[:8]))
    watched = watch(tmp_path / "run", wait=wait)
    assert watched.view.course.step == 2
    assert watched.view.course.epochs == []


def test_of_a_cross_validation_the_last_fold_is_followed(tmp_path: Path) -> None:
    with run_folder(tmp_path / "run", resumed=False) as part:
        for fold in (2, 10):
            (part / "folds" / str(fold)).mkdir(parents=True)
            (part / "folds" / str(fold) / "history.jsonl").write_text(text_of(WHOLE[: fold - 1]))
        view = watch(tmp_path / "run", follow=False).view
    assert (view.title, view.course.step) == ("fold 10", 8)
    assert watch(tmp_path / "run", wait=never).view.line().startswith("fold 10: step 8 of 8")


def test_a_run_that_fails_meanwhile_is_said(tmp_path: Path) -> None:
    def wait(_: float) -> None:
        held.__exit__(KeyError, KeyError(), None)

    held = run_folder(tmp_path / "run", resumed=False)
    held.__enter__()
    assert watch(tmp_path / "run", wait=wait).words().endswith("failed meanwhile, and left nothing")


def test_no_such_run_names_the_nearest(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"heart is no run: expected a folder .* did you mean 'hearts'\?"):
        watch(finished.folder.with_name("heart"))
    with pytest.raises(PathError, match=r"nowhere is no run: expected a folder .* training has begun\."):
        watch(tmp_path / "no" / "nowhere")


def test_a_damaged_history_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "history.jsonl").write_text("what?\n")
    with pytest.raises(FormatError, match="expected a record a line, got b'what"):
        watch(tmp_path / "run")
    (tmp_path / "run" / "history.jsonl").write_text("[1]\n")
    with pytest.raises(FormatError, match="expected records with a kind"):
        watch(tmp_path / "run")


def test_ctrl_c_ends_the_watching_and_not_the_run(tmp_path: Path) -> None:
    def wait(_: float) -> None:
        raise KeyboardInterrupt

    with run_folder(tmp_path / "run", resumed=False) as part:
        (part / "history.jsonl").write_text(text_of(WHOLE[:3]))
        assert watch(tmp_path / "run", wait=wait).state == "running"
        assert is_held(part)


def test_the_command_says_where_a_run_is(finished: Run) -> None:
    told = CliRunner().invoke(app, ["watch", str(finished.folder), "--json"])
    found = json.loads(told.stdout)
    assert (found["state"], found["epoch"], found["is_over"]) == ("finished", 3, True)
    assert found["validation"]["auroc"] > 0.5
    drawn = CliRunner().invoke(app, ["watch", str(finished.folder)])
    assert drawn.exit_code == 0
    assert "validation auroc" in drawn.stdout
    assert "is finished" in drawn.stdout


@pytest.mark.slow
def test_in_another_terminal_ctrl_c_leaves_no_traceback(tmp_path: Path) -> None:
    """A real process, which is interrupted once it has seen the run."""
    with run_folder(tmp_path / "run", resumed=False) as part:
        (part / "history.jsonl").write_text(text_of(WHOLE[:3]))
        program = (
            "import signal, sys; from vicinal.workflow import watching\n"
            # What a shell starts in the background, this test perhaps, does not hear of Ctrl-C.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "read = watching._Follower.read\n"
            "def told(self):\n    read(self); print('seen', file=sys.stderr, flush=True)\n"
            "watching._Follower.read = told\n"
            "sys.argv = ['vicinal', 'watch', sys.argv[1]]\n"
            "from vicinal.cli.app import main; main()"
        )
        command = [sys.executable, "-c", program, str(tmp_path / "run")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            assert watching.stderr is not None
            assert watching.stderr.readline() == "seen\n"
            watching.send_signal(signal.SIGINT)
            out, err = watching.communicate()
    assert watching.returncode == 0
    assert "Traceback" not in err
    assert "step 3 of 8" in out
    assert "goes on" in out


def test_watching_changes_nothing_in_the_folder(finished: Run, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished.folder, tmp_path / "copy"))
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(copy.rglob("*"))}
    copy.chmod(0o500)
    try:
        watch(copy, wait=never)
    finally:
        copy.chmod(0o700)
    assert {
        path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(copy.rglob("*"))
    } == before
    assert list(tmp_path.iterdir()) == [copy]
