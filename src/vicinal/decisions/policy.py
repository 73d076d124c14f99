"""Policy: from probabilities to decisions, by thresholds fitted to an aim and a refer band around them.

Knows score tables and their roles; must not know networks, or how probabilities were calibrated.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pydantic
from jaxtyping import Float, Float64, Int8

from vicinal.decisions.aim import Aim, parse_aim, parse_aims, spell_aims
from vicinal.decisions.events import Alarms, EventTimes, find_alarms, lowest_onset
from vicinal.decisions.exclusive import alarm_aims, decide_exclusive, spell_alarm_aims
from vicinal.decisions.guarantee import guaranteed_threshold
from vicinal.decisions.thresholds import (
    Refer,
    choose_threshold,
    prevalence_weights,
    refer_band,
    shift_prevalence,
)  # fmt: skip
from vicinal.errors import ExperimentError, FormatError, InfeasibleError
from vicinal.scoretable import FITTING_ROLES, Role, ScoreTable, Task

__all__ = ["Policy", "PolicyKind", "along", "fit_policy"]

PolicyKind = Literal["threshold", "argmax", "alarms"]
Band = tuple[float, float]


@dataclass(frozen=True)
class Policy:
    """How probabilities become decisions.

    Args:    task, kind: `argmax` or `alarms` for exclusive classes, `threshold` for every other task.
             aim: its words.  classes: K names.
             thresholds: (K,), probabilities as calibrated; empty for argmax; for alarms None for each class that
             does not alarm, of which there is one at least.
             refer: for each class (low, high) or None: low <= probability < high is referred; for argmax one
             band, of the largest probability; None without a band.
             confidence, guaranteed: of the exact guarantee; None and False without one.
             prevalence: that of the field, where stated.
             rows_prevalence: (K,) that of the fitting rows, None where no truth is known.
             role, n_rows, n_positive (K,), n_positive_subjects (K,) or None: the rows it was fitted on.
             n_guarantee: (K,) independent subjects that a guarantee rests on, or None.
             seed: of the draw of one row for each subject.  model_hash: of the model it belongs to.
             events: how rows along a recording become alarms, or None.
    Raises:  FormatError: when lengths or ranges do not agree; every problem is listed.
    """

    task: Task
    kind: PolicyKind
    aim: str
    classes: tuple[str, ...]
    thresholds: tuple[float | None, ...]
    role: Role
    n_rows: int
    n_positive: tuple[int, ...]
    rows_prevalence: tuple[float | None, ...]
    n_positive_subjects: tuple[int, ...] | None = None
    refer: tuple[Band | None, ...] | None = None
    confidence: float | None = None
    prevalence: float | None = None
    guaranteed: bool = False
    n_guarantee: tuple[int, ...] | None = None
    seed: int = 0
    model_hash: str = ""
    events: EventTimes | None = None

    def __post_init__(self) -> None:
        problems = self._problems()
        if problems:
            raise FormatError("policy: " + "; ".join(problems) + ".")

    def _problems(self) -> list[str]:
        n = len(self.classes)
        n_bands = 1 if self.kind == "argmax" else n
        problems = []
        for name, value, known in (
            ("task", self.task, get_args(Task)),
            ("kind", self.kind, get_args(PolicyKind)),
            ("role", self.role, FITTING_ROLES),
        ):
            if value not in known:
                problems.append(f"{name} {value!r} is not one of {', '.join(known)}")
        if (self.kind in ("argmax", "alarms")) != (self.task == "classes"):
            problems.append(f"kind {self.kind!r} does not fit task {self.task!r}")
        if not n or len(set(self.classes)) != n:
            problems.append(f"classes must be distinct and at least one, got {self.classes}")
        for name, row, length in (
            ("thresholds", self.thresholds, 0 if self.kind == "argmax" else n),
            ("n_positive", self.n_positive, n),
            ("rows_prevalence", self.rows_prevalence, n),
            ("n_positive_subjects", self.n_positive_subjects, n),
            ("n_guarantee", self.n_guarantee, n),
            ("refer", self.refer, n_bands),
        ):
            if row is not None and len(row) != length:
                problems.append(f"{name} must have {length} entries, got {len(row)}")
        if not all(0 <= t <= 1 for t in self.thresholds if t is not None):
            problems.append(f"thresholds must lie in 0 to 1, got {self.thresholds}")
        if not all(0 <= band[0] < band[1] <= 1 for band in self.refer or () if band is not None):
            problems.append(f"refer bands need 0 <= low < high <= 1, got {self.refer}")
        for name, share in (("confidence", self.confidence), ("prevalence", self.prevalence)):
            if share is not None and not 0 < share < 1:
                problems.append(f"{name} must lie between 0 and 1, got {share}")
        if self.guaranteed != (self.confidence is not None) or self.guaranteed != (
            self.n_guarantee is not None
        ):
            problems.append("guaranteed, confidence and n_guarantee belong together")
        if self.events is not None and self.kind == "argmax":
            problems.append("events begin at a threshold, and argmax has none")
        if (None in self.thresholds) != (self.kind == "alarms"):
            problems.append(
                "a class without a threshold goes with alarms of exclusive classes, and only with them"
            )
        if self.kind == "alarms" and (self.events is None or self.refer is not None):
            problems.append("alarms of exclusive classes have events and no refer band")
        return problems

    def decide(self, probabilities: Float[np.ndarray, "n k"]) -> Int8[np.ndarray, "n k"]:
        """Return 1 (positive), 0 (negative) or -1 (referred to a person) for each row and class.

        A probability equal to the threshold is positive. A probability that is NaN is referred, never called
        negative. Argmax: the first of equal classes wins, and a referred row is -1 in every class. Alarms: the most
        probable of the classes at or above their thresholds, else of the classes without one.

        Raises:  FormatError: when `probabilities` is not (n, K) or lies outside 0 to 1.
        """
        p = np.asarray(probabilities, dtype=np.float64)
        if p.ndim != 2 or p.shape[1] != len(self.classes):
            raise FormatError(
                f"probabilities must be (n, {len(self.classes)}), one column for each of "
                f"{', '.join(self.classes)}; got {p.shape}."
            )
        if not ((p >= 0) & (p <= 1) | np.isnan(p)).all():
            raise FormatError("probabilities must lie in 0 to 1; were these logits?")
        if self.kind == "argmax":
            decisions = np.zeros(p.shape, np.int8)
            decisions[np.arange(len(p)), np.argmax(p, axis=1)] = 1
            p = p.max(axis=1, keepdims=True)  # NaN when one of them is.
        elif self.kind == "alarms":
            decisions = decide_exclusive(p, self.thresholds)
            p = p.max(axis=1, keepdims=True)
        else:
            decisions = (p >= np.array(self.thresholds, dtype=np.float64)).astype(np.int8)
        referred = np.isnan(p)
        for k, band in enumerate(self.refer or ()):
            if band is not None:
                referred[:, k] |= (p[:, k] >= band[0]) & (p[:, k] < band[1])
        return np.where(referred, np.int8(-1), decisions)

    def in_the_field(self, probabilities: Float[np.ndarray, "n 1"]) -> Float64[np.ndarray, "n 1"] | None:
        """Return what the probabilities are where the class is as common as stated: odds times the ratio of odds.

        Calibrated probabilities are those of rows as common as the fitting ones. Thresholds move alike, so no
        decision changes.

        Args:    probabilities: calibrated, or thresholds.
        Returns: None without a stated prevalence, or where the fitting rows were all of one kind.
        """
        source = self.rows_prevalence[0]
        if self.prevalence is None or source is None or not 0 < source < 1:
            return None
        p = np.asarray(probabilities, dtype=np.float64)
        return shift_prevalence(p, source=source, field=self.prevalence)

    def alarms(self, table: ScoreTable) -> dict[str, Alarms]:
        """Return the alarms of each class that alarms along the recordings of these rows.

        Args:    table: of the same classes, with columns `record` and `position_s`.
        Raises:  ExperimentError: when the policy has no events.  FormatError: when the table does not fit.
        """
        if self.events is None:
            raise ExperimentError(
                "this policy decides rows, not events; fit one with events, or for alarms per day."
            )
        if table.classes != self.classes:
            raise FormatError(f"policy for {self.classes} does not fit scores of {table.classes}.")
        records, position_s = along(table)
        return {
            name: find_alarms(records, position_s, p, onset=threshold, times=self.events)
            for name, threshold, p in zip(self.classes, self.thresholds, table.probabilities.T, strict=True)
            if threshold is not None
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the policy as JSON values; without `events` where it has none."""
        values: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        if self.events is None:
            del values["events"]
        return values

    @staticmethod
    def from_dict(value: object) -> "Policy":
        """Read what `to_dict` wrote.

        Raises:  FormatError: when keys, types or numbers are wrong.
        """
        names = {item.name for item in dataclasses.fields(Policy)}
        if not isinstance(value, dict) or set(value) | {"events"} != names:
            found = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
            raise FormatError(f"policy: expected an object with {sorted(names)}, got {found}.")
        try:
            return _ADAPTER.validate_json(json.dumps(value), strict=True)
        except pydantic.ValidationError as error:
            problems = [f"{'.'.join(map(str, item['loc']))} {item['msg']}".strip() for item in error.errors()]
            raise FormatError(f"policy: {'; '.join(problems)}.") from error


