"""Course: where a training run is and how it got there, from the records of its history, one after the other.

The terminal of a run and `vicinal watch` show the same one. Pure; must not know files, clocks, or how it is shown.
"""

import math
import statistics
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from vicinal.training.config import BEST_WHEN_LOW
from vicinal.training.findings import Finding, findings_of
from vicinal.workflow.curve import Curve

__all__ = ["Course"]

_RECENT = 32
"""Steps over which loss, gradient norm and speed are told: single ones jump."""


class Course:
    """What the records say so far.

    Args:    past: records from before, of a run that goes on.
    Attributes: step, total: taken, and in all (None while not known).  learning_rate: of the last step.
             losses, norms: curves over all steps.  update_ratio: by stage, at the last closer look; empty before one.
             dead_units: share of all, None while not known.
             epochs, rollbacks, end: records as the monitor passes them on.
    """

    def __init__(self, past: Iterable[Mapping[str, Any]] = ()) -> None:
        self.step = 0
        self.total: int | None = None
        self.learning_rate = math.nan
        self.update_ratio: dict[str, float] = {}
        self.dead_units: float | None = None
        self.losses, self.norms = Curve(), Curve()
        self.epochs: list[dict[str, Any]] = []
        self.rollbacks: list[Mapping[str, Any]] = []
        self.end: Mapping[str, Any] | None = None
        self._recent: deque[tuple[float, float, float]] = deque(maxlen=_RECENT)
        for record in past:
            self.add(record)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take the next record; what `history.jsonl` holds as null is no number here."""
        kind = record["kind"]
        if kind == "step":
            self._add_step(record)
        elif kind == "epoch":
            self._add_epoch(record)
        elif kind == "rollback":
            self.rollbacks.append(record)
            self.step = record["to_step"]
        elif kind == "end":
            self.end = record

    @property
    def loss(self) -> float:
        """The mean training loss of the last steps."""
        return _mean([loss for loss, _, _ in self._recent])

    @property
    def gradient_norm(self) -> float:
        """The mean gradient norm of the last steps, before clipping."""
        return _mean([norm for _, norm, _ in self._recent])

    @property
    def rows_per_s(self) -> float:
        """The median of the last steps."""
        return statistics.median(speed for _, _, speed in self._recent) if self._recent else math.nan

    @property
    def select(self) -> str | None:
        """The metric that selects an epoch; None before the first validation."""
        return self.epochs[-1]["select"] if self.epochs else None

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The record of the epoch whose weights are kept; None before one was better than none."""
        return next((record for record in reversed(self.epochs) if record["best"]), None)

    @property
    def is_better_when_low(self) -> bool:
        """Whether a lower value of `select` is better."""
        return self.select in BEST_WHEN_LOW

    @property
    def remaining_s(self) -> float | None:
        """Seconds to the last step, at the pace so far, validation included; None while not known."""
        if self.total is None or not self.epochs or not self.epochs[-1]["step"]:
            return None
        step_s: float = self.epochs[-1]["seconds"] / self.epochs[-1]["step"]
        return (self.total - self.step) * step_s

    @property
    def findings(self) -> list[Finding]:
        """What the monitor says of the records so far."""
        return findings_of(self.epochs, rollbacks=self.rollbacks, end=self.end)

    def to_dict(self) -> dict[str, Any]:
        """Return where the run is as JSON values."""
        last, best = (self.epochs[-1] if self.epochs else None), self.best
        return {
            "step": self.step,
            "total": self.total,
            "loss": self.loss,
            "gradient_norm": self.gradient_norm,
            "learning_rate": self.learning_rate,
            "update_ratio": self.update_ratio,
            "dead_units": self.dead_units,
            "rows_per_s": self.rows_per_s,
            "remaining_s": self.remaining_s,
            "epoch": None if last is None else last["epoch"],
            "select": self.select,
            "validation": None if last is None else last["validation"],
            "training": None if last is None else last["training"],
            "best_epoch": None if best is None else best["epoch"],
            "is_over": self.end is not None,
            "findings": [[finding.kind, finding.message] for finding in self.findings],
        }

    def _add_step(self, record: Mapping[str, Any]) -> None:
        self.step, self.total = record["step"], record["total"]
        self.learning_rate = record["learning_rate"]
        loss, norm = _number(record["loss"]), _number(record["gradient_norm"])
        self._recent.append((loss, norm, _number(record["rows_per_s"])))
        self.losses.add(loss)
        self.norms.add(norm)
        if "update_ratio" in record:
            self.update_ratio = _numbers(record["update_ratio"])
            self.dead_units = record["dead_units"]

    def _add_epoch(self, record: Mapping[str, Any]) -> None:
        known = dict(record)
        for name in ("training_loss", "learning_rate"):
            known[name] = _number(known[name])
        for name in ("validation", "training", "update_ratio"):
            known[name] = None if known[name] is None else _numbers(known[name])
        self.epochs.append(known)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: _number(value) for name, value in values.items()}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
