"""`vicinal watch`: follows a run that another process makes, from the history it writes.

Reads only. Must not load networks: whoever watches should not take memory or time from the one who trains.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vicinal.errors import PathError, did_you_mean
from vicinal.terminal import QUIET, Show
from vicinal.workflow.course import Course
from vicinal.workflow.course_view import CourseView
from vicinal.workflow.history import Tail
from vicinal.workflow.run_folder import hidden_folder, is_held, is_interrupted

__all__ = ["Watched", "watch"]

State = Literal["running", "finished", "interrupted", "gone"]

_EVERY_S = 0.5
_HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Watched:
    """A run as it was when it was last looked at.

    Args:    run: the folder.  state: "interrupted" when no process is at it; "gone" when it failed meanwhile and left
             nothing.  view: of its training, of a cross-validation that of the last fold.
    """

    run: Path
    state: State
    view: CourseView

    def words(self) -> str:
        """Return the state, and what to do about it."""
        if self.state == "finished":
            report = self.run / "report.html"
            return f"the run {self.run} is finished" + (f": {report}" if report.is_file() else "")
        if self.state == "running":
            return f"the run {self.run} goes on"
        if self.state == "gone":
            return f"the run {self.run} failed meanwhile, and left nothing"
        if is_interrupted(self.run):
            return f"the run {self.run} was interrupted; go on with: vicinal run --resume {self.run}"
        return f"the run {self.run} was interrupted before its first checkpoint; begin it again"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {"run": str(self.run), "state": self.state, **self.view.course.to_dict()}


def watch(
    run: Path, *, follow: bool = True, show: Show = QUIET, wait: Callable[[float], None] = time.sleep
) -> Watched:
    """Follow a run until it is finished or interrupted, or Ctrl-C ends the watching; the run never notices.

    Args:    run: the folder, as the run's --output named it.  follow: False to look once.
             wait: called with seconds between two looks.
    Raises:  PathError: when there is no such run.  FormatError: when its history is damaged.
    """
    state = _state(run)
    if state == "gone":
        raise PathError(_missing(run))
    view = _Follower(run)
    with show.live(view) as changed:
        try:
            while True:
                # In this order: what was written before a run ended is read after.
                state = _state(run)
                view.read()
                changed()
                if state != "running" or not follow:
                    break
                wait(_EVERY_S)
        except KeyboardInterrupt:
            pass
    return Watched(run, state, view)


class _Follower(CourseView):
    """The view of a run's newest history, read as it grows."""

    def __init__(self, run: Path) -> None:
        super().__init__(Course())
        self._run = run
        self._tail: Tail | None = None

    def read(self) -> None:
        """Take what is new; a history that is begun anew, or the next fold, begins the course anew."""
        path = _newest(self._run)
        if path is None:
            return
        if self._tail is None or path.name != self._tail.path.name or _fold(path) != _fold(self._tail.path):
            self._tail, self.course = Tail(path), Course()
            fold = _fold(path)
            self.title = "training" if fold is None else f"fold {fold}"
        self._tail.path = path  # a finished run has another name
        is_anew, records = self._tail.read()
        if is_anew:
            self.course = Course()
        for record in records:
            self.course.add(record)


def _state(run: Path) -> State:
    part = hidden_folder(run)
    if is_held(part):
        return "running"
    if part.is_dir():
        return "interrupted"
    return "finished" if _newest(run) is not None else "gone"


def _newest(run: Path) -> Path | None:
    """Return the history of a run, of a cross-validation that of its last fold; None where there is none yet."""
    for folder in (hidden_folder(run), run):
        folds = sorted(folder.glob(f"folds/*/{_HISTORY}"), key=lambda path: int(_fold(path) or 0))
        found = [*folds[-1:], folder / _HISTORY]
        if found[0].is_file():
            return found[0]
    return None


def _fold(path: Path) -> str | None:
    name = path.parent.name
    return name if path.parent.parent.name == "folds" and name.isdigit() else None


def _missing(run: Path) -> str:
    found = run.parent.iterdir() if run.parent.is_dir() else ()
    names = {path.name.removeprefix(".").removesuffix(".part") for path in found if path.is_dir()}
    known = sorted(name for name in names if _state(run.with_name(name)) != "gone")
    return (
        f"{run} is no run: expected a folder that `vicinal run` or `vicinal train` makes, once its training has begun"
        f"{did_you_mean(run.name, known)}"
    )
