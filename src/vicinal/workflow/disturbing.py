"""The disturbances that an experiment asks for, as the part of `evidence.json` that holds them.

Wiring only: recordings are drawn, read again and disturbed in other processes, and scored here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from vicinal.errors import ExperimentError
from vicinal.evidence.disturbances import DISTURBANCES
from vicinal.evidence.strength import Level, against_strength
from vicinal.execution import map_tasks, n_processors
from vicinal.experiment import Experiment
from vicinal.files import write_bytes
from vicinal.inputs.datasets.catalogue import Recording
from vicinal.scores.model import Model
from vicinal.scores.scorer import Scorer
from vicinal.scoretable import ScoreTable
from vicinal.signal import Signal
from vicinal.terminal import Show
from vicinal.workflow.disturbed import Versions, jobs, make_versions, versions_of
from vicinal.workflow.gathering import Gathered

__all__ = ["DISTURBED", "Disturbable", "Disturbed", "disturb", "drawn", "refuse_images", "under_disturbances"]

DISTURBED = "disturbed.parquet"
"""The file of a run, in `scores/`, with the scores of its disturbed test rows."""

_ONLY_A_PACK = (
    "it acts on the recordings themselves, and only a pack of them was given; give the data instead"
)


@dataclass(frozen=True)
class Disturbable:
    """Test rows as recordings that can be read again.

    Args:    recordings: of each row.  read: makes a signal of one.  table: their scores, for truth and subjects.
             n_test_rows: from which they were drawn.
    """

    recordings: Sequence[Recording]
    read: Callable[[Recording], Signal]
    table: ScoreTable
    n_test_rows: int


def refuse_images(experiment: Experiment) -> None:
    """Refuse disturbances of signals for images, before anything is read.

    Raises:  ExperimentError: when the contract has no rate.
    """
    if experiment.evidence.robustness and experiment.inputs.contract.rate_hz is None:
        raise ExperimentError("evidence.robustness disturbs signals in time; images have none. Leave it out.")


def under_disturbances(
    experiment: Experiment, model: Model, gathered: Gathered, table: ScoreTable, folder: Path, show: Show
) -> dict[str, Any]:
    """Return {"robustness": ...} where the experiment asks for any, else nothing.

    Args:    table: of the test rows.  folder: of the run, which keeps the scores of the disturbed rows, so that those
             of several folds can be judged together.
    """
    asked = experiment.evidence
    if not asked.robustness:
        return {}
    source = gathered.source
    if source is None or source.catalogue is None or source.module is None:
        show.say(f"note: robustness is left out: {_ONLY_A_PACK}.")
        return {
            "robustness": {
                name: {"unit": DISTURBANCES[name].unit, "left_out": _ONLY_A_PACK} for name in asked.robustness
            }
        }
    rows = drawn(table.clusters, n=asked.robustness_rows, seed=experiment.seed)
    chosen = table.select(rows)
    recording = {one.id: one for one in source.catalogue.recordings}
    among = Disturbable(
        [recording[name] for name in chosen.ids.tolist()], source.module.read, chosen, len(table)
    )
    made = disturb(model.scorer(), among, asked.robustness, seed=experiment.seed, show=show)
    if made.undisturbed is not None:
        write_bytes(folder / "scores" / DISTURBED, _kept(made).to_parquet())
    return {"robustness": made.judged(resamples=asked.resamples, seed=experiment.seed)}


def drawn(clusters: np.ndarray, *, n: int, seed: int) -> Int64[np.ndarray, " m"]:
    """Return about `n` rows, in order: all rows of subjects that are drawn until there are so many."""
    if len(clusters) <= n:
        return np.arange(len(clusters), dtype=np.int64)
    names, of, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    n_subjects = int(np.searchsorted(np.cumsum(sizes[order]), n)) + 1
    return np.flatnonzero(np.isin(of, order[:n_subjects])).astype(np.int64)


@dataclass(frozen=True)
class Disturbed:
    """Scores of recordings as they are, and at each strength of each disturbance.

    Args:    undisturbed: None where none could be scored, and then `why`.  levels: by name.
             n_test_rows: from which the recordings were drawn.
    """

    undisturbed: ScoreTable | None
    levels: Mapping[str, Sequence[Level]]
    n_test_rows: int
    why: str = ""

    def judged(self, *, resamples: int, seed: int) -> dict[str, Any]:
        """Return AUROC against the strength of each disturbance, as in `evidence.json`."""
        if self.undisturbed is None:
            return {name: {"unit": DISTURBANCES[name].unit, "left_out": self.why} for name in self.levels}
        return against_strength(
            self.undisturbed, self.levels, n_test_rows=self.n_test_rows, resamples=resamples, seed=seed
        )


def disturb(scorer: Scorer, among: Disturbable, names: Sequence[str], *, seed: int, show: Show) -> Disturbed:
    """Read recordings again, and score them as they are and at each strength of each disturbance."""
    work = jobs(among.recordings, among.read, scorer.contract, names, seed=seed)
    versions, n = versions_of(names, scorer.contract), len(among.recordings)
    logits: list[list[np.ndarray]] = [[] for _ in versions]
    rows: list[list[int]] = [[] for _ in versions]
    reasons: list[list[str]] = [[] for _ in versions]
    if n < among.n_test_rows:
        show.say(
            f"robustness: {n:,} of {among.n_test_rows:,} test rows, drawn by subject (evidence.robustness_rows)"
        )
    has_files = any(one.path is not None for one in among.recordings)
    done = 0
    with show.progress(f"disturbing in {len(versions) - 1} ways") as update:
        for made in map_tasks(make_versions, work, n_processes=n_processors() if has_files else 1):
            for one in made:
                _keep(scorer, one, done, logits, rows, reasons)
                done += 1
            update(done, n)
    levels: dict[str, list[Level]] = {name: [] for name in names}
    tables = [_table(scorer, among.table, *parts) for parts in zip(logits, rows, strict=True)]
    for (name, strength), table, why in zip(versions[1:], tables[1:], reasons[1:], strict=True):
        levels[name].append(Level(strength, table, len(why), why[0] if why else ""))
    reason = "" if tables[0] is not None else reasons[0][0] if reasons[0] else "there are no rows"
    return Disturbed(tables[0], levels, among.n_test_rows, reason)


def _kept(made: Disturbed) -> ScoreTable:
    """Return all versions as one table, with columns that say which recording, disturbance and strength."""
    assert made.undisturbed is not None  # whoever calls has looked
    versions = [("", 0.0, made.undisturbed)]
    versions += [
        (name, level.strength, level.scores)
        for name, levels in made.levels.items()
        for level in levels
        if level.scores is not None
    ]
    tables, first = [table for _, _, table in versions], made.undisturbed
    sizes = [len(table) for table in tables]
    recording = np.concatenate([table.ids for table in tables])
    name = np.repeat([name for name, _, _ in versions], sizes)
    strength = np.repeat([strength for _, strength, _ in versions], sizes)
    return replace(
        first,
        ids=np.array([" ".join(map(str, one)) for one in zip(name, strength, recording, strict=True)]),
        truth=np.concatenate([table.truth for table in tables]),
        logits=np.concatenate([table.logits for table in tables]),
        probabilities=np.concatenate([table.probabilities for table in tables]),
        subjects=None
        if first.subjects is None
        else np.concatenate([table.subjects for table in tables if table.subjects is not None]),
        columns={"disturbance": name, "strength": strength, "recording": recording},
    )


def _keep(
    scorer: Scorer,
    one: Versions,
    row: int,
    logits: list[list[np.ndarray]],
    rows: list[list[int]],
    reasons: list[list[str]],
) -> None:
    """Score one recording in all its versions, and note which of them could not be."""
    scored = iter(scorer.logits(one.samples, one.lengths) if len(one.samples) else ())
    # What is refused as it is would be refused disturbed as well: it is no row of this.
    whole = not one.refused[0]
    for version, reason in enumerate(one.refused):
        if reason:
            reasons[version].append(reason)
            continue
        score = next(scored)
        if whole:
            logits[version].append(score)
            rows[version].append(row)


def _table(
    scorer: Scorer, table: ScoreTable, logits: Sequence[np.ndarray], rows: Sequence[int]
) -> ScoreTable | None:
    if not rows:
        return None
    chosen = table.select(np.array(rows))
    return scorer.table(
        np.stack(logits), ids=chosen.ids, role="test", truth=chosen.truth, subjects=chosen.subjects
    )
