"""`vicinal inspect RUN`: what the units of a trained network have learnt to detect, from rows that the run says.

Wiring only. Validation or training rows; test rows are looked at once, and not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Int64

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.experiment import experiment_of
from vicinal.inputs.formats.reading import read
from vicinal.inputs.pack import Pack
from vicinal.inputs.prepare import prepare
from vicinal.inputs.splits import Split
from vicinal.representations.inspection import Inspection
from vicinal.representations.presets import NETWORKS
from vicinal.scores.detectors import Detectors, Order, detectors
from vicinal.scores.inspection_page import Learnt, write_page
from vicinal.scores.model import Model
from vicinal.scores.responses import responses
from vicinal.terminal import QUIET, Show
from vicinal.workflow.gathering import pack_of
from vicinal.workflow.inspecting import inspect_for

__all__ = ["MOST_ROWS", "InspectedRun", "Rows", "inspect_run", "is_run", "refuse_options"]

Rows = Literal["validation", "train"]

MOST_ROWS = 4000
"""That are looked at; of more as many are drawn by lot, always the same ones."""

_N_SNIPPETS = 4


@dataclass(frozen=True)
class InspectedRun:
    """The network of a run as `inspect` sees it, and what its units are excited by."""

    inspection: Inspection
    detectors: Detectors

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: the keys of an inspection, and `learnt`."""
        return {**self.inspection.to_dict(), "learnt": self.detectors.to_dict()}


def is_run(text: str) -> bool:
    """Whether a text names the folder of a finished run, and not a network.

    Raises:  PathError: when it names a folder of another kind: a cross-validation has no network of its own.
    """
    folder = Path(text)
    try:
        is_folder = folder.is_dir()
    except OSError:  # a network text may be longer than any file name
        return False
    if not is_folder:
        return False
    if (folder / "model.vicinal").is_file():
        return True
    if text in NETWORKS:
        return False
    if (folder / "folds").is_dir():
        raise PathError(
            f"{folder} is a cross-validation, with one network for each fold. Give one of them, such as "
            f"{folder / 'folds' / '0'}."
        )
    raise PathError(f"{folder} has no model.vicinal. Give the folder of a finished run, or a network text.")


def refuse_options(is_run: bool, *, of_text: Mapping[str, object], of_run: Mapping[str, object]) -> None:
    """Refuse options that say of a run what it says itself, or of a text what only a run has.

    Args:    of_text, of_run: by name; None where not given.
    Raises:  ExperimentError: names them.
    """
    wrong = [name for name, value in (of_text if is_run else of_run).items() if value is not None]
    if wrong:
        why = "a run says its own shape and classes" if is_run else "this is no folder of a run"
        raise ExperimentError(f"inspect: {', '.join(wrong)}: {why}. Leave out {', '.join(wrong)}.")


def inspect_run(
    folder: Path,
    *,
    rows: Rows = "validation",
    n_units: int = 8,
    by: Order = "class",
    data: Path | None = None,
    html: Path | None = None,
    recording: Path | None = None,
    show: Show = QUIET,
) -> InspectedRun:
    """Say what the network of a finished run is, and what excites its units most.

    Args:    rows: the part of the run's split that snippets come from.  n_units, by: see `detectors`.
             data: where the data set lies, or a pack of it.
             html: a page to draw it on, over `recording`, or over the row with the largest logit.
    Raises:  FormatError: when the run's files do not belong together.  ExperimentError: when its data are others now.
             VicinalError: as the rooms do, with what to do.
    """
    model, split = Model.load(folder / "model.vicinal"), Split.read(folder / "split.parquet")
    if model.provenance.get("split") != split.hash:
        raise FormatError(
            f"{folder}: its model was not trained on its split.parquet. Run the experiment again."
        )
    pack = pack_of(experiment_of(folder), data=data, show=show).pack
    of_role = split.aligned(pack.ids).indices(rows)
    chosen = _some(of_role)
    with show.progress("looking for what excites each unit") as update:
        found = detectors(
            model, pack, chosen, role=rows, n_role=len(of_role), n_units=n_units, n_snippets=_N_SNIPPETS,
            by=by, progress=update,
        )  # fmt: skip
    n_outputs = len(model.calibration.classes)
    inspected = InspectedRun(inspect_for(model.network, model.contract, n_outputs=n_outputs), found)
    if html is not None:
        _draw(html, inspected, model, pack, rows, recording)
    return inspected


def _some(indices: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " m"]:
    if len(indices) <= MOST_ROWS:
        return indices
    return np.sort(np.random.default_rng(0).choice(indices, MOST_ROWS, replace=False))


def _draw(
    html: Path, inspected: InspectedRun, model: Model, pack: Pack, rows: Rows, recording: Path | None
) -> None:
    if recording is None:
        name, of = _clearest(inspected.detectors, model)
        x, lengths = pack.rows(np.flatnonzero(pack.ids == name)[:1])
        samples, length = x[0], int(lengths[0])
        about = f"{name}, the {rows} row with the largest logit of {of}"
    else:
        prepared = prepare(read(recording), model.contract)
        samples, length = prepared.samples, prepared.length
        about = "a recording, as it enters the network"
    drawn = _real(samples, length)
    given = responses(model, samples, inspected.detectors, length=None if samples.ndim > 2 else length)
    write_page(html, inspected.inspection, drawn, about=about, learnt=Learnt(inspected.detectors, given))


def _real(
    samples: Float32[np.ndarray, "channels *positions"], length: int
) -> Float32[np.ndarray, "channels *real"]:
    """Return what is signal: an image in full, a recording without its padding."""
    return samples if samples.ndim > 2 else samples[:, :length]


def _clearest(found: Detectors, model: Model) -> tuple[str, str]:
    """Return the recording that excites the most telling logit most, and the class whose logit it is."""
    logits = found.stages[-1].units
    if not logits:
        raise ExperimentError("inspect: nothing to draw: the network gives zero for every row.")
    return logits[0].snippets[0].id, model.calibration.classes[logits[0].channel]
