"""Calibration: from logits to probabilities that mean what they say.

Fitted on rows that trained nothing, never on test rows. Every map is monotone in each logit, so a calibration
turns no ranking around; an isotonic one makes ties. Knows score tables; must not know networks or thresholds.
"""

import dataclasses
import itertools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pydantic
from jaxtyping import Float, Float64
from scipy.optimize import isotonic_regression, minimize, minimize_scalar
from scipy.special import expit, log_softmax, logit, softmax

from vicinal.errors import ExperimentError, FormatError, InfeasibleError, did_you_mean
from vicinal.scoretable import FITTING_ROLES, ScoreTable, Task

__all__ = ["Calibration", "CalibrationKind", "fit_calibration", "identity"]

CalibrationKind = Literal["none", "temperature", "platt", "isotonic"]

_ALONE = ("platt", "isotonic")
_TEMPERATURES = (0.05, 20.0)
_SLOPES = (1e-3, 1e3)


@dataclass(frozen=True)
class Calibration:
    """A monotone map from logits to probabilities.

    Args:    task: exclusive `classes` share one softmax; every other task has a sigmoid for each class.
             classes: K names.  kind: `none`, `temperature` (z / T), `platt` (slope * z + intercept) or
             `isotonic` (straight lines between knots, level outside them).
             parameters: `temperature`: {"temperature": (T,)}, T > 0; `platt`: {"slope": (K,), "intercept":
             (K,)}, slopes > 0; `isotonic`: {"logit[A]": (m,), "probability[A]": (m,)} for each class, logits
             rising, probabilities above 0 and below 1 and never falling; `none`: {}.
    Raises:  FormatError: when kind, names, lengths or numbers do not agree; every problem is listed.
    """

    task: Task
    classes: tuple[str, ...]
    kind: CalibrationKind
    parameters: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = self._problems()
        if problems:
            raise FormatError("calibration: " + "; ".join(problems) + ".")

    def _problems(self) -> list[str]:
        n = len(self.classes)
        knots = [f"{name}[{one}]" for one in self.classes for name in ("logit", "probability")]
        lengths: dict[str, dict[str, int | None]] = {
            "none": {},
            "temperature": {"temperature": 1},
            "platt": {"slope": n, "intercept": n},
            "isotonic": dict.fromkeys(knots),
        }
        expected = lengths.get(self.kind)
        problems = []
        if self.task not in get_args(Task):
            problems.append(f"task {self.task!r} is not one of {', '.join(get_args(Task))}")
        if not n or len(set(self.classes)) != n:
            problems.append(f"classes must be distinct and at least one, got {self.classes}")
        if expected is None:
            kinds = ", ".join(get_args(CalibrationKind))
            return [*problems, f"kind {self.kind!r} is not one of {kinds}"]
        if self.kind in _ALONE and self.task == "classes":
            problems.append(f"{self.kind} maps each class alone, but exclusive classes share one softmax")
        if set(self.parameters) != set(expected):
            problems.append(f"{self.kind} has parameters {sorted(expected)}, got {sorted(self.parameters)}")
        for name in sorted(set(self.parameters) & set(expected)):
            values = self.parameters[name]
            if expected[name] is not None and len(values) != expected[name]:
                problems.append(f"{name} must have {expected[name]} numbers, got {len(values)}")
            if not all(math.isfinite(value) for value in values):
                problems.append(f"{name} must be finite, got {values}")
            elif name in ("temperature", "slope") and not all(value > 0 for value in values):
                problems.append(f"{name} must be positive, got {values}")
        return problems or (self._knot_problems() if self.kind == "isotonic" else [])

    def _knot_problems(self) -> list[str]:
        problems = []
        for name in self.classes:
            logits, shares = self.parameters[f"logit[{name}]"], self.parameters[f"probability[{name}]"]
            if not logits or len(logits) != len(shares):
                problems.append(
                    f"logit[{name}] and probability[{name}] must have one number for each knot and at least one, "
                    f"got {len(logits)} and {len(shares)}"
                )
            if not all(a < b for a, b in itertools.pairwise(logits)):
                problems.append(f"logit[{name}] must rise")
            if not all(0 < a < 1 for a in shares) or not all(a <= b for a, b in itertools.pairwise(shares)):
                problems.append(f"probability[{name}] must lie above 0 and below 1 and never fall")
        return problems

    def apply(self, logits: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
        """Return the probability of each class for each row.

        Raises:  FormatError: when `logits` is not (n, K).
        """
        if self.kind == "isotonic":
            return self._curves(self._checked(logits))
        scores = self.log_odds(logits)
        return np.asarray(softmax(scores, axis=1) if self.task == "classes" else expit(scores))

    def log_odds(self, logits: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
        """Return the scores whose sigmoid (exclusive classes: whose softmax) the probabilities are.

        Unlike these they never saturate, so that they still rank where many probabilities are 1.

        Raises:  FormatError: when `logits` is not (n, K).
        """
        scores = self._checked(logits)
        if self.kind == "temperature":
            return scores / self.parameters["temperature"][0]
        if self.kind == "platt":
            return np.asarray(scores * self.parameters["slope"] + self.parameters["intercept"])
        return np.asarray(logit(self._curves(scores))) if self.kind == "isotonic" else scores

    def _checked(self, logits: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
        scores = np.asarray(logits, dtype=np.float64)
        if scores.ndim != 2 or scores.shape[1] != len(self.classes):
            raise FormatError(
                f"logits must be (n, {len(self.classes)}), one column for each of {', '.join(self.classes)}; "
                f"got {scores.shape}."
            )
        return scores

    def _curves(self, scores: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
        knots = [
            (self.parameters[f"logit[{name}]"], self.parameters[f"probability[{name}]"])
            for name in self.classes
        ]
        columns = [np.interp(scores[:, k], *pair) for k, pair in enumerate(knots)]
        return np.stack(columns, axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Return the calibration as JSON values."""
        return _ADAPTER.dump_python(self, mode="json")  # type: ignore[no-any-return]  # a dataclass gives a dict

    @staticmethod
    def from_dict(value: object) -> "Calibration":
        """Read what `to_dict` wrote.

        Raises:  FormatError: when keys, types or numbers are wrong.
        """
        keys = {item.name for item in dataclasses.fields(Calibration)}
        if not isinstance(value, dict) or set(value) != keys:
            found = sorted(map(str, value)) if isinstance(value, dict) else type(value).__name__
            raise FormatError(f"calibration: expected an object with {sorted(keys)}, got {found}.")
        try:
            return _ADAPTER.validate_json(json.dumps(value), strict=True)
        except pydantic.ValidationError as error:
            problems = [f"{'.'.join(map(str, item['loc']))} {item['msg']}".strip() for item in error.errors()]
            raise FormatError(f"calibration: {'; '.join(problems)}.") from error


_ADAPTER = pydantic.TypeAdapter(Calibration)


def identity(task: Task, classes: tuple[str, ...]) -> Calibration:
    """Return the calibration that takes logits as they are: plain sigmoid or softmax."""
    return Calibration(task=task, classes=classes, kind="none")


def fit_calibration(table: ScoreTable, kind: str = "auto") -> Calibration:
    """Fit a calibration on rows of known truth.

    `temperature` minimises the log loss of softmax(z / T) or sigmoid(z / T) over T in 0.05 to 20 (Guo et al.
    2017). `platt` fits slope and intercept for each class against Platt's smoothed targets (1999), which keep
    both finite when a class has no positives or is separated perfectly; slopes are held positive. `isotonic`
    fits the best curve that never falls (Zadrozny and Elkan 2002) to the same targets, so that no probability
    is 0 or 1: it takes any shape, and needs a thousand rows where `platt` needs a hundred.

    Args:    table: rows of role validation, calibration or out_of_fold.
             kind: `temperature`, `platt`, `isotonic` (these two not for exclusive classes), `none`, or `auto`:
             platt for tasks with several labels, temperature otherwise.
    Raises:  RoleError: for rows of any other role.  ExperimentError: for a kind that does not exist or does
             not fit the task.  InfeasibleError: when no row, or only one class, has known truth.
    """
    if kind == "auto":
        kind = "platt" if table.task in ("labels", "events") else "temperature"
    if kind not in get_args(CalibrationKind):
        known = (*get_args(CalibrationKind), "auto")
        raise ExperimentError(f"calibration {kind!r} is unknown{did_you_mean(kind, known)}")
    if kind == "none":
        return identity(table.task, table.classes)
    table.require_role(*FITTING_ROLES, purpose=f"fitting a calibration ({kind})")
    if kind in _ALONE:
        return _fit_alone(table, kind)
    loss = _softmax_loss(table) if table.task == "classes" else _sigmoid_loss(table)
    low, high = map(math.log, _TEMPERATURES)
    # The loss is convex in 1 / T, so it has one minimum over log T.
    found = minimize_scalar(
        lambda log_t: loss(math.exp(-log_t)), bounds=(low, high), method="bounded", options={"xatol": 1e-9}
    )
    return Calibration(table.task, table.classes, "temperature", {"temperature": (math.exp(found.x),)})


def _softmax_loss(table: ScoreTable) -> Callable[[float], float]:
    known = ~np.isnan(table.truth).any(axis=1)
    truth, logits = table.truth[known], table.logits[known]
    if not (truth.sum(axis=1) == 1).all():
        raise FormatError(
            "calibration: rows of a task with exclusive classes must have exactly one true class."
        )
    _require_both(truth)
    return lambda scale: float(-(truth * log_softmax(logits * scale, axis=1)).sum() / len(truth))


def _sigmoid_loss(table: ScoreTable) -> Callable[[float], float]:
    known = ~np.isnan(table.truth)
    truth, logits = table.truth[known], table.logits[known]
    _require_both(truth)
    # log(1 + exp(z)) - y z, without overflow.
    return lambda scale: float(np.mean(np.logaddexp(0, logits * scale) - truth * logits * scale))


def _require_both(truth: Float64[np.ndarray, "..."]) -> None:
    if (
        not truth.size
        or truth.min() == truth.max()
        or (truth.ndim == 2 and (truth.sum(axis=0) > 0).sum() < 2)
    ):
        raise InfeasibleError(
            f"a calibration needs rows of known truth of at least two classes, got {len(truth)} rows of "
            "at most one. Set aside more rows for it in the split."
        )


def _fit_alone(table: ScoreTable, kind: str) -> Calibration:
    """Fit each class on its own rows of known truth."""
    if table.task == "classes":
        raise ExperimentError(
            f"{kind} maps each class alone, but exclusive classes share one softmax; use temperature."
        )
    rows = []
    for k, name in enumerate(table.classes):
        known = ~np.isnan(table.truth[:, k])
        if not known.any():
            raise InfeasibleError(
                f"a calibration needs rows of known truth for every class; {name} has none. Set aside more "
                "rows for it in the split."
            )
        rows.append((table.logits[known, k], table.truth[known, k]))
    if kind == "isotonic":
        knots: dict[str, tuple[float, ...]] = {}
        for name, (logits, truth) in zip(table.classes, rows, strict=True):
            knots[f"logit[{name}]"], knots[f"probability[{name}]"] = _isotonic(logits, truth)
        return Calibration(table.task, table.classes, "isotonic", knots)
    slopes, intercepts = zip(*(_platt(*pair) for pair in rows), strict=True)
    return Calibration(table.task, table.classes, "platt", {"slope": slopes, "intercept": intercepts})


def _targets(truth: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return Platt's targets: (n+ + 1) / (n+ + 2) for positives, 1 / (n- + 2) for negatives."""
    n_positive = truth.sum()
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (len(truth) - n_positive + 2)
    return np.asarray(np.where(truth == 1, high, low))


def _isotonic(
    z: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the knots: the first and last logit of each level, and its probability."""
    knots, which = np.unique(z, return_inverse=True)
    weights = np.bincount(which)
    level = isotonic_regression(np.bincount(which, weights=_targets(y)) / weights, weights=weights).x
    # Levels are means, so they may leave the range of the targets by a last bit.
    level = np.maximum.accumulate(level)
    ends = np.ones(len(level), bool)
    ends[1:-1] = (level[1:-1] != level[:-2]) | (level[1:-1] != level[2:])
    return tuple(knots[ends].tolist()), tuple(level[ends].tolist())


def _platt(z: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"]) -> tuple[float, float]:
    target = _targets(y)

    def loss(parameters: Float64[np.ndarray, " 2"]) -> tuple[float, Float64[np.ndarray, " 2"]]:
        score = parameters[0] * z + parameters[1]
        residual = expit(score) - target
        value = np.mean(np.logaddexp(0, score) - target * score)
        return float(value), np.array([np.mean(residual * z), np.mean(residual)])

    found = minimize(
        loss,
        np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[_SLOPES, (None, None)],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )
    return float(found.x[0]), float(found.x[1])
