"""What training makes small: the cross-entropy of each task, with class weights, label smoothing and focus.

Knows logits and truth; must not know networks or data sets.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from vicinal.errors import TrainingError

__all__ = ["Loss", "balanced_weights", "make_loss"]

Loss = Callable[
    [Float[Tensor, "rows outputs *places"], Float[Tensor, "rows outputs *places"]], Float[Tensor, ""]
]


def make_loss(
    task: str,
    *,
    weights: Float[Tensor, " outputs"] | None = None,
    smoothing: float = 0.0,
    gamma: float = 0.0,
) -> Loss:
    """Return the mean loss of a batch as a function of (logits, truth), computed in float32.

    Binary and labels: sigmoid cross-entropy of each output; a weight multiplies the positive rows of its
    output. Classes: softmax cross-entropy; a weight multiplies the rows of its class in a weighted mean.
    Events: truth and logits have outputs along time behind, (rows, K, outputs), and truth counts the events of each
    class that an output answers. Softmax cross-entropy, a mean over events; outputs without any do not count.
    Smoothing s moves each truth y to y (1 - s) + s / m, where m is 2 for a sigmoid and K for a softmax.
    Gamma g multiplies each logarithm -log p by (1 - p)^g, so that what the network is sure of counts less.

    Args:    task: "binary", "classes", "labels" or "events".  weights: (K,), > 0, or None.  smoothing: 0 to 1.
             gamma: 0 is the cross-entropy, 2 is usual for a focal loss.
    Raises:  TrainingError: for a task without a loss.
    Source:  gamma: Lin et al. 2017, arXiv:1708.02002; ours takes truths between 0 and 1 too, from smoothing and
             mixup.
    """
    if task in ("binary", "labels"):
        return _sigmoid_loss(weights, smoothing, gamma)
    if task == "classes":
        return _softmax_loss(weights, smoothing, gamma)
    if task == "events":
        return _event_loss(weights, smoothing, gamma)
    raise TrainingError(
        f"expected a task of binary, classes, labels or events, got {task!r}: there is no loss for it."
    )


def balanced_weights(
    truth: Float[np.ndarray, "rows outputs *places"], *, task: str
) -> Float[np.ndarray, " outputs"]:
    """Return weights under which every class counts the same.

    Binary and labels: negatives / positives of each output.  Classes and events: rows (events) / (K x those of the
    class).

    Raises:  TrainingError: when an output has no positive or no negative row.
    """
    if task == "events":
        truth = truth.sum(axis=2)
    positives = truth.sum(axis=0)
    n_rows = int(positives.sum()) if task == "events" else len(truth)
    if (positives == 0).any() or (positives == n_rows).any():
        counts = ", ".join(f"{int(count)} of {n_rows}" for count in positives)
        raise TrainingError(
            f"balanced class weights need rows with and without each class, got positive rows: {counts}. "
            'Add rows of the missing class, or set class_weights = "none".'
        )
    if task in ("classes", "events"):
        return np.asarray(n_rows / (truth.shape[1] * positives))
    return np.asarray((n_rows - positives) / positives)


def _sigmoid_loss(weights: Tensor | None, smoothing: float, gamma: float) -> Loss:
    def loss(logits: Tensor, truth: Tensor) -> Tensor:
        smooth = truth * (1 - smoothing) + smoothing / 2
        if not gamma:
            return F.binary_cross_entropy_with_logits(logits.float(), smooth, pos_weight=weights)
        found, missed = F.logsigmoid(logits.float()), F.logsigmoid(-logits.float())
        positive = smooth * found * torch.exp(gamma * missed)
        negative = (1 - smooth) * missed * torch.exp(gamma * found)
        return -((positive if weights is None else positive * weights) + negative).mean()

    return loss


def _focused(logs: Tensor, gamma: float) -> Tensor:
    # Where p is 1 to rounding, the slope of (1 - p)^g would be infinite for g below 1.
    return logs * (1 - logs.exp()).clamp(min=1e-7) ** gamma if gamma else logs


def _softmax_loss(weights: Tensor | None, smoothing: float, gamma: float) -> Loss:
    def loss(logits: Tensor, truth: Tensor) -> Tensor:
        smooth = truth * (1 - smoothing) + smoothing / truth.shape[1]
        logs = _focused(F.log_softmax(logits.float(), dim=1), gamma)
        rows = -(smooth * logs).sum(dim=1)
        if weights is None:
            return rows.mean()
        row_weights = truth @ weights
        return (rows * row_weights).sum() / row_weights.sum()

    return loss


def _event_loss(weights: Tensor | None, smoothing: float, gamma: float) -> Loss:
    def loss(logits: Tensor, truth: Tensor) -> Tensor:
        smooth = truth * (1 - smoothing) + truth.sum(dim=1, keepdim=True) * (smoothing / truth.shape[1])
        losses = -(smooth * _focused(F.log_softmax(logits.float(), dim=1), gamma)).sum(dim=1)
        if weights is None:
            counted = truth.sum(dim=1)
        else:
            # Events of two classes that read one output share a mean weight.
            counted = torch.einsum("rkp,k->rp", truth, weights)
            losses = losses * counted / truth.sum(dim=1).clamp(min=1)
        # A batch of segments between events has none: nothing to learn, and nothing to divide by.
        return losses.sum() / counted.sum().clamp(min=torch.finfo(torch.float32).tiny)

    return loss