_ADAPTER = pydantic.TypeAdapter(Policy)


def fit_policy(
    table: ScoreTable,
    *,
    aim: str,
    confidence: float | None = None,
    prevalence: float | None = None,
    refer: Refer | None = None,
    events: EventTimes | None = None,
    seed: int = 0,
    model_hash: str = "",
) -> Policy:
    """Fit thresholds to an aim in words, for each class alone.

    Args:    table: calibrated rows of role validation, calibration or out_of_fold; with `confidence` of role
             calibration only, which nothing was selected on.
             aim: see `parse_aim`, or one for each class, see `parse_aims`. For exclusive classes `argmax`, or alarms
             per day of the classes that alarm, see `alarm_aims`; `argmax` is for those only.
             confidence: of the exact guarantee (see `vicinal.decisions.guarantee`); for sensitivity and
             specificity. Each class is guaranteed alone, not all classes at once.
             prevalence: that of the field; binary tasks only.
             refer: {"share": 0.1}, {"risk": 0.01}, or (low, high); see `refer_band`.
             events: how rows along a recording become alarms; for alarms per day those of `EventTimes()` when not
             given. Needs columns `record` and `position_s`.
             seed: draws one row for each subject.  model_hash: that of the table when not given.
    Raises:  RoleError: for rows of any other role.  ExperimentError: when arguments do not fit each other or
             the task.  InfeasibleError: when the rows cannot meet the aim; every class that cannot is named.
    """
    aims, words = _aims(aim, table)
    purpose = f"fitting a policy ({words})"
    if confidence is None:
        table.require_role(*FITTING_ROLES, purpose=purpose)
    else:
        table.require_role("calibration", purpose=f"{purpose} with a guarantee")
    stated = [one for one in aims if one is not None]
    if events is None and any(one.kind == "daily" for one in stated):
        events = EventTimes()
    _check_arguments(table, stated, confidence, prevalence, events, refer)
    is_argmax = stated[0].kind == "argmax"
    thresholds, n_guarantee = (
        ((), ()) if is_argmax else _fit_classes(table, aims, confidence, prevalence, events, seed)
    )
    known, positive = ~np.isnan(table.truth), table.truth == 1
    subjects = table.subjects
    return Policy(
        task=table.task,
        kind="argmax" if is_argmax else "alarms" if table.task == "classes" else "threshold",
        aim=words,
        classes=table.classes,
        thresholds=thresholds,
        role=table.role,
        n_rows=len(table),
        n_positive=tuple(map(int, positive.sum(axis=0))),
        rows_prevalence=tuple(
            float(p.sum() / m.sum()) if m.any() else None for p, m in zip(positive.T, known.T, strict=True)
        ),
        n_positive_subjects=None
        if subjects is None
        else tuple(len(np.unique(subjects[column])) for column in positive.T),
        refer=None if refer is None else _bands(table, refer, thresholds, prevalence),
        confidence=confidence,
        prevalence=prevalence,
        guaranteed=confidence is not None,
        n_guarantee=None if confidence is None else n_guarantee,
        seed=seed,
        model_hash=model_hash or table.model_hash,
        events=events,
    )


