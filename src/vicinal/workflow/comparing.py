"""`vicinal compare`: what locality, shared weights, memory and attention buy, measured on one's own signals.

Every network on the same split, budget, augmentation and search effort, on growing shares of the training subjects,
with several seeds. Wiring: `contenders.py` finds the networks, `trial.py` trains them, `summing_up.py` sums up.
"""

import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vicinal.errors import ExperimentError, ExtraError, TrainingError, did_you_mean
from vicinal.evidence.report.comparison import write_comparison
from vicinal.execution import map_tasks
from vicinal.experiment import Experiment, load_experiment
from vicinal.files import write_json
from vicinal.terminal import QUIET, Show, spoken
from vicinal.training.config import BEST_WHEN_LOW
from vicinal.workflow.asking import Asked, completed, words_of
from vicinal.workflow.contenders import Contender, contenders, cuts_of
from vicinal.workflow.gathering import Gathered, gather
from vicinal.workflow.mapping import explained
from vicinal.workflow.measuring import NOTHING, Measures
from vicinal.workflow.pacing import Pace, pace_of, resampling_s, total_s
from vicinal.workflow.removing import needed_steps
from vicinal.workflow.summing_up import sum_up
from vicinal.workflow.trial import Outcome, Trial, gathered_for, n_kept, n_train_groups, perform

__all__ = ["Comparison", "compare"]

FULL = Measures(shifts=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5), n_explained=16, n_drawn=4)


@dataclass(frozen=True)
class Comparison:
    """A finished comparison: its folder, with `compare.html`, and what `compare.json` holds."""

    folder: Path
    evidence: dict[str, Any] = field(repr=False)


def compare(
    path: Path,
    asked: Asked,
    *,
    output: Path | None = None,
    data: Path | None = None,
    overrides: Sequence[str] = (),
    show: Show = QUIET,
) -> Comparison:
    """Compare networks on the rows of one experiment.

    Args:    output: folder of the comparison, by default `runs/compare-NAME`; trials that lie there finished are
             not trained again.  data: where the data set lies, or a pack of it.
    Raises:  VicinalError: whatever is wrong, with what to do, before anything is trained.
    """
    start = time.monotonic()
    experiment, _ = load_experiment(path, overrides)
    if experiment.inputs.task == "events":
        raise ExperimentError(
            'compare: expected a task on whole recordings, got "events". Run each with: vicinal run EXPERIMENT --set '
            "KEY=VALUE"
        )
    asked = completed(asked, experiment)
    folder = output or Path("runs") / f"compare-{path.stem}"
    folder.mkdir(parents=True, exist_ok=True)
    gathered = _gathered(experiment, data, show)
    found = contenders(
        path,
        asked.networks,
        asked.vary,
        by=asked.by,
        overrides=overrides,
        n_outputs=len(gathered.pack.classes),
    )
    _refuse_unknown_cuts(asked, [one.name for one in found])
    needed = needed_steps(found, data)
    for name, why in needed.items():
        show.say(f"{name}: it cannot be left out: {why}")
    left_in = [(one, needed[one.name]) for one in found if one.name in needed]
    found = [one for one in found if one.name not in needed]
    found = [replace(one, experiment=_with_steps(one.experiment, data)) for one in found]
    for one in found:
        show.say(f"{one.name}: {one.match}" if one.match else one.name)
    maker = _Maker(asked, data, folder / "trials")
    expected = _announce(maker, found, show)
    outcomes = _performed(maker, found, show)
    command = shlex.join(
        ["vicinal", "compare", path.name if path.is_absolute() else str(path), *words_of(asked, overrides)]
    )
    evidence = sum_up(
        outcomes,
        left_in=left_in,
        experiment=experiment,
        data=data,
        asked={"metric": asked.metric, "target": asked.target, "by": asked.by, "rates": list(asked.rates)},
        protocol={"command": command, "expected_seconds": expected, "seconds": 0.0},
        show=show,
    )
    evidence["protocol"]["seconds"] = time.monotonic() - start
    write_json(folder / "compare.json", evidence)
    try:
        write_comparison(folder / "compare.html", evidence, explained(outcomes, gathered.pack))
    except ExtraError as error:
        show.say(f"no page was written: {error}")
    show.say(f"done in {spoken(time.monotonic() - start)}: {folder}")
    return Comparison(folder, evidence)


