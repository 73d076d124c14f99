"""Trial: one network trained once, on a share of the training subjects with one seed, and all that is measured of it.

A trial is plain data with a key, so that another process can perform it and a finished one is never performed again.
Wiring: learning is `learning.py`'s, measuring is `measuring.py`'s.
"""

import dataclasses
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vicinal
from vicinal.errors import NetworkError, TrainingError
from vicinal.experiment import Experiment
from vicinal.files import read_json, sha256_bytes, to_json, write_bytes, write_json
from vicinal.inputs.splits import Split, with_fewer_groups
from vicinal.representations.engine import choose
from vicinal.representations.inspection import inspect
from vicinal.scores.score import score_pack
from vicinal.scoretable import Role, ScoreTable
from vicinal.terminal import QUIET
from vicinal.training.config import TrainingConfig
from vicinal.workflow.gathering import Gathered, gather
from vicinal.workflow.learning import Learned, learn_split
from vicinal.workflow.measuring import NOTHING, Measured, Measures, measured, metrics_known, metrics_of
from vicinal.workflow.splitting import threshold_part

__all__ = ["Outcome", "Trial", "gathered_for", "n_kept", "n_train_groups", "perform"]

_FORMAT = 1
_MOST_THREADS = 64
"""That kept trials are looked for."""
_FACTS, _SCORES, _ARRAYS = "trial.json", "test.parquet", "measured.npz"


