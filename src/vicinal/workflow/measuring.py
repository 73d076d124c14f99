"""What a comparison measures of a trained network beside its scores: speed, shifts, and what its scores rest on.

Wiring: shifting is known in `evidence/robustness.py`, attribution in `scores/attribution.py`.
"""

import io
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from jaxtyping import Float64

from vicinal.decisions.policy import fit_policy
from vicinal.errors import RoleError, VicinalError
from vicinal.evidence.metrics import measure
from vicinal.evidence.robustness import shifted
from vicinal.experiment import Experiment
from vicinal.representations.attribution import occlusion
from vicinal.scores.attribution import WINDOWS_PER_SIGNAL, contributions
from vicinal.scores.model import Model
from vicinal.scoretable import ScoreTable
from vicinal.workflow.gathering import Gathered

__all__ = ["NOTHING", "Measured", "Measures", "measured", "metrics_known", "metrics_of"]

_METRICS = {"classes": ("accuracy", "auroc", "balanced_accuracy", "macro_f1", "average_precision")}
"""Of a task; the first is taken when none is named. Other tasks: those below."""
_RANKING = ("auroc", "average_precision")

_TOP = 0.1
"""Concentration is the share of all attribution that the strongest tenth of the positions holds."""


@dataclass(frozen=True)
class Measures:
    """What is measured.

    Args:    shifts: shares of a signal's length by which test rows are moved.  most_rows: of the test rows that
             are moved and timed, evenly taken.  n_explained: test signals whose attribution is measured.
             n_drawn: of them, whose maps are kept.
    """

    shifts: tuple[float, ...] = ()
    most_rows: int = 2000
    n_explained: int = 0
    n_drawn: int = 0


NOTHING = Measures()


