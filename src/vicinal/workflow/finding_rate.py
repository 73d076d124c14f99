"""`vicinal train --find-lr`: a range test of an experiment's network on its training rows."""

from collections.abc import Sequence
from pathlib import Path

from vicinal.errors import PathError
from vicinal.experiment import load_experiment
from vicinal.files import write_bytes
from vicinal.terminal import QUIET, Show
from vicinal.training.range_picture import FORMATS, range_picture
from vicinal.training.range_test import RangeTest, range_test
from vicinal.workflow.gathering import gather
from vicinal.workflow.lesson import lesson_of_split

__all__ = ["find_rate"]


def find_rate(
    path: Path,
    *,
    data: Path | None = None,
    overrides: Sequence[str] = (),
    plot: Path | None = None,
    show: Show = QUIET,
) -> RangeTest:
    """Look for the learning rate of an experiment, on training rows alone.

    Args:    path: the experiment.  data: where the data set lies, or a pack of it.  overrides: "key=value" settings.
             plot: where the climb is drawn, a name that ends in .svg or .png.
    Raises:  PathError: when `plot` is named otherwise.  VicinalError: whatever else is wrong, with what to do.
    """
    if plot is not None and plot.suffix not in FORMATS:
        raise PathError(f"--plot {plot}: expected a name that ends in {' or '.join(FORMATS)}.")
    experiment, _ = load_experiment(path, overrides)
    gathered = gather(experiment, data=data, show=show)
    lesson = lesson_of_split(experiment, gathered.pack, gathered.split)
    with show.progress("range test") as update:
        found = range_test(
            lesson.trained,
            lesson.batches,
            config=lesson.config,
            task=lesson.task,
            engine=lesson.engine,
            seed=lesson.seed,
            progress=update,
        )
    if plot is not None:
        write_bytes(plot, range_picture(found, kind=plot.suffix))
    return found
