"""Row: one trained network of a comparison, what it cost and gave, and the table of several.

Must not know networks, training or terminals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vicinal.scoretable import ScoreTable

__all__ = ["Bias", "Row", "bias_of", "table"]

Bias = Literal["dense", "local", "conv", "conv+mean", "other"]

_WINDOWED = ("conv", "residual", "inception", "separable", "depthwise")
_POOLS = ("mean", "max", "mean-max", "attention-pool")


@dataclass(frozen=True)
class Row:
    """One trained network and what it cost and gave.

    Args:    name: how it is called in the table.  network: its text.
             parameters, multiply_adds: counts, of one recording.  train_seconds: of training alone.
             auroc: value, low, high on the test rows.
             shifted: AUROC when the test rows are moved by so many positions; 0 is no shift.
             n_train_subjects: size of the training cohort.  regime: how windows were cut, in words.
             scores: the test rows' scores, for paired differences; without them intervals are combined.
    """

    name: str
    network: str
    parameters: int
    multiply_adds: int
    train_seconds: float
    auroc: tuple[float, float, float]
    shifted: Mapping[int, float] = field(default_factory=dict)
    n_train_subjects: int = 0
    regime: str = ""
    scores: ScoreTable | None = None


def bias_of(network: str) -> Bias:
    """Return which claim about the data a network's text makes: by its windows, and its pooling."""
    stages = [stage.split("#")[0].split() for line in network.splitlines() for stage in line.split("|")]
    kinds = {words[0] for words in stages if words}
    if kinds & set(_WINDOWED):
        if "local" in kinds:
            return "other"
        return "conv+mean" if kinds & set(_POOLS) else "conv"
    if "local" in kinds:
        return "local"
    return "dense" if kinds and kinds <= {"dense", "flatten", "relu", "norm", "dropout"} else "other"


def table(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and one line of text for each row, in the order given.

    Returns: columns network, regime, subjects, parameters, multiply-adds, seconds, AUROC (95 % interval), and
             one for each shift other than 0.
    """
    shifts = sorted({shift for row in rows for shift in row.shifted if shift})
    header = ("network", "regime", "subjects", "parameters", "multiply-adds", "seconds", "AUROC (95 %)")
    lines = [
        (
            row.name,
            row.regime,
            f"{row.n_train_subjects:,}",
            f"{row.parameters:,}",
            f"{row.multiply_adds:,}",
            f"{row.train_seconds:.1f}",
            "{:.3f} ({:.3f}-{:.3f})".format(*row.auroc),
            *(f"{row.shifted[shift]:.3f}" if shift in row.shifted else "" for shift in shifts),
        )
        for row in rows
    ]
    return header + tuple(f"shifted {shift}" for shift in shifts), lines
