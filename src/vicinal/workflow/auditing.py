"""`vicinal audit`: what reaches from training into test, in an experiment that is planned or a run that is done.

Wiring only: what is looked for in data lies in `inputs/leakage`, what is looked for in a run in `checking.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vicinal.errors import ExperimentError, FormatError, PathError
from vicinal.experiment import Experiment, experiment_of, load_experiment
from vicinal.inputs.folds import Folds
from vicinal.inputs.leakage.audit import audit as audit_split
from vicinal.inputs.leakage.audit import audit_folds
from vicinal.inputs.leakage.finding import SEVERITIES, Finding, by_severity
from vicinal.inputs.splits import Split
from vicinal.terminal import QUIET, Show
from vicinal.workflow.checking import check_run
from vicinal.workflow.gathering import Packed, pack_of
from vicinal.workflow.splitting import folds_of, split_of

__all__ = ["Audited", "audit"]


@dataclass(frozen=True)
class Audited:
    """What the auditor looked at, and what it found, leaks first."""

    title: str
    n_rows: int
    parts: dict[str, int]
    subjects_known: bool
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        counts = {one: sum(finding.severity == one for finding in self.findings) for one in SEVERITIES}
        return {
            "title": self.title,
            "n_rows": self.n_rows,
            "parts": self.parts,
            "subjects": "known" if self.subjects_known else "not known: assumes one recording per person",
            "counts": counts,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def audit(
    source: Path, *, data: Path | None = None, overrides: Sequence[str] = (), show: Show = QUIET
) -> Audited:
    """Audit a run folder or an experiment file.

    Args:    source: the folder of a run (or of a cross-validation), or an experiment.
             data: where the data set lies.  overrides: "key=value" settings of an experiment file.
    Raises:  PathError: when there is neither.  VicinalError: as the rooms do.
    """
    if not source.is_dir():
        experiment, _ = load_experiment(source, overrides)
        packed = pack_of(experiment, data=data, show=show)
        return _audited(experiment, packed, show, *_planned(experiment, packed))
    if overrides:
        raise ExperimentError(f"{source} is a run, and its settings are made; --set goes with an experiment.")
    experiment = experiment_of(source)
    packed = pack_of(experiment, data=data, show=show)
    try:
        division = _used(source)
    except FormatError as error:
        planned = _planned(experiment, packed)
        changed = Finding("run_file_changed", "leak", f"{error} What the run was judged on is not known.")
        return _audited(experiment, packed, show, *planned, further=[changed])
    further = _checked(source, experiment, packed, division)
    return _audited(experiment, packed, show, division, further=further)


def _used(run: Path) -> Split | Folds:
    folds = run / "folds.parquet"
    return Folds.read(folds) if folds.is_file() else Split.read(run / "split.parquet")


def _planned(experiment: Experiment, packed: Packed) -> tuple[Split | Folds]:
    config = experiment.inputs.split
    if config.has_folds and config.fold is None:
        return (folds_of(config, packed.pack),)
    return (split_of(config, packed.pack, packed.officials),)


def _checked(run: Path, experiment: Experiment, packed: Packed, division: Split | Folds) -> list[Finding]:
    if isinstance(division, Split):
        return check_run(run, experiment, packed.pack, division)
    found = []
    for fold in range(len(division)):
        folder = run / "folds" / str(fold)
        try:
            split = Split.read(folder / "split.parquet")
        except (FormatError, PathError) as error:
            found.append(Finding("run_file_changed", "leak", f"fold {fold}: {error}"))
            continue
        tested = set(division.ids[division.folds == fold].tolist())
        if set(split.ids[split.indices("test")].tolist()) != tested:
            message = f"fold {fold}: its test rows are not those that folds.parquet says."
            found.append(Finding("split_not_the_one_used", "leak", message))
        found += [
            Finding(one.kind, one.severity, f"fold {fold}: {one.message}", one.ids)
            for one in check_run(folder, experiment, packed.pack, split)
        ]
    return found


def _audited(
    experiment: Experiment,
    packed: Packed,
    show: Show,
    division: Split | Folds,
    *,
    further: Sequence[Finding] = (),
) -> Audited:
    pack, expected = packed.pack, packed.label_columns
    with show.progress("auditing"):
        if isinstance(division, Split):
            parts = division.counts
            official = experiment.inputs.split.official
            found = audit_split(pack, division, official=official, expected=expected)
        else:
            parts = {f"fold {one}": int((division.folds == k).sum()) for k, one in enumerate(division.names)}
            found = audit_folds(pack, division, expected=expected)
    findings = by_severity([*further, *found])
    return Audited(experiment.title, len(pack), parts, pack.subjects is not None, tuple(findings))