@dataclass(frozen=True)
class Trial:
    """What one training takes.

    Args:    name: of the network in the comparison.  experiment: with its network, budget and learning rate; its
             seed is that of the trial.  data: where the data set lies.  share: of the training subjects.
             metric: that is asked of training, validation and test rows; all that are known of the task are kept, so
             none of them is a part of the key.  measures: what else is measured.
             kept: folder of finished trials, or None.
    """

    name: str
    experiment: Experiment
    data: Path | None
    share: float
    metric: str
    measures: Measures = NOTHING
    kept: Path | None = None

    @property
    def is_finished(self) -> bool:
        """Whether its outcome is kept already."""
        return any(facts is not None for _, facts in self._kept_facts())

    @property
    def key(self) -> str:
        """Return what the outcome depends on as one hash: rows, network, training, and the program."""
        return self._key(metrics_known(self.experiment.inputs.task)[0], torch.get_num_threads())

    def kept_outcome(self) -> "Outcome | None":
        """Return what a trial of the same key found before, or None."""
        for folder, facts in self._kept_facts():
            if facts is not None:
                return Outcome.read(folder, facts)
        return None

    def kept_threads(self) -> int | None:
        """Return with how many threads this trial was finished, where it was with as many as now by no means."""
        if self.kept is None or self.is_finished:
            return None
        usual = metrics_known(self.experiment.inputs.task)[0]
        tried = range(1, _MOST_THREADS + 1)
        return next((n for n in tried if (self.kept / self._key(usual, n) / _FACTS).is_file()), None)

    def _kept_facts(self) -> Iterator[tuple[Path, Mapping[str, Any] | None]]:
        """Yield where it may have been kept, with the facts of it; None where they lack the metric."""
        if self.kept is None:
            return
        # Trials used to be kept under the one metric that they were asked for.
        usual = metrics_known(self.experiment.inputs.task)[0]
        for metric in dict.fromkeys((usual, self.metric)):
            folder = self.kept / self._key(metric, torch.get_num_threads())
            if (folder / _FACTS).is_file():
                facts = read_json(folder / _FACTS)
                is_told = "metrics" in facts or "failed" in facts or metric == self.metric
                yield folder, facts if is_told else None

    def told(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return facts as this trial asks for them: its metric, and the name and share that it has here."""
        asked = {f"{role}_metric": of[self.metric] for role, of in facts.get("metrics", {}).items()}
        return {**facts, **asked, "name": self.name, "share": self.share}

    def _key(self, metric: str, n_threads: int) -> str:
        gathered, experiment = gathered_for(self.experiment, self.data), self.experiment
        facts = {
            "format": _FORMAT,
            "pack": gathered.pack.hash,
            "split": self.split(gathered).hash,
            "network": experiment.representations.network,
            # A processor goes without saying, as it did before there was a choice.
            "training": experiment.training.model_dump(mode="json", exclude=_unsaid(experiment.training)),
            "seed": experiment.seed,
            "aim": experiment.aim,
            # Stands for all that the task knows.
            "metric": metric,
            "measures": dataclasses.asdict(self.measures),
            "precision": choose(experiment.training.precision, experiment.training.device).precision,
            # Sums are rounded in another order, and seconds are others.
            "threads": n_threads,
            "versions": [vicinal.__version__, torch.__version__],
        }
        return sha256_bytes(to_json(facts, indent=None).encode())

    def split(self, gathered: Gathered) -> Split:
        """Return the split with the share of the training subjects; a smaller share of a seed lies within a larger."""
        n = n_train_groups(gathered)
        n_train = n_kept(self.share, n)
        if n_train == n:
            return gathered.split
        return with_fewer_groups(
            gathered.split, gathered.pack.groups, n_train=n_train, seed=self.experiment.seed
        )


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Args:    facts: JSON values: counts, seconds, history, findings; see `docs/compare.md`.
             test: scores of the test rows; None where training failed.
             measured: further measurements of the full share, or None.
             reused: whether it was found finished.
    """

    facts: Mapping[str, Any]
    test: ScoreTable | None = field(repr=False)
    measured: Measured | None = field(default=None, repr=False)
    reused: bool = False

    @property
    def failed(self) -> str:
        """Why training failed, or ""."""
        return str(self.facts.get("failed", ""))

    def write(self, folder: Path) -> None:
        """Keep it in a folder; the facts come last, so that an interrupted one does not count."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.test is not None:
            write_bytes(folder / _SCORES, self.test.to_parquet())
        if self.measured is not None:
            write_bytes(folder / _ARRAYS, self.measured.to_bytes())
        write_json(folder / _FACTS, dict(self.facts))

    @staticmethod
    def read(folder: Path, facts: Mapping[str, Any]) -> "Outcome":
        """Read what `write` kept beside these facts."""
        test = ScoreTable.read(folder / _SCORES) if (folder / _SCORES).is_file() else None
        arrays = Measured.read(folder / _ARRAYS) if (folder / _ARRAYS).is_file() else None
        return Outcome(facts, test, arrays, reused=True)


def perform(trial: Trial) -> Outcome:
    """Train and measure, or return what a trial of the same key found before."""
    found = trial.kept_outcome()
    if found is None:
        found = _performed(trial)
        if trial.kept is not None:
            found.write(trial.kept / trial.key)
    return dataclasses.replace(found, facts=trial.told(found.facts))


def gathered_for(experiment: Experiment, data: Path | None) -> Gathered:
    """Return the rows of an experiment; those of the last few inputs stay open."""
    return _gathered(to_json(experiment.inputs.model_dump(mode="json"), indent=None), data)


def n_kept(share: float, n: int) -> int:
    """Return how many of n subjects a share of them is; at least one."""
    return min(max(round(share * n), 1), n)


def n_train_groups(gathered: Gathered) -> int:
    """Return how many subjects (or rows, where they are not known) there are to learn from."""
    return len(np.unique(gathered.pack.groups[gathered.split.indices("train")]))


@functools.lru_cache(maxsize=4)
def _gathered(inputs: str, data: Path | None) -> Gathered:
    # Only [inputs] counts; the rest is what every experiment must have.
    experiment = Experiment.model_validate(
        {
            "title": "rows",
            "inputs": json.loads(inputs),
            "representations": {"network": "dense classes"},
            "training": {"steps": 1},
        }
    )
    return gather(experiment, data=data, show=QUIET, with_copies=False)


def _performed(trial: Trial) -> Outcome:
    experiment, gathered = trial.experiment, gathered_for(trial.experiment, trial.data)
    split, pack = trial.split(gathered), gathered.pack
    facts = _known_before(trial, gathered, split)
    try:
        learned = learn_split(experiment, pack, split)
    except (TrainingError, NetworkError) as error:  # a norm may want more rows than a small share has
        return Outcome({**facts, "failed": str(error)}, None)
    roles: tuple[Role, ...] = ("train", "validation", threshold_part(split), "test")
    tables = {
        role: score_pack(learned.model, pack, split.indices(role), role=role, split_hash=split.hash)
        for role in roles
    }
    facts |= _known_after(learned, experiment.training)
    known = metrics_known(experiment.inputs.task)
    facts["metrics"] = {role: metrics_of(tables[role], known) for role in ("train", "validation", "test")}
    more = measured(trial.measures, learned.model, gathered, tables[threshold_part(split)], experiment)
    return Outcome(facts, tables["test"], more)


def _known_before(trial: Trial, gathered: Gathered, split: Split) -> dict[str, Any]:
    experiment, train = trial.experiment, split.indices("train")
    cost = inspect(
        experiment.representations.network,
        input_shape=experiment.inputs.contract.input_shape,
        rate_hz=experiment.inputs.contract.position_rate_hz,
        n_outputs=len(gathered.pack.classes),
    )
    return {
        "name": trial.name,
        "network": cost.text,
        "share": trial.share,
        "shifts": list(trial.measures.shifts),
        "seed": experiment.seed,
        "learning_rate": experiment.training.learning_rate,
        "n_train_subjects": len(np.unique(gathered.pack.groups[train])),
        "n_train_rows": len(train),
        "parameters": cost.parameters,
        "multiply_adds": cost.multiply_adds,
        "activation_bytes": cost.activation_bytes,
        "dense_equivalent_parameters": cost.dense_equivalent_parameters,
    }


def _known_after(learned: Learned, config: TrainingConfig) -> dict[str, Any]:
    fitted, select = learned.fitted, learned.select
    best = next((one for one in fitted.history if one["epoch"] == fitted.best_epoch), fitted.history[-1])
    return {
        "n_steps": fitted.n_steps,
        "train_seconds": fitted.training_s,
        "seconds": fitted.seconds,
        "best_epoch": fitted.best_epoch,
        "select": select,
        "selected": best["validation"][select],
        "batch": config.batch,
        # Enough of the way to see how fast and how steadily it was learnt.
        "history": [[one["seconds"], one["step"], one["validation"][select]] for one in fitted.history],
        "findings": [[one.kind, one.message] for one in learned.monitor.findings],
    }


def _unsaid(training: TrainingConfig) -> set[str]:
    return {"device"} if training.device == "cpu" else set()
