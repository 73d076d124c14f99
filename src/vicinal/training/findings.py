"""Findings: known failures of training, put into words with their evidence, from the monitor's records of epochs.

Each is a function from records to one finding or none. It must not know networks, nor change anything.
"""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vicinal.training.config import BEST_WHEN_LOW

__all__ = ["Finding", "findings_of"]

Kind = Literal[
    "rolled back", "diverging", "learning rate too high", "learning rate too low", "dead units",
    "labels probably shuffled", "not learning", "overfitting", "noisy validation", "class never found",
    "no selection", "stopped early",
]  # fmt: skip
Records = Sequence[Mapping[str, Any]]

WILD_RATIO = 0.1
"""A step that moves the weights of every stage by a tenth of their size leaves little of what was learnt."""

IDLE_RATIO = 1e-4
"""At less than a ten-thousandth a step at the peak, hundreds of steps change little; a thousandth is usual."""

MOST_DEAD = 0.5
CHANCE = 0.5
"""AUROC of scores that say nothing."""


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing about a run, with its evidence."""

    kind: Kind
    message: str


def findings_of(
    epochs: Records, *, rollbacks: Records = (), end: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Return what the records show, most serious first; empty when nothing is known to be wrong.

    Args:    epochs, rollbacks, end: records as the monitor keeps them.
    """
    found = [_rolled_back(rollbacks)]
    if epochs:
        found += [
            _diverging(epochs),
            _too_high(epochs),
            _too_low(epochs),
            _dead_units(epochs),
            _shuffled(epochs),
            None if _too_low(epochs) else _not_learning(epochs),
            _overfitting(epochs),
            _noisy(epochs),
            None if _too_low(epochs) else _never_found(epochs),
            _no_selection(epochs),
            _stopped_early(epochs, end),
        ]
    return [finding for finding in found if finding is not None]


def _rolled_back(rollbacks: Records) -> Finding | None:
    if not rollbacks:
        return None
    each = "; ".join(
        f"{one['what']} not finite at step {one['step']}, back to step {one['to_step']}" for one in rollbacks
    )
    return Finding(
        "rolled back",
        f"{each}; since then the learning rate is {rollbacks[-1]['rate_share']:g} of what was asked for. Ask for less, "
        "and look for recordings with extreme values.",
    )


def _diverging(epochs: Records) -> Finding | None:
    losses = [record["training_loss"] for record in epochs]
    lowest = min(losses)
    if len(losses) < 2 or losses[-1] <= 1.5 * lowest + 0.05:
        return None
    return Finding(
        "diverging",
        f"the training loss rose from {lowest:.3f} (epoch {losses.index(lowest) + 1}) to "
        f"{losses[-1]:.3f}. Try a third of the learning rate, or a smaller clip.",
    )


def _too_high(epochs: Records) -> Finding | None:
    """Whether steps at the peak of the schedule were wild, in the stage that moved least."""
    ratios = [
        (min(record["update_ratio"].values()), record) for record in epochs if record.get("update_ratio")
    ]
    if not ratios:
        return None
    ratio, record = max(ratios, key=lambda one: one[0])
    if ratio < WILD_RATIO:
        return None
    return Finding(
        "learning rate too high",
        f"in epoch {record['epoch']} each step moved the weights of every stage by {ratio:.0%} of their size or more, "
        f"at a learning rate of {record['learning_rate']:.2g}; a thousandth to a hundredth is usual. Try a tenth of "
        "the learning rate.",
    )


def _too_low(epochs: Records) -> Finding | None:
    """Whether even the stage that moved most hardly moved, and the loss with it."""
    ratios = [max(record["update_ratio"].values()) for record in epochs if record.get("update_ratio")]
    losses = [record["training_loss"] for record in epochs]
    if not ratios or max(ratios) > IDLE_RATIO or losses[-1] < 0.9 * losses[0]:
        return None
    return Finding(
        "learning rate too low",
        f"no step moved the weights of any stage by more than {max(ratios):.1e} of their size, where a thousandth is "
        f"usual, and the training loss went from {losses[0]:.3f} to {losses[-1]:.3f}. Try ten times the learning rate.",
    )


def _dead_units(epochs: Records) -> Finding | None:
    dead = {
        layer: counts
        for layer, counts in epochs[-1].get("dead_units", {}).items()
        if counts[0] >= MOST_DEAD * counts[1]
    }
    if not dead:
        return None
    each = ", ".join(f"{n} of {n_units} that reach {layer}" for layer, (n, n_units) in dead.items())
    return Finding(
        "dead units",
        f"units that gave nothing but zeros in the last looks: {each}. Try a lower learning rate, or a norm before "
        "relu; where the loss is good all the same, fewer units would do.",
    )


