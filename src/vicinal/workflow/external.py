"""Labelled recordings that a model has never seen: listed, held against its contract, prepared and scored.

Wiring only. The contract, the task and the classes are the model's; the data say where recordings and labels lie.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float64

from vicinal.errors import ExperimentError, FormatError, VicinalError
from vicinal.experiment import Experiment, InputsConfig, load_experiment, parse_inputs
from vicinal.inputs.contract import Contract
from vicinal.inputs.datasets.catalogue import Catalogue, Recording
from vicinal.inputs.fingerprint import Kept
from vicinal.inputs.prepare import Prepared, prepare
from vicinal.inputs.row import without_folder
from vicinal.inputs.targets import class_of_symbol
from vicinal.inputs.tasks import truth
from vicinal.inputs.violations import check
from vicinal.scores.at_events import AtEvents, joined, scored_at_events
from vicinal.scores.model import Model
from vicinal.scores.scorer import BATCH, Scorer, stacked
from vicinal.scoretable import ScoreTable
from vicinal.signal import Signal
from vicinal.terminal import Show
from vicinal.workflow.judging import rows_are
from vicinal.workflow.packing import catalogue_of
from vicinal.workflow.rating import QUALITY, qualities

__all__ = ["External", "Fitness", "external", "score_external"]

_SHOWN = 5


@dataclass(frozen=True)
class External:
    """Recordings with labels, ready to be read.

    Args:    name, notes: of the data set.  module: reads its recordings.  truth: (n, K), of the model's classes.
             rows: what a row is, in the plural.
             class_of: of events, the class of each symbol; empty where a symbol is its own class.
             trained: the experiment, where its title is that of the one that trained the model.
    """

    name: str
    notes: tuple[str, ...]
    module: ModuleType
    recordings: tuple[Recording, ...]
    has_subjects: bool
    truth: Float64[np.ndarray, "n k"]
    n_unlabelled: int
    rows: str = "recordings"
    class_of: Mapping[str, str] = field(default_factory=dict)
    trained: str = ""

    @property
    def columns(self) -> set[str]:
        """Names of the further columns of the recordings."""
        return {name for one in self.recordings for name in one.columns}

    @cached_property
    def _by_id(self) -> dict[str, Recording]:
        return {one.id: one for one in self.recordings}

    def recording(self, name: str) -> Recording:
        """Return the recording with an id."""
        return self._by_id[name]


@dataclass(frozen=True)
class Fitness:
    """How recordings fit the contract of a model.

    Args:    n: recordings.  n_exact: as the contract says, to the letter.
             converted: what was brought into its form, by field of the contract, and in how many recordings.
             refused: (recording, why), not scored.
             known: how many are, bit for bit as prepared, among those that the model was made from, by part of its
             run; None where the model keeps no fingerprints.  share: of these parts that it keeps fingerprints of.
    """

    n: int
    n_exact: int
    converted: dict[str, tuple[int, str]]
    refused: tuple[tuple[str, str], ...]
    known: dict[str, int] | None = None
    share: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "n": self.n,
            "n_exact": self.n_exact,
            "converted": {
                name: {"n": n, "example": example} for name, (n, example) in self.converted.items()
            },
            "refused": [list(pair) for pair in self.refused],
            "known": self.known,
            "known_share": None if self.known is None else self.share,
        }

    @property
    def novelty(self) -> tuple[str, str]:
        """Severity and words of what the model's fingerprints say of these recordings; "" where it keeps none."""
        if self.known is None:
            return "note", ""
        n, of = sum(self.known.values()), "" if self.share == 1 else f" ({self.share:.0%} of which it keeps)"
        if not n:
            return "note", (
                f"None of the {self.n:,} recordings is, bit for bit as prepared, one that the model was made from, by "
                f"its fingerprints{of}. Copies cut or sampled otherwise, and other recordings of the same subjects, "
                "have other fingerprints."
            )
        parts = ", ".join(f"{count:,} from {part} rows" for part, count in self.known.items() if count)
        return "warning", (
            f"{n:,} of the {self.n:,} recordings were there when the model was made, by its fingerprints{of}: {parts}. "
            "They are not new to it, and the evidence is too good. Leave them out."
        )

    def findings(self) -> list[tuple[str, str, str]]:
        """Return (kind, severity, message) for a report, the worst first."""
        found = []
        if self.refused:
            first = "; ".join(f"{name}: {why}" for name, why in self.refused[:3])
            found.append(
                (
                    "contract",
                    "warning",
                    f"{len(self.refused):,} of {self.n:,} recordings do not fit the model's contract and were not "
                    f"scored. {first}",
                )
            )
        severity, words = self.novelty
        if words:
            found.insert(0 if severity == "warning" else len(found), ("novelty", severity, words))
        found += [
            ("contract", "note", f"{name}: converted in {n:,} of {self.n:,} recordings, such as {example}")
            for name, (n, example) in self.converted.items()
        ]
        return [*found, ("contract", "note", f"{self.n_exact:,} of {self.n:,} recordings fit as they are.")]


