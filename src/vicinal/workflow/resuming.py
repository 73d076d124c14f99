"""`vicinal run --resume`: an interrupted run goes on to its report, bit for bit as if it had never stopped."""

from pathlib import Path

from vicinal.errors import ExperimentError, PathError
from vicinal.experiment import load_experiment, parse_experiment
from vicinal.terminal import QUIET, Show
from vicinal.workflow.run_folder import EXPERIMENT, Begun, hidden_folder
from vicinal.workflow.running import Run, go

__all__ = ["resume"]


def resume(
    folder: Path, *, data: Path | None = None, accept_changes: bool = False, show: Show = QUIET
) -> Run:
    """Go on with the run that `vicinal run` was to leave in `folder`.

    Args:    folder: as the run's --output named it.  data: where the data set lies now; by default where it lay.
             accept_changes: go on although the experiment, the data, PyTorch or the number of threads changed.
    Raises:  PathError: when no interrupted run lies there.  ExperimentError: when something changed.
             VicinalError: as `run` does.
    """
    begun = Begun.of(folder)
    kept = hidden_folder(folder) / EXPERIMENT
    path = Path(begun.experiment)
    text = kept.read_text(encoding="utf-8")
    experiment = parse_experiment(text, where=str(kept), base=path.parent, overrides=begun.overrides)
    _tell_if_changed(path, text, begun, accept=accept_changes, show=show)
    place = data if data is not None else None if begun.data is None else Path(begun.data)
    return go(
        folder, experiment, text, begun, data=place, resumed=True, accept_changes=accept_changes, show=show
    )


def _tell_if_changed(path: Path, text: str, begun: Begun, *, accept: bool, show: Show) -> None:
    try:
        now = load_experiment(path, begun.overrides)[1]
    except PathError:
        return  # The run has its own copy.
    except ExperimentError:
        now = ""
    if now == text:
        return
    said = f"{path.name} is not what it was when the run was begun; the run keeps to what it was begun with"
    if not accept:
        raise ExperimentError(f"{said}. To go on so: --accept-changes.")
    show.say(f"note: {said}.")
