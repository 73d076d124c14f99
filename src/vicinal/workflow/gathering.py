"""From an experiment's [inputs] to packed, split and audited rows.

Wiring only: what a data set means is known in `inputs/datasets`, what a signal must be in its contract.
"""

from dataclasses import dataclass
from pathlib import Path

from vicinal.decisions.aim import aim_kinds
from vicinal.errors import ExperimentError, NetworkError
from vicinal.evidence.subgroups import require_columns
from vicinal.experiment import Experiment
from vicinal.inputs.leakage.audit import audit
from vicinal.inputs.leakage.finding import Finding
from vicinal.inputs.pack import Pack
from vicinal.inputs.splits import Split
from vicinal.representations.network import Network, sketch
from vicinal.representations.sight import sight_of
from vicinal.terminal import Show
from vicinal.workflow.packing import Source, packed, source_of
from vicinal.workflow.rating import computable
from vicinal.workflow.splitting import Officials, split_of

__all__ = ["NOT_OF_EVENTS", "Gathered", "Packed", "gather", "pack_of"]

NOT_OF_EVENTS = (
    "the answers of this network are about single events, and AUROC against strength is measured on whole recordings. "
    "Leave it out."
)


@dataclass(frozen=True)
class Gathered:
    """Rows ready to learn from, with their split, what the auditor found, and where they came from."""

    pack: Pack
    split: Split
    findings: tuple[Finding, ...]
    source: Source | None = None


@dataclass(frozen=True)
class Packed:
    """Rows before any split, with what the data set says of splits and labels.

    Args:    officials: the part of each id, for every published split by name.
             label_columns: columns that say the label in other words.  source: where the rows came from.
    """

    pack: Pack
    officials: Officials
    label_columns: tuple[str, ...]
    source: Source | None = None


def gather(experiment: Experiment, *, data: Path | None, show: Show, with_copies: bool = True) -> Gathered:
    """Find, check, prepare, pack, split and audit the recordings of an experiment.

    Args:    with_copies: whether the audit compares signals, which takes seconds for thousands of them.
    Raises:  VicinalError: as the rooms do, with what to do.
    """
    rows = pack_of(experiment, data=data, show=show)
    config = experiment.inputs.split
    split = split_of(config, rows.pack, rows.officials)
    with show.progress("auditing"):
        findings = audit(
            rows.pack,
            split,
            official=config.official,
            expected=rows.label_columns,
            with_copies=with_copies,
        )
    return Gathered(rows.pack, split, tuple(findings), rows.source)


def pack_of(experiment: Experiment, *, data: Path | None, show: Show) -> Packed:
    """Find, check, prepare and pack the recordings of an experiment.

    A network text that does not fit the contract is refused first, before any recording is read.

    Args:    data: where the data set lies, or a pack of it.
    Raises:  VicinalError: as the rooms do, with what to do.
    """
    inputs = experiment.inputs
    source = source_of(inputs, data)
    fitting = sketch(
        experiment.representations.network,
        input_shape=inputs.contract.input_shape,
        n_outputs=len(source.classes),
    )
    _require_head(experiment, fitting)
    pack = packed(source, inputs, output=None, show=show)
    if pack.skipped:
        identifier, reason = pack.skipped[0]
        n = len(pack) + len(pack.skipped)
        show.say(
            f"note: {len(pack.skipped):,} of {n:,} recordings are left out; the first is {identifier}: {reason}. The "
            "report lists them all."
        )
    if experiment.evidence.subgroups:
        # Before the training, not after it.
        further = computable(experiment, pack, source)
        require_columns(set(pack.columns) | further, experiment.evidence.subgroups)
    _require_places(experiment, pack)
    officials = {
        name: dict(zip(pack.ids.tolist(), parts.tolist(), strict=True))
        for name, parts in pack.officials.items()
    }
    labels = () if source.catalogue is None else source.catalogue.label_columns
    return Packed(pack, officials, labels, source)


def _require_places(experiment: Experiment, pack: Pack) -> None:
    """Refuse alarms per day, before the training, of rows that do not say where in which recording they lie.

    Raises:  ExperimentError: names the columns that are missing.
    """
    missing = [name for name in ("record", "position_s") if name not in pack.columns]
    if missing and pack.task != "events" and "daily" in aim_kinds(experiment.aim):
        raise ExperimentError(
            f"decisions.aim {experiment.aim!r} counts alarms along recordings: expected the columns record and "
            f"position_s of the rows, {' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not there. Use the "
            'task "events", or name them in the label table.'
        )


def _require_head(experiment: Experiment, network: Network) -> None:
    """Refuse a network whose answers are not those of the task, before any recording is read.

    Raises:  NetworkError: when it gives one answer a recording for events, or answers along time for recordings.
             ExperimentError: when the experiment asks for what events cannot have.
    """
    if experiment.inputs.task == "events":
        sight_of(network)
        if network.n_outputs < 2:
            raise ExperimentError('inputs.task: "events" tells classes of events apart; name at least two.')
        if experiment.evidence.robustness:
            raise ExperimentError(f"evidence.robustness: {NOT_OF_EVENTS}")
    elif len(list(network.layers())[-1].facts.shape) > 1:
        raise NetworkError(
            f"the task {experiment.inputs.task!r} wants one answer for a recording, and the network gives some along "
            "time; end it with 'mean | dense classes', or take the task 'events'."
        )
