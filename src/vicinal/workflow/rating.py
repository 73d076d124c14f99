"""The signal quality of test recordings, as a column for subgroups.

Recordings are read again, in worker processes; never imports torch, so that these start quickly. Wiring only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from vicinal.errors import ExperimentError, VicinalError
from vicinal.execution import map_tasks, n_processors
from vicinal.experiment import Experiment
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.inputs.pack import Pack
from vicinal.inputs.quality import quality
from vicinal.scoretable import ScoreTable
from vicinal.signal import Signal
from vicinal.terminal import Show
from vicinal.workflow.packing import Source

__all__ = ["QUALITY", "Job", "computable", "qualities", "rate", "with_quality"]

QUALITY = "quality"
"""The column; one of that name in the data goes first."""

_CHUNK = 64


@dataclass(frozen=True)
class Job:
    """Some recordings to rate."""

    recordings: tuple[Recording, ...]
    read: Callable[[Recording], Signal]


def computable(experiment: Experiment, pack: Pack, source: Source | None) -> set[str]:
    """Return the further columns that could be computed from the recordings.

    Raises:  ExperimentError: when the experiment asks for the quality and only a pack was given.
    """
    if QUALITY in pack.columns or experiment.inputs.contract.rate_hz is None:
        return set()
    if source is not None and source.catalogue is not None:
        return {QUALITY}
    if QUALITY in experiment.evidence.subgroups:
        raise ExperimentError(
            "evidence.subgroups: 'quality' is computed from the recordings, and only a pack of them was given. Give "
            "the data instead, or leave it out."
        )
    return set()


def with_quality(experiment: Experiment, source: Source | None, table: ScoreTable, show: Show) -> ScoreTable:
    """Return the table with the quality of each recording, where the experiment asks for it and it is not there."""
    if QUALITY not in experiment.evidence.subgroups or QUALITY in table.columns:
        return table
    if source is None or source.catalogue is None or source.module is None:
        return table
    recording = {one.id: one for one in source.catalogue.recordings}
    found = qualities([recording[name] for name in table.ids.tolist()], source.module.read, show=show)
    return replace(table, columns={**table.columns, QUALITY: found})


def qualities(
    recordings: Sequence[Recording], read: Callable[[Recording], Signal], *, show: Show
) -> Float64[np.ndarray, " n"]:
    """Return the quality of each recording, NaN where it cannot be read."""
    jobs = [
        Job(tuple(recordings[start : start + _CHUNK]), read) for start in range(0, len(recordings), _CHUNK)
    ]
    has_files = any(one.path is not None for one in recordings)
    found: list[float] = []
    with show.progress("signal quality") as update:
        for some in map_tasks(rate, jobs, n_processes=n_processors() if has_files and len(jobs) > 1 else 1):
            found += some
            update(len(found), len(recordings))
    return np.array(found, dtype=np.float64)


def rate(job: Job) -> list[float]:
    """Read and rate the recordings of a job."""
    return [_rated(job, recording) for recording in job.recordings]


def _rated(job: Job, recording: Recording) -> float:
    try:
        found = quality(job.read(recording))
    except VicinalError:
        return float("nan")
    return float("nan") if found is None else found
