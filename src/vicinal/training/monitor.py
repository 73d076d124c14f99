"""Monitor: what happened while training, kept, passed on, and put into words where it is a known failure.

Observes numbers; never changes the network and never decides what is kept.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Finding", "Monitor", "Progress"]

Progress = Callable[[int, int | None, str], None]
"""Called with steps done, steps in all (None while they are being timed), and a few words."""


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing about a run, with its evidence."""

    kind: Literal[
        "diverging", "overfitting", "not learning", "class never found", "no selection", "stopped early"
    ]
    message: str


class Monitor:
    """Records of the steps and epochs of one run.

    Args:    sink: receives each record, one flat dict a step and one an epoch (a line of `history.jsonl`).
             progress: called at each step.
    """

    def __init__(
        self, sink: Callable[[dict[str, Any]], None] | None = None, progress: Progress | None = None
    ) -> None:
        self._sink, self._progress = sink, progress
        self._losses: list[float] = []
        self._epochs: list[dict[str, Any]] = []
        self._words = ""
        self._end: dict[str, Any] | None = None
        self._n_records = 0

    def state(self) -> dict[str, Any]:
        """Return what the next record depends on, as JSON values; `n_records` were passed on so far."""
        return {
            "losses": list(self._losses),
            "epochs": self.epochs,
            "words": self._words,
            "end": self._end,
            "n_records": self._n_records,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the monitor that returned `state`."""
        self._losses, self._epochs = list(state["losses"]), list(state["epochs"])
        self._words, self._n_records, self._end = state["words"], state["n_records"], state["end"]

    def step(
        self,
        *,
        step: int,
        total: int | None,
        loss: float,
        gradient_norm: float,
        learning_rate: float,
        rows_per_s: float,
    ) -> None:
        """Record one step; `step` counts from 1."""
        self._losses.append(loss)
        self._pass_on(
            {
                "kind": "step",
                "step": step,
                "loss": loss,
                "gradient_norm": gradient_norm,
                "learning_rate": learning_rate,
                "rows_per_s": round(rows_per_s, 1),
            }
        )
        if self._progress is not None:
            self._progress(step, total, f"loss {loss:.3f}, {rows_per_s:.0f} rows/s{self._words}")

    def epoch(
        self,
        *,
        epoch: int,
        step: int,
        validation: Mapping[str, float],
        select: str,
        best: bool,
        seconds: float,
    ) -> None:
        """Record one validation; `epoch` counts from 1; the training loss is the mean since the last."""
        mean = math.fsum(self._losses) / len(self._losses) if self._losses else math.nan
        self._losses = []
        record = {
            "kind": "epoch",
            "epoch": epoch,
            "step": step,
            "training_loss": mean,
            "validation": dict(validation),
            "best": best,
            "seconds": round(seconds, 3),
        }
        self._epochs.append(record)
        self._pass_on(record)
        self._words = f", validation {select} {validation[select]:.4f}"

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
        if not self._epochs:
            return []
        found = [self._diverging(), self._overfitting(), self._not_learning(), self._never_found()]
        last = (self._no_selection(), self._stopped_early())
        return [finding for finding in (*found, *last) if finding is not None]

    def _pass_on(self, record: dict[str, Any]) -> None:
        self._n_records += 1
        if self._sink is not None:
            self._sink(record)

    def _diverging(self) -> Finding | None:
        losses = [record["training_loss"] for record in self._epochs]
        lowest = min(losses)
        if len(losses) < 2 or losses[-1] <= 1.5 * lowest + 0.05:
            return None
        return Finding(
            "diverging",
            f"the training loss rose from {lowest:.3f} (epoch {losses.index(lowest) + 1}) to "
            f"{losses[-1]:.3f}. Try a third of the learning rate, or a smaller clip.",
        )

    def _overfitting(self) -> Finding | None:
        losses = [record["validation"].get("loss", math.nan) for record in self._epochs]
        if len(losses) < 4 or any(math.isnan(loss) for loss in losses):
            return None
        lowest = min(losses)
        k = losses.index(lowest)
        training = [record["training_loss"] for record in self._epochs]
        if len(losses) - k < 4 or losses[-1] < 1.1 * lowest or training[-1] > training[k]:
            return None
        return Finding(
            "overfitting",
            f"overfitting since epoch {k + 1}: the validation loss rose from {lowest:.3f} to "
            f"{losses[-1]:.3f} while the training loss fell from {training[k]:.3f} to {training[-1]:.3f}. "
            "Try augmentation, more weight decay, a smaller network, or fewer epochs.",
        )

    def _not_learning(self) -> Finding | None:
        losses = [record["training_loss"] for record in self._epochs]
        if len(losses) < 3 or min(losses[1:]) < 0.98 * losses[0]:
            return None
        return Finding(
            "not learning",
            f"the training loss stayed where it was: {losses[0]:.3f} in epoch 1, at best "
            f"{min(losses[1:]):.3f} after. Try another learning rate, and check that labels belong to their "
            "recordings.",
        )

    def _never_found(self) -> Finding | None:
        last = self._epochs[-1]["validation"]
        names = [name[3:-1] for name, value in last.items() if name.startswith("f1[") and value == 0]
        if not names:
            return None
        return Finding(
            "class never found",
            f"no validation row of {', '.join(names)} was found (F1 is 0 at epoch {len(self._epochs)}). "
            'Try class_weights = "balanced", or more rows of it.',
        )

    def _no_selection(self) -> Finding | None:
        if any(record["best"] for record in self._epochs):
            return None
        return Finding(
            "no selection",
            "the metric that selects weights was never a number, so the last weights were kept. "
            "Validation rows need every class.",
        )

    def _stopped_early(self) -> Finding | None:
        if self._end is None or not self._end["stopped_early"]:
            return None
        best, n_epochs, total = self._end["best_epoch"], self._epochs[-1]["epoch"], self._end["total"]
        allowed = "" if total is None else f" of {total:,}"
        return Finding(
            "stopped early",
            f"stopped after epoch {n_epochs}, at step {self._end['step']:,}{allowed}: validation was best in epoch "
            f"{best} and has not become better since. More patience would go on longer.",
        )