def along(table: ScoreTable) -> tuple[np.ndarray, Float64[np.ndarray, " n"]]:
    """Return the record of each row, and where in it the row lies, in seconds.

    Raises:  FormatError: when the table does not say, or not with numbers.
    """
    missing = [name for name in ("record", "position_s") if name not in table.columns]
    if missing:
        raise FormatError(
            f"alarms along a recording need the columns record and position_s; {' and '.join(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} not there. Score windows or beats that say where they lie."
        )
    try:
        position_s = np.asarray(table.columns["position_s"], dtype=np.float64)
    except ValueError as error:
        raise FormatError(f"position_s must be seconds: {error}.") from error
    if not np.isfinite(position_s).all():
        raise FormatError("position_s must be finite seconds in every row.")
    return np.asarray(table.columns["record"], dtype=str), position_s


def _aims(text: str, table: ScoreTable) -> tuple[tuple[Aim | None, ...], str]:
    """Return the aim of each class and their words; of exclusive classes some may have none."""
    words = spell_aims(text)
    if table.task != "classes" or (":" not in words and parse_aim(words).kind == "argmax"):
        return parse_aims(text, table.classes), words
    aims = alarm_aims(text, classes=table.classes, truth=table.truth)
    return aims, spell_alarm_aims(aims, table.classes)