def external(model: Model, data: Path, *, overrides: Sequence[str] = ()) -> External:
    """List the recordings in `data` with their truth in the model's classes.

    Args:    data: a folder of recordings with labels, or an experiment file whose [inputs] say where they are.
             overrides: "label_column=diagnosis" and the like: keys of [inputs].
    Returns: every recording whose label says something about the model's classes. A class of the model that the
             data do not know is 0 where classes exclude each other, and not known where they do not.
    Raises:  ExperimentError: when no label of the data is one of the model's classes.
             VicinalError: as the rooms do, with what to do.
    """
    calibration = model.calibration
    experiment, inputs = _inputs(model, data, overrides)
    module, catalogue = catalogue_of(inputs, None)
    # Where the file keeps fingerprints they say what is known; a title is only a hint.
    title = "" if experiment is None or "fingerprints" in model.reference else experiment.title
    trained = title if title and title == model.provenance.get("title") else ""
    recordings, classes = catalogue.recordings, calibration.classes
    if model.answers_at_events:
        return _with_events(model, catalogue, module, inputs, trained)
    if calibration.task == "binary":
        positive = inputs.positive or tuple(calibration.classes[0].split("+"))
        _, found = truth(catalogue, task="binary", positive=positive)
    else:
        found = _several(catalogue, calibration.task, classes)
    kept = ~np.isnan(found).all(axis=1)
    chosen = tuple(one for one, keep in zip(recordings, kept, strict=True) if keep)
    return External(
        name=catalogue.name,
        notes=catalogue.notes,
        module=module,
        recordings=chosen,
        has_subjects=catalogue.has_subjects,
        truth=found[kept],
        n_unlabelled=int((~kept).sum()) + len(catalogue.skipped),
        rows=rows_are(inputs),
        trained=trained,
    )


def _with_events(
    model: Model, catalogue: Catalogue, module: ModuleType, inputs: InputsConfig, trained: str
) -> External:
    """Return recordings whose truth is in their events, which only they themselves hold."""
    classes, offered = model.calibration.classes, catalogue.event_classes
    if offered is not None and not set(classes) & set(offered):
        raise ExperimentError(
            f"none of the model's classes {', '.join(classes)} is a class of the events of {catalogue.name}, which has "
            f"{', '.join(offered)}. Name its events as the model does."
        )
    return External(
        name=catalogue.name,
        notes=catalogue.notes,
        module=module,
        recordings=catalogue.recordings,
        has_subjects=catalogue.has_subjects,
        truth=np.full((len(catalogue.recordings), len(classes)), np.nan),
        n_unlabelled=len(catalogue.skipped),
        rows=rows_are(inputs),
        class_of=catalogue.class_of,
        trained=trained,
    )


def _inputs(model: Model, data: Path, overrides: Sequence[str]) -> tuple[Experiment | None, InputsConfig]:
    """Return the [inputs] of the data, with contract and task of the model."""
    asked = "events" if model.answers_at_events else model.calibration.task
    if data.suffix == ".toml" and data.is_file():
        experiment, _ = load_experiment(data, [f"inputs.{one}" for one in overrides])
        own: dict[str, Any] = {"contract": model.contract, "task": asked}
        own |= {"classes": model.calibration.classes} if model.answers_at_events else {}
        return experiment, experiment.inputs.model_copy(update=own)
    task, classes = model.calibration.task, model.calibration.classes
    stated: dict[str, Any] = {"folder": str(data.absolute()), "task": asked}
    stated |= {"classes": list(classes)} if model.answers_at_events else {}
    stated |= {"positive": classes[0].split("+")} if task == "binary" else {}
    stated["contract"] = model.contract.model_dump(mode="json", exclude_none=True)
    return None, parse_inputs(stated, overrides=overrides, base=data.absolute())


