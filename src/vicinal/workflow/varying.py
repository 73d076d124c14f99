"""The same experiment with some of its keys varied, each trained once on one split: what the demo shows.

`comparing.py` is the instrument: matched networks, seeds, shares of the subjects.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.evidence.intervals import auroc_interval
from vicinal.evidence.ladder.row import Row
from vicinal.evidence.robustness import auroc_under_shifts
from vicinal.evidence.summary import summarise
from vicinal.experiment import Experiment, load_experiment
from vicinal.representations.inspection import inspect
from vicinal.scores.model import Model
from vicinal.scores.score import score_pack
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.workflow.contenders import parse_vary
from vicinal.workflow.gathering import Gathered, gather
from vicinal.workflow.learning import learn_split

__all__ = ["Varied", "vary"]


@dataclass(frozen=True)
class Varied:
    """One variant: the keys it set, its row of the table, and the validation metric that selected its epoch."""

    settings: dict[str, Any]
    row: Row
    validation: float

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        value, low, high = self.row.auroc
        return {
            "settings": self.settings,
            "parameters": self.row.parameters,
            "multiply_adds": self.row.multiply_adds,
            "train_seconds": self.row.train_seconds,
            "n_train_subjects": self.row.n_train_subjects,
            "auroc": {"value": value, "low": low, "high": high},
            "auroc_under_shifts": {str(shift): auroc for shift, auroc in self.row.shifted.items()},
            "validation": self.validation,
        }


def vary(
    path: Path,
    keys: Sequence[str],
    *,
    data: Path | None = None,
    overrides: Sequence[str] = (),
    show: Show = QUIET,
) -> list[Varied]:
    """Train and judge every combination of the varied keys.

    Args:    keys: "key=value,value" in TOML, such as `representations.network="conv 8 ...","dense 4 ..."`.
    Returns: one entry per combination, in the order given, the last key varying fastest.
    Raises:  ExperimentError: when a key is not varied rightly.  Else as `run`.
    """
    variants = [dict(choice) for choice in itertools.product(*(parse_vary(text) for text in keys))]
    results = []
    for k, settings in enumerate(variants):
        experiment, _ = load_experiment(path, overrides, settings=settings)
        named = ", ".join(f"{key.rpartition('.')[2]} = {value}" for key, value in settings.items())
        show.say(f"{k + 1} of {len(variants)}: {named}")
        gathered = gather(experiment, data=data, show=show, with_copies=False)
        results.append(_varied(experiment, settings, gathered, show))
    return results


def _varied(experiment: Experiment, settings: dict[str, Any], gathered: Gathered, show: Show) -> Varied:
    pack, split = gathered.pack, gathered.split
    learned = learn_split(experiment, pack, split, show=show)
    table = score_pack(learned.model, pack, split.indices("test"), role="test", split_hash=split.hash)
    row = _row(experiment, gathered, learned.model, table, learned.fitted.training_s)
    best = next(one for one in learned.fitted.history if one["epoch"] == learned.fitted.best_epoch)
    return Varied(settings, row, float(best["validation"][learned.select]))


def _row(experiment: Experiment, gathered: Gathered, model: Model, table: ScoreTable, seconds: float) -> Row:
    inputs, rate_hz = experiment.inputs, experiment.inputs.contract.position_rate_hz
    cost = inspect(
        model.network, input_shape=model.input_shape, rate_hz=rate_hz, n_outputs=len(table.classes)
    )
    train = gathered.split.indices("train")
    return Row(
        name=experiment.representations.network,
        network=model.network,
        parameters=cost.parameters,
        multiply_adds=cost.multiply_adds,
        train_seconds=seconds,
        auroc=_auroc(table, experiment),
        shifted=_under_shifts(experiment, gathered, model),
        n_train_subjects=len(np.unique(gathered.pack.groups[train])),
        regime="aligned" if inputs.options.get("aligned") else "any phase",
        scores=table,
    )


def _auroc(table: ScoreTable, experiment: Experiment) -> tuple[float, float, float]:
    """Return AUROC and its interval by subject; of several classes, the mean."""
    resamples, seed = experiment.evidence.resamples, experiment.seed
    if len(table.classes) == 1:
        found = auroc_interval(table, resamples=resamples, seed=seed)
        return found.value, found.low, found.high
    entry = summarise(table, resamples=resamples, seed=seed)["metrics"]["auroc"]
    return entry["value"], entry["low"], entry["high"]


def _under_shifts(experiment: Experiment, gathered: Gathered, model: Model) -> dict[int, float]:
    if not experiment.evidence.shifts_samples or len(gathered.pack.classes) > 1:
        return {}
    indices = gathered.split.indices("test")
    x, lengths = gathered.pack.rows(indices)
    scorer = model.scorer()
    return auroc_under_shifts(
        lambda samples: scorer.logits(samples, lengths)[:, 0],
        x,
        gathered.pack.truth[indices, 0],
        shifts=experiment.evidence.shifts_samples,
    )
