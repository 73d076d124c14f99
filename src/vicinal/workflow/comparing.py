"""`vicinal compare`: the same experiment with one or more of its keys varied, on the same split, in one table."""

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.errors import ExperimentError
from vicinal.evidence.intervals import auroc_interval
from vicinal.evidence.ladder import Row
from vicinal.evidence.robustness import auroc_under_shifts
from vicinal.experiment import Experiment, InputsConfig, load_experiment
from vicinal.files import write_json
from vicinal.inputs.pack import Pack
from vicinal.representations.inspection import inspect
from vicinal.scores.model import Model
from vicinal.scores.score import score_pack
from vicinal.scoretable import ScoreTable
from vicinal.terminal import QUIET, Show
from vicinal.workflow.gathering import Gathered, gather
from vicinal.workflow.learning import Learned, learn

__all__ = ["Compared", "compare", "parse_vary"]


@dataclass(frozen=True)
class Compared:
    """One variant: which keys it set, its row of the table, and its AUROC on validation rows, for choosing."""

    settings: dict[str, Any]
    row: Row
    validation_auroc: float


def compare(
    path: Path,
    vary: Sequence[str],
    *,
    output: Path | None = None,
    data: Path | None = None,
    overrides: Sequence[str] = (),
    show: Show = QUIET,
) -> list[Compared]:
    """Train and judge every combination of the varied keys.

    Args:    vary: "key=value,value" in TOML, such as `representations.network="conv 8 ...","dense 4 ..."`.
             output: a folder for `compare.json`; None writes nothing.
    Returns: one entry per combination, in the order given.
    Raises:  ExperimentError: when a key is not varied rightly.  Else as `run`.
    """
    variants = [dict(choice) for choice in itertools.product(*(parse_vary(text) for text in vary))]
    packs: dict[InputsConfig, Gathered] = {}
    results = []
    for k, settings in enumerate(variants):
        chosen = [*overrides, *(f"{key}={_toml(value)}" for key, value in settings.items())]
        experiment, _ = load_experiment(path, chosen)
        show.say(f"{k + 1} of {len(variants)}: {', '.join(f'{key} = {v}' for key, v in settings.items())}")
        key = _same_inputs(experiment.inputs, packs)
        if key is None:
            key = experiment.inputs
            packs[key] = gather(experiment.inputs, data=data, show=show)
        results.append(_compared(experiment, settings, packs[key], show))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_json(output / "compare.json", [_as_json(result) for result in results])
    return results
