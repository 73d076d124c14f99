"""From an experiment's [inputs] to packed, split and audited rows.

Wiring only: what a data set means is known in `inputs/datasets`, what a signal must be in its contract.
"""

from dataclasses import dataclass
from pathlib import Path

from vicinal.errors import ExperimentError
from vicinal.experiment import Experiment, SplitConfig
from vicinal.inputs.leakage import Finding, audit
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split, make_split, with_fewer_groups
from vicinal.representations.network import sketch
from vicinal.terminal import Show
from vicinal.workflow.packing import packed, source_of

__all__ = ["Gathered", "gather", "refuse_events"]


@dataclass(frozen=True)
class Gathered:
    """Rows ready to learn from, with their split and what the auditor found."""

    pack: Pack
    split: Split
    findings: tuple[Finding, ...]


def gather(experiment: Experiment, *, data: Path | None, show: Show) -> Gathered:
    """Find, check, prepare, pack, split and audit the recordings of an experiment.

    A network text that does not fit the contract is refused first, before any recording is read.

    Args:    data: where the data set lies, or a pack of it.
    Raises:  VicinalError: as the rooms do, with what to do.
    """
    inputs = experiment.inputs
    source = source_of(inputs, data)
    if inputs.task != "events":
        sketch(
            experiment.representations.network,
            input_shape=inputs.contract.input_shape,
            n_outputs=len(source.classes),
        )
    pack = packed(source, inputs, output=None, show=show)
    split = _split(inputs.split, pack)
    return Gathered(pack, split, tuple(audit(pack, split)))


def refuse_events(experiment: Experiment) -> None:
    """Refuse, before anything is read, what is not built yet.

    Raises:  ExperimentError: when the task is "events".
    """
    if experiment.inputs.task == "events":
        raise ExperimentError(
            'inputs.task: "events" can be packed, split and audited; training on events is not there yet. Use '
            "`vicinal pack` or `vicinal audit`, or a task on whole recordings: binary, classes or labels."
        )


def _split(config: SplitConfig, pack: Pack) -> Split:
    if config.file is not None:
        split = Split.read(config.file).aligned(pack.ids)
    else:
        shares = {"test": config.test, "validation": config.validation, "calibration": config.calibration}
        split = make_split(pack.ids, pack.groups, pack.labels, shares=shares, seed=config.seed)
    if config.train_subjects is None:
        return split
    return with_fewer_groups(split, pack.groups, n_train=config.train_subjects, seed=config.seed)
