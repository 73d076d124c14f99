"""From an experiment's [inputs.split] to the part of every row.

Wiring only: how groups are drawn is known in `inputs/splits.py` and `inputs/folds.py`.
"""

from collections.abc import Mapping

import numpy as np

from vicinal.errors import ExperimentError, FormatError, did_you_mean
from vicinal.experiment import Experiment, SplitConfig
from vicinal.inputs.folds import Folds, leave_one_out, make_folds
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split, make_split, with_drawn_parts, with_fewer_groups
from vicinal.scoretable import Role, ScoreTable

__all__ = [
    "Officials",
    "described",
    "differing_ids",
    "folds_of",
    "refuse_guarantee",
    "scored_parts",
    "split_of",
    "threshold_part",
]

Officials = Mapping[str, Mapping[str, str]]
"""The part of each id, for every published split by name."""


def split_of(config: SplitConfig, pack: Pack, officials: Officials) -> Split:
    """Return the split of a pack that a configuration asks for.

    Raises:  ExperimentError: when it cannot be made, or asks for all folds where one split is wanted.
    """
    split = _split(config, pack, officials)
    if config.train_subjects is None:
        return split
    return with_fewer_groups(split, pack.groups, n_train=config.train_subjects, seed=config.seed)


def folds_of(config: SplitConfig, pack: Pack) -> Folds:
    """Return the folds that a configuration asks for.

    Raises:  ExperimentError: when there is no such column, or the data do not say who was recorded.
    """
    if config.folds is not None:
        return make_folds(pack.ids, pack.groups, pack.labels, n_folds=config.folds, seed=config.seed)
    name = str(config.leave_one_out)
    if name == "subject":
        if pack.subjects is None:
            raise ExperimentError(
                'split: leave_one_out = "subject": the data do not say who was recorded. Name the subjects, or '
                "use folds = 5."
            )
        return leave_one_out(pack.ids, pack.subjects, name=name)
    if name not in pack.columns:
        known = ["subject", *pack.columns]
        raise ExperimentError(f"split: leave_one_out: no column {name!r}{did_you_mean(name, known)}")
    return leave_one_out(pack.ids, pack.columns[name], name=name)


def threshold_part(split: Split) -> Role:
    """Return the part of a split that thresholds are fitted on: calibration rows, or validation rows without any."""
    return "calibration" if "calibration" in split.parts else "validation"


def refuse_guarantee(experiment: Experiment, split: Split) -> None:
    """Refuse, before anything is learnt, a guarantee that no rows can carry.

    Raises:  ExperimentError: when a confidence is asked for and the split has no calibration rows.
    """
    if experiment.decisions.confidence is not None and threshold_part(split) != "calibration":
        raise ExperimentError(
            "decisions.confidence: a guarantee needs calibration rows, which nothing was selected on, and the split "
            "has none. Give inputs.split.calibration a share, or leave confidence out."
        )


def scored_parts(split: Split) -> tuple[Role, ...]:
    """Return the parts that a run scores: validation, calibration where there is one, and test."""
    return tuple(dict.fromkeys(("validation", threshold_part(split), "test")))


def described(config: SplitConfig) -> str:
    """Return in words how the rows were divided."""
    if config.file is not None:
        return f"saved in {config.file.name}"
    if config.official is not None:
        return f"published: {config.official}"
    if config.has_folds:
        kind = f"{config.folds} folds" if config.folds else f"leave one {config.leave_one_out} out"
        return kind if config.fold is None else f"{kind}, fold {config.fold}"
    return f"drawn by subject, seed {config.seed}"


def _split(config: SplitConfig, pack: Pack, officials: Officials) -> Split:
    shares = {"validation": config.validation, "calibration": config.calibration}
    if config.file is not None:
        return Split.read(config.file).aligned(pack.ids)
    if config.official is not None:
        split = _official(config.official, pack, officials)
    elif config.has_folds:
        if config.fold is None:
            raise ExperimentError("split: expected one fold of several; set inputs.split.fold, from 0.")
        split = folds_of(config, pack).split(config.fold, pack.groups)
    else:
        shares["test"] = config.test
        return make_split(pack.ids, pack.groups, pack.labels, shares=shares, seed=config.seed)
    return with_drawn_parts(split, pack.groups, pack.labels, shares=shares, seed=config.seed)


def _official(name: str, pack: Pack, officials: Officials) -> Split:
    if name not in officials:
        raise ExperimentError(f"split: no published split {name!r}{did_you_mean(name, list(officials))}")
    return Split(pack.ids, np.array([officials[name][one] for one in pack.ids.tolist()], dtype=str))


def differing_ids(table: ScoreTable, split: Split, role: Role, *, task: str) -> tuple[list[str], list[str]]:
    """Return the ids that a table holds and its part of the split does not, and those that it lacks, both sorted.

    A row of the task "events" is an event of the recording in the column `record`, and the split is of recordings; one
    whose events all have other symbols gives no row, so there none is lacking.

    Raises:  FormatError: when rows of events do not say their recording.
    """
    part = set(split.ids[split.indices(role)].tolist())
    if task != "events":
        held = set(table.ids.tolist())
        return sorted(held - part), sorted(part - held)
    if "record" not in table.columns:
        raise FormatError(
            f"the {role} rows are events, and have no column record that says of which recording."
        )
    return sorted(set(table.columns["record"].tolist()) - part), []