def _check_arguments(
    table: ScoreTable,
    aims: Sequence[Aim],
    confidence: float | None,
    prevalence: float | None,
    events: EventTimes | None,
    refer: Refer | None,
) -> None:
    problems = []
    for aim in dict.fromkeys(aims):
        if (aim.kind not in ("argmax", "daily")) if table.task == "classes" else aim.kind == "argmax":
            problems.append(
                f"aim 'argmax' is for tasks with exclusive classes, which have no other but alarms per day; got "
                f"{str(aim)!r} for task {table.task!r}"
            )
        if aim.kind == "argmax" and events is not None:
            problems.append("events begin at a threshold, which 'argmax' does not have; leave them out")
        if aim.kind == "daily" and table.task == "classes" and refer is not None:
            problems.append(
                "a refer band lies around one threshold, and these classes have several; leave it out"
            )
        if confidence is not None and aim.kind not in ("sensitivity", "specificity"):
            problems.append(
                f"confidence guarantees a sensitivity or a specificity, not {str(aim)!r}; leave it out"
            )
    for name, share in (("confidence", confidence), ("prevalence", prevalence)):
        if share is not None and not 0 < share < 1:
            problems.append(f"{name} must lie between 0 and 1, both excluded, got {share}")
    if prevalence is not None and table.task != "binary":
        problems.append("one prevalence cannot stand for several classes; leave it out")
    if problems:
        raise ExperimentError("decisions: " + "; ".join(problems) + ".")


def _fit_classes(
    table: ScoreTable,
    aims: Sequence[Aim | None],
    confidence: float | None,
    prevalence: float | None,
    events: EventTimes | None,
    seed: int,
) -> tuple[tuple[float | None, ...], tuple[int, ...]]:
    thresholds: list[float | None] = []
    n_guarantee, problems = [], []
    for k, (name, aim) in enumerate(zip(table.classes, aims, strict=True)):
        if aim is None:
            thresholds.append(None)
            continue
        known = ~np.isnan(table.truth[:, k])
        truth, p = table.truth[known, k], table.probabilities[known, k]
        try:
            if aim.kind == "daily" and events is not None:
                # Every row counts, also one of unknown truth: an alarm is an alarm.
                scores = table.probabilities[:, k]
                thresholds.append(lowest_onset(*along(table), scores, per_day=aim.target, times=events))
                continue
            if confidence is None:
                thresholds.append(choose_threshold(aim, truth, p, prevalence=prevalence))
                continue
            threshold, n = guaranteed_threshold(
                p,
                truth == (1 if aim.kind == "sensitivity" else 0),
                subjects=table.clusters[known],
                ids=table.ids[known],
                target=aim.target,
                confidence=confidence,
                seed=seed,
                below=aim.kind == "specificity",
            )
            thresholds.append(threshold)
            n_guarantee.append(n)
        except InfeasibleError as error:
            problems.append(f"{name}: {str(error).rstrip('.')}.")
    if problems:
        raise InfeasibleError("\n".join(problems))
    return tuple(thresholds), tuple(n_guarantee)


def _bands(
    table: ScoreTable, refer: Refer, thresholds: Sequence[float | None], prevalence: float | None
) -> tuple[Band | None, ...]:
    if table.task == "classes":
        # The nearer the largest probability is to 0, the less certain is its row.
        known = ~np.isnan(table.truth).any(axis=1)
        wrong = np.where(known, table.probabilities.argmax(axis=1) != table.truth.argmax(axis=1), np.nan)
        return (refer_band(refer, table.probabilities.max(axis=1), threshold=0.0, wrong=wrong),)
    bands, problems = [], []
    for k, (name, threshold) in enumerate(zip(table.classes, thresholds, strict=True)):
        assert threshold is not None  # only alarms of exclusive classes leave one out, and those have no band
        truth, p = table.truth[:, k], table.probabilities[:, k]
        wrong = np.where(np.isnan(truth), np.nan, (p >= threshold) != (truth == 1))
        weights = None if prevalence is None else prevalence_weights(truth, field=prevalence)
        try:
            bands.append(refer_band(refer, p, threshold=threshold, wrong=wrong, weights=weights))
        except InfeasibleError as error:
            problems.append(f"{name}: {str(error).rstrip('.')}.")
    if problems:
        raise InfeasibleError("\n".join(problems))
    return tuple(bands)
