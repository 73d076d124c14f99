"""Monitor: what happened while training, kept, passed on, and summed up validation by validation.

Observes numbers; never changes the network and never decides what is kept. What the numbers mean is said by `findings`.
"""

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vicinal.training.findings import Finding, findings_of

__all__ = ["Looked", "Monitor"]


@dataclass(frozen=True)
class Looked:
    """What a closer look at a step found.

    Args:    update_ratio: how far it moved the weights of each stage, as a share of their size.
             dead_units: share of all units; None while not known.
    """

    update_ratio: Mapping[str, float]
    dead_units: float | None


class Monitor:
    """Records of the steps and epochs of one run.

    Args:    sink: receives each record, one flat dict a step and one an epoch (a line of `history.jsonl`).
    """

    def __init__(self, sink: Callable[[dict[str, Any]], None] | None = None) -> None:
        self._sink = sink
        # Of the steps since the last validation: loss, learning rate, and the update ratio of each stage.
        self._steps: list[tuple[float, float, dict[str, float]]] = []
        self._epochs: list[dict[str, Any]] = []
        self._rollbacks: list[dict[str, Any]] = []
        self._end: dict[str, Any] | None = None
        self._n_records = 0

    def state(self) -> dict[str, Any]:
        """Return what the next record depends on, as JSON values; `n_records` were passed on so far."""
        return {
            "steps": list(self._steps),
            "epochs": self.epochs,
            "rollbacks": list(self._rollbacks),
            "end": self._end,
            "n_records": self._n_records,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the monitor that returned `state`."""
        self._steps = [(loss, rate, dict(ratios)) for loss, rate, ratios in state["steps"]]
        self._epochs, self._rollbacks = list(state["epochs"]), list(state["rollbacks"])
        self._n_records, self._end = state["n_records"], state["end"]

    def step(
        self,
        *,
        step: int,
        total: int | None,
        loss: float,
        gradient_norm: float,
        learning_rate: float,
        rows_per_s: float,
        looked: Looked | None = None,
    ) -> None:
        """Record one step.

        Args:    step: counts from 1.  looked: what a closer look at this step found.
        """
        record = {
            "kind": "step",
            "step": step,
            "total": total,
            "loss": loss,
            "gradient_norm": gradient_norm,
            "learning_rate": learning_rate,
            "rows_per_s": round(rows_per_s, 1),
        }
        ratios: dict[str, float] = {}
        if looked is not None:
            ratios = {stage: _short(ratio) for stage, ratio in looked.update_ratio.items()}
            dead = looked.dead_units
            record |= {"update_ratio": ratios, "dead_units": None if dead is None else _short(dead)}
        self._steps.append((loss, learning_rate, ratios))
        self._pass_on(record)

    @property
    def n_noted(self) -> int:
        """How many steps since the last validation it has noted."""
        return len(self._steps)

    def epoch(
        self,
        *,
        epoch: int,
        step: int,
        validation: Mapping[str, float],
        training: Mapping[str, float] | None = None,
        dead_units: Mapping[str, tuple[int, int]] | None = None,
        select: str,
        best: bool,
        seconds: float,
    ) -> None:
        """Record one validation.

        Args:    epoch: counts from 1.  validation: metrics.  training: those of a sample of training rows.
                 dead_units: of the input of each layer, how many of how many.
        The training loss is the mean, the update ratio of each stage the median of the steps since the last one.
        """
        record = {
            "kind": "epoch",
            "epoch": epoch,
            "step": step,
            "training_loss": _mean([loss for loss, _, _ in self._steps]),
            "validation": dict(validation),
            "training": None if training is None else dict(training),
            "update_ratio": self._median_ratios(),
            "learning_rate": max((rate for _, rate, _ in self._steps), default=math.nan),
            "dead_units": {name: list(one) for name, one in (dead_units or {}).items() if one[0]},
            "best": best,
            "select": select,
            "seconds": round(seconds, 3),
        }
        self._steps = []
        self._epochs.append(record)
        self._pass_on(record)

    def rollback(self, *, step: int, to_step: int, what: str, rate_share: float, n_noted: int) -> None:
        """Record that a step failed, and that training goes on from an earlier one.

        Args:    what: was not finite.  rate_share: of the learning rates of the schedule, from now on.
                 n_noted: steps since the last validation that still count.
        """
        self._steps = self._steps[:n_noted]
        record = {
            "kind": "rollback",
            "step": step,
            "to_step": to_step,
            "what": what,
            "rate_share": rate_share,
        }
        self._rollbacks.append(record)
        self._pass_on(record)

    def end(self, *, step: int, total: int | None, best_epoch: int) -> None:
        """Record that training is over; before `total` steps it stopped early."""
        self._end = {
            "kind": "end",
            "step": step,
            "total": total,
            "best_epoch": best_epoch,
            "stopped_early": step != total,
        }
        self._pass_on(self._end)

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The records of all validations so far."""
        return list(self._epochs)

    @property
    def findings(self) -> list[Finding]:
        """What the records show, most serious first; empty when nothing is known to be wrong."""
        return findings_of(self._epochs, rollbacks=self._rollbacks, end=self._end)

    def _median_ratios(self) -> dict[str, float]:
        looked = [ratios for _, _, ratios in self._steps if ratios]
        stages = looked[0] if looked else {}
        return {stage: statistics.median(ratios[stage] for ratios in looked) for stage in stages}

    def _pass_on(self, record: dict[str, Any]) -> None:
        self._n_records += 1
        if self._sink is not None:
            self._sink(record)


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _short(value: float) -> float:
    """Return four digits of a number: more would only make the history long."""
    return float(f"{value:.4g}")