@dataclass(frozen=True)
class _Maker:
    """Makes the trials of a contender.

    Args:    done: outcomes of this comparison by key, so that none is performed or read twice.
    """

    asked: Asked
    data: Path | None
    kept: Path
    done: dict[str, Outcome] = field(default_factory=dict)

    def trial(self, one: Contender, *, share: float, seed: int, rate: float | None, whole: bool) -> Trial:
        """Return one trial.

        Args:    seed: counted from that of the experiment.  rate: learning rate; None: the experiment's.
                 whole: whether everything is measured.
        """
        training = one.experiment.training
        if rate is not None:
            training = training.model_copy(update={"learning_rate": rate})
        changed = {"training": training, "seed": one.experiment.seed + seed}
        experiment = one.experiment.model_copy(update=changed)
        metric = self.asked.metric or ""
        return Trial(one.name, experiment, self.data, share, metric, FULL if whole else NOTHING, self.kept)

    def rates(self, one: Contender) -> list[Trial]:
        """Return the trials that choose a learning rate: all subjects, the first seed."""
        rates: Sequence[float | None] = self.asked.rates or (None,)
        return [self.trial(one, share=1, seed=0, rate=rate, whole=True) for rate in rates]

    def all(self, one: Contender, rate: float | None) -> list[Trial]:
        """Return every share with every seed; of shares that are as many subjects the largest stands for all."""
        n = n_train_groups(gathered_for(one.experiment, self.data))
        shares = {n_kept(share, n): share for share in sorted(self.asked.shares)}.values()
        return [
            self.trial(one, share=share, seed=seed, rate=rate, whole=share == 1)
            for share in shares
            for seed in range(self.asked.seeds)
        ]

    def cuts(self, one: Contender, rate: float | None) -> list[tuple[Contender, list[Trial]]]:
        """Return the trials of the network cut to fewer stages, where that is asked for."""
        if self.asked.cut is not None and one.name not in self.asked.cut:
            return []
        seeds = range(self.asked.seeds)
        return [
            (cut, [self.trial(cut, share=1, seed=seed, rate=rate, whole=False) for seed in seeds])
            for cut in cuts_of(one)
        ]


def _performed(
    maker: _Maker, found: Sequence[Contender], show: Show
) -> list[tuple[Contender, list[Outcome]]]:
    """Choose a learning rate for each network, then train everything."""
    tuning = {one.name: maker.rates(one) for one in found}
    tuned = _outcomes(
        maker, [trial for trials in tuning.values() for trial in trials], show, "learning rates"
    )
    performed, jobs = [], []
    for one in found:
        tried = [next(tuned) for _ in tuning[one.name]]
        rate = _best_rate(tried) if maker.asked.rates else None
        if len(tried) > 1:
            show.say(f"{one.name}: learning rate {rate:g} did best on validation rows")
        jobs.append((one, tried, maker.all(one, rate)))
        jobs += [(cut, [], trials) for cut, trials in maker.cuts(one, rate)]
    everything = _outcomes(maker, [trial for _, _, trials in jobs for trial in trials], show, "comparing")
    for one, tried, trials in jobs:
        performed.append((one, tried, [next(everything) for _ in trials]))
    return [(one, [*outcomes, *_only_tried(tried, outcomes)]) for one, tried, outcomes in performed]