def _several(catalogue: Catalogue, task: str, classes: tuple[str, ...]) -> Float64[np.ndarray, "n k"]:
    known = [name for name in classes if name in catalogue.classes]
    if not known:
        raise ExperimentError(
            f"none of the model's classes {', '.join(classes)} is a label of {catalogue.name}, which has "
            f"{', '.join(catalogue.classes)}. Name its labels as the model does."
        )
    labels = [set(one.labels) for one in catalogue.recordings]
    found = np.array([[float(name in row) for name in classes] for row in labels])
    if task == "classes":
        # A recording of another class, or of two, has no place among classes that exclude each other.
        found[found.sum(axis=1) != 1] = np.nan
    else:
        found[:, [name not in catalogue.classes for name in classes]] = np.nan
    return found


def score_external(
    scorers: Sequence[Scorer],
    data: External,
    *,
    kept: Sequence[object] = (),
    rated: bool = False,
    show: Show,
) -> tuple[list[ScoreTable], list[Fitness]]:
    """Read every recording once, hold it against the contract of each model, and score what fits all of them.

    Args:    kept: the fingerprints in each model file, or None where it has none.
             rated: whether the tables get a column of signal quality, where the data have none.
    Returns: one table and one fitness for each scorer; the tables have the same rows.
    Raises:  FormatError: when no recording could be scored; says why.
    """
    seen = [
        _Seen(scorer.contract, None if one is None else Kept.of(one))
        for scorer, one in zip(scorers, kept or [None] * len(scorers), strict=True)
    ]
    if scorers[0].positions is not None:
        return _score_events(scorers, data, seen, show)
    logits: list[list[np.ndarray]] = [[] for _ in scorers]
    rows: list[int] = []
    n = len(data.recordings)
    with show.progress("checking and scoring") as update:
        for start in range(0, n, BATCH):
            batch = [
                (k, ready)
                for k in range(start, min(start + BATCH, n))
                if (ready := _ready(data, k, seen)) is not None
            ]
            rows += [k for k, _ in batch]
            for number, scorer in enumerate(scorers):
                if batch:
                    logits[number].append(scorer.logits(*stacked([ready[number] for _, ready in batch])))
            update(min(start + BATCH, n), n)
    fitness = [one.fitness(n) for one in seen]
    if not rows:
        raise _nothing_scored(n, fitness)
    tables = [
        _table(scorer, np.concatenate(parts), data, rows)
        for scorer, parts in zip(scorers, logits, strict=True)
    ]
    if rated and QUALITY not in data.columns:
        found = qualities([data.recordings[k] for k in rows], data.module.read, show=show)
        tables = [replace(table, columns={**table.columns, QUALITY: found}) for table in tables]
    return tables, fitness


def _score_events(
    scorers: Sequence[Scorer], data: External, seen: Sequence["_Seen"], show: Show
) -> tuple[list[ScoreTable], list[Fitness]]:
    """Score recordings at their events, one at a time, since each may be long."""
    found: list[list[AtEvents]] = [[] for _ in scorers]
    rows: list[int] = []
    n = len(data.recordings)
    with show.progress("checking and scoring") as update:
        for k in range(n):
            made = _at_events(scorers, data, k, seen)
            rows += [] if made is None else [k]
            for parts, one in zip(found, made or (), strict=False):
                parts.append(one)
            update(k + 1, n)
    fitness = [one.fitness(n) for one in seen]
    if not rows:
        raise _nothing_scored(n, fitness)
    # Two models name the same events by the first one's positions.
    first = joined(scorers[0], found[0], role="test")
    owner = np.repeat(rows, [len(one.positions) for one in found[0]])
    classes = [class_of_symbol(str(one), data.class_of) for one in first.columns["symbol"]]
    names = scorers[0].calibration.classes
    truth = np.array([[float(one == name) for name in names] for one in classes])
    truth[truth.sum(axis=1) == 0] = np.nan
    if np.isnan(truth).all():
        raise FormatError(
            f"none of the {len(truth):,} events of {data.name} is one of the model's classes {', '.join(names)}; the "
            f"first is {first.columns['symbol'][0]!r}. Name the events as the model does."
        )
    chosen = [data.recordings[k] for k in owner]
    subjects = np.array([one.subject or "" for one in chosen]) if data.has_subjects else None
    further = dict(_columns(chosen))
    tables = [
        replace(table, ids=first.ids, truth=truth, subjects=subjects, columns={**further, **table.columns})
        for table in (
            first,
            *(joined(*pair, role="test") for pair in zip(scorers[1:], found[1:], strict=True)),
        )
    ]
    return tables, fitness


