"""What a person reads in the terminal after `vicinal train`: validation metrics, or how the loss went with the rate.

Formats results; computes nothing.
"""

from typing import Any

from vicinal.terminal import Terminal
from vicinal.training.range_test import RangeTest
from vicinal.workflow.running import Run

__all__ = ["is_training", "tell_range", "tell_training"]

_N_ROWS, _WIDTH = 25, 40


def is_training(run: Run) -> bool:
    """Whether a run was to end when its training was over."""
    return "metrics" not in run.evidence


def tell_training(run: Run, terminal: Terminal) -> None:
    """Print the metrics of the best epoch, and where the model lies."""
    found: dict[str, Any] = run.evidence
    training = found["training_rows"] or {}
    rows = [
        [name, _cell(value), _cell(training.get(name))]
        for name, value in found["validation"].items()
    ]  # fmt: skip
    title = f"Best epoch: {found['best_epoch']}, by {found['training']['select']}"
    terminal.table(["metric", "validation rows", "training rows"], rows, title=title)
    terminal.paragraph(
        "No test row was scored. The probabilities are not calibrated and there is no policy: vicinal run does both."
    )
    terminal.result(f"model: {run.folder / 'model.vicinal'}")


def tell_range(test: RangeTest, terminal: Terminal) -> None:
    """Print the loss over the learning rate as bars, and what is suggested."""
    every = max(1, -(-len(test.rates) // _N_ROWS))
    shown = list(range(0, len(test.rates), every))
    low, high = min(test.smooth), max(test.smooth[k] for k in shown)
    nearest = None
    if test.suggested is not None:
        distance = [abs(test.rates[k] / test.suggested - 1) for k in shown]
        nearest = shown[distance.index(min(distance))]
    for k in shown:
        share = (test.smooth[k] - low) / (high - low) if high > low else 0.0
        mark = "  <- suggested" if k == nearest else ""
        terminal.result(
            f"{test.rates[k]:8.1e}  {test.smooth[k]:8.4f}  {'█' * (1 + round(share * _WIDTH))}{mark}"
        )
    if test.suggested is None:
        terminal.paragraph(f"\nNo rate is suggested: {test.reason}")
        return
    terminal.paragraph(f"\nTry learning_rate = {test.suggested:.1e}: {test.reason}.")


def _cell(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.4f}"