def _only_tried(tried: Sequence[Outcome], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes of learning rates that were not taken, marked as such."""
    rate = outcomes[0].facts["learning_rate"] if outcomes else None
    return [
        replace(one, facts={**one.facts, "tried": True})
        for one in tried
        if one.facts["learning_rate"] != rate
    ]


def _outcomes(maker: _Maker, trials: Sequence[Trial], show: Show, what: str) -> Iterator[Outcome]:
    """Perform trials one after the other, in this process: training uses every processor, and seconds are measured."""
    keys = [trial.key for trial in trials]
    due = {key: trial for key, trial in zip(keys, trials, strict=True) if key not in maker.done}
    with show.progress(what) as update:
        performed = map_tasks(perform, list(due.values()), n_processes=1)
        for n, ((key, trial), outcome) in enumerate(zip(due.items(), performed, strict=True), start=1):
            maker.done[key] = outcome
            update(n, len(due), trial.name)
            if outcome.failed:
                where = f"{trial.share:g} of the training subjects, seed {trial.experiment.seed}"
                show.say(f"{trial.name}, {where}: {outcome.failed}")
    return (
        replace(maker.done[key], facts=trial.told(maker.done[key].facts))
        for key, trial in zip(keys, trials, strict=True)
    )


def _best_rate(tried: Sequence[Outcome]) -> float | None:
    """Return the rate that did best on validation rows; the smaller of two that did as well."""
    known = [one for one in tried if not one.failed]
    if not known:
        return float(tried[0].facts["learning_rate"])
    sign = -1.0 if known[0].facts["select"] in BEST_WHEN_LOW else 1.0
    best = max(known, key=lambda one: (sign * _number(one.facts["selected"]), -one.facts["learning_rate"]))
    return float(best.facts["learning_rate"])


def _number(value: float | None) -> float:
    return float("-inf") if value is None else float(value)


def _announce(maker: _Maker, found: Sequence[Contender], show: Show) -> float:
    """Say what is to do and how long it will take, from a few steps of each network."""
    jobs = [job for one in found for job in _planned(maker, one)]
    paces: dict[str, Pace] = {}
    open_trials: list[Trial] = []
    n_finished = 0
    other_threads: set[int] = set()
    with show.progress("timing a few steps of each network") as update:
        for done, (one, trials) in enumerate(jobs, start=1):
            unfinished = [trial for trial in trials if not trial.is_finished]
            n_finished += len(trials) - len(unfinished)
            if unfinished:
                try:
                    paces[one.name] = pace_of(unfinished[0])
                except TrainingError as error:  # others go on; what it will take is not known
                    show.say(f"{one.name}: {error}")
                open_trials += unfinished
                other_threads.add(unfinished[0].kept_threads() or 0)
            update(done, len(jobs))
        resampling = resampling_s([trial for _, trials in jobs for trial in trials])
    n = len(open_trials) + n_finished
    seconds = total_s(open_trials, paces) + resampling
    rates = maker.asked.rates
    effort = f"learning rates tried for each on validation rows: {', '.join(f'{rate:g}' for rate in rates)}"
    show.say(
        f"{n} trainings of {len(jobs)} networks, {n_finished} of them finished before; about {spoken(seconds)} to go, "
        f"{spoken(resampling)} of it to resample, from timing {len(paces)} networks. "
        + (effort if rates else "All take the experiment's learning rate.")
    )
    for n_threads in sorted(other_threads - {0}):
        counted = f"{n_threads} thread{'s' if n_threads > 1 else ''}"
        show.say(
            f"Trainings lie here that were finished with {counted}, which give other last digits and other seconds: "
            f"OMP_NUM_THREADS={n_threads} before the command goes on with them."
        )
    return seconds


def _planned(maker: _Maker, one: Contender) -> list[tuple[Contender, list[Trial]]]:
    """Return the trials of a network and of its cuts, each once.

    Of learning rates that are still to be tried the first stands for the one that will be chosen: it takes as long.
    """
    tried = maker.rates(one)
    is_chosen = all(trial.is_finished for trial in tried)
    rate = _best_rate(list(_outcomes(maker, tried, QUIET, "learning rates"))) if is_chosen else None
    rate = tried[0].experiment.training.learning_rate if rate is None else rate
    others = [trial for trial in tried if trial.experiment.training.learning_rate != rate]
    return [(one, [*others, *maker.all(one, rate)]), *maker.cuts(one, rate)]


def _refuse_unknown_cuts(asked: Asked, names: Sequence[str]) -> None:
    unknown = [name for name in asked.cut or () if name not in names]
    if unknown:
        raise ExperimentError(
            f"--cut {unknown[0]!r}: it is none of the networks that are compared{did_you_mean(unknown[0], names)}"
        )


def _gathered(experiment: Experiment, data: Path | None, show: Show) -> Gathered:
    """Pack with progress shown, once; `gathered_for` opens what is there."""
    placeholder = experiment.representations.model_copy(update={"network": "dense classes"})
    return gather(
        experiment.model_copy(update={"representations": placeholder}),
        data=data,
        show=show,
        with_copies=False,
    )


def _with_steps(experiment: Experiment, data: Path | None) -> Experiment:
    """Return the experiment with as many steps, and validations, for every share of the subjects as for all of them."""
    gathered, config = gathered_for(experiment, data), experiment.training
    n_rows = int((gathered.split.parts == "train").sum())
    per_epoch = max(n_rows // min(config.batch, n_rows), 1)
    changes: dict[str, Any] = {"validate_after_steps": max(config.validate_after_steps, per_epoch)}
    if config.epochs is not None:
        changes |= {"epochs": None, "steps": config.epochs * per_epoch}
    return experiment.model_copy(update={"training": config.model_copy(update=changes)})