def _at_events(
    scorers: Sequence[Scorer], data: External, k: int, seen: Sequence["_Seen"]
) -> list[AtEvents] | None:
    """Return the scores of each model at the events of a recording, or None when one of them does not take it."""
    if _ready(data, k, seen) is None:
        return None
    recording = data.recordings[k]
    try:
        signal = data.module.read(recording)
        made = [scored_at_events(scorer, signal, record=recording.id) for scorer in scorers]
    except VicinalError as error:
        why = without_folder(str(error), recording)
    else:
        if len({tuple(one.symbols.tolist()) for one in made}) == 1:
            return made
        why = "the models take different events of it: their contracts cut it differently"
    for one in seen:
        one.refused.append((recording.id, why))
    return None


def _nothing_scored(n: int, fitness: Sequence[Fitness]) -> FormatError:
    shown = "\n".join(f"  {name}: {why}" for one in fitness for name, why in one.refused[:_SHOWN])
    return FormatError(f"none of {n} recordings could be scored:\n{shown}")


class _Seen:
    """Counts how recordings fit one contract, and how many the model was made from.

    Args:    kept: its fingerprints, where its file has any.
    """

    def __init__(self, contract: Contract, kept: Kept | None = None) -> None:
        self.contract, self.kept = contract, kept
        self.known: Counter[str] = Counter()
        self.n_exact = 0
        self.converted: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.refused: list[tuple[str, str]] = []

    def prepare(self, signal: Signal, name: str) -> Prepared | None:
        violations = check(signal, self.contract)
        if any(not one.convertible for one in violations):
            why = "; ".join(one.message for one in violations if not one.convertible)
            self.refused.append((name, why))
            return None
        self.n_exact += not violations
        for one in violations:
            self.converted[one.field] += 1
            self.examples.setdefault(one.field, f"{one.got} for {one.expected} ({name})")
        prepared = prepare(signal, self.contract)
        if self.kept is not None and (part := self.kept.part_of(prepared.samples, prepared.length)):
            self.known[part] += 1
        return prepared

    def fitness(self, n: int) -> Fitness:
        converted = {name: (count, self.examples[name]) for name, count in self.converted.items()}
        if self.kept is None:
            return Fitness(n, self.n_exact, converted, tuple(self.refused))
        known = {part: self.known[part] for part in self.kept.parts}
        share = sum(self.kept.n_kept.values()) / max(1, sum(self.kept.n.values()))
        return Fitness(n, self.n_exact, converted, tuple(self.refused), known, share)


def _ready(data: External, k: int, seen: Sequence[_Seen]) -> list[Prepared] | None:
    """Return a recording as each model takes it, or None when one of them does not."""
    recording = data.recordings[k]
    try:
        signal = data.module.read(recording)
    except VicinalError as error:
        for one in seen:
            one.refused.append((recording.id, without_folder(str(error), recording)))
        return None
    ready = [one.prepare(signal, recording.id) for one in seen]
    taken = [one for one in ready if one is not None]
    return taken if len(taken) == len(ready) else None


def _table(scorer: Scorer, logits: np.ndarray, data: External, rows: Sequence[int]) -> ScoreTable:
    chosen = [data.recordings[k] for k in rows]
    return scorer.table(
        logits,
        ids=[one.id for one in chosen],
        role="test",
        truth=data.truth[list(rows)],
        subjects=np.array([one.subject or "" for one in chosen]) if data.has_subjects else None,
        columns=dict(_columns(chosen)),
    )


def _columns(recordings: Sequence[Recording]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield further columns: numbers, NaN where missing, or text, empty where missing."""
    for name in dict.fromkeys(name for one in recordings for name in one.columns):
        values = [one.columns.get(name) for one in recordings]
        if any(isinstance(value, str) for value in values):
            yield name, np.array(["" if value is None else str(value) for value in values])
        else:
            yield name, np.array([np.nan if value is None else value for value in values], np.float64)