@dataclass(frozen=True)
class Measured:
    """What was measured of one network.

    Args:    rows: numbers of the pack's rows that were moved.
             logits: (shifts, 2, rows, K), of the rows moved later and earlier.
             changed: (shifts,) share of decisions that differ from those of the rows as they are; NaN where no
             policy could be fitted.
             per_second: recordings scored a second.
             explained: numbers of the pack's rows.  concentration: (explained,).
             maps: (drawn, channels, *positions), what each sample adds, or hides where there is no gradient.
    """

    rows: np.ndarray
    logits: Float64[np.ndarray, "shifts two rows k"] = field(repr=False)
    changed: Float64[np.ndarray, " shifts"]
    per_second: float
    explained: np.ndarray
    concentration: Float64[np.ndarray, " explained"]
    maps: np.ndarray = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return everything as one NPZ file."""
        stream = io.BytesIO()
        arrays = {name: np.asarray(value) for name, value in vars(self).items()}
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]  # a stub takes the names for its own
        return stream.getvalue()

    @staticmethod
    def read(path: Path) -> "Measured":
        """Read what `to_bytes` wrote; nothing in it is executed."""
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        return Measured(**{**arrays, "per_second": float(arrays["per_second"])})


class _Asked(TypedDict):
    output: int
    exclusive: bool


def measured(
    asked: Measures,
    model: Model,
    gathered: Gathered,
    fitting: ScoreTable,
    experiment: Experiment,
) -> Measured | None:
    """Measure a trained network on test rows, or return None where nothing is asked.

    Args:    fitting: scores of the rows on which the decisions that may change are fitted.
    """
    if not asked.shifts and not asked.n_explained:
        return None
    test, pack = gathered.split.indices("test"), gathered.pack
    rows = test[np.unique(np.linspace(0, len(test) - 1, min(asked.most_rows, len(test))).round().astype(int))]
    x, lengths = pack.rows(rows)
    scorer = model.scorer()

    def logits(samples: np.ndarray) -> np.ndarray:
        return scorer.logits(samples, lengths)

    as_they_are = logits(x)
    moved = [np.stack([logits(shifted(x, n)), logits(shifted(x, -n))]) for n in _positions(asked.shifts, x)]
    changed = _changed(fitting, experiment, scorer.calibration.apply, as_they_are, moved)
    maps, concentration, explained = _explained(asked, model, gathered, rows)
    return Measured(
        rows,
        np.array(moved).reshape(len(moved), 2, len(rows), len(pack.classes)),
        changed,
        _per_second(lambda: logits(x), len(x)),
        explained,
        concentration,
        maps,
    )


def metrics_known(task: str) -> tuple[str, ...]:
    """Return the metrics that networks can be compared by, the usual one first."""
    return _METRICS.get(task, _RANKING)


def metrics_of(table: ScoreTable, names: Sequence[str]) -> dict[str, float]:
    """Return metrics of a table by name, without their intervals; NaN of one that it has not."""
    found = {one.name: float(one.value) for one in measure(table)}
    return {name: found.get(name, float("nan")) for name in names}


def _positions(shifts: tuple[float, ...], x: np.ndarray) -> list[int]:
    return [max(1, round(share * x.shape[-1])) for share in shifts]


def _changed(
    fitting: ScoreTable,
    experiment: Experiment,
    probabilities: Callable[[np.ndarray], np.ndarray],
    logits: np.ndarray,
    moved: list[np.ndarray],
) -> Float64[np.ndarray, " shifts"]:
    try:
        policy = fit_policy(fitting, aim=experiment.aim, seed=experiment.seed)
    except RoleError:
        raise  # Rows of another role are a fault of ours, not too few.
    except VicinalError:
        # Too few rows for the aim: then there are no decisions that could change.
        return np.full(len(moved), np.nan)
    first = policy.decide(probabilities(logits))
    return np.array(
        [
            np.mean([(policy.decide(probabilities(one)) != first).any(axis=1).mean() for one in both])
            for both in moved
        ]
    )


def _per_second(score: Callable[[], Any], n: int) -> float:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        score()
        seconds.append(time.perf_counter() - start)
    return n / statistics.median(seconds)


def _explained(
    asked: Measures, model: Model, gathered: Gathered, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return maps, concentrations and rows: signals of every class in turn, the same for every network."""
    pack = gathered.pack
    chosen = _in_turn(pack.truth[rows])[: asked.n_explained]
    network, task = model.build(), model.calibration.task
    maps, concentration = [], []
    for number, k in enumerate(rows[chosen]):
        samples, lengths = pack.rows(np.array([k]))
        is_image = samples.ndim == 4
        truth = np.nan_to_num(pack.truth[k])
        about: _Asked = {"output": int(truth.argmax()), "exclusive": task == "classes"}
        sizes = samples.shape[2:] if is_image else (int(lengths[0]),)
        window = tuple(max(1, round(n / WINDOWS_PER_SIGNAL)) for n in sizes)
        known = None if is_image else torch.from_numpy(lengths)
        fell = occlusion(network, torch.from_numpy(samples), window=window, lengths=known, **about)[0].numpy()
        concentration.append(_concentration(fell if is_image else fell[: int(lengths[0])]))
        if number < asked.n_drawn:
            kept = np.zeros(samples.shape[1:], np.float32)
            length = None if is_image else int(lengths[0])
            found, _ = contributions(network, samples[0], length=length, **about)
            kept[..., : found.shape[-1]] = found
            maps.append(kept)
    return np.array(maps), np.array(concentration), rows[chosen]


def _in_turn(truth: Float64[np.ndarray, "n k"]) -> np.ndarray:
    """Return row numbers, one of each kind after the other."""
    kinds = [np.flatnonzero(truth[:, k] == 1) for k in range(truth.shape[1])]
    if truth.shape[1] == 1:
        kinds.append(np.flatnonzero(truth[:, 0] == 0))
    order = [(place, k, row) for k, rows in enumerate(kinds) for place, row in enumerate(rows.tolist())]
    return np.array(list(dict.fromkeys(row for _, _, row in sorted(order))), dtype=np.int64)


def _concentration(fell: np.ndarray) -> float:
    size = np.sort(np.abs(fell).ravel())[::-1]
    total = size.sum(dtype=np.float64)
    return (
        float(size[: max(1, round(_TOP * len(size)))].sum(dtype=np.float64) / total)
        if total
        else float("nan")
    )