def _shuffled(epochs: Records) -> Finding | None:
    """Whether rows are learnt by heart, and nothing of it holds for other rows."""
    name = next((one for one in ("auroc", "macro_auroc") if one in epochs[-1]["validation"]), None)
    if name is None or len(epochs) < 4 or not epochs[-1].get("training"):
        return None
    late = epochs[len(epochs) // 2 :]
    validation = statistics.fmean(record["validation"][name] for record in late)
    best = max(record["validation"][name] for record in epochs)
    training = epochs[-1]["training"][name]
    if not (training >= 0.7 and validation <= CHANCE + 0.2 * (training - CHANCE) and best < 0.75):
        return None
    return Finding(
        "labels probably shuffled",
        f"on training rows {name} reached {training:.3f}, on validation rows it is {validation:.3f} in the later half, "
        "what tossing a coin gives: the network learns rows by heart, and nothing of it holds for others. Check that "
        "labels belong to their recordings, in both parts; vicinal audit looks for more.",
    )


def _not_learning(epochs: Records) -> Finding | None:
    losses = [record["training_loss"] for record in epochs]
    if len(losses) < 3 or min(losses[1:]) < 0.98 * losses[0]:
        return None
    return Finding(
        "not learning",
        f"the training loss stayed where it was: {losses[0]:.3f} in epoch 1, at best "
        f"{min(losses[1:]):.3f} after. Try another learning rate, and check that labels belong to their "
        "recordings.",
    )


def _overfitting(epochs: Records) -> Finding | None:
    losses = [record["validation"].get("loss", math.nan) for record in epochs]
    if len(losses) < 4 or any(math.isnan(loss) for loss in losses):
        return None
    lowest = min(losses)
    k = losses.index(lowest)
    training = [record["training_loss"] for record in epochs]
    if len(losses) - k < 4 or losses[-1] < 1.1 * lowest + 0.01 or training[-1] > training[k]:
        return None
    return Finding(
        "overfitting",
        f"overfitting since epoch {k + 1}: the validation loss rose from {lowest:.3f} to "
        f"{losses[-1]:.3f} while the training loss fell from {training[k]:.3f} to {training[-1]:.3f}. "
        "Try augmentation, more weight decay, a smaller network, or early stopping (patience).",
    )


def _noisy(epochs: Records) -> Finding | None:
    """Whether the metric that selects an epoch jumps by more than it has improved."""
    name = epochs[-1].get("select")
    values = [record["validation"].get(name, math.nan) for record in epochs]
    if len(values) < 6 or any(math.isnan(value) for value in values):
        return None
    early, late = values[: len(values) // 3], values[len(values) // 3 :]
    # Of independent values, differences vary by the root of two more; what rises steadily hardly counts.
    noise = statistics.stdev(b - a for a, b in itertools.pairwise(late)) / math.sqrt(2)
    sign = -1 if name in BEST_WHEN_LOW else 1
    improved = sign * (statistics.fmean(late) - statistics.fmean(early))
    scale = max(values) if name in BEST_WHEN_LOW else 1.0
    if noise < 0.03 * scale or noise < improved:
        return None
    return Finding(
        "noisy validation",
        f"from one validation to the next {name} jumps by {noise:.3f} (standard deviation), and it improved by "
        f"{improved:.3f} after the first third: which epoch is best is mostly luck. Give validation more rows, or "
        "select by loss.",
    )


def _never_found(epochs: Records) -> Finding | None:
    """Whether one of exclusive classes is never right, or the answer about a class is the same for every row."""
    last = epochs[-1]["validation"]
    f1s = [name[3:-1] for name, value in last.items() if name.startswith("f1[") and value == 0]
    said = [f"no row of {', '.join(f1s)} was found (F1 is 0)"] if f1s else []
    for name, value in last.items():
        if name.startswith("never["):
            said.append(f"no row was given {name[6:-1]} with more than {value:.3f}, though some have it")
        elif name.startswith("always["):
            said.append(
                f"every row was given {name[7:-1]} with {value:.3f} or more, though some do not have it"
            )
    if not said:
        return None
    return Finding(
        "class never found",
        f"of the validation rows of epoch {epochs[-1]['epoch']}: {'; '.join(said)}. "
        'Try class_weights = "balanced", a higher learning rate, or more rows of it.',
    )


def _no_selection(epochs: Records) -> Finding | None:
    if any(record["best"] for record in epochs):
        return None
    return Finding(
        "no selection",
        "the metric that selects weights was never a number, so the last weights were kept. "
        "Validation rows need every class.",
    )


def _stopped_early(epochs: Records, end: Mapping[str, Any] | None) -> Finding | None:
    if end is None or not end["stopped_early"]:
        return None
    allowed = "" if end["total"] is None else f" of {end['total']:,}"
    return Finding(
        "stopped early",
        f"stopped after epoch {epochs[-1]['epoch']}, at step {end['step']:,}{allowed}: validation was best in epoch "
        f"{end['best_epoch']} and has not become better since. More patience would go on longer.",
    )
