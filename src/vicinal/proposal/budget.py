"""How long to train, passes over the rows where that is quick, minutes where it is not; and in what steps.

Knows numbers only.
"""

import math
from dataclasses import dataclass

__all__ = ["ProposedBudget", "propose_budget", "propose_learning_rate"]

_FLOP_PER_S = 5e9
"""What a busy laptop does in float32 with small layers; only a guess of minutes rests on it."""

_QUICK_MINUTES, _MOST_MINUTES = 2, 5
_STEPS = 600
_PATIENCE_SHARE, _LEAST_PATIENCE = 4, 10
"""A quarter of the passes, so that a pause while the learning rate is high does not end training."""


_FEW_PARAMETERS = 10_000


@dataclass(frozen=True)
class ProposedBudget:
    """Either `epochs` or `minutes`, the rows of a step, the validations without progress that end it, and why."""

    epochs: int | None
    minutes: float | None
    batch: int
    patience: int
    why: str


def propose_budget(*, n_train: int, multiply_adds: int) -> ProposedBudget:
    """Propose a budget for a network of so many multiply-adds a row on `n_train` rows."""
    batch = next(size for size in (64, 32, 16, 8) if n_train >= 8 * size or size == 8)
    steps = max(n_train // batch, 1)  # the last rows of a pass that make no full batch are left out
    epochs = min(max(math.ceil(_STEPS / steps), 20), 60)
    minutes = epochs * n_train * 6 * multiply_adds / _FLOP_PER_S / 60
    if minutes > _QUICK_MINUTES:
        why = (
            f"bounded in time: {epochs} passes might take {minutes:.0f} minutes on a busy laptop; give more when "
            "validation still improves at the end"
        )
        return ProposedBudget(None, _MOST_MINUTES, batch, _LEAST_PATIENCE, why)
    patience = max(epochs // _PATIENCE_SHARE, _LEAST_PATIENCE)
    why = (
        f"at most {epochs * steps:,} steps; the epoch that is best on the validation rows is kept, and training stops "
        f"when {patience} epochs in a row were no better"
    )
    return ProposedBudget(epochs, None, batch, patience, why)


def propose_learning_rate(parameters: int) -> float:
    """Propose the peak of the schedule for a network of so many weights.

    A few weights get somewhere only in large steps. Of 25 pairs of a network below 10,000 weights and a data set
    (synthetic ECGs, ECG5000, digits, a table; one or two seeds), 15 ended better by more than 0.01 with 1e-2 than
    with 2e-3, up to 0.30 of AUROC, and 3 worse, the most by 0.06: norm and dense layer on MiniRocket. It was chosen on
    the held-out rows of those sets, which therefore do not vouch for it; on 400 made-up people of another seed, never
    looked at before, ten of ten pairs ended higher, by 0.002 to 0.163 of AUROC.
    """
    return 1e-2 if parameters < _FEW_PARAMETERS else 2e-3
